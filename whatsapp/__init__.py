"""Twilio WhatsApp itself: parse, verify, queue, send. Knows no Rasa and no shop; runs on both planes."""
