"""What the tests of every provider's notifications share: whom nobody believes, and what makes no sense."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shop.errors import PaymentRejected
from shop.payments.interface import PaymentProvider

NOWHERE = "http://127.0.0.1:9"
"""Notifications are verified without asking the provider."""
NO_EVENT = [b"", b"null", b"[]", b'"x"', b"{", b"{}"]
"""Bodies that are no event of anybody's."""

Notification = tuple[bytes, dict[str, str]]


def tampered(body: bytes, headers: dict[str, str], amount: bytes) -> list[Notification]:
    """Other bodies than the one that was signed; one of them raises the amount that it names."""
    more = str(int(amount) + 1).encode()
    return [
        (body.replace(amount, more), headers),
        (body + b" ", headers),
        (b"", headers),
        (b"\xff\xfe", headers),
    ]


def assert_nobody_believes(provider: PaymentProvider, body: bytes, headers: Mapping[str, str]) -> None:
    """It is refused for its signature."""
    with pytest.raises(PaymentRejected, match="wrong signature"):
        provider.verify(body, headers)


def assert_makes_no_sense(provider: PaymentProvider, body: bytes, headers: Mapping[str, str]) -> None:
    """It is refused for what it says, and the error quotes nothing of it."""
    with pytest.raises(PaymentRejected, match="malformed") as caught:
        provider.verify(body, headers)
    assert caught.value.__suppress_context__
