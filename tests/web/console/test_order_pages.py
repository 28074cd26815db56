"""One order with its decisions, the list of all, and money that waits for a person."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from db.models import Order, OrderStatus, OutboxEvent, Payment, PaymentStatus, Refund, RefundStatus
from shop import cart, checkout
from shop.payments import flow
from shop.payments.offline import BankTransfer
from shop.service import Shop


@pytest.fixture
def row(sessions):
    """The one row of a table."""

    def row(kind):
        with sessions() as session:
            return session.query(kind).one()

    return row


@pytest.fixture
def bank(monkeypatch):
    """The shop takes bank transfers, too."""
    monkeypatch.setenv("PAYMENT_PROVIDERS", "sandbox,bank_transfer")
    monkeypatch.setenv("BANK_ACCOUNT", "Test Bank 0123456789")


def test_an_orders_page_shows_all_that_became_of_it(signed_in, place, test_burger, row):
    browser, number = signed_in("owner", "Ada"), place(test_burger)
    browser.post(f"/orders/{number}/move", to="preparing")
    page = browser.get(f"/orders/{number.lower()}").text
    assert number in page and "being prepared" in page and "2 ×" in page
    assert "₦11,825.00" in page and "Tax" in page and "verified" in page
    assert f"/receipts/{row(Order).receipt_token}" in page
    assert re.search(r"<strong>Ada</strong>: preparing", page)


@pytest.mark.parametrize("number", ["NONE22", "7d0f4ed6-5c50-4c0c-8f6c-c1f6d6a1b0c4", "%2e%2e"])
def test_there_is_no_such_page(signed_in, number):
    browser = signed_in("owner")
    assert browser.get(f"/orders/{number}").status_code == 404
    assert browser.post(f"/orders/{number}/cancel", reason="x").status_code == 404


def test_cancelling_needs_a_reason_and_sends_the_money_back(signed_in, place, test_burger, row):
    browser, number = signed_in("owner", "Ada"), place(test_burger)
    assert "Reason" in browser.told(browser.post(f"/orders/{number}/cancel", reason=" ", key="1"))
    assert row(Order).status == OrderStatus.PAID
    said = browser.told(browser.post(f"/orders/{number}/cancel", reason="oven broken", key="2"))
    assert said == f"{number} is cancelled. The customer is told."
    assert row(Order).status == OrderStatus.CANCELLED
    refund = row(Refund)
    assert (refund.amount, refund.status) == (Decimal("11825.00"), RefundStatus.PENDING)
    assert "oven broken" in browser.get(f"/orders/{number}").text


def test_staff_cancels_until_money_came(signed_in, place, test_burger, row, sessions, shop, sandbox):
    staff, number = signed_in("staff", "Ada"), place(test_burger, paid=False)
    assert "Cancel the order" in staff.get(f"/orders/{number}").text
    reference = row(Payment).payment_reference
    flow.open_payment(shop, reference)
    told = sandbox.settle(reference, "paid")
    flow.receive(shop, "sandbox", told.body, told.headers)
    assert "an owner can cancel it" in staff.get(f"/orders/{number}").text
    said = staff.told(staff.post(f"/orders/{number}/cancel", reason="oven broken", key="1"))
    assert said == f"Money came for {number}, and would go back: only an owner can cancel it."
    assert row(Order).status == OrderStatus.PAID
    with sessions() as session:
        assert session.query(Refund).count() == 0


def test_staff_cancels_what_nobody_paid_for(signed_in, place, test_burger, row):
    staff, number = signed_in("staff"), place(test_burger, paid=False)
    assert "is cancelled" in staff.told(staff.post(f"/orders/{number}/cancel", reason="oven broken"))
    assert row(Order).status == OrderStatus.CANCELLED


def test_refunds_are_the_owners(signed_in, place, test_burger, row):
    staff, owner, number = signed_in("staff"), signed_in("owner"), place(test_burger)
    assert "Send money back" not in staff.get(f"/orders/{number}").text
    assert staff.post(f"/orders/{number}/refund", reason="cold").status_code == 403
    for amount, said in (
        ("1,000.00", "₦1,000.00"),
        ("999999", "10,825.00"),
        ("-5", "write an amount"),
        ("1e3", "write an amount"),
        ("NaN", "write an amount"),
        ("", "₦10,825.00"),
        ("1", "Nothing of"),
    ):
        answer = owner.post(f"/orders/{number}/refund", amount=amount, reason="cold", key=f"key {amount}")
        assert said in owner.told(answer), amount


def test_a_refund_sent_twice_by_a_nervous_finger_is_one(signed_in, place, test_burger, row):
    browser, number = signed_in("owner"), place(test_burger)
    for _ in "123":
        browser.post(f"/orders/{number}/refund", amount="500", reason="cold", key="one click")
    assert row(Refund).amount == Decimal("500.00")


def test_a_form_without_a_key_is_refused(signed_in, place, test_burger):
    browser, number = signed_in("owner"), place(test_burger)
    assert browser.post(f"/orders/{number}/refund", reason="cold", key="").status_code == 400


@pytest.fixture
def transfer(bank, customer, shop, test_burger, sessions):
    """An order of two burgers that awaits its transfer."""
    providers = {**shop.providers, "bank_transfer": BankTransfer()}
    policy = replace(shop.policy, payment_providers=tuple(providers), bank_account="Test Bank 0123456789")
    selling = Shop(sessions, policy, shop.flags, providers)

    def order(work):
        cart.add(work, customer, str(test_burger.id), 2)
        return checkout.place(work, customer, "bank_transfer")

    return selling.run(order)


def test_another_amount_than_the_orders_is_noted_where_that_is_asked_for(transfer, signed_in, row):
    browser, owner = signed_in("staff", "Ada"), signed_in("owner")
    path, reference = f"/orders/{transfer.number}/transfer", transfer.payment_reference
    assert "Another amount came" in browser.get("/payments").text
    assert "Another amount came" in browser.get(f"/orders/{transfer.number}").text
    said = browser.told(browser.post(path, reference=reference, amount="11,000", record="yes", key="1"))
    assert said == f"Noted: another amount came for {transfer.number}. An owner accepts it or sends it back."
    assert (row(Order).status, row(Payment).status) == (OrderStatus.REVIEW, PaymentStatus.REVIEW)
    page = browser.get("/payments").text
    assert transfer.number in page and "₦11,000.00 came" in page
    assert "Accept what came" in owner.get(f"/orders/{transfer.number}").text


def test_a_transfer_is_confirmed_with_the_amount_on_the_account(transfer, signed_in, row):
    placed, browser = transfer, signed_in("staff", "Ada")
    page = browser.get("/payments").text
    assert placed.payment_reference in page and "₦11,825.00" in page
    path, reference = f"/orders/{placed.number}/transfer", placed.payment_reference
    said = browser.told(browser.post(path, reference=reference, amount="11,000", key="1"))
    assert said == f"{placed.number} costs 11,825.00, not 11,000.00: nothing was changed."
    said = browser.told(browser.post(path, reference=reference, amount="11825", key="2"))
    assert said == f"{placed.number} is paid. The customer is told."
    assert row(Payment).confirmed_by == "Ada"
    assert placed.payment_reference not in browser.get("/payments").text
    assert "confirmed before" in browser.told(
        browser.post(path, reference=reference, amount="11825", key="3")
    )


def test_money_in_review_is_the_owners_to_accept(signed_in, place, test_burger, sessions, row):
    number = place(test_burger)
    with sessions.begin() as session:
        session.query(Order).one().status = OrderStatus.REVIEW
        payment = session.query(Payment).one()
        payment.status, payment.received_amount = PaymentStatus.REVIEW, Decimal("11000.00")
    staff, owner = signed_in("staff"), signed_in("owner", "Boss")
    assert number in staff.get("/payments").text
    assert "Accept what came" not in staff.get(f"/orders/{number}").text
    assert staff.post(f"/orders/{number}/accept").status_code == 403
    page = owner.get(f"/orders/{number}").text
    assert "Accept what came" in page and "₦11,000.00" in page
    assert owner.told(owner.post(f"/orders/{number}/accept")) == f"{number} is paid."
    assert (row(Order).status, row(Payment).confirmed_by) == (OrderStatus.PAID, "Boss")


def test_a_refund_sent_by_hand_is_noted_and_told(signed_in, place, test_burger, sessions, row):
    browser, number = signed_in("owner"), place(test_burger)
    browser.post(f"/orders/{number}/refund", amount="500", reason="cold")
    with sessions.begin() as session:
        session.query(Refund).one().status = RefundStatus.FAILED
    page = browser.get("/payments").text
    assert "₦500.00" in page and "cold" in page
    path = f"/payments/refunds/{row(Refund).id}/sent"
    assert "customer is told" in browser.told(browser.post(path, key="1"))
    assert "no such refund" in browser.told(browser.post(path, key="2"))
    assert "no such refund" in browser.told(browser.post("/payments/refunds/none/sent", key="3"))
    assert row(Refund).status == RefundStatus.DONE
    with sessions() as session:
        assert session.query(OutboxEvent).filter_by(event="payment_refunded").count() == 1


def test_all_orders_page_by_page_by_status_and_by_number(signed_in, place, test_burger, sessions, clock):
    first = place(test_burger, 1)
    with sessions.begin() as session:
        example = session.query(Order).one()
        for count in range(64):
            session.add(
                Order(
                    customer_id=example.customer_id,
                    number=f"OLD{count:03d}",
                    status=OrderStatus.COMPLETED,
                    items_amount=1,
                    tax_amount=0,
                    total_amount=1,
                    currency="NGN",
                    created_at=example.created_at - timedelta(hours=count + 1),
                )
            )
    browser = signed_in("staff")
    seen, path = [], "/orders/all"
    while path:
        page = browser.get(path).text
        seen += re.findall(r'<th scope="row"><a href="/console/orders/(\w+)"', page)
        older = re.findall(r'href="/console(/orders/all\?[^"]+)">Older', page)
        path = older[0].replace("&amp;", "&") if older else ""
    assert seen == [first, *(f"OLD{count:03d}" for count in range(64))]
    assert first not in browser.get("/orders/all?status=completed").text
    assert browser.get("/orders/all?number=old00").text.count('scope="row"') == 10
    assert browser.get(f"/orders/all?number={first.lower()}").headers["location"].endswith(first)
    for odd in ("status=nonsense", "after=NONE22", "number=%25", "number=_", "number=%27%3B--"):
        assert browser.get(f"/orders/all?{odd}").status_code == 200
    assert "No order is like that" in browser.get("/orders/all?number=%25").text
