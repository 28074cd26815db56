"""The dashboard: figures that add up, charts that are images, nothing for who may not see it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from db.models import StateChange
from shop.payments import flow
from web.console.charts import ticks
from web.console.dashboard import DashboardPage
from whatsapp.redis import connection_options

CHARTS = ("sales", "best-sellers", "funnel", "messages", "answers")
NOW = datetime.now(UTC)


@pytest.fixture
def in_redis(redis_settings):
    """An empty Redis."""
    with Redis(**connection_options(redis_settings)) as redis:
        redis.flushall()
        yield redis


@pytest.fixture
def dashboard(signed_in, clock):
    """The dashboard as the staff reads it: its words."""
    clock.now = NOW
    browser = signed_in("staff")

    def read(days: int = 7) -> str:
        answer = browser.get(f"/dashboard?days={days}")
        assert answer.status_code == 200
        return words(answer.text)

    return read


def words(html: str) -> str:
    body = html.split("<main")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).replace("\N{NO-BREAK SPACE}", " ").split())


def test_sales_are_those_of_orders_that_were_paid(dashboard, place, test_burger, in_redis):
    place(test_burger, 2)
    place(test_burger, 1, paid=False)
    read = dashboard()
    assert re.search(r"\d+ \w+ 1 ₦11,825.00", read), read
    assert read.count("₦11,825.00") == 1
    assert "Test Burger 2 ₦11,000.00" in read


def test_refunds_that_were_sent_are_taken_off(signed_in, place, test_burger, shop, clock, in_redis):
    number, whole = place(test_burger, 2), place(test_burger, 1)
    owner = signed_in("owner", "Boss")

    def read(days: int) -> str:
        return words(owner.get(f"/dashboard?days={days}").text)

    owner.told(owner.post(f"/orders/{number}/refund", amount="1,000", reason="cold", key="1"))
    owner.told(owner.post(f"/orders/{whole}/refund", reason="burnt", key="2"))
    assert "2 ₦17,737.50" in read(7), "decided, and not yet sent"
    clock.now = datetime.now(UTC)
    while flow.send_refunds(shop):
        pass
    assert "1 ₦10,825.00" in read(1)


def test_money_is_written_as_its_currency_is(dashboard, place, test_burger, sessions, in_redis):
    place(test_burger, 2)
    with sessions.begin() as session:
        session.connection().exec_driver_sql("UPDATE orders SET currency = 'JPY'")
    read = dashboard()
    assert "¥11,825" in read and "₦0.00" in read, "a day without sales in the shop's own currency has its row"


def test_the_funnel_counts_each_customer_at_their_furthest_point(dashboard, sessions, customer, in_redis):
    way = ("GREETING", "BROWSING_PRODUCTS", "ADDING_TO_CART", "GREETING")
    with sessions.begin() as session:
        for number, state in enumerate(way):
            values = {"to_state": state, "message_id": f"SM{number}", "created_at": NOW}
            session.add(StateChange(customer_id=customer.id, **values))
        long_ago = NOW - timedelta(days=20)
        values = {"to_state": "ORDER_COMPLETE", "message_id": "SM9", "created_at": long_ago}
        session.add(StateChange(customer_id=customer.id, **values))
    read = dashboard(7)
    assert "Wrote to us 1 0 %" in read
    assert "Had something in the cart 1 0 % Saw the summary 0 100 %" in read
    assert "Order complete 1" in dashboard(30)


def test_response_time_and_what_was_not_understood_come_from_the_days_counts(dashboard, in_redis, clock):
    dashboard()
    today = NOW.astimezone(ZoneInfo("Africa/Lagos")).date()
    figures = {"messages": 40, "not_understood": 2}
    figures |= {"answered_within:1.0": 30, "answered_within:3.0": 9, "answered_within:more": 1}
    in_redis.hset(f"chatcart:day:{today}", mapping=figures)
    read = dashboard(1)
    assert "Half of 40 answers within 1 s , 95 % within 3 s" in read
    assert "40 2 (5.0 %)" in read


def test_without_redis_the_rest_is_there(signed_in, place, test_burger, monkeypatch, in_redis):
    async def none(*_):
        return None

    browser = signed_in("owner")
    monkeypatch.setattr(DashboardPage, "_days", none)
    answer = browser.get("/dashboard")
    assert answer.status_code == 200
    assert "These figures cannot be read now." in answer.text
    assert browser.get("/dashboard/answers.svg").status_code == 200


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("days", [1, 7, 30])
def test_every_chart_is_an_image_that_can_do_nothing(signed_in, make_product, place, name, days, in_redis):
    evil = make_product(name='<script>alert("1")</script> & Rice')
    place(evil, 2)
    answer = signed_in("owner").get(f"/dashboard/{name}.svg?days={days}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    root = ElementTree.fromstring(answer.content)
    assert root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith("script") and element.get("href")]


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (0, [0]),
        (1, [0, 1]),
        (2.5, [0, 1, 2, 3]),
        (6, [0, 1, 2, 3, 4, 5, 6]),
        (7, [0, 2, 4, 6, 8]),
        (11825, [0, 2000, 4000, 6000, 8000, 10000, 12000]),
    ],
)
def test_an_axis_has_a_few_round_whole_numbers(top, expected):
    assert ticks(top) == expected


def test_a_products_name_is_text(dashboard, signed_in, make_product, place, in_redis):
    place(make_product(name="<b>Rice</b>"), 1)
    page = signed_in("owner").get("/dashboard").text
    assert "<b>Rice</b>" not in page and "&lt;b&gt;Rice&lt;/b&gt;" in page


@pytest.mark.parametrize("days", ["0", "2", "365", "-1", "7.0", "x", "1 OR 1=1", ""])
def test_there_are_three_periods(signed_in, days):
    browser = signed_in("owner")
    for path in ("/dashboard", "/dashboard/sales.svg"):
        assert browser.get(f"{path}?days={days}").status_code == 404


def test_designers_have_no_dashboard(signed_in):
    browser = signed_in("designer")
    assert browser.get("/dashboard").status_code == 403
    for name in CHARTS:
        assert browser.get(f"/dashboard/{name}.svg").status_code == 403


def test_the_charts_leave_imports_as_they_are():
    with pytest.raises(ModuleNotFoundError):
        import_module("a_module_that_nobody_installed")
