"""The payment provider is asked after the order is made: whatever happens between, it can be asked again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db.models import Customer, Order, OrderStatus, Payment, PaymentStatus, Product
from shop import cart, checkout, orders
from shop.checkout import PlacedOrder
from shop.errors import PaymentRejected, ProviderUnavailable
from shop.payments import flow
from shop.service import Shop
from tests.shop.stand_in_providers import Forgetful


class TestARenewedPayment:
    def test_a_lost_link_is_given_up_for_a_new_payment(self, ask, shop, burger, sessions, clock):
        ask(cart.add, str(burger.id), 2)
        placed = ask(checkout.place)
        clock.pass_minutes(1)
        renewed = shop.run(
            lambda work: checkout.renew_payment(work, placed.payment_reference).payment_reference
        )
        assert renewed != placed.payment_reference
        with sessions() as session:
            payments = {row.payment_reference: row for row in session.query(Payment)}
            spent, new = payments[placed.payment_reference], payments[renewed]
            assert (spent.status, spent.next_check_at) == (PaymentStatus.EXPIRED, None)
            assert (new.status, new.amount, new.payment_method) == (
                PaymentStatus.PENDING,
                spent.amount,
                "sandbox",
            )
            order = session.query(Order).one()
            assert (order.payment_reference, order.status) == (renewed, OrderStatus.AWAITING_PAYMENT)
        assert ask(orders.payment_state).reference == renewed
        again: PlacedOrder = ask(checkout.place)
        assert (again.number, again.payment_reference) == (placed.number, renewed)

    def test_money_for_either_of_the_two_counts_once(self, ask, shop, sandbox, burger, clock, sessions):
        ask(cart.add, str(burger.id), 2)
        first = ask(checkout.place).payment_reference
        flow.open_payment(shop, first)
        clock.pass_minutes(1)
        second = shop.run(lambda work: checkout.renew_payment(work, first).payment_reference)
        flow.open_payment(shop, second)
        for reference, outcome in ((first, "verified"), (second, "refund")):
            note = sandbox.settle(reference, "paid")
            assert flow.receive(shop, "sandbox", note.body, note.headers) == outcome
        with sessions() as session:
            assert session.query(Order).one().status == OrderStatus.PAID
            assert session.query(Customer).count() == 1
            assert session.query(Product).one().stock_quantity == 48


class TestTheWayToTheProvider:
    """The order is made before its provider is asked: whatever happens between, it can be asked again."""

    @pytest.fixture
    def provider(self) -> Forgetful:
        return Forgetful()

    @pytest.fixture
    def till(self, shop, provider, clock) -> Shop:
        return Shop(shop.sessions, shop.policy, shop.flags, {"sandbox": provider}, clock)

    @pytest.fixture
    def reference(self, till, customer, burger) -> str:
        till.run(lambda work: cart.add(work, customer, str(burger.id), 2))
        return till.run(lambda work: checkout.place(work, customer)).payment_reference

    @pytest.fixture
    def stands(self, sessions) -> Callable[[], tuple[str, list[str]]]:
        def stands() -> tuple[str, list[str]]:
            with sessions() as session:
                payments = session.query(Payment).order_by(Payment.created_at)
                return session.query(Order).one().status.value, [row.status.value for row in payments]

        return stands

    def test_a_payment_is_opened_once(self, till, provider, reference):
        links = {flow.open_payment(till, reference) for _ in range(3)}
        assert links == {f"https://pay.example/{reference}"}
        assert provider.started == [reference]

    def test_where_a_link_was_lost_a_new_payment_takes_its_place(
        self, till, provider, reference, stands, clock
    ):
        provider.spent.add(reference)
        clock.pass_minutes(1)
        link = flow.open_payment(till, reference)
        assert link == f"https://pay.example/{provider.started[1]}"
        assert provider.started[0] == reference != provider.started[1]
        assert stands() == ("awaiting_payment", ["expired", "pending"])
        assert flow.open_payment(till, provider.started[1]) == link

    def test_an_order_that_is_over_is_not_opened(self, till, provider, reference, clock):
        clock.pass_minutes(31)
        flow.expire_due(till)
        assert flow.open_payment(till, reference) is None
        assert provider.started == []

    def test_without_its_provider_nothing_is_opened_or_asked(self, till, shop, reference, clock, stands):
        none_left = Shop(shop.sessions, shop.policy, shop.flags, {}, clock)
        assert flow.open_payment(none_left, reference) is None
        assert flow.check(none_left, reference) == "unknown"
        with pytest.raises(PaymentRejected):
            flow.receive(none_left, "sandbox", reference.encode(), {})
        clock.pass_minutes(31)
        assert flow.expire_due(none_left) == 1
        assert stands() == ("expired", ["expired"])

    def test_a_notification_about_something_else_is_ignored(self, till, reference, stands):
        assert flow.receive(till, "sandbox", b"", {}) == "ignored"
        with pytest.raises(PaymentRejected):
            flow.receive(till, "sandbox", b"pay-never", {})
        assert stands() == ("awaiting_payment", ["pending"])

    def test_a_notification_by_the_wrong_provider_is_refused(self, till, shop, provider, reference, clock):
        both = Shop(shop.sessions, shop.policy, shop.flags, {"sandbox": provider, "other": provider}, clock)
        with pytest.raises(PaymentRejected):
            flow.receive(both, "other", reference.encode(), {})

    def test_what_was_told_while_the_provider_was_away_is_taken_up_again(
        self, till, provider, reference, stands
    ):
        provider.away = True
        with pytest.raises(ProviderUnavailable):
            flow.receive(till, "sandbox", reference.encode(), {})
        assert stands() == ("awaiting_payment", ["pending"])
        provider.away, provider.paid = False, {reference}
        assert flow.receive(till, "sandbox", reference.encode(), {}) == "verified"
        assert flow.receive(till, "sandbox", reference.encode(), {}) == "duplicate"
        assert stands() == ("paid", ["verified"])

    def test_a_payment_of_which_nothing_is_heard_is_asked_about(
        self, till, provider, reference, stands, clock
    ):
        assert flow.check_due(till) == 0, "not at once"
        clock.pass_minutes(2)
        provider.away = True
        assert flow.check_due(till) == 1, "asked, in vain"
        assert flow.check_due(till) == 0
        provider.away, provider.paid = False, {reference}
        clock.pass_minutes(2)
        assert flow.check_due(till) == 1
        assert stands() == ("paid", ["verified"])
        clock.pass_minutes(60)
        assert flow.check_due(till) == 0, "decided"

    def test_it_is_asked_about_more_and_more_seldom_and_not_for_ever(self, till, reference, clock, sessions):
        asked = 0
        for _ in range(2000):
            with sessions() as session:
                at = session.query(Payment).one().next_check_at
            if at is None:
                break
            clock.now = at
            asked += flow.check_due(till)
        assert at is None
        assert 8 <= asked <= 20, "about once every doubling of its age"

    def test_money_that_the_provider_has_already_ends_no_order(
        self, till, provider, reference, stands, clock
    ):
        provider.paid = {reference}
        clock.pass_minutes(31)
        assert flow.expire_due(till) == 0
        assert stands() == ("paid", ["verified"])

    def test_a_provider_that_is_away_delays_the_end_until_the_units_are_free(
        self, till, provider, reference, stands, clock
    ):
        provider.away = True
        clock.pass_minutes(30)
        assert flow.expire_due(till) == 0
        assert stands() == ("awaiting_payment", ["pending"])
        clock.pass_minutes(2)
        assert flow.expire_due(till) == 1
        assert stands() == ("expired", ["expired"])
