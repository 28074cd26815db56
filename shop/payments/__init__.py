"""Payments: one interface, interchangeable providers, one way in which money counts."""
