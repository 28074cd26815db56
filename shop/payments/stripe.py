"""Stripe Checkout: a hosted pay page per payment, read back by the id of its session.

A session knows our reference (`client_reference_id`). What Stripe tells of the person who pays is neither
kept nor logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import stripe
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from shop.errors import PaymentRejected, ProviderUnavailable, RefundRefused
from shop.payments.interface import (
    PaymentHandle,
    PaymentRequest,
    ProviderEvent,
    ProviderPayment,
    Settlement,
    StartedPayment,
    StartedRefund,
)
from shop.payments.minor_units import from_minor_units, to_minor_units

logger = logging.getLogger(__name__)

SIGNATURE_HEADER = "stripe-signature"
SIGNATURE_TOLERANCE_SECONDS = 300
EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
# Stripe docs, Refunds: a refund may be under way for days, and fail after it succeeded. The first name is
# that of API versions before 2024-10-28.
REFUND_EVENTS = frozenset({"charge.refund.updated", "refund.updated", "refund.failed"})
# Stripe docs, Create a Checkout Session: `expires_at` is 30 minutes to 24 hours away. A minute more for
# clocks that differ and for a request that is sent a second time.
EARLIEST_EXPIRY = timedelta(minutes=31)
LATEST_EXPIRY = timedelta(hours=24) - timedelta(minutes=1)
EXPIRY_STEP = timedelta(minutes=5)
EXPAND = ["payment_intent.latest_charge"]

NonBlank = Annotated[str, StringConstraints(pattern=r"\S")]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True)


class _Opened(_Answer):
    id: NonBlank
    url: NonBlank


class _Charge(_Answer):
    amount_refunded: int


class _Intent(_Answer):
    id: NonBlank
    status: str
    latest_charge: _Charge | None = None


class _Session(_Answer):
    object: Literal["checkout.session"]
    id: NonBlank
    client_reference_id: str | None = None
    status: str | None
    payment_status: str
    amount_total: int
    currency: NonBlank
    payment_intent: _Intent | None = None


class _Refund(_Answer):
    id: NonBlank
    status: str | None = None


class _Event(_Answer):
    id: NonBlank
    type: NonBlank
    data: dict[str, Any] = {}


class _EventSession(_Answer):
    object: Literal["checkout.session"]
    id: NonBlank
    client_reference_id: NonBlank
    payment_status: str | None = None
    amount_total: int | None = None
    currency: str | None = None


class _EventRefund(_Answer):
    object: Literal["refund"]
    id: NonBlank
    status: str | None = None
    amount: int | None = None
    currency: str | None = None
    metadata: dict[str, Any] | None = None


AnAnswer = TypeVar("AnAnswer", bound=_Answer)


class StripeCheckout:
    """Pays on a page of Stripe's. Every secret in `webhook_secrets` counts, so that one can be rotated."""

    name = "stripe"
    settlement = Settlement.PROVIDER

    def __init__(
        self,
        secret_key: str,
        webhook_secrets: tuple[str, ...],
        return_url: str,
        api_base_url: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout: float = 5.0,
    ) -> None:
        self._webhook_secrets = webhook_secrets
        self._return_url = return_url
        self._clock = clock
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base_url} if api_base_url else {},
            http_client=stripe.RequestsClient(timeout=timeout),
            max_network_retries=1,
        )

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Open a Checkout Session; the reference is its idempotency key.

        Stripe takes a key again only with the very same parameters, so where the time that is left moved
        the expiry, the earlier ones are tried (Stripe docs, Idempotent requests).
        """
        for expires_at in self._expiries(request.expires_at):
            params = self._session_of(request, expires_at)
            try:
                with self._asking():
                    answer = self._client.v1.checkout.sessions.create(
                        params, {"idempotency_key": request.reference}
                    )
            except stripe.IdempotencyError:
                continue
            except stripe.InvalidRequestError as error:
                raise self._unavailable(error) from None
            opened = self._parsed(_Opened, answer)
            return StartedPayment(opened.url, opened.id)
        logger.error("stripe: a reference was used before for another payment")
        raise ProviderUnavailable(self.name)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent | None:
        """Check the signature (Stripe docs, Webhooks: verify signatures); None for events of other kinds.

        Raises:
            PaymentRejected: if it is forged, too old or malformed.
        """
        if not self._signed(body, headers.get(SIGNATURE_HEADER, "")):
            raise PaymentRejected("wrong signature")
        try:
            event = _Event.model_validate_json(body)
            if event.type in REFUND_EVENTS:
                return _of_refund(event, _EventRefund.model_validate(event.data.get("object")))
            if event.type not in EVENTS:
                return None
            session = _EventSession.model_validate(event.data.get("object"))
        except ValidationError:
            raise PaymentRejected("malformed notification") from None
        payload = {
            "id": event.id,
            "type": event.type,
            "session": session.id,
            "payment_status": session.payment_status,
            "amount": session.amount_total,
            "currency": session.currency,
        }
        return ProviderEvent(event.id, session.client_reference_id, payload)

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Retrieve the session, with its payment and what was refunded of it."""
        session = self._retrieve(payment)
        return None if session is None else self._standing(session)

    def close(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Expire the session: only an open one can be (Stripe docs, Expire a Checkout Session)."""
        if payment.provider_id is None:
            return None
        try:
            with self._asking():
                answer = self._client.v1.checkout.sessions.expire(payment.provider_id, {"expand": EXPAND})
        except stripe.InvalidRequestError:
            # Completed, expired before, or unknown: reading it tells which.
            return self.read(payment)
        return self._standing(self._parsed(_Session, answer))

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        """Refund the session's payment.

        Stripe forgets an idempotency key after a day or more, so that the key is kept in the refund's
        metadata too and looked for first.

        Raises:
            RefundRefused: if nothing was paid, or in another currency, or Stripe will not do it.
        """
        session = self._retrieve(payment)
        if session is None or session.payment_intent is None or session.currency.upper() != payment.currency:
            raise RefundRefused(self.name)
        params: RefundCreateParams = {
            "payment_intent": session.payment_intent.id,
            "amount": to_minor_units(amount, payment.currency),
            "metadata": {"key": key, "reference": payment.reference},
        }
        try:
            with self._asking():
                answer = self._earlier_refund(session.payment_intent.id, key)
                answer = answer or self._client.v1.refunds.create(params, {"idempotency_key": key})
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            self._log(error)
            raise RefundRefused(self.name) from None
        refund = self._parsed(_Refund, answer)
        if refund.status in ("failed", "canceled"):
            raise RefundRefused(self.name)
        return StartedRefund(refund.id, done=refund.status == "succeeded")

    def _expiries(self, wanted: datetime) -> Iterator[datetime | None]:
        """Expiries to ask for, the right one first; None is Stripe's own, a day.

        All are counted from `wanted`, never from now: the same request, asked again, gives the same ones.
        """
        now = self._clock()
        if wanted < now + LATEST_EXPIRY:
            steps = max(0, -((wanted - now - EARLIEST_EXPIRY) // EXPIRY_STEP))
            # A request that is long over would need a step for every five minutes since.
            for step in range(steps, max(-1, steps - 8), -1):
                yield wanted + step * EXPIRY_STEP
        yield None

    def _session_of(self, request: PaymentRequest, expires_at: datetime | None) -> SessionCreateParams:
        params: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": request.reference,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": to_minor_units(request.amount, request.currency),
                        "product_data": {"name": request.order_number},
                    },
                }
            ],
            "metadata": {"reference": request.reference, "order_number": request.order_number},
            "payment_intent_data": {"metadata": {"reference": request.reference}},
            # The order's currency and no other, so that what was paid can be compared with it.
            "adaptive_pricing": {"enabled": False},
            "success_url": self._return_url,
            "cancel_url": self._return_url,
        }
        if expires_at is not None:
            params["expires_at"] = int(expires_at.timestamp())
        return params

    def _signed(self, body: bytes, header: str) -> bool:
        for secret in self._webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(body, header, secret, SIGNATURE_TOLERANCE_SECONDS)
            except (stripe.SignatureVerificationError, ValueError, TypeError):
                # ValueError: the body is no UTF-8. TypeError: a signature of other letters than ASCII.
                continue
            return True
        return False

    def _retrieve(self, payment: PaymentHandle) -> _Session | None:
        if payment.provider_id is None:
            return None
        try:
            with self._asking():
                answer = self._client.v1.checkout.sessions.retrieve(payment.provider_id, {"expand": EXPAND})
        except stripe.InvalidRequestError as error:
            if error.http_status == 404:
                return None
            raise self._unavailable(error) from None
        return self._parsed(_Session, answer)

    def _earlier_refund(self, intent: str, key: str) -> stripe.Refund | None:
        refunds = self._client.v1.refunds.list({"payment_intent": intent, "limit": 100})
        for refund in refunds.auto_paging_iter():
            if refund.metadata is not None and refund.metadata.to_dict().get("key") == key:
                return refund
        return None

    def _standing(self, session: _Session) -> ProviderPayment:
        intent = session.payment_intent
        charge = intent.latest_charge if intent else None
        return ProviderPayment(
            reference=session.client_reference_id or "",
            paid=_paid(session),
            amount=from_minor_units(session.amount_total, session.currency),
            currency=session.currency.upper(),
            refunded=from_minor_units(charge.amount_refunded if charge else 0, session.currency),
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Let through what Stripe says about the request itself; all else is `ProviderUnavailable`."""
        try:
            yield
        except (stripe.InvalidRequestError, stripe.IdempotencyError):
            raise
        except stripe.StripeError as error:
            raise self._unavailable(error) from None
        except (ValueError, TypeError, AttributeError) as error:
            # The library stumbles over answers that are not Stripe's: no UTF-8, a list that is none.
            logger.warning("stripe answered what its library cannot read: %s", type(error).__name__)
            raise ProviderUnavailable(self.name) from None

    def _parsed(self, model: type[AnAnswer], answer: object) -> AnAnswer:
        plain = answer.to_dict() if isinstance(answer, stripe.StripeObject) else answer
        try:
            return model.model_validate(plain)
        except ValidationError:
            # Its text would quote the answer.
            logger.warning("stripe answered with no usable %s", model.__name__.strip("_").lower())
            raise ProviderUnavailable(self.name) from None

    def _unavailable(self, error: stripe.StripeError) -> ProviderUnavailable:
        self._log(error)
        return ProviderUnavailable(self.name)

    def _log(self, error: stripe.StripeError) -> None:
        """Codes only: the text of an error may name a person."""
        kind, request_id = type(error).__name__, error.request_id
        logger.warning("stripe: %s %s %s request %s", kind, error.http_status, error.code, request_id)


def _of_refund(event: _Event, refund: _EventRefund) -> ProviderEvent | None:
    """News of a refund of ours; None of one that somebody made at Stripe, which names no payment."""
    reference = (refund.metadata or {}).get("reference")
    if not isinstance(reference, str) or not reference.strip():
        return None
    payload = {
        "id": event.id,
        "type": event.type,
        "refund": refund.id,
        "status": refund.status,
        "amount": refund.amount,
        "currency": refund.currency,
    }
    return ProviderEvent(event.id, reference, payload, of_refund=True)


def _paid(session: _Session) -> bool | None:
    """Whether money came; None while it may still come."""
    if session.payment_status == "paid":
        return True
    if session.status == "expired":
        return False
    # A slow payment method that failed leaves the session complete and its payment without a method
    # (Stripe docs, Payment Intents: lifecycle).
    failed = session.payment_intent and session.payment_intent.status in (
        "requires_payment_method",
        "canceled",
    )
    return False if session.status == "complete" and failed else None
