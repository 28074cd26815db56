"""The receipt's page: who holds the link sees what was ordered and paid, and nothing about a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from db.models import (
    Discount,
    DiscountKind,
    OptionGroup,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductOption,
)
from settings import read_settings
from shop import cart, checkout, fulfilment, order_status, orders
from shop.payments import flow
from shop.payments.offline import BankTransfer, CashOnDelivery
from shop.receipts import find
from shop.service import Shop
from web.app import make_app
from web.security import HEADERS

ADDRESS = "14 Allen Avenue, Ikeja"
PERSONAL = ("Test Customer", "2348031234567", "Allen Avenue")


@pytest.fixture
def order(customer) -> Callable[..., str]:
    """Orders something; the order's number."""

    def make(shop: Shop, product: Product, quantity: int = 2, method: str | None = None, **wish) -> str:
        def place(work) -> str:
            who = work.customers.find_by_id(customer.id)
            cart.add(work, who, str(product.id), quantity, **wish)
            return checkout.place(work, who, method).number

        return shop.run(place)

    return make


@pytest.fixture
def token(sessions) -> Callable[[str], str]:
    """The token of an order's receipt."""

    def find_token(number: str) -> str:
        with sessions() as session:
            found = session.query(Order).filter_by(number=number).one().receipt_token
        assert found
        return found

    return find_token


@pytest.fixture
def page(web, token) -> Callable[[str], str]:
    """An order's receipt as it is read: its words, without the marks around them."""

    def read(number: str) -> str:
        answer = web.get(f"/receipts/{token(number)}")
        assert answer.status_code == 200
        return words(answer.text)

    return read


