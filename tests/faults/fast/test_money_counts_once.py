"""A payment counts at most once, whatever happens in whatever order: a property over whole histories.

Each history is a list of events around one order and the ones that follow it: notices of the provider in
any order, doubled and late, with other amounts and currencies; the clock, the jobs, the customer, the
staff and a rival. After every history: stock, orders and money are accounted for.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db.models import Base, OrderStatus, OutboxEvent, Payment, Product
from shop import cart, checkout, order_status, orders
from shop.errors import ProviderUnavailable, ShopError
from shop.payments import flow
from shop.payments.settling import lock_payment
from tests.faults.conftest import SEED
from tests.faults.ledger import check_money, check_orders, check_stock, check_told
from tests.faults.providers import ScriptedProvider

STOCK = 4
WRONG_AMOUNT = Decimal("1.00")
EXAMPLES = 60 if SEED else 30
PAYMENTS = st.integers(0, 3)
"""Which of the payments made so far; the newest where there are fewer."""
OUTCOMES = st.sampled_from(["paid", "paid", "paid", "failed", "undecided", "too little", "dollars"])
PAY = st.tuples(st.just("pay"), PAYMENTS, OUTCOMES)
LATE = st.sampled_from([("time out",), ("wait", 12), ("wait", 33), ("expire",), ("wait", 3000)])
RIVAL = st.sampled_from([("rival buys",), ("rival buys",), ("rival gives up",), ("off the menu",)])
CUSTOMER = st.sampled_from([("order again",), ("order again",), ("customer cancels",), ("lose the link",)])
STAFF = st.tuples(st.sampled_from(["staff cancels", "staff accepts", "staff advances"]), PAYMENTS)
REFUND = st.tuples(st.just("staff refunds"), PAYMENTS, st.sampled_from([None, Decimal("10.00")]))
REPEAT = st.one_of(
    st.tuples(st.just("notify"), PAYMENTS, st.integers(0, 2)), st.tuples(st.just("poll"), PAYMENTS)
)
JOBS = st.sampled_from([("check due",), ("send refunds",), ("remind",), ("on the menu",)])
PROVIDER = st.tuples(st.just("provider"), st.sampled_from(["down", "up", "refuses", "sends back"]))
HAPPENING = st.one_of(
    PAY, PAY, PAY, LATE, LATE, RIVAL, CUSTOMER, CUSTOMER, STAFF, REFUND, REPEAT, JOBS, PROVIDER
)
HISTORIES = st.lists(HAPPENING, min_size=2, max_size=12)


class World:
    """One customer, one rival, four cakes, one provider."""

    def __init__(self, shop: Any, provider: Any, clock: Any, buyers: list[Any], cake: Product) -> None:
        self.shop, self.provider, self.clock, self.cake = shop, provider, clock, cake
        self.customer, self.rival = buyers
        self.told = 0
        self.references: list[str] = []
        self.do("order again")

    def do(self, what: str, *how: Any) -> None:
        """Let something happen; what the shop refuses, it refuses."""
        with contextlib.suppress(ShopError):
            getattr(self, "_" + what.replace(" ", "_"))(*how)
        known = self.run(lambda work: work.session.scalars(select(Payment.payment_reference)).all())
        self.references += [one for one in known if one not in self.references]

    def run(self, operation: Any) -> Any:
        return self.shop.run(operation)

    def reference(self, number: int) -> str:
        return self.references[min(number, len(self.references) - 1)]

    def number(self, payment: int) -> str:
        return self.run(lambda work: lock_payment(work, self.reference(payment))[0].number)

    def settle(self) -> None:
        """The world comes to rest: everybody can be reached, all jobs have run, nothing is due."""
        self._provider("up")
        self._provider("sends back")
        for reference in self.references:
            flow.check(self.shop, reference)
        for _ in range(3):
            self.clock.pass_minutes(61)
            flow.expire_due(self.shop)
            flow.send_refunds(self.shop)

    def _pay(self, number: int, outcome: str) -> None:
        reference = self.reference(number)
        if reference not in self.provider.charges:
            return
        if outcome == "failed":
            self.provider.fail(reference)
        elif outcome == "too little":
            self.provider.pay(reference, WRONG_AMOUNT)
        elif outcome == "dollars":
            self.provider.pay(reference, None, "USD")
        elif outcome == "paid":
            self.provider.pay(reference)
        if outcome != "undecided":
            self._notify(number, 0)

    def _notify(self, number: int, repeated: int) -> None:
        """A notification: a new one, or one that was told before."""
        self.told += repeated == 0
        note = self.provider.event(self.reference(number), f"evt-{max(0, self.told - repeated)}-{number}")
        flow.receive(self.shop, "sandbox", *note)

    def _poll(self, number: int) -> None:
        flow.check(self.shop, self.reference(number))

    def _wait(self, minutes: int) -> None:
        self.clock.pass_minutes(minutes)

    def _time_out(self) -> None:
        self.clock.pass_minutes(33)
        flow.expire_due(self.shop)

    def _expire(self) -> None:
        flow.expire_due(self.shop)

    def _check_due(self) -> None:
        flow.check_due(self.shop)

    def _send_refunds(self) -> None:
        flow.send_refunds(self.shop)

    def _remind(self) -> None:
        self.run(orders.remind)

    def _order_again(self) -> None:
        def order(work: Any) -> str | None:
            who = work.customers.find_by_id(self.customer.id)
            found = work.carts.find_open(who.id)
            if found is None or not found.items:
                cart.add(work, who, str(self.cake.id), 2)
            return checkout.place(work, who).payment_reference

        flow.open_payment(self.shop, self.run(order))

    def _open(self) -> None:
        flow.open_payment(self.shop, self.references[-1])

    def _lose_the_link(self) -> None:
        """The provider knows the payment, but its link was lost on the way: a new one takes its place."""
        self.provider.loses_links = True
        reference = self.references[-1]

        def forget(work: Any) -> None:
            work.payments.find_by_reference(reference).url = None

        self.run(forget)
        try:
            flow.open_payment(self.shop, reference)
        finally:
            self.provider.loses_links = False

    def _customer_cancels(self) -> None:
        self.run(lambda work: orders.cancel(work, work.customers.find_by_id(self.customer.id)))

    def _staff_cancels(self, number: int) -> None:
        order = self.number(number)
        self.run(lambda work: order_status.cancel(work, order, "Ada", "why not"))

    def _staff_accepts(self, number: int) -> None:
        order = self.number(number)
        self.run(lambda work: order_status.accept_payment(work, order, "Ada"))

    def _staff_advances(self, number: int) -> None:
        order = self.number(number)
        self.run(lambda work: order_status.advance(work, order, OrderStatus.READY, "Ada"))

    def _staff_refunds(self, number: int, amount: Decimal | None) -> None:
        order = self.number(number)
        self.run(lambda work: order_status.refund(work, order, amount, "Ada", "sorry"))

    def _rival_buys(self) -> None:
        def buy(work: Any) -> None:
            who = work.customers.find_by_id(self.rival.id)
            cart.add(work, who, str(self.cake.id), 3)
            checkout.place(work, who)

        self.run(buy)

    def _rival_gives_up(self) -> None:
        self.run(lambda work: orders.cancel(work, work.customers.find_by_id(self.rival.id)))

    def _off_the_menu(self) -> None:
        self.run(lambda work: work.products.update(self.cake.id, available=False))

    def _on_the_menu(self) -> None:
        self.run(lambda work: work.products.update(self.cake.id, available=True))

    def _provider(self, how: str) -> None:
        if how in ("down", "up"):
            self.provider.out_of_reach = how == "down"
        else:
            self.provider.refuses_refunds = how == "refuses"


@pytest.fixture
def make_world(make_replica, make_buyers, make_product, clock, sessions):
    """Makes worlds, each on its own customers, cakes and provider, on tables emptied for it."""
    shops: list[Any] = []

    def make() -> World:
        provider = ScriptedProvider()
        if not shops:
            shops.append(make_replica(provider, pool_size=2))
        shop = type(shops[0])(
            shops[0].sessions, shops[0].policy, shops[0].flags, {"sandbox": provider}, clock
        )
        empty(sessions)
        cake = make_product(name="Cake", price=Decimal("100.00"), stock_quantity=STOCK)
        return World(shop, provider, clock, make_buyers([[(cake, 2, ())], [(cake, 1, ())]]), cake)

    return make


def empty(sessions: Any) -> None:
    """Forget the last history; quicker than TRUNCATE for a few rows."""
    with sessions.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())


def check(world: World) -> None:
    """Everything is accounted for."""
    with world.shop.sessions() as session:
        check_stock(session, {world.cake.id: STOCK})
        check_orders(session)
        check_money(session, world.provider)
        check_told(session)


LATE_AND_SOLD_OUT = [("time out",), ("rival buys",), ("pay", 0, "paid"), ("pay", 0, "paid")]
LATE_AND_ORDERED_AGAIN = [("time out",), ("order again",), ("pay", 1, "paid"), ("pay", 0, "paid")]
PAID_BY_TWO_LINKS = [("lose the link",), ("pay", 1, "paid"), ("pay", 0, "paid"), ("staff cancels", 0)]
CANCELLED_IN_REVIEW = [("pay", 0, "too little"), ("staff refunds", 0, Decimal("0.40")), ("staff cancels", 0)]
ACCEPTED_IN_PART = [("pay", 0, "dollars"), ("staff refunds", 0, Decimal("10.00")), ("staff accepts", 0)]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(history=LATE_AND_SOLD_OUT)
@example(history=LATE_AND_ORDERED_AGAIN)
@example(history=PAID_BY_TWO_LINKS)
@example(history=CANCELLED_IN_REVIEW)
@example(history=ACCEPTED_IN_PART)
@given(history=HISTORIES)
def test_whatever_happens_money_and_units_are_accounted_for(make_world, history):
    world = make_world()
    for what, *how in history:
        world.do(what, *how)
        check_orders_only(world)
    world.settle()
    check(world)


def check_orders_only(world: World) -> None:
    """What holds at every moment, also while something is still on its way."""
    with world.shop.sessions() as session:
        check_stock(session, {world.cake.id: STOCK})
        check_orders(session)


def test_a_payment_that_was_given_up_is_not_said_to_have_failed(make_world):
    """Its link was lost and another one took its place: only of that one the customer is told."""
    world = make_world()
    world.do("lose the link")
    world.do("pay", 0, "failed")
    told = world.run(lambda work: work.session.scalars(select(OutboxEvent.event)).all())
    assert told == [], "failed, and the new link works"
    world.do("pay", 1, "paid")
    world.settle()
    check(world)


def test_silence_is_no_outcome(make_world):
    """Hints before the decision change nothing, however many there are."""
    world = make_world()
    for number in range(3):
        world.do("notify", 0, number)
        world.do("poll", 0)
    with pytest.raises(ProviderUnavailable):
        world.provider.out_of_reach = True
        flow.check(world.shop, world.reference(0))
    world.settle()
    check(world)
