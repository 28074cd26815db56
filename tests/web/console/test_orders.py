"""The order board: what is on it, and one click that moves an order and tells the customer."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from markupsafe import escape
from starlette.requests import Request

from db.models import Customer, Order, OrderItem, OrderStatus, OutboxEvent, Product, StaffAction
from shop import board
from web.console.live import Watch, event_stream


@pytest.fixture
def stands(sessions):
    """The status of an order."""

    def stands(number: str) -> str:
        with sessions() as session:
            return session.query(Order).filter_by(number=number).one().status.value

    return stands


def column_of(page: str, number: str) -> str:
    """The column in which a card is."""
    return re.findall(r'class="column (\w+)"', page[: page.index(f'id="order-{number}"')])[-1]


def told(sessions) -> list[str]:
    """What the customer is told about the order."""
    with sessions() as session:
        rows = session.query(OutboxEvent).filter_by(event="order_status_changed").order_by("sequence")
        return [row.data["status"] for row in rows]


def test_a_paid_order_is_on_the_board_with_all_that_is_to_be_known(signed_in, place, test_burger):
    browser = signed_in("staff")
    assert "Nothing here" in browser.get("/orders").text
    number = place(test_burger, 3)
    page = browser.get("/orders").text
    assert column_of(page, number) == "new" and "(1) Orders" in page
    assert "3 ×" in page and "Test Burger" in page and "Pickup" in page and "Test Customer" in page
    assert "₦17,737.50" in page and "paid, Sandbox" in page


def test_what_is_not_paid_is_only_counted(signed_in, place, test_burger):
    number = place(test_burger, paid=False)
    page = signed_in("staff").get("/orders").text
    assert number not in page and "1 waiting for payment" in page


def test_one_click_moves_an_order_and_tells_the_customer(signed_in, place, test_burger, stands, sessions):
    browser, number = signed_in("staff", "Ada"), place(test_burger)
    for step in ("preparing", "ready", "completed"):
        answer = browser.post(f"/orders/{number}/move", to=step, key=f"key of {step}")
        assert number in browser.told(answer)
        assert stands(number) == step
    assert told(sessions) == ["preparing", "ready", "completed"]
    assert number not in browser.get("/orders").text
    with sessions() as session:
        recorded = session.query(StaffAction).filter(StaffAction.order_id.is_not(None))
        assert [(row.staff, row.action) for row in recorded.order_by(StaffAction.created_at)] == [
            ("Ada", "preparing"),
            ("Ada", "ready"),
            ("Ada", "completed"),
        ]


def test_htmx_gets_the_board_a_browser_the_page(signed_in, place, test_burger):
    browser, number = signed_in("staff"), place(test_burger)
    form = {"csrf_token": browser.csrf_token, "key": "k", "to": "ready"}
    part = browser.client.post(
        f"/console/orders/{number}/move", data=form, headers={"HX-Request": "true"}
    ).text
    assert column_of(part, number) == "ready" and "<html" not in part
    assert f"{number} is ready. The customer is told." in part


def test_a_double_click_is_one_step(signed_in, place, test_burger, stands, sessions):
    browser, number = signed_in("staff"), place(test_burger)
    said = {browser.told(browser.post(f"/orders/{number}/move", to="ready", key="same")) for _ in "12"}
    assert said == {f"{number} is ready. The customer is told."}
    assert told(sessions) == ["ready"]
    assert stands(number) == "ready"


def test_the_second_of_two_staff_is_told_who_was_first(signed_in, place, test_burger, sessions):
    ada, bea, number = signed_in("staff", "Ada"), signed_in("owner", "Bea"), place(test_burger)
    ada.told(ada.post(f"/orders/{number}/move", to="ready", key="of ada"))
    said = bea.told(bea.post(f"/orders/{number}/move", to="ready", key="of bea"))
    assert f"{number} is ready" in said and "Ada decided that just now" in said
    assert told(sessions) == ["ready"]


def test_of_two_who_press_at_the_same_moment_one_moves_the_order(signed_in, place, test_burger, sessions):
    browsers = [signed_in("staff", "Ada"), signed_in("owner", "Bea")]
    for _ in range(5):
        number, together = place(test_burger, 1), Barrier(len(browsers))

        def press(browser, number=number, together=together):
            together.wait()
            return browser.post(f"/orders/{number}/move", to="ready", key=f"{browser.name} {number}")

        with ThreadPoolExecutor(len(browsers)) as pool:
            answers = list(pool.map(press, browsers))
        said = sorted(browser.told(answer) for browser, answer in zip(browsers, answers, strict=True))
        assert f"{number} is ready. The customer is told." in said
        assert [one for one in said if "decided that just now" in one], said
    assert told(sessions) == ["ready"] * 5


def test_a_stale_tab_takes_no_step_back(signed_in, place, test_burger, stands):
    browser, number = signed_in("staff"), place(test_burger)
    browser.post(f"/orders/{number}/move", to="completed", key="1")
    said = browser.told(browser.post(f"/orders/{number}/move", to="preparing", key="2"))
    assert "handed over" in said and stands(number) == "completed"


@pytest.mark.parametrize("step", ["paid", "cancelled", "refunded", "placed", "nonsense", ""])
def test_no_form_sets_a_status_that_is_no_step(signed_in, place, test_burger, stands, step):
    browser, number = signed_in("staff"), place(test_burger)
    browser.post(f"/orders/{number}/move", to=step)
    assert stands(number) == "paid"


def test_there_is_no_such_order(signed_in):
    browser = signed_in("staff")
    assert "no such order" in browser.told(browser.post("/orders/NONE22/move", to="ready"))


def test_html_in_names_is_text(signed_in, place, test_burger, sessions):
    nasty = "<script>alert('x')</script>"
    number = place(test_burger)
    with sessions.begin() as session:
        session.query(Customer).one().name = nasty
        order = session.query(Order).one()
        order.items[0].product_name = nasty
        order.items[0].option_names = [nasty]
        order.items[0].removals = [nasty]
        order.delivery_address = nasty
    page = signed_in("staff").get("/orders").text
    assert nasty not in page and page.count(str(escape(nasty))) == 5
    assert number in page


def test_what_is_wanted_first_comes_first(signed_in, place, test_burger, sessions, clock):
    numbers = []
    for minutes in (90, 30, 60):
        number = place(test_burger, 1)
        numbers.append(number)
        with sessions.begin() as session:
            clock.pass_minutes(0)
            order = session.query(Order).filter_by(number=number).one()
            order.created_at = clock.now
            order.scheduled_for = clock.now.replace(hour=12 + minutes // 60, minute=minutes % 60)
    page = signed_in("staff").get("/orders").text
    shown = re.findall(r'id="order-(\w+)"', page)
    assert shown == [numbers[1], numbers[2], numbers[0]]


def test_the_boards_version_changes_with_every_move(shop, place, test_burger, sessions):
    versions = [shop.run(board.version)]
    number = place(test_burger, paid=False)
    versions.append(shop.run(board.version))
    for status in (OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.COMPLETED):
        with sessions.begin() as session:
            session.query(Order).filter_by(number=number).one().status = status
        versions.append(shop.run(board.version))
    assert len(set(versions[:-1])) == 4 and versions[-1] == versions[0]
    with sessions.begin() as session:
        session.query(Product).one().stock_quantity = 3
    assert shop.run(board.version) == versions[-1]


async def test_one_watcher_wakes_every_open_board(shop, place, test_burger):
    asked = []

    def version(work):
        asked.append(work)
        return board.version(work)

    watch = Watch(shop, version, seconds=0.01)
    boards = [watch.follow() for _ in range(5)]
    first = [await anext(one) for one in boards]
    assert len(set(first)) == 1
    assert len(asked) < 5, "asked once for all of them"
    waiting = [asyncio.ensure_future(anext(one)) for one in boards]
    await asyncio.to_thread(place, test_burger)
    second = await asyncio.gather(*waiting)
    assert len(set(second)) == 1 and set(first) != set(second)
    for one in boards:
        await one.aclose()
    await asyncio.sleep(0.1)
    seen = len(asked)
    await asyncio.sleep(0.1)
    assert len(asked) == seen, "nobody listens: nothing is asked"


def crowd(sessions, customer, product, status: OrderStatus, count: int) -> list[str]:
    """The numbers of that many orders of a status, the oldest first, a minute between two of them."""
    numbers = [f"{status.value[:2].upper()}{number:04d}" for number in range(count)]
    now = datetime.now(UTC)
    moments = [now - timedelta(minutes=count - place) for place in range(count)]
    with sessions.begin() as session:
        for number, at in zip(numbers, moments, strict=True):
            order = Order(customer_id=customer.id, number=number, status=status, currency="NGN")
            order.items_amount = order.total_amount = Decimal(800)
            order.tax_amount, order.created_at, order.updated_at = Decimal(0), at, at
            order.items = [OrderItem(product_id=product.id, product_name="Cola", quantity=1, position=0)]
            order.items[0].unit_price = order.items[0].total_price = Decimal(800)
            session.add(order)
    return numbers


def test_of_450_open_orders_neither_the_newest_nor_the_oldest_are_missing(
    signed_in, place, test_burger, sessions, customer
):
    ready = crowd(sessions, customer, test_burger, OrderStatus.READY, 400)
    paid = crowd(sessions, customer, test_burger, OrderStatus.PAID, 50)
    number = place(test_burger)
    page = signed_in("staff").get("/orders").text
    assert column_of(page, number) == "new"
    shown = re.findall(r'id="order-(\w+)"', page)
    assert [one for one in shown if one in paid or one == number] == [*paid, number]
    half = board.MOST_CARDS // 2
    assert [one for one in shown if one in ready] == [*ready[:half], *ready[-half:]]
    assert '<span class="count">400</span>' in page
    (link,) = re.findall(r'<p class="more"><a href="([^"]+)">340 more ready</a></p>', page)
    assert signed_in("owner").client.get(link).status_code == 200


def test_an_order_that_was_moved_just_now_is_on_the_board(signed_in, test_burger, sessions, customer):
    paid = crowd(sessions, customer, test_burger, OrderStatus.PAID, 150)
    crowd(sessions, customer, test_burger, OrderStatus.READY, 150)
    browser, middle = signed_in("staff"), paid[75]
    assert f'id="order-{middle}"' not in browser.get("/orders").text
    browser.told(browser.post(f"/orders/{middle}/move", to="ready"))
    assert column_of(browser.get("/orders").text, middle) == "ready"


async def test_a_page_is_told_of_what_it_does_not_show_yet(shop):
    stands = ["shown"]
    watch = Watch(shop, lambda work: stands[0], seconds=0.01)
    request = Request({"type": "http", "query_string": b"known=shown", "headers": []})
    told = event_stream(None, request, watch, "board").body_iterator
    assert (await anext(told)).comment == "here"
    first = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0.1)
    assert not first.done()
    stands[0] = "moved"
    assert (await first).data == "moved"
    second = asyncio.ensure_future(anext(told))
    stands[0] = "shown"
    assert (await second).data == "shown", "back where it was is news, too"
    await told.aclose()