def words(html: str) -> str:
    body = html.split("<body>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).replace("\N{NO-BREAK SPACE}", " ").split())


def pay(shop: Shop, sandbox, sessions, number: str) -> None:
    with sessions() as session:
        reference = session.query(Order).filter_by(number=number).one().payment_reference
    flow.open_payment(shop, reference)
    told = sandbox.settle(reference, "paid")
    assert flow.receive(shop, "sandbox", told.body, told.headers) == "verified"


def selling(shop: Shop, sandbox, clock, **policy) -> Shop:
    """The same shop with other policies."""
    providers = {"sandbox": sandbox, "bank_transfer": BankTransfer(), "cash": CashOnDelivery()}
    return Shop(shop.sessions, replace(shop.policy, **policy), shop.flags, providers, clock)


def test_an_unpaid_order_is_no_receipt_yet(shop, order, page, test_burger):
    number = order(shop, test_burger)
    read = page(number)
    assert read.startswith(f"Test Kitchen Order {number} 22 November 2026, 13:00 Not paid yet")
    assert "2 × Test Burger ₦5,500.00 each ₦11,000.00" in read
    assert "Items ₦11,000.00 Tax 7.5% of ₦11,000.00 ₦825.00 Total NGN ₦11,825.00" in read
    assert "Order status Waiting for payment" in read
    assert "Receipt" not in read
    assert not re.search("Paid on|Discount|Delivery ₦|Refund", read)


def test_a_paid_order_tells_how_and_when(shop, order, page, test_burger, sandbox, sessions, clock):
    number = order(shop, test_burger)
    clock.pass_minutes(7)
    pay(shop, sandbox, sessions, number)
    read = page(number)
    assert f"Receipt {number} 22 November 2026, 13:00 Paid" in read
    assert "Paid ₦11,825.00 Payment Sandbox, no real money Paid on 22 November 2026, 13:07" in read
    assert "Print" in read
    assert "Order status Confirmed" in read


def test_discount_tax_classes_delivery_and_options_add_up(
    shop, order, page, make_product, sandbox, sessions, clock, customer
):
    generous = selling(
        shop, sandbox, clock, delivery_fee=Decimal(1500), tax_classes={"reduced_rate": Decimal("0.05")}
    )
    size = OptionGroup(name="Size", required=True)
    large = ProductOption(group=size, name="Large", price_difference=Decimal(500), position=1)
    burger = make_product(removable=["onions"], option_groups=[size])
    bread = make_product(name="Bread", price=Decimal(2000), tax_class="reduced_rate")
    with sessions.begin() as session:
        session.add(Discount(code="WELCOME", kind=DiscountKind.AMOUNT, value=Decimal(1000)))

    def prepare(work) -> None:
        who = work.customers.find_by_id(customer.id)
        cart.add(work, who, str(burger.id), 2, options=[str(large.id)], removals=["onions"])
        fulfilment.choose_delivery(work, who, ADDRESS)
        cart.apply_discount(work, who, ["welcome"])

    generous.run(prepare)
    read = page(order(generous, bread, 1))
    assert "2 × Test Burger Large; without onions ₦6,000.00 each ₦12,000.00 1 × Bread ₦2,000.00" in read
    assert "Items ₦14,000.00 Discount WELCOME −₦1,000.00" in read
    # 1,000 off 14,000, in proportion: 857.14 of the burgers, 142.86 of the bread.
    assert "Tax 5% (reduced rate) of ₦1,857.14 ₦92.86 Tax 7.5% of ₦11,142.86 ₦835.71" in read
    assert "Delivery ₦1,500.00 Total NGN ₦15,428.57" in read
    assert "Order type Delivery" in read


def test_nobody_is_named_on_it(shop, order, web, token, test_burger, sandbox, clock, customer):
    delivering = selling(shop, sandbox, clock, delivery_fee=Decimal(0))
    delivering.run(
        lambda work: fulfilment.choose_delivery(work, work.customers.find_by_id(customer.id), ADDRESS)
    )
    number = order(delivering, test_burger)
    html = web.get(f"/receipts/{token(number)}").text
    assert "Delivery ₦0.00" in words(html)
    assert not any(personal in html for personal in PERSONAL)
    assert str(customer.id) not in html


@pytest.mark.parametrize(
    ("amount", "shown", "badge"),
    [(None, "₦11,825.00", "Refunded"), (Decimal("825.50"), "₦825.50", "Paid")],
)
def test_money_that_went_back_is_on_it(
    shop, order, page, test_burger, sandbox, sessions, amount, shown, badge
):
    number = order(shop, test_burger)
    pay(shop, sandbox, sessions, number)
    shop.run(lambda work: order_status.refund(work, number, amount, "ada", "cold"))
    assert f"Paid ₦11,825.00 Refund on its way −{shown}" in page(number)
    flow.send_refunds(shop)
    read = page(number)
    assert f"Paid ₦11,825.00 Refunded −{shown}" in read
    assert "on its way" not in read
    assert f"13:00 {badge} Item Amount" in read


def test_a_second_payment_that_went_back_takes_nothing_off_the_first(
    shop, order, page, test_burger, sandbox, sessions
):
    number = order(shop, test_burger)
    pay(shop, sandbox, sessions, number)
    with sessions.begin() as session:
        paid = session.query(Payment).one()
        second = Payment(order_id=paid.order_id, amount=paid.amount, currency="NGN", payment_reference="b")
        second.payment_method, second.status = "sandbox", PaymentStatus.REVIEW
        session.add(second)
    read = page(number)
    assert "13:00 Paid Item Amount" in read
    assert "Refund" not in read


def test_money_that_differs_is_being_checked(shop, order, page, test_burger, sandbox, sessions, token):
    number = order(shop, test_burger)
    with sessions.begin() as session:
        payment = session.query(Payment).one()
        payment.status, payment.received_amount = PaymentStatus.REVIEW, Decimal(11000)
        payment.received_currency = "USD"
        payment.order.status = OrderStatus.REVIEW
    read = page(number)
    assert "Payment being checked Item Amount" in read
    assert "Money that came US$11,000.00" in read
    assert "Receipt" not in read


def test_a_bank_transfer_and_cash_are_named(shop, order, page, test_burger, sandbox, clock):
    methods = ("bank_transfer", "cash")
    offline = selling(shop, sandbox, clock, payment_providers=methods)
    by_transfer = order(offline, test_burger, method="bank_transfer")
    assert "Not paid yet" in page(by_transfer)
    assert "Payment Bank transfer" in page(by_transfer)
    in_cash = order(offline, test_burger, method="cash")
    assert "Not paid yet" in page(in_cash)
    offline.run(lambda work: order_status.advance(work, in_cash, OrderStatus.COMPLETED, "ada"))
    assert f"Receipt {in_cash}" in page(in_cash)
    assert "Payment Cash Paid on 22 November 2026, 13:00" in page(in_cash)


def test_an_order_of_a_shop_without_payments_is_paid_at_the_counter(make_shop, order, page, test_burger):
    shop = make_shop(payment_processing=False)
    number = order(shop, test_burger)
    assert "Pay at the counter Item Amount" in page(number)
    assert "Payment At the counter" in page(number)
    shop.run(lambda work: order_status.advance(work, number, OrderStatus.COMPLETED, "ada"))
    assert "13:00 Item Amount" in page(number)


def test_an_order_from_before_taxes_had_classes_shows_its_tax(shop, order, page, test_burger, sessions):
    number = order(shop, test_burger)
    with sessions.begin() as session:
        session.query(Order).one().taxes = []
    assert "Items ₦11,000.00 Tax ₦825.00 Total" in page(number)


def test_a_shop_without_tax_shows_none(shop, order, page, test_burger, sandbox, clock):
    untaxed = selling(shop, sandbox, clock, tax_rate=Decimal(0))
    assert "Items ₦11,000.00 Total NGN ₦11,000.00" in page(order(untaxed, test_burger))


def test_an_expired_order_says_so(shop, order, page, test_burger, clock):
    number = order(shop, test_burger)
    clock.pass_minutes(31)
    assert flow.expire_due(shop) == 1
    read = page(number)
    assert f"Order {number} expired" in read
    assert not re.search("₦|Test Burger|Receipt|Print", read)


def test_a_cancelled_order_says_so_and_where_its_money_is(
    shop, order, page, test_burger, sandbox, sessions, customer
):
    unpaid = order(shop, test_burger)
    shop.run(lambda work: orders.cancel(work, work.customers.find_by_id(customer.id)))
    assert page(unpaid).endswith(f"Order {unpaid} was cancelled There is no receipt for it.")
    paid = order(shop, test_burger, 1)
    with sessions() as session:
        total = session.query(Order).filter_by(number=paid).one().total_amount
    pay(shop, sandbox, sessions, paid)
    shop.run(lambda work: order_status.cancel(work, paid, "ada", "no gas"))
    assert f"₦{total:,} is on its way back" in page(paid)
    flow.send_refunds(shop)
    assert f"₦{total:,} went back" in page(paid)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "unknown",
        "A" * 32,
        "%00",
        "A" * 31 + "%00",
        "%E2%82%A6" * 32,
        "%ff%fe" * 16,
        "%F0%9F%8D%94",
        "..%2f..%2fetc%2fpasswd",
        "a/b/c",
        "' OR 1=1 --",
        "%25",
        "A" * 10_000,
    ],
)
def test_any_other_link_is_a_friendly_not_found(web, shop, order, test_burger, odd):
    order(shop, test_burger)
    answer = web.get(f"/receipts/{odd}")
    assert answer.status_code == 404
    assert "no such receipt" in answer.text
    assert "Test Kitchen" in answer.text
    assert "₦" not in answer.text
    assert len(answer.text) < 2000
    assert_private(answer)


