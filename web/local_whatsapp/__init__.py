"""The local WhatsApp: phones in the browser, the network between them and us, and Twilio's API behind it.

For development and tests; it refuses to exist in production.
"""
