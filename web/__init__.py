"""One ASGI app: payment pages and webhooks, the local WhatsApp, health."""
