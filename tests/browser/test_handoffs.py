"""A customer asks for a person, who takes the conversation in the console, writes, and hands it back."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_conversation_is_taken_over_and_handed_back(signed_in, phone, picture, check_accessible):
    ada, bola = signed_in("staff", name="Ada Obi"), signed_in("owner", name="Bola Ade")
    ada.goto("/console/handoffs")
    ada.evaluate("window.notReloaded = true")
    phone.say("2 cola", "2 × Cola")
    phone.say("can i talk to a person", "called our staff")
    card = ada.locator(".new .card").filter(has_text="can i talk to a person")
    expect(card).to_be_visible()
    assert ada.evaluate("window.notReloaded"), "it came by itself"
    check_accessible(ada)
    picture(ada, "console-conversations")

    card.get_by_role("link").click()
    bola.goto(ada.url)
    ada.get_by_role("button", name="Take the conversation").click()
    phone.hear("Ada Obi from the shop is here now")
    expect(bola.locator("#thread")).to_contain_text("Ada Obi has this conversation")
    bola.get_by_role("button", name="Take the conversation").click()
    expect(bola.get_by_role("status").first).to_contain_text("Ada Obi has this conversation.")

    ada.get_by_label("Write to the customer").fill("Good day! <b>What</b> is it?")
    ada.get_by_role("button", name="Send").click()
    phone.hear("Ada Obi: Good day! <b>What</b> is it?")
    answers = phone.page.locator(".from-bot").count()
    phone.page.locator("#message-input").fill("menu, and is there ice in the cola?")
    phone.page.locator("#send").click()
    expect(ada.locator("#thread .theirs").last).to_contain_text("is there ice in the cola?")
    assert phone.page.locator(".from-bot").count() == answers, "the bot is silent"
    expect(ada.get_by_text("2 × Cola")).to_be_visible()
    check_accessible(ada)
    picture(ada, "console-conversation")

    ada.get_by_role("button", name="Hand back to the bot").click()
    phone.hear("has left")
    phone.say("cart", "2 × Cola")


def test_a_conversation_on_a_phone(signed_in, phone, check_accessible):
    page = signed_in("staff", width=375)
    phone.say("can i talk to a person", "called our staff")
    page.goto("/console/handoffs")
    check_accessible(page)
    page.locator(".new .card").filter(has_text=phone.name).get_by_role("link").click()
    check_accessible(page)
    page.get_by_role("button", name="Take the conversation").click()
    page.get_by_label("Write to the customer").fill("Good day!")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#thread .ours").last).to_contain_text("Good day!")
    check_accessible(page)


def test_what_did_not_arrive_says_so_in_the_thread_by_itself(signed_in, phone):
    ada = signed_in("staff", name="Ada Eze")
    phone.say("can i talk to a person", "called our staff")
    ada.goto("/console/handoffs")
    ada.locator(".new .card").filter(has_text=phone.name).get_by_role("link").click()
    ada.get_by_role("button", name="Take the conversation").click()
    phone.hear("Ada Eze from the shop is here now")
    page = phone.page
    page.locator("#controls summary").click()
    page.get_by_label("The next messages of the bot").select_option("63016")
    page.get_by_role("button", name="Let it happen").click()
    expect(page.locator("#told")).to_contain_text("Twilio fails 1")
    ada.get_by_label("Write to the customer").fill("Are you there?")
    ada.get_by_role("button", name="Send").click()
    lost = ada.locator("#thread .ours").last
    expect(lost).to_contain_text("Are you there?")
    expect(lost).to_contain_text("Not delivered: the customer has not written for 24 hours")
