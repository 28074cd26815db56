"""Measurements that anyone can run again; nothing of the bot imports them."""
