"""A real language model, small enough for a test, from the webhook to the cart."""
