"""The designers' page: what was misunderstood, shown as text, accepted or rejected by whoever may."""

from __future__ import annotations

import html

import pytest
from sqlalchemy import select

from db.models import Misunderstanding, MisunderstandingKind
from shop import audit, misunderstandings
from shop.misunderstandings import Noticed

HTML = "<script>alert('carts')</script>"


@pytest.fixture
def noted(shop, customer):
    """Two messages that are alike, and one with HTML in it."""
    for text in ("do you do catering", "do you do catering?", HTML):
        noticed = Noticed(MisunderstandingKind.FALLBACK, "GREETING", text)
        shop.run(lambda work, noticed=noticed: misunderstandings.note(work, customer, noticed))
    return {group.texts[0]: group.ids for group in shop.run(misunderstandings.groups)}


def ids_of(noted, start: str) -> str:
    """The ids of a group, as its form has them."""
    return " ".join(str(each) for text, ids in noted.items() if text.startswith(start) for each in ids)


def test_html_in_a_message_is_text(signed_in, noted):
    page = signed_in("designer").get("/misunderstandings")
    assert page.status_code == 200
    assert HTML not in page.text and html.escape(HTML, quote=False)[:12] in page.text
    assert page.text.count("What was meant") == 2


def test_a_group_is_accepted_with_what_was_meant(signed_in, noted, session, shop):
    designer = signed_in("designer", "Dele")
    form = {"ids": ids_of(noted, "do you"), "intent": "human_handoff", "decision": "accepted"}
    assert designer.told(designer.post("/misunderstandings", **form)) == "2 messages accepted."
    rows = session.scalars(select(Misunderstanding).where(Misunderstanding.label.is_not(None))).all()
    assert {(row.decided_by, row.label) for row in rows} == {("Dele", "human_handoff")}
    assert designer.get("/misunderstandings").text.count("What was meant") == 1
    entry, *_ = shop.run(audit.page).entries
    assert (entry.staff, entry.action) == ("Dele", "misunderstandings accepted")
    assert (entry.about, entry.details) == ("human_handoff", {"messages": 2}), (
        "and nothing of what was written"
    )


def test_what_can_be_meant_is_chosen_and_the_suggestion_stands_there(signed_in, shop, customer):
    proposal = {"intent": "view_cart"}
    noticed = Noticed(MisunderstandingKind.ASSISTED, "GREETING", "wetin i don pick", proposal=proposal)
    shop.run(lambda work: misunderstandings.note(work, customer, noticed))
    page = signed_in("designer").get("/misunderstandings").text
    assert "<option selected>view_cart</option>" in page
    assert page.count("<option") == len(misunderstandings.INTENTS) + 1


def test_what_lay_in_a_cart_is_seen_and_cannot_be_accepted(signed_in, shop, customer):
    noticed = Noticed(MisunderstandingKind.ABANDONED_CART, "GREETING", "3 × Test Burger")
    shop.run(lambda work: misunderstandings.note(work, customer, noticed))
    page = signed_in("designer").get("/misunderstandings").text
    assert "Seen" in page and "Accept" not in page


def test_a_group_is_rejected(signed_in, noted, shop):
    designer = signed_in("designer")
    form = {"ids": ids_of(noted, "<script>"), "decision": "rejected"}
    assert designer.told(designer.post("/misunderstandings", **form)) == "1 message rejected."
    assert len(shop.run(misunderstandings.groups)) == 1


@pytest.mark.parametrize("intent", ["", "view_crat", "View Cart", "../en"])
def test_what_is_no_intent_is_refused(signed_in, noted, shop, intent):
    designer = signed_in("designer")
    form = {"ids": ids_of(noted, "do you"), "intent": intent, "decision": "accepted"}
    assert "Choose what was meant" in designer.told(designer.post("/misunderstandings", **form))
    assert len(shop.run(misunderstandings.groups)) == 2


@pytest.mark.parametrize("form", [{"ids": "1 2", "decision": "rejected"}, {"ids": "", "decision": "delete"}])
def test_a_form_that_is_not_ours_is_refused(signed_in, form):
    assert signed_in("designer").post("/misunderstandings", **form).status_code == 400


def test_staff_is_not_asked(signed_in):
    assert signed_in("staff").get("/misunderstandings").status_code == 403
