"""The local WhatsApp: several phones, pictures, places, ticks, and what real life does to messages."""

from __future__ import annotations

import re

import pytest
import yaml
from playwright.sync_api import expect

from deploy.prepare import ROOT
from tests.e2e.system import Phone
from tests.e2e.test_conversations import Transcript, hold


def control(page, name: str) -> None:
    """Press a button of the drawer."""
    drawer = page.locator("#controls")
    if drawer.get_attribute("open") is None:
        drawer.locator("summary").click()
    drawer.get_by_role("button", name=name, exact=True).click()


def test_three_customers_side_by_side(page, check_accessible, picture):
    page.goto("/")
    for _ in range(2):
        page.get_by_role("button", name="Add a phone").click()
    expect(page.locator(".phone")).to_have_count(3)
    expect(page.get_by_role("button", name="Add a phone")).to_be_disabled()
    for phone, words in zip(page.locator(".phone").all(), ("2 cola", "menu", "1 zobo"), strict=True):
        phone.get_by_role("textbox", name="Message to").fill(words)
        phone.get_by_role("button", name="Send message").click()
    for phone, answer in zip(page.locator(".phone").all(), ("2 × Cola", "Our menu", "1 × Zobo"), strict=True):
        expect(phone.locator(".from-bot").last).to_contain_text(answer)
    check_accessible(page)
    picture(page, "local-whatsapp")
    page.get_by_role("button", name="Close this phone").last.click()
    expect(page.locator(".phone")).to_have_count(2)


def test_on_a_narrow_screen_phones_are_tabs(new_page, check_accessible, picture):
    page = new_page(375)
    page.emulate_media(reduced_motion="reduce")  # half-way through an animation nothing has its colours
    page.goto("/")
    expect(page.locator(".banner")).to_be_hidden()
    check_accessible(page)
    page.get_by_role("button", name="Customers and controls").click()
    check_accessible(page)
    page.get_by_role("button", name="Add a phone").click()
    page.keyboard.press("Escape")
    tabs = page.locator("#tabs button")
    expect(tabs).to_have_count(2)
    expect(page.locator(".phone:visible")).to_have_count(1)
    tabs.first.focus()
    page.keyboard.press("Enter")
    expect(tabs.first).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".phone").first).to_be_visible()
    picture(page, "local-whatsapp-narrow")


def test_a_picture_and_a_place(phone):
    page = phone.page
    page.get_by_role("button", name="Send a picture or a place").click()
    page.locator("[data-part=picture]").set_input_files(ROOT / "db" / "seed" / "pictures" / "bur-001.jpg")
    phone.hear("only read text and locations")
    shown = page.locator(".from-customer img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("button", name="Send a picture or a place").click()
    page.get_by_role("button", name="Send this place").click()
    expect(page.locator(".from-customer").last).to_contain_text("📍 6.5244, 3.3792")
    expect(page.locator(".from-bot")).to_have_count(2)


def test_ticks_tell_that_the_bots_message_was_read(phone):
    phone.say("hi", "welcome")
    expect(phone.page.locator(".from-bot").last).to_have_attribute("data-state", "read")


def test_a_message_that_comes_twice_is_answered_once(phone):
    phone.say("2 cola", "2 × Cola")
    control(phone.page, "Send the last message twice")
    expect(phone.page.locator("#told")).to_contain_text("Sent again")
    phone.say("cart", "2 × Cola")
    expect(phone.page.locator(".from-bot")).to_have_count(2)


def test_messages_held_back_come_the_other_way_round(phone):
    phone.say("hi", "welcome")
    control(phone.page, "Hold messages back")
    for words in ("cart", "2 cola"):
        phone.page.locator("#message-input").fill(words)
        phone.page.locator("#send").click()
    expect(phone.page.locator("[data-state=waiting]")).to_have_count(2)
    control(phone.page, "Let go, newest first")
    expect(phone.page.locator(".from-bot")).to_have_count(3)
    expect(phone.page.locator(".from-bot").nth(2)).to_contain_text("Your cart")


def test_what_the_bot_sends_waits_for_a_phone_without_network(phone):
    phone.say("hi", "welcome")
    control(phone.page, "Lose the network")
    phone.page.locator("#message-input").fill("2 cola")
    phone.page.locator("#send").click()
    expect(phone.page.locator("[data-state=waiting]")).to_have_count(1)
    control(phone.page, "Find it again")
    phone.hear("2 × Cola")


@pytest.mark.parametrize("kind", ["429", "answer_lost"])
def test_a_message_arrives_once_whatever_twilio_does_with_it(phone, kind):
    phone.say("hi", "welcome")
    page = phone.page
    page.locator("#controls summary").click()
    page.get_by_label("The next messages of the bot").select_option(kind)
    page.get_by_role("button", name="Let it happen").click()
    expect(page.locator("#told")).to_contain_text("Twilio fails 1")
    phone.say("2 cola", "2 × Cola")
    page.locator("#message-input").fill("cart")
    page.locator("#send").click()
    expect(page.locator(".from-bot")).to_have_count(3, timeout=60_000)


def test_rows_of_a_list_and_buttons_are_pressed(phone):
    page = phone.page
    phone.say("menu", "Our menu")
    rows = page.locator(".from-bot").last.locator("details.list")
    rows.locator("summary").click()
    row = rows.get_by_role("button").first
    category = row.inner_text()
    row.click()
    expect(page.locator(".from-customer").last).to_contain_text(category)
    shown = page.locator(".from-bot").last
    expect(shown).to_contain_text(category)
    expect(shown).not_to_contain_text("1. "), "what can be pressed is not numbered, too"
    phone.say("2 cola", "2 × Cola")
    phone.say("checkout", "total")
    page.locator(".from-bot").last.get_by_role("button", name="Yes").click()
    phone.hear("/payments/sandbox/")


def test_a_conversation_is_recorded_as_a_transcript_that_passes_when_it_is_replayed(
    phone, system, staffed_shop
):
    control(phone.page, "Record from here")
    said = [("hi", "welcome"), ("2 cola", "2 × Cola"), ("cart", "Your cart"), ("checkout", "Total")]
    for words, answer in said:
        phone.say(words, answer)
    phone.page.get_by_label("What it shows").fill("two colas")
    with phone.page.expect_download() as waiting:
        phone.page.get_by_role("link", name="Download").click()
    recorded = yaml.safe_load(waiting.value.path().read_text("utf-8"))
    assert recorded["conversation"] == "two colas"
    assert [turn["customer says"] for turn in recorded["talk"]] == [words for words, _ in said]
    assert any("2 × Cola" in line for line in recorded["talk"][1]["bot sends"])
    hold(Phone(system, f"+23481{phone.number[-8:]}", "Bola"), staffed_shop, Transcript("recorded", recorded))
    recorded["talk"][1]["bot sends"] = "3 × Cola"
    with pytest.raises(AssertionError, match="turn 2"):
        hold(Phone(system, f"+23482{phone.number[-8:]}"), staffed_shop, Transcript("recorded", recorded))


def test_an_unknown_script_in_a_message_is_text(phone):
    phone.say("<script>alert(1)</script>", "")
    expect(phone.page.locator(".from-customer .body").last).to_have_text(re.compile("<script>"))
