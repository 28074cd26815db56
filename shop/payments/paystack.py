"""Paystack: a hosted pay page per transaction, which it knows by our reference.

What Paystack tells of the person who pays is neither kept nor logged.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shop.errors import PaymentRejected, ProviderUnavailable, ReferenceSpent, RefundRefused
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

API_BASE_URL = "https://api.paystack.co"
SIGNATURE_HEADER = "x-paystack-signature"
SIGNATURE_TOLERANCE_SECONDS = 300
# Paystack's OpenAPI, Currency: each has a hundred subunits. Others are refused, for Paystack counts those
# without subunits in its own way.
CURRENCIES = frozenset("GHS KES NGN ZAR USD".split())
# Paystack docs, Webhooks: what becomes of a refund that was taken.
REFUND_EVENTS = frozenset({"refund.processed", "refund.failed", "refund.needs-attention"})
REFUNDS_PER_PAGE = 100
REFUND_PAGES = 50
# Paystack docs, Errors: a request that was understood and will not be done.
REFUSALS = frozenset({400, 404, 422})

NonBlank = Annotated[str, StringConstraints(pattern=r"\S")]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True)


class _Done(_Answer):
    status: Literal[True]


class _Opened(_Answer):
    authorization_url: NonBlank


class _OpenedAnswer(_Done):
    data: _Opened


class _Transaction(_Answer):
    id: int
    status: str
    reference: NonBlank
    amount: int
    currency: NonBlank
    created_at: datetime | None = None


class _TransactionAnswer(_Done):
    data: _Transaction


class _Refund(_Answer):
    id: int
    status: str
    merchant_note: str | None = None


class _RefundAnswer(_Done):
    data: _Refund


class _ListedRefund(_Refund):
    amount: int = 0
    transaction: Any = None
    transaction_reference: str | None = None


class _RefundsAnswer(_Done):
    data: list[_ListedRefund]


class _Refusal(_Answer):
    status: Literal[False]
    message: str = ""
    code: str | None = None


class _Event(_Answer):
    event: NonBlank
    data: dict[str, Any] = {}


class _EventRefund(_Answer):
    transaction_reference: NonBlank
    refund_reference: str | None = None
    status: str | None = None
    amount: int | str | None = None
    currency: str | None = None


class _Charge(_Answer):
    id: int
    reference: NonBlank
    status: str | None = None
    amount: int | None = None
    currency: str | None = None


AnAnswer = TypeVar("AnAnswer", bound=_Answer)


class Paystack:
    """Pays on a page of Paystack's. Its references take only letters, digits and `-.=`.

    `customer_email` stands for every customer: Paystack demands one, and ours give none.
    """

    name = "paystack"
    settlement = Settlement.PROVIDER

    def __init__(
        self,
        secret_key: str,
        customer_email: str,
        return_url: str,
        client: httpx.Client,
        api_base_url: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout: float = 5.0,
    ) -> None:
        self._secret_key = secret_key
        self._customer_email = customer_email
        self._return_url = return_url
        self._client = client
        self._base_url = api_base_url or API_BASE_URL
        self._clock = clock
        self._timeout = timeout

    def start(self, request: PaymentRequest) -> StartedPayment:
        """Initialise a transaction.

        Paystack refuses a reference that it has seen and does not give its link again. Where the first
        answer was lost, nobody has the link, so nobody can pay it: the payment has to be opened under
        another reference.

        Raises:
            ReferenceSpent
        """
        response = self._ask(
            "POST",
            "/transaction/initialize",
            json={
                "email": self._customer_email,
                "amount": self._subunits(request.amount, request.currency),
                "currency": request.currency,
                "reference": request.reference,
                "callback_url": self._return_url,
                "metadata": {"order_number": request.order_number},
            },
        )
        if response.status_code == 400 and self._transaction(request.reference) is not None:
            raise ReferenceSpent(self.name)
        return StartedPayment(self._parsed(_OpenedAnswer, response).data.authorization_url)

    def verify(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent | None:
        """Check the signature; None for everything but `charge.success` and what becomes of refunds.

        Raises:
            PaymentRejected: if it is forged, too old or malformed.
        """
        if not self._signed(body, headers.get(SIGNATURE_HEADER, "")):
            raise PaymentRejected("wrong signature")
        try:
            event = _Event.model_validate_json(body)
            if event.event in REFUND_EVENTS:
                return _of_refund(event.event, _EventRefund.model_validate(event.data), body)
            if event.event != "charge.success":
                return None
            charge = _Charge.model_validate(event.data)
        except ValidationError:
            raise PaymentRejected("malformed notification") from None
        event_id = f"{event.event}:{charge.id}"
        payload = {"event": event.event} | charge.model_dump()
        return ProviderEvent(event_id, charge.reference, payload)

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Verify the transaction.

        An abandoned one is undecided, because its page can be opened again. Refunds are told by `sent_back`,
        except that a reversed one was sent back as a whole.
        """
        transaction = self._transaction(payment.reference)
        if transaction is None:
            return None
        amount = from_minor_units(transaction.amount, transaction.currency)
        return ProviderPayment(
            reference=transaction.reference,
            paid={"success": True, "failed": False, "reversed": False}.get(transaction.status),
            amount=amount,
            currency=transaction.currency,
            refunded=amount if transaction.status == "reversed" else Decimal(0),
        )

    def close(self, payment: PaymentHandle) -> ProviderPayment | None:
        """Paystack cannot close a transaction: how it stands. Money may come late."""
        return self.read(payment)

    def refund(self, payment: PaymentHandle, amount: Decimal, key: str) -> StartedRefund:
        """Refund the transaction, unless a refund of it carries the key in its note.

        Paystack has no idempotency keys: two calls at the same moment would both refund.

        Raises:
            RefundRefused: if Paystack knows no such transaction, will not do it or cannot without a person.
        """
        number = self._subunits(amount, payment.currency)
        transaction = self._transaction(payment.reference)
        if transaction is None or transaction.currency != payment.currency:
            raise RefundRefused(self.name)
        refund = self._earlier_refund(transaction, key) or self._new_refund(payment, number, key)
        if refund.status in ("failed", "needs-attention"):
            # Paystack docs, Refunds: it waits for the customer's bank account, which a person has to ask for.
            raise RefundRefused(self.name)
        return StartedRefund(str(refund.id), done=refund.status == "processed")

    def sent_back(self, payment: PaymentHandle) -> Decimal:
        """The sum of the transaction's refunds that were processed."""
        transaction = self._transaction(payment.reference)
        if transaction is None:
            return Decimal(0)
        if transaction.status == "reversed":
            return from_minor_units(transaction.amount, transaction.currency)
        done = (one.amount for one in self._refunds_of(transaction) if one.status == "processed")
        return from_minor_units(sum(done), transaction.currency)

    def _new_refund(self, payment: PaymentHandle, number: int, key: str) -> _Refund:
        request = {
            "transaction": payment.reference,
            "amount": number,
            "currency": payment.currency,
            "merchant_note": key,
        }
        response = self._ask("POST", "/refund", json=request)
        if response.status_code in REFUSALS and self._refusal(response) is not None:
            logger.warning("paystack refused a refund: HTTP %s", response.status_code)
            raise RefundRefused(self.name)
        return self._parsed(_RefundAnswer, response).data

    def _earlier_refund(self, transaction: _Transaction, key: str) -> _Refund | None:
        return next((one for one in self._refunds_of(transaction) if one.merchant_note == key), None)

    def _refunds_of(self, transaction: _Transaction) -> Iterator[_ListedRefund]:
        """The transaction's refunds, newest first, looked up page by page among all since it began.

        Sources differ on how the list is narrowed to one transaction, so only what Paystack's OpenAPI
        names is used, and the transaction is compared here.
        """
        params: dict[str, str | int] = {"perPage": REFUNDS_PER_PAGE}
        if transaction.created_at is not None:
            params["from"] = (transaction.created_at - timedelta(days=1)).isoformat()
        for page in range(1, REFUND_PAGES + 1):
            response = self._ask("GET", "/refund", params=params | {"page": page})
            listed = self._parsed(_RefundsAnswer, response).data
            for refund in listed:
                ours = transaction.id == refund.transaction or (
                    transaction.reference == refund.transaction_reference
                )
                if ours:
                    yield refund
            if len(listed) < REFUNDS_PER_PAGE:
                return
        # Not to be sure is no reason to refund twice.
        logger.error("paystack lists more refunds than are looked through")
        raise ProviderUnavailable(self.name)

    def _signed(self, body: bytes, header: str) -> bool:
        """Whether the header signs the body: the one place that knows both forms.

        Paystack docs, Webhooks: HMAC-SHA512 of the body, in hexadecimal. Some sources tell of a newer
        `t=<seconds>,v1=<signature>` over `<seconds>.<body>`; it is taken with the same key and hash.
        """
        signatures, signed = [header.strip()], body
        if "=" in header:
            parts = [tuple(part.strip().split("=", 1)) for part in header.split(",")]
            sent_at = next((part[1] for part in parts if part[0] == "t" and len(part) == 2), "")
            now = self._clock().timestamp()
            if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 12):
                return False
            if abs(now - int(sent_at)) > SIGNATURE_TOLERANCE_SECONDS:
                return False
            signatures = [part[1] for part in parts if part[0] == "v1" and len(part) == 2]
            signed = sent_at.encode() + b"." + body
        expected = hmac.new(self._secret_key.encode(), signed, hashlib.sha512).hexdigest().encode()
        return any(hmac.compare_digest(expected, sig.encode(errors="replace")) for sig in signatures)

    def _transaction(self, reference: str) -> _Transaction | None:
        response = self._ask("GET", f"/transaction/verify/{quote(reference, safe='')}")
        refusal = self._refusal(response)
        if refusal is not None and (
            response.status_code == 404
            or refusal.code == "transaction_not_found"
            or refusal.message.lower().startswith("transaction reference not found")
        ):
            return None
        transaction = self._parsed(_TransactionAnswer, response).data
        self._check(transaction.currency)
        return transaction

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._secret_key}"}
        url = self._base_url + path
        try:
            return self._client.request(method, url, headers=headers, timeout=self._timeout, **content)
        except httpx.HTTPError as error:
            logger.warning("paystack cannot be asked: %s", type(error).__name__)
            raise ProviderUnavailable(self.name) from None

    def _parsed(self, model: type[AnAnswer], response: httpx.Response) -> AnAnswer:
        try:
            if response.is_success:
                return model.model_validate_json(response.content)
        except ValidationError:
            pass  # its text would quote the answer
        logger.warning("paystack answered HTTP %s with nothing usable", response.status_code)
        raise ProviderUnavailable(self.name)

    def _refusal(self, response: httpx.Response) -> _Refusal | None:
        """What Paystack says where it says no; None if that is no answer of Paystack's."""
        try:
            return _Refusal.model_validate_json(response.content)
        except ValidationError:
            return None

    def _subunits(self, amount: Decimal, currency: str) -> int:
        self._check(currency)
        return to_minor_units(amount, currency)

    def _check(self, currency: str) -> None:
        if currency not in CURRENCIES:
            logger.error("paystack: payments in %s are not possible", currency[:3])
            raise ProviderUnavailable(self.name)


def _of_refund(kind: str, refund: _EventRefund, body: bytes) -> ProviderEvent:
    """News of a refund. Not all of these carry an id, so that the body, sent again as it was, is one."""
    digest = hashlib.sha256(body).hexdigest()
    payload = {"event": kind} | refund.model_dump()
    return ProviderEvent(f"{kind}:{digest}", refund.transaction_reference, payload, of_refund=True)
