"""The business: catalogue, cart, prices and tax, orders, stock, payments, customers.

Knows no Rasa, no HTTP and no Twilio; every function works inside the transaction of a `Work`.
"""
