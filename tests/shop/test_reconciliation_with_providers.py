"""What a payment's provider says otherwise than the database is listed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from db.models import Refund, RefundStatus, SandboxCharge
from shop import cart, checkout, order_status, orders
from shop.errors import ProviderUnavailable
from shop.payments import flow
from shop.payments.interface import PaymentHandle, ProviderPayment
from shop.payments.sandbox import SandboxProvider
from shop.reconciliation import Difference, ask_providers
from shop.service import Shop
from tests.shop.books import TOTAL


class SilentSandbox(SandboxProvider):
    """A sandbox that cannot be reached."""

    def read(self, payment: PaymentHandle) -> ProviderPayment | None:
        raise ProviderUnavailable(self.name)


class TestWhatProvidersSay:
    def test_money_of_which_no_word_came_is_told(self, books):
        placed = books.order()
        books.sandbox.settle(placed.payment_reference, "paid")  # and the notification is lost
        reference = placed.payment_reference
        assert books.listed() == []
        assert books.told_by_providers() == [Difference(reference, "sandbox says paid, we have pending")]
        flow.check(books.shop, reference)
        assert books.told_by_providers() == []

    @pytest.mark.parametrize("outcome", [None, "failed"])
    def test_money_that_the_provider_knows_nothing_of_is_told(self, books, outcome):
        placed = books.paid()
        books.set(SandboxCharge, outcome=outcome)
        told = "sandbox says not paid, we have verified"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_a_payment_that_the_provider_does_not_have_is_told(self, books):
        placed = books.paid()
        books.set(SandboxCharge, reference="another")
        told = "sandbox says nothing, we have verified"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_a_payment_that_was_never_opened_and_never_paid_is_no_difference(self, books):
        """The provider was away at the checkout: neither side has money, nor a payment to speak of."""
        books.do(cart.add, books.customer, str(books.product.id), 2)
        books.do(checkout.place, books.customer, "sandbox")
        assert books.told_by_providers() == []

    def test_another_amount_is_told(self, books):
        placed = books.paid()
        books.set(SandboxCharge, amount=Decimal("1000.00"))
        told = "sandbox has 1000.00, we 11825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_money_that_the_provider_sent_back_by_itself_is_told(self, books):
        placed = books.refunded(Decimal("1825.00"))
        assert books.told_by_providers() == []
        books.set(SandboxCharge, refunded=TOTAL)
        told = "sandbox sent back 11825.00, we have 1825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    @pytest.mark.parametrize("paid", [True, False], ids=["paid", "not paid"])
    def test_another_currency_is_told(self, books, paid):
        placed = books.paid() if paid else books.order()
        books.set(SandboxCharge, currency="KES")
        told = "sandbox counts in KES, we in NGN"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_a_refund_that_the_provider_never_made_is_told(self, books):
        placed = books.refunded(Decimal("1825.00"))
        books.set(SandboxCharge, refunded=Decimal(0))
        told = "sandbox sent back nothing, we have 1825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_of_what_was_sent_back_by_hand_the_provider_knows_nothing(self, books):
        books.refunded(Decimal("1825.00"))
        books.set(Refund, provider_id=None)
        books.set(SandboxCharge, refunded=Decimal(0))
        assert books.told_by_providers() == []

    def test_of_a_refund_that_is_not_done_nothing_is_expected_of_the_provider(self, books):
        books.refunded(Decimal("1825.00"))
        books.set(Refund, status=RefundStatus.PENDING)
        books.set(SandboxCharge, refunded=Decimal(0))
        assert books.told_by_providers() == []

    def test_a_provider_that_tells_refunds_apart_is_asked_for_them(self, books, monkeypatch):
        placed = books.refunded(Decimal("1825.00"))
        monkeypatch.setattr(SandboxProvider, "sent_back", lambda *_: Decimal("1825.00"), raising=False)
        books.set(SandboxCharge, refunded=Decimal(0))
        assert books.told_by_providers() == []
        monkeypatch.setattr(SandboxProvider, "sent_back", lambda *_: Decimal("1000.00"))
        told = "sandbox sent back 1000.00, we have 1825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_a_late_refund_of_an_old_payment_is_compared_as_well(self, books):
        placed = books.paid()
        books.clock.pass_minutes(20 * 24 * 60)
        books.do(order_status.refund, placed.number, Decimal("1825.00"), "Ada", "cold")
        assert flow.send_refunds(books.shop) == 1
        books.set(SandboxCharge, refunded=Decimal(0))
        told = "sandbox sent back nothing, we have 1825.00"
        assert books.told_by_providers() == [Difference(placed.payment_reference, told)]

    def test_two_things_about_one_payment_are_both_told(self, books):
        placed = books.order()
        books.sandbox.settle(placed.payment_reference, "paid")
        books.set(SandboxCharge, refunded=Decimal("10.00"))
        assert [one.what for one in books.told_by_providers()] == [
            "sandbox says paid, we have pending",
            "sandbox sent back 10.00, we have 0",
        ]

    def test_a_provider_that_cannot_be_asked_is_told_for_each_payment(self, books, settings):
        references = [books.paid().payment_reference, books.paid().payment_reference]
        silent = SilentSandbox(settings.public_base_url, b"key", books.shop.sessions)
        providers = {**books.shop.providers, "sandbox": silent}
        deaf = Shop(books.shop.sessions, books.shop.policy, books.shop.flags, providers, books.clock)
        found = ask_providers(deaf, books.clock.now - timedelta(days=1))
        assert found == [Difference(reference, "sandbox cannot be asked") for reference in references]

    def test_nobody_is_asked_about_cash_transfers_or_a_way_to_pay_that_is_gone(self, books):
        books.order("cash")
        books.order("bank_transfer")
        placed = books.paid()
        books.sandbox.settle(placed.payment_reference, "paid")
        with books.shop.sessions.begin() as session:
            session.get_one(SandboxCharge, placed.payment_reference).refunded = TOTAL
        assert len(books.told_by_providers()) == 1
        left = {name: one for name, one in books.shop.providers.items() if name != "sandbox"}
        fewer = Shop(books.shop.sessions, books.shop.policy, books.shop.flags, left, books.clock)
        assert ask_providers(fewer, books.clock.now - timedelta(days=1)) == []

    def test_only_payments_since_then_are_asked_about_oldest_first(self, books):
        placed = []
        for _ in range(3):
            placed.append(books.order())
            books.sandbox.settle(placed[-1].payment_reference, "paid")
            books.do(orders.cancel, books.customer)
            books.do(cart.clear, books.customer)
            books.clock.pass_minutes(24 * 60)
        told = [one.about for one in books.told_by_providers(days=2.5)]
        assert told == [one.payment_reference for one in placed[1:]]
