"""Puts a shop together from the settings; the one place that knows all its parts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import httpx
from sqlalchemy.orm import Session, sessionmaker

from db.engine import make_engine, make_sessions
from db.timing import time_statements
from settings import Settings, exit_with
from shop.known_customers import CustomerCache
from shop.observing import Observer
from shop.payments.interface import PaymentProvider
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.payments.paystack import Paystack
from shop.payments.sandbox import SandboxProvider
from shop.payments.stripe import StripeCheckout
from shop.service import Shop


def make_shop(
    settings: Settings, known_customers: CustomerCache | None = None, observer: Observer | None = None
) -> Shop:
    """A shop on the database of the settings; with a cache, it recognises customers without asking it."""
    if settings.database_url is None:
        exit_with("DATABASE_URL: is not set; `make run` starts an embedded one")
    engine = make_engine(settings.database_url, settings.database_pool_size)
    if observer is not None:
        time_statements(engine, observer.statement)
    sessions = make_sessions(engine)
    providers = make_providers(settings, sessions)
    return Shop(
        sessions,
        settings.shop,
        settings.flags,
        providers,
        known_customers=known_customers,
        observer=observer,
    )


def make_providers(settings: Settings, sessions: sessionmaker[Session]) -> dict[str, PaymentProvider]:
    """The ways to pay that the settings offer, by name; none where payments are off."""
    if not settings.flags.payment_processing:
        return {}
    return {name: _make_provider(name, settings, sessions) for name in settings.shop.payment_providers}


def make_sandbox(settings: Settings, sessions: sessionmaker[Session]) -> SandboxProvider:
    """The sandbox provider; its signing key is derived, so that all web replicas share it."""
    key = hmac.new(settings.privacy.phone_index_key, b"sandbox payments", hashlib.sha256).digest()
    return SandboxProvider(settings.public_base_url, key, sessions)


def _make_provider(name: str, settings: Settings, sessions: sessionmaker[Session]) -> PaymentProvider:
    keys = settings.payments
    makers: dict[str, Callable[[], PaymentProvider]] = {
        "sandbox": lambda: make_sandbox(settings, sessions),
        "stripe": lambda: StripeCheckout(
            keys.stripe_secret_key or "",
            keys.stripe_webhook_secrets,
            f"{settings.public_base_url}/payments/thanks",
            keys.stripe_api_base_url,
        ),
        "paystack": lambda: Paystack(
            keys.paystack_secret_key or "",
            keys.paystack_customer_email or "",
            f"{settings.public_base_url}/payments/thanks",
            httpx.Client(),
            keys.paystack_api_base_url,
        ),
        "bank_transfer": BankTransfer,
        "cash": CashOnDelivery,
    }
    return makers[name]()
