"""From a customer's order in the chat to the staff's board, and back."""

from __future__ import annotations

import re

from playwright.sync_api import expect


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
    number = card.locator("h3").inner_text()
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
    number = ada.locator(".new .card", has_text=phone.name).locator("h3").inner_text()
    button = ada.locator(f"#preparing-{number}")
    button.focus()
    ada.keyboard.press("Enter")
    expect(bea.locator(f".preparing #order-{number}")).to_be_visible()
    expect(ada.locator(f".preparing #order-{number}")).to_be_visible()


def test_the_board_on_a_phone(signed_in, check_accessible, picture):
    board = signed_in("staff", width=375)
    check_accessible(board)
    picture(board, "console-board-phone")
