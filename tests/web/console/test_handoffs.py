"""The inbox of conversations: who waits, who has it, and what is written to the customer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from db.models import Handoff, HandoffReason, MessageKind, OutboxEvent, ThreadMessage
from shop import cart, handoff_inbox, handoffs
from tests.environment import CUSTOMER_NUMBER
from whatsapp.window import WINDOW_SECONDS

HTML = "<img src=x onerror=alert(1)> & <b>bold</b>"


@pytest.fixture
def says(shop, caller) -> Callable[..., Any]:
    """The customer writes something to a person."""

    def says(text: str, operation: Any = handoffs.call, first: Any = HandoffReason.ASKED) -> Any:
        who = caller()

        def bound(work):
            return operation(work, who.recognised(work), first, text)

        return shop.run(bound)

    return says


@pytest.fixture
def called(says, sessions) -> str:
    """The path of a conversation in which somebody was called."""
    says("my order is late")
    with sessions() as session:
        return f"/handoffs/{session.query(Handoff).one().id}"


def told(sessions) -> list[tuple[str, dict[str, Any]]]:
    with sessions() as session:
        return [(row.event, row.data) for row in session.query(OutboxEvent).order_by(OutboxEvent.sequence)]


def test_who_calls_is_in_the_inbox_with_what_they_said(signed_in, called):
    browser = signed_in("staff")
    page = browser.get("/handoffs").text
    assert "(1) Conversations" in page
    assert "asked for a person" in page and "my order is late" in page and "Test Customer" in page
    assert "my order is late" in browser.get(called).text


def test_an_empty_inbox_says_so(signed_in):
    assert "Nobody." in signed_in("staff").get("/handoffs").text


def test_a_conversation_is_taken_written_in_and_handed_back(signed_in, called, sessions):
    ada = signed_in("staff", "Ada")
    assert ada.post(f"{called}/take", key="1").status_code == 303
    page = ada.get(called).text
    assert "Ada has this conversation" in page and "Write to the customer" in page
    for _ in range(2):  # a double click
        ada.post(f"{called}/write", text="It is on its way.", key="2")
    ada.post(f"{called}/write", text="Ten minutes.", key="3")
    assert "Ten minutes." in ada.get(called).text
    assert "The bot has the conversation again." in ada.told(ada.post(f"{called}/hand-back", key="4"))
    assert "over" in ada.get(called).text
    assert [event for event, _ in told(sessions)] == [
        "handoff_taken",
        "staff_message",
        "staff_message",
        "handoff_closed",
    ]


def test_the_second_of_two_is_told_who_has_it(signed_in, called, sessions):
    ada, bola = signed_in("staff", "Ada"), signed_in("owner", "Bola")
    ada.post(f"{called}/take", key="1")
    for step, fields in (("take", {}), ("write", {"text": "hello, I typed this"})):
        page = bola.post(f"{called}/{step}", key=f"late {step}", **fields)
        assert page.status_code == 200
        assert "Ada has this conversation." in page.text
    assert "Ada has this conversation." in bola.told(bola.post(f"{called}/hand-back", key="5"))
    assert len(told(sessions)) == 1
    assert bola.post(f"{called}/take", instead_of="Ada", key="6").status_code == 303
    assert "Bola has this conversation" in bola.get(called).text


def test_what_was_typed_is_not_lost_where_it_cannot_be_sent(signed_in, called):
    ada = signed_in("staff", "Ada")
    ada.post(f"{called}/take", key="1")
    page = ada.post(f"{called}/write", text="x" * 1401, key="2").text
    assert "x" * 1401 in page and "1400 characters" in page
    assert "Write something" in ada.post(f"{called}/write", text="  ", key="3").text


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "63016",
            "the customer has not written for 24 hours, and only an approved template may go out (63016)",
        ),
        ("", "WhatsApp was out of reach for ten minutes"),
    ],
)
def test_what_did_not_arrive_says_so(signed_in, called, shop, sessions, code, reason):
    ada = signed_in("staff", "Ada")
    ada.post(f"{called}/take", key="1")
    for key, text in enumerate(("It is on its way.", "Ten minutes.")):
        ada.post(f"{called}/write", text=text, key=f"w{key}")
    assert "Not delivered" not in ada.get(called).text
    with sessions() as session:
        events = session.query(OutboxEvent).filter_by(event="staff_message").order_by(OutboxEvent.sequence)
        first = str(events.first().id)
    assert shop.run(lambda work: handoffs.note_undelivered(work, first, code))
    page = ada.get(f"{called}/thread").text
    assert page.count("Not delivered") == 1
    assert re.search(rf"It is on its way\..{{0,80}}Not delivered: {re.escape(reason)}\.", page, re.S)


def test_html_of_customers_and_staff_is_text(signed_in, called, says, sessions):
    ada = signed_in("staff", "Ada")
    says(HTML)
    ada.post(f"{called}/take", key="1")
    ada.post(f"{called}/write", text=HTML, key="2")
    for path in ("/handoffs", called, f"{called}/thread"):
        page = ada.get(path).text
        assert "<img" not in page and "<b>" not in page
        assert "&lt;img src=x" in page
    assert told(sessions)[-1] == ("staff_message", {"staff": "Ada", "text": HTML})


def test_numbers_leave_what_the_staff_writes(signed_in, called, sessions):
    ada = signed_in("staff", "Ada")
    ada.post(f"{called}/take", key="1")
    ada.post(f"{called}/write", text=f"Call {CUSTOMER_NUMBER}, card 4242 4242 4242 4242", key="2")
    assert told(sessions)[-1][1]["text"] == "Call •••, card [card]"
    with sessions() as session:
        assert [row.text for row in session.query(ThreadMessage).filter_by(staff="Ada")] == [
            "Call •••, card [card]"
        ]


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (MessageKind.MEDIA, "", "sent a picture, a voice note or a file"),
        (MessageKind.TOO_MANY, "", "more messages in a minute"),
        (MessageKind.LOCATION, "6.5244,3.3792, Yaba", "📍 6.5244,3.3792, Yaba"),
    ],
)
def test_what_is_no_text_is_described(signed_in, called, says, kind, text, shown):
    ada = signed_in("staff", "Ada")
    ada.post(f"{called}/take", key="1")
    says(text, handoffs.pass_on, kind)
    assert shown in ada.get(called).text


async def test_before_they_write_the_staff_know_whether_the_window_is_open(
    signed_in, called, redis, customer
):
    ada = signed_in("staff", "Ada")
    ada.post(f"{called}/take", key="1")
    assert "has not written for 24 hours or more" in ada.get(called).text
    three_hours_ago = WINDOW_SECONDS - 3 * 3600 - 60
    await redis.set(f"chatcart:window:{customer.phone_lookup}", "open", ex=three_hours_ago)
    page = ada.get(called).text
    assert re.search(r"The customer last wrote 3 h( 1 min)? ago", page)
    assert "has not written" not in page


def test_the_page_shows_cart_and_orders(
    signed_in, called, shop, clock, customer, place, test_burger, make_product
):
    clock.now = datetime.now(UTC)  # the web app's time: a cart is not kept for ever
    number = place(test_burger, 2)
    cola = make_product(name="Cola", price=800)
    shop.run(lambda work: cart.add(work, customer, str(cola.id), 3))
    page = signed_in("staff").get(called).text
    assert "<strong>3 ×</strong> Cola" in page
    assert f"/console/orders/{number}" in page


def test_the_staff_begins_a_conversation(signed_in, customer, sessions):
    ada = signed_in("staff", "Ada")
    answer = ada.post("/handoffs/start", customer=str(customer.id), key="1")
    assert re.fullmatch(r"/console/handoffs/[0-9a-f-]{36}", answer.headers["location"])
    assert [event for event, _ in told(sessions)] == ["handoff_taken"]


@pytest.mark.parametrize(
    "path", ["/handoffs/00000000-0000-0000-0000-000000000000", "/handoffs/x", "/handoffs/1"]
)
def test_a_conversation_that_is_not_there(signed_in, path):
    browser = signed_in("owner")
    assert browser.get(path).status_code == 404
    assert browser.post(f"{path}/take").status_code == 404
    assert browser.post("/handoffs/start", customer="x").status_code == 404


def test_a_designer_reads_no_conversation(signed_in, called):
    designer = signed_in("designer")
    for path in ("/handoffs", called, f"{called}/thread", "/handoffs/events"):
        answer = designer.get(path)
        assert answer.status_code == 403
        assert "late" not in answer.text
    assert designer.post(f"{called}/take").status_code == 403


def test_a_stale_tab_finds_the_conversation_over(signed_in, called, says, sessions):
    ada = signed_in("staff", "Ada")
    ada.post(f"{called}/take", key="1")
    ada.post(f"{called}/hand-back", key="2")
    page = ada.post(f"{called}/write", text="are you there?", key="3")
    assert "not there any more" in page.text
    assert [event for event, _ in told(sessions)] == ["handoff_taken", "handoff_closed"]


def test_the_version_changes_with_all_that_is_shown(shop, says, sessions):
    versions = [shop.run(handoff_inbox.version)]

    def changed() -> bool:
        versions.append(shop.run(handoff_inbox.version))
        return versions[-1] not in versions[:-1]

    assert not changed()
    says("hello")
    assert changed()
    with sessions() as session:
        handoff = session.query(Handoff).one().id
    shop.run(lambda work: handoffs.take(work, handoff, "Ada"))
    assert changed()
    says("still there?", handoffs.pass_on, MessageKind.TEXT)
    assert changed()
    shop.run(lambda work: handoffs.take(work, handoff, "Bola", instead_of="Ada"))
    assert changed()
    shop.run(lambda work: handoffs.hand_back(work, handoff, "Bola"))
    assert changed()
