"""The payment provider is asked after the order is made: whatever happens between, it can be asked again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db.models import Customer, Order, OrderStatus, Payment, PaymentStatus, Product
from shop import cart, checkout, order_status, orders
from shop.checkout import PlacedOrder
from shop.errors import PaymentRejected, ProviderUnavailable, ReferenceSpent
from shop.payments import flow, noting
from shop.payments.interface import PaymentRequest, StartedPayment
from shop.service import Shop
from tests.shop.stand_in_providers import Forgetful


@pytest.fixture
def provider() -> Forgetful:
    return Forgetful()


@pytest.fixture
def till(shop, provider, clock) -> Shop:
    return Shop(shop.sessions, shop.policy, shop.flags, {"sandbox": provider}, clock)


@pytest.fixture
def reference(till, customer, burger) -> str:
    till.run(lambda work: cart.add(work, customer, str(burger.id), 2))
    return till.run(lambda work: checkout.place(work, customer)).payment_reference


@pytest.fixture
def stands(sessions) -> Callable[[], tuple[str, list[str]]]:
    def stands() -> tuple[str, list[str]]:
        with sessions() as session:
            payments = session.query(Payment).order_by(Payment.created_at)
            return session.query(Order).one().status.value, [row.status.value for row in payments]

    return stands


class TestARenewedPayment:
    def test_a_lost_link_is_given_up_for_a_new_payment(self, ask, shop, burger, sessions, clock):
        ask(cart.add, str(burger.id), 2)
        placed = ask(checkout.place)
        clock.pass_minutes(1)
        renewed = shop.run(lambda work: noting.renew(work, placed.payment_reference).payment_reference)
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
        with sessions.begin() as session:
            session.query(Payment).one().url = None  # lost on the way here
        clock.pass_minutes(1)
        second = shop.run(lambda work: noting.renew(work, first).payment_reference)
        flow.open_payment(shop, second)
        for reference, outcome in ((first, "verified"), (second, "refund")):
            note = sandbox.settle(reference, "paid")
            assert flow.receive(shop, "sandbox", note.body, note.headers) == outcome
        with sessions() as session:
            assert session.query(Order).one().status == OrderStatus.PAID
            assert session.query(Customer).count() == 1
            assert session.query(Product).one().stock_quantity == 48

    def test_a_payment_that_came_meanwhile_is_not_given_up(self, ask, shop, sandbox, burger, sessions):
        """Two ask for the link at once, and the money is faster than the slower of them."""
        ask(cart.add, str(burger.id), 2)
        reference = ask(checkout.place).payment_reference
        flow.open_payment(shop, reference)
        note = sandbox.settle(reference, "paid")
        flow.receive(shop, "sandbox", note.body, note.headers)
        for url in ("https://pay.example/1", None):
            with sessions.begin() as session:
                session.query(Payment).one().url = url
            again = shop.run(lambda work: noting.renew(work, reference).payment_reference)
            assert again == reference
        with sessions() as session:
            payment = session.query(Payment).one()
            assert (payment.status, payment.order.status) == (PaymentStatus.VERIFIED, OrderStatus.PAID)

    def test_a_link_that_somebody_else_got_meanwhile_is_kept(self, ask, shop, burger, sessions):
        ask(cart.add, str(burger.id), 2)
        reference = ask(checkout.place).payment_reference
        link = flow.open_payment(shop, reference)
        renewed = shop.run(lambda work: noting.renew(work, reference).url)
        assert renewed == link
        with sessions() as session:
            assert session.query(Payment).one().status == PaymentStatus.PENDING


class TestTheWayToTheProvider:
    """The order is made before its provider is asked: whatever happens between, it can be asked again."""

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

    def test_who_asks_for_a_link_twice_at_once_gets_the_same_one(
        self, till, provider, reference, stands, clock
    ):
        """The second call reaches the provider after the first one, which then keeps its link."""
        clock.pass_minutes(1)
        first = provider.start

        def overtaken(request: PaymentRequest) -> StartedPayment:
            provider.start = first
            flow.open_payment(till, reference)
            raise ReferenceSpent(provider.name)

        provider.start = overtaken
        assert flow.open_payment(till, reference) == f"https://pay.example/{reference}"
        assert stands() == ("awaiting_payment", ["pending"])

    def test_a_new_payment_that_somebody_else_opens_at_this_moment_is_asked_for_later(
        self, till, provider, reference, stands
    ):
        def spent(request: PaymentRequest) -> StartedPayment:
            raise ReferenceSpent(provider.name)

        provider.start = spent
        with pytest.raises(ProviderUnavailable):
            flow.open_payment(till, reference)
        assert stands()[0] == "awaiting_payment"


class TestAPaymentOfAnOrderThatEnded:
    """Its link is still valid: it is closed at the provider, after the transaction that ended the order."""

    def cancelled(self, till, customer, reference) -> None:
        flow.open_payment(till, reference)
        till.run(lambda work: orders.cancel(work, customer))

    def test_who_cancels_cannot_pay_any_more(self, till, provider, customer, reference, stands):
        self.cancelled(till, customer, reference)
        assert provider.closed == []
        assert flow.close_due(till) == 1
        assert provider.closed == [reference]
        assert flow.close_due(till) == 0, "closed once"
        assert stands() == ("cancelled", ["expired"])

    def test_who_changes_the_cart_cannot_pay_the_old_order(self, till, provider, customer, reference, burger):
        flow.open_payment(till, reference)
        till.run(lambda work: cart.add(work, customer, str(burger.id), 1))
        assert flow.close_due(till) == 1
        assert provider.closed == [reference]

    def test_nor_who_reads_that_the_shop_cancelled(self, till, provider, reference):
        flow.open_payment(till, reference)

        def cancel(work):
            number = work.payments.find_by_reference(reference).order.number
            order_status.cancel(work, number, "Ada", "oven broken")

        till.run(cancel)
        assert flow.close_due(till) == 1
        assert provider.closed == [reference]

    def test_money_that_the_provider_has_already_is_applied(
        self, till, provider, customer, reference, stands
    ):
        self.cancelled(till, customer, reference)
        provider.paid.add(reference)
        assert flow.close_due(till) == 1
        assert stands() == ("paid", ["verified"]), "the customer let it go, and paid all the same"

    def test_a_provider_that_is_away_is_asked_again(self, till, provider, customer, reference, clock):
        self.cancelled(till, customer, reference)
        provider.away = True
        assert flow.close_due(till) == 1
        assert flow.close_due(till) == 0, "not at once"
        provider.away = False
        clock.pass_minutes(2)
        assert flow.close_due(till) == 1
        assert provider.closed == [reference]

    def test_a_payment_that_was_being_opened_is_closed_when_it_is_open(
        self, till, provider, customer, reference
    ):
        start = provider.start

        def slow(request: PaymentRequest) -> StartedPayment:
            till.run(lambda work: orders.cancel(work, customer))
            assert flow.close_due(till) == 1, "the provider does not know it yet"
            return start(request)

        provider.start = slow
        flow.open_payment(till, reference)
        assert flow.close_due(till) == 1
        assert provider.closed == [reference, reference]

    def test_what_was_closed_when_the_order_ended_is_not_closed_again(self, till, provider, reference, clock):
        flow.open_payment(till, reference)
        clock.pass_minutes(31)
        assert flow.expire_due(till) == 1
        assert flow.close_due(till) == 0

    def test_nobody_closes_what_nobody_opened_anywhere(self, selling, customer, burger):
        shop = selling()
        shop.run(lambda work: cart.add(work, customer, str(burger.id), 2))
        shop.run(lambda work: checkout.place(work, customer, "bank_transfer"))
        shop.run(lambda work: orders.cancel(work, customer))
        assert flow.close_due(shop) == 0
