"""`make fuzz`: what reaches the WhatsApp webhooks, mutated, against the promises of the channel."""
