"""From a customer's order in the chat to the staff's board, and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from db.models import OrderStatus
from shop import order_status
from tests.environment import STAFF_PASSWORD

MOST_TABS = 400


def order_cola(phone) -> None:
    """Order two colas and pay for them on the sandbox's page."""
    phone.say("2 cola", "cola")
    phone.say("checkout", "total")
    phone.say("yes", "/payments/sandbox/")
    link = phone.page.locator("#messages a[href*='/payments/sandbox/']").last.get_attribute("href")
    pay = phone.page.context.new_page()
    pay.goto(link)
    pay.get_by_role("button", name="Pay", exact=False).first.click()
    pay.wait_for_load_state()
    pay.close()


def test_an_order_appears_on_the_board_by_itself_and_ready_is_told_to_the_customer(
    signed_in, phone, picture, check_accessible
):
    board = signed_in("staff", name="Ada")
    expect(board.get_by_role("heading", name="Orders", exact=True)).to_be_visible()
    board.evaluate("window.notReloaded = true")
    order_cola(phone)
    card = board.locator(".new .card", has_text=phone.name)
    expect(card).to_contain_text("2 × Cola")
    expect(board).to_have_title(re.compile(r"^\(\d+\) Orders"))
    phone.hear("Payment received")
    number = card.locator("h3").text_content().strip()
    check_accessible(board)
    picture(board, "console-board")
    card.get_by_role("button", name="Ready").click()
    expect(board.locator(f".ready #order-{number}")).to_be_visible()
    expect(board.get_by_role("status")).to_contain_text(f"{number} is ready. The customer is told.")
    phone.hear("ready")
    assert board.evaluate("window.notReloaded"), "all that without a reload"


def test_two_boards_show_the_same_and_the_keyboard_is_enough(signed_in, phone):
    ada, bea = signed_in("staff"), signed_in("owner")
    order_cola(phone)
    number = ada.locator(".new .card", has_text=phone.name).locator("h3").text_content().strip()
    button = ada.locator(f"#preparing-{number}")
    button.focus()
    ada.keyboard.press("Enter")
    expect(bea.locator(f".preparing #order-{number}")).to_be_visible()
    expect(ada.locator(f".preparing #order-{number}")).to_be_visible()


MOST_LOOKS = 100
LOUD = """
window.tones = 0;
const part = () => ({ connect: (next) => next, start() {}, stop() {}, frequency: {},
  gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} } });
window.AudioContext = class { currentTime = 0; createGain = part;
  createOscillator() { window.tones += 1; return part(); } };
"""
"""Counts tones in the place of the loudspeaker; a ring has two."""


def test_a_new_order_rings_also_when_another_one_goes_at_the_same_moment(signed_in, phone, staffed_shop):
    board = signed_in("staff")
    board.add_init_script(LOUD)
    board.reload()
    board.get_by_label("Ring for new orders").check()
    order_cola(phone)
    first = board.locator(".new .card", has_text=phone.name)
    expect(first).to_have_count(1)
    hear_tones(board, 4)
    number = first.locator("h3").text_content().strip()
    board.route("**/orders/board", lambda route: route.abort())
    staffed_shop.run(lambda work: order_status.advance(work, number, OrderStatus.PREPARING, "Ada"))
    order_cola(phone)
    phone.hear("Payment received")
    board.unroute("**/orders/board")
    board.evaluate("htmx.trigger('#board', 'sse:board')")
    expect(first).to_have_count(1)
    expect(board.locator(f".preparing #order-{number}")).to_be_visible()
    hear_tones(board, 6)


def hear_tones(board: Page, count: int) -> None:
    """Wait for so many tones. Playwright's own way to wait evaluates text in the page, which the page's
    policy forbids as soon as it has to look twice."""
    for _ in range(MOST_LOOKS):
        if board.evaluate("window.tones") >= count:
            break
        board.wait_for_timeout(100)
    assert board.evaluate("window.tones") == count


def tab_to(page: Page, wanted: Locator) -> int:
    """Press Tab until something has the focus, and see it on every element on the way; how often."""
    for count in range(1, MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.count() == 1, "the focus left the page"
        assert focused.evaluate(
            "one => { const how = getComputedStyle(one); return how.outlineStyle !== 'none'"
            " && parseFloat(how.outlineWidth) > 0; }"
        ), focused.evaluate("one => one.outerHTML")
        if wanted.evaluate("one => one === document.activeElement"):
            return count
    raise AssertionError(f"not reached by pressing Tab {MOST_TABS} times")


def test_signing_in_and_moving_an_order_by_pressing_tab(new_page, member, phone):
    order_cola(phone)
    page = new_page()
    page.goto("/console")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(member("staff"))
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(STAFF_PASSWORD)
    tab_to(page, page.get_by_role("button", name="Sign in"))
    page.keyboard.press("Enter")
    card = page.locator(".new .card", has_text=phone.name)
    expect(card).to_be_visible()
    number = card.locator("h3").text_content().strip()
    page.reload()  # to begin where a page begins
    assert tab_to(page, page.get_by_role("link", name="Skip to the page")) == 1
    page.keyboard.press("Enter")
    tab_to(page, page.locator(f"#preparing-{number}"))
    page.keyboard.press("Enter")
    expect(page.locator(f".preparing #order-{number}")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (403, "not for your role"),
        (404, "not there any more"),
        (503, "Nothing was changed"),
        (None, "No connection"),
    ],
)
def test_a_click_that_failed_says_so_until_one_succeeds(signed_in, phone, status, told):
    board = signed_in("staff")
    order_cola(phone)
    number = board.locator(".new .card", has_text=phone.name).locator("h3").text_content().strip()
    trouble = board.locator("#trouble")
    expect(trouble).to_be_hidden()
    fail = (lambda route: route.abort()) if status is None else (lambda route: route.fulfill(status=status))
    board.route("**/move", fail)
    board.locator(f"#preparing-{number}").click()
    expect(trouble).to_contain_text(told)
    expect(board.locator(f".new #order-{number}")).to_be_visible()
    with board.expect_response("**/orders/board"):
        board.evaluate("htmx.trigger('#board', 'sse:board')")
    expect(trouble).to_contain_text(told)
    board.unroute("**/move")
    board.locator(f"#preparing-{number}").click()
    expect(board.locator(f".preparing #order-{number}")).to_be_visible()
    expect(trouble).to_be_hidden()


def test_the_board_on_a_phone(signed_in, check_accessible, picture):
    board = signed_in("staff", width=375)
    check_accessible(board)
    picture(board, "console-board-phone")


def test_every_chart_of_the_dashboard_is_drawn(signed_in, picture):
    page = signed_in("owner", name="Bea Boss")
    page.goto("/console/dashboard?days=7")
    charts = page.locator("img.chart")
    expect(charts).to_have_count(5)
    for chart in charts.all():
        assert chart.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    picture(page, "console-dashboard", whole=True)
