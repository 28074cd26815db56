"""The demo menu: what a new shop shows until it has its own."""
