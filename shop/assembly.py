"""Puts a shop together from the settings; the one place that knows all its parts."""

from __future__ import annotations

import hashlib
import hmac

from db.engine import make_engine, make_sessions
from settings import Settings, exit_with
from shop.payments.interface import PaymentProvider
from shop.payments.sandbox import SandboxProvider
from shop.service import Shop


def make_shop(settings: Settings) -> Shop:
    """A shop on the database of the settings."""
    if settings.database_url is None:
        exit_with("DATABASE_URL: is not set; `make run` starts an embedded one")
    engine = make_engine(settings.database_url, settings.database_pool_size)
    return Shop(make_sessions(engine), settings.shop, settings.flags, make_providers(settings))


def make_providers(settings: Settings) -> dict[str, PaymentProvider]:
    """The payment providers that the settings offer, by name; none where payments are off."""
    providers: dict[str, PaymentProvider] = {}
    if settings.flags.payment_processing and "sandbox" in settings.shop.payment_providers:
        providers["sandbox"] = make_sandbox(settings)
    return providers


def make_sandbox(settings: Settings) -> SandboxProvider:
    """The sandbox provider; its signing key is derived, so that all web replicas share it."""
    key = hmac.new(settings.privacy.phone_index_key, b"sandbox payments", hashlib.sha256).digest()
    return SandboxProvider(settings.public_base_url, key)