def test_a_token_that_is_nearly_right_opens_nothing(web, shop, order, token, test_burger):
    right = token(order(shop, test_burger))
    for wrong in (right[:-1], right + "A", right.swapcase(), f"{right}/", f"{right}%00", f"{right}%20"):
        assert web.get(f"/receipts/{wrong}").status_code == 404


def test_a_link_of_two_lines_is_not_found(web):
    answer = web.get("/receipts/a%0d%0aSet-Cookie:%20a=b")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


def assert_private(answer) -> None:
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


class Marks(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_is_private_and_keeps_to_its_content_policy(web, shop, order, token, test_burger):
    answer = web.get(f"/receipts/{token(order(shop, test_burger))}")
    assert_private(answer)
    assert "set-cookie" not in answer.headers
    marks = Marks()
    marks.feed(answer.text)
    assert ("html", {"lang": "en"}) in marks.seen
    assert not {tag for tag, _ in marks.seen} & {"script", "style", "img", "iframe", "form"}
    assert not any(name == "style" or name.startswith("on") for _, given in marks.seen for name in given)
    sheets = [given["href"] for tag, given in marks.seen if tag == "link"]
    assert sheets == ["/static/receipt.css"]
    style = web.get("/static/receipt.css")
    assert style.status_code == 200
    assert "@media print" in style.text and "@page" in style.text
    assert not re.search(r"url\(|@import", style.text)


def test_looking_changes_nothing_and_only_looking_is_possible(web, shop, order, token, test_burger, sessions):
    path = f"/receipts/{token(order(shop, test_burger))}"
    assert web.head(path).status_code == 200
    assert web.get(path).text == web.get(path).text
    assert web.post(path, data={"status": "paid"}).status_code == 405
    assert web.delete(path).status_code == 405
    with sessions() as session:
        assert session.query(Order).one().status == OrderStatus.AWAITING_PAYMENT


def test_names_are_text_and_never_markup(reachable, monkeypatch, shop, order, token, make_product):
    evil = "<script>alert('1')</script> & \"Sons\""
    monkeypatch.setenv("BUSINESS_NAME", evil)
    number = order(shop, make_product(name=evil))
    with TestClient(make_app(read_settings())) as web:
        html = web.get(f"/receipts/{token(number)}").text
    assert "<script" not in html
    assert words(html).count(evil) == 2


def test_times_are_those_of_the_shop(reachable, monkeypatch, shop, order, token, test_burger, clock):
    clock.now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    number = order(shop, test_burger)
    for zone, shown, machine in (
        ("Africa/Lagos", "1 January 2027, 00:30", "2027-01-01T00:30+01:00"),
        ("America/New_York", "31 December 2026, 18:30", "2026-12-31T18:30-05:00"),
    ):
        monkeypatch.setenv("SHOP_TIMEZONE", zone)
        with TestClient(make_app(read_settings())) as web:
            html = web.get(f"/receipts/{token(number)}").text
        assert shown in words(html)
        assert f'datetime="{machine}"' in html


def test_money_is_that_of_the_order(shop, order, page, test_burger, sandbox, clock):
    in_yen = selling(shop, sandbox, clock, currency="JPY")
    assert "Total JPY JP¥11,825" in page(order(in_yen, test_burger))


def test_a_receipt_as_the_shop_knows_it(shop, order, token, test_burger):
    number = order(shop, test_burger)
    receipt = shop.run(lambda work: find(work, token(number)))
    assert receipt is not None
    assert (receipt.number, receipt.status) == (number, "awaiting_payment")
    assert receipt.business_name == "Test Kitchen"
    assert (receipt.totals.total, receipt.currency) == (Decimal("11825.00"), "NGN")
    assert receipt.payment is not None and not receipt.payment.paid
    assert not receipt.delivered
    assert not receipt.ended
