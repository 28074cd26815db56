"""Code that Rasa loads: the WhatsApp channel, its consumer, stores and NLU components (Python 3.10)."""
