"""What runs by itself beside the conversations: the sender, the outbox, time-outs, the catalogue's copy."""
