"""An order as its customer sees it: tracked, reminded of, ended, and its cart open again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.models import Cart, Order, PaymentStatus
from shop import cart, checkout, order_status, orders
from shop.customers import recognise, stop_notices
from shop.errors import EmptyCart, NoOrder
from shop.payments import flow
from shop.service import Shop


class TestHowItsCustomerSeesIt:
    def test_an_order_is_tracked_by_its_number_or_is_the_latest(self, counter, clock, caller):
        first = counter.order("cash").number
        clock.pass_minutes(1)
        second = counter.order("cash").number
        for words, number in (
            ([], second),
            (["where", "is", "it"], second),
            (["where", "is", first.lower()], first),
            (["order", first, second], first),
        ):
            assert counter.do(orders.track, counter.customer, words).number == number
        who = caller(number="+2348030000009")
        stranger = counter.do(recognise, who.lookup, who.address, "Stranger")
        with pytest.raises(NoOrder):
            counter.do(orders.track, stranger, [first])

    def test_who_paid_late_goes_on_with_the_new_cart(self, counter, clock):
        placed = counter.order("sandbox")
        flow.open_payment(counter.shop, placed.payment_reference)
        clock.pass_minutes(31)
        flow.expire_due(counter.shop)
        counter.do(cart.add, counter.customer, str(counter.product.id), 3)
        note = counter.sandbox.settle(placed.payment_reference, "paid")
        assert flow.receive(counter.shop, "sandbox", note.body, note.headers) == "verified"

        def told(work):
            done = orders.complete_payment(work, counter.customer, placed.number)
            return done.status, work.state

        assert counter.shop.run(told) == ("paid", "ADDING_TO_CART")
        assert counter.do(cart.current, counter.customer).lines[0].quantity == 3, "what was added stays"

    def test_an_unpaid_order_is_reminded_of_once(self, counter, clock):
        counter.order("cash")
        clock.pass_minutes(1)
        placed = counter.order("sandbox")
        clock.pass_minutes(19)
        assert counter.do(orders.remind) == 0
        clock.pass_minutes(1)
        assert counter.do(orders.remind) == 1
        assert counter.do(orders.remind) == 0
        assert counter.told() == [("payment_reminder", {"order_number": placed.number})]

    def test_who_wants_no_notices_is_not_reminded(self, counter, clock):
        counter.order("sandbox")
        counter.shop.run(lambda work: stop_notices(work, work.customers.find_by_id(counter.customer.id)))
        clock.pass_minutes(25)
        assert counter.do(orders.remind) == 0
        assert counter.told() == []

    def test_an_order_that_was_just_made_is_not_reminded_of(self, counter, shop, clock, customer):
        hasty = Shop(
            shop.sessions,
            replace(shop.policy, payment_timeout_minutes=8),
            shop.flags,
            shop.providers,
            clock,
        )
        hasty.run(lambda work: cart.add(work, customer, str(counter.product.id), 1))
        hasty.run(lambda work: checkout.place(work, customer))
        assert hasty.run(orders.remind) == 0
        clock.pass_minutes(7)
        assert hasty.run(orders.remind) == 0, "nor later: it was looked at once"

    def test_an_order_that_is_not_over_cannot_be_ended(self, counter, clock):
        counter.order("sandbox")
        (order,) = counter.rows(Order)
        assert counter.do(orders.expire, order.id) is False
        clock.pass_minutes(30)
        assert counter.do(orders.expire, order.id) is True
        assert counter.do(orders.expire, order.id) is False, "another replica was faster"

    def test_an_unpaid_order_joins_a_cart_that_is_open_already(self, counter):
        placed = counter.order("sandbox")
        with counter.shop.sessions.begin() as session:
            session.add(Cart(customer_id=counter.customer.id))
        counter.do(order_status.cancel, placed.number, "Ada", "no gas")
        assert counter.stands(placed.number) == ("cancelled", "expired")
        assert counter.units() == (50, 0)
        assert sorted(row.status for row in counter.rows(Cart)) == ["open", "ordered"]

    def test_an_order_whose_cart_is_gone_opens_a_new_one(self, counter):
        placed = counter.order("sandbox")
        with counter.shop.sessions.begin() as session:
            order = session.query(Order).one()
            order.cart_id = None
            order.payments[0].status = PaymentStatus.EXPIRED
        counter.do(order_status.cancel, placed.number, "Ada", "no gas")
        assert counter.stands(placed.number) == ("cancelled", "expired")
        assert sorted(row.status for row in counter.rows(Cart)) == ["open", "ordered"]
        with pytest.raises(EmptyCart):
            counter.do(cart.current, counter.customer)
