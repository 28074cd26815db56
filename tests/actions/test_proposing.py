"""A message that was not understood: the model proposes, the customer decides, the rules do the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from actions.server import make_executor
from assist.assembly import make_assistant
from db.models import CartItem, Misunderstanding
from settings import LlmSettings
from tests.actions.tracker import Talk, number, order_line
from tests.assist.stand_in import key_of, question_of, says, standing_in
from tests.environment import CUSTOMER_NUMBER
from whatsapp.choices import read_payload
from whatsapp.identity import Identity


@pytest.fixture
def assisted(shop, settings, redis, menu):
    """Makes a conversation with a shop that a model at an address helps."""

    def make(base_url: str) -> Talk:
        llm = LlmSettings(base_url=base_url, model="tiny", deadline_seconds=30)
        assistant = make_assistant(replace(settings, llm=llm), redis, CollectorRegistry())
        identity = Identity(settings.privacy)
        return Talk(
            make_executor(shop, settings, None, assistant),
            identity.pseudonym(CUSTOMER_NUMBER),
            identity.seal(CUSTOMER_NUMBER),
        )

    return make


@pytest.fixture
def noted(sessions):
    """What was noted for the designers: (kind, text, intent)."""

    def noted() -> list[tuple[str, str, str | None]]:
        with sessions.begin() as session:
            rows = session.scalars(select(Misunderstanding).order_by(Misunderstanding.created_at)).all()
            return [(row.kind.value, row.text, row.intent) for row in rows]

    return noted


@pytest.fixture
def answers(sessions):
    """What customers said to what was proposed."""

    def answers() -> list[bool | None]:
        with sessions.begin() as session:
            rows = session.scalars(select(Misunderstanding).where(Misunderstanding.kind == "assisted")).all()
            return [row.proposal.get("accepted") for row in rows]

    return answers


@pytest.fixture
def units(sessions):
    """How many units are in carts."""

    def units() -> int:
        with sessions.begin() as session:
            return sum(session.scalars(select(CartItem.quantity)).all())

    return units


def order(name: str, quantity: int = 1):
    """A model that takes every message for an order of this."""

    def command(question):
        line = {"product": key_of(question, name), "quantity": quantity, "options": [], "without": []}
        return {"kind": "order", "lines": [line]}

    return says(command)


async def unsure(talk: Talk, text: str = "2 of dem black fizzy", *, action: str = "action_not_understood"):
    """The customer writes what the pipeline does not understand."""
    talk.hears(text, intent="out_of_scope")
    return await talk.does(action)


async def goes_on(talk: Talk, answer):
    """What Rasa's rules do with the message that an action put in place of the customer's."""
    heard = next(event for event in answer.events if event["event"] == "user")
    talk.latest_message = heard["parse_data"]
    rules = {"select_product": "action_select_product", "view_cart": "action_view_cart"}
    return await talk.does(rules[heard["parse_data"]["intent"]["name"]])


async def test_a_proposal_changes_nothing_until_the_customer_says_yes(assisted, units, noted):
    async with standing_in(order("Coke 35cl", 2)) as server:
        talk = assisted(server.base_url)
        asked = await unsure(talk)
        assert asked.named == ["utter_did_you_mean"] and "2 × Coke 35cl" in asked.text
        assert units() == 0
        talk.hears("yes", intent="affirm")
        added = await goes_on(talk, await talk.does("action_say_what_next"))
    assert added.named == ["utter_added"] and units() == 2
    assert noted() == [("assisted", "2 of dem black fizzy", "out_of_scope")]


async def test_the_button_means_what_the_yes_means(assisted, units, answers):
    async with standing_in(order("Coke 35cl", 2)) as server:
        talk = assisted(server.base_url)
        asked = await unsure(talk)
    intent, entities = read_payload(asked.responses[0]["payload"])
    assert intent == "select_product"
    talk.hears("Yes", entities)
    assert (await talk.does("action_select_product")).named == ["utter_added"]
    assert units() == 2
    assert answers() == [True]


@pytest.mark.parametrize(
    ("said", "action", "kept"),
    [("affirm", "action_say_what_next", True), ("deny", "action_deny", False), ("help", "", None)],
)
async def test_designers_see_whether_it_was_meant(assisted, answers, said, action, kept):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        await unsure(talk)
        talk.hears("...", intent=said)
        if kept is not None:
            await talk.does(action)
    assert answers() == [kept]


async def test_a_no_leads_to_the_question_of_always(assisted, units, noted):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        await unsure(talk)
        talk.hears("no", intent="deny")
        answer = await talk.does("action_deny")
    assert answer.named[0] == "utter_not_understood" and units() == 0
    assert [kind for kind, *_ in noted()] == ["assisted", "declined_proposal"]
    assert noted()[1][1] == "2 of dem black fizzy"


async def test_a_yes_that_comes_later_is_no_yes_to_it(assisted, units):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        await unsure(talk)
        talk.hears("help", intent="help")
        talk.hears("yes", intent="affirm")
        answer = await talk.does("action_say_what_next")
    assert answer.named == ["utter_next_greeting"] and units() == 0


async def test_the_shop_may_tell_something_before_the_yes(assisted, units):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        await unsure(talk)
        talk.events.append({"event": "user", "text": "", "metadata": {"message_id": "E1", "notice": True}})
        talk.hears("yes", intent="affirm")
        await goes_on(talk, await talk.does("action_say_what_next"))
    assert units() == 1


async def test_the_shop_still_decides_what_can_be_had(assisted, units):
    """Five are left: the yes to six is refused like any other six."""
    async with standing_in(order("Coke 35cl", 6)) as server:
        talk = assisted(server.base_url)
        await unsure(talk, "6 black fizzy")
        talk.hears("yes", intent="affirm")
        answer = await goes_on(talk, await talk.does("action_say_what_next"))
    assert "utter_not_enough_stock" in answer.named and units() == 0


async def test_another_intent_is_asked_about_in_our_words(assisted):
    async with standing_in(says({"kind": "intent", "intent": "view_cart"})) as server:
        talk = assisted(server.base_url)
        assert (await unsure(talk, "wetin i don pick")).named == ["utter_did_you_mean_view_cart"]
        talk.hears("yes", intent="affirm")
        answer = await goes_on(talk, await talk.does("action_say_what_next"))
    assert answer.named == ["utter_cart_empty"]


async def test_it_asks_back_once(assisted):
    async with standing_in(says({"kind": "clarify", "about": "quantity"})) as server:
        talk = assisted(server.base_url)
        assert (await unsure(talk, "some of dem")).named == ["utter_clarify_quantity"]
        assert (await unsure(talk, "some o")).named == ["utter_not_understood_again"]
        assert (await unsure(talk, "i say some")).named == ["utter_not_understood_third"]


@pytest.mark.parametrize("form", ["checkout_form", "erasure_form"])
async def test_where_a_yes_costs_something_nothing_else_is_asked(assisted, form):
    async with standing_in(order("Coke 35cl", 2)) as server:
        talk = assisted(server.base_url)
        talk.form = form
        assert (await unsure(talk)).named == ["utter_not_understood"]
        assert server.requests == []


async def test_a_name_that_nobody_knows_is_asked_about(assisted):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        for action in ("action_select_product", "action_search_product"):
            talk.hears("zxqv black water", intent="search_product")
            assert (await talk.does(action)).named == ["utter_did_you_mean"]


async def test_what_was_understood_is_done_and_only_the_rest_is_asked_about(assisted, menu, units):
    burger = {"products": [str(menu["burger"].id)], "name": "Test Burger", "quantity": "2"}
    entities = [
        {"entity": "order_line", "value": burger},
        {"entity": "unknown_product", "value": "black fizzy"},
        {"entity": "numbers", "value": ["2", "3"]},
    ]

    def both(question):
        lines = [("Test Burger", 2), ("Coke 35cl", 3)]
        return {
            "kind": "order",
            "lines": [
                {"product": key_of(question, name), "quantity": quantity, "options": [], "without": []}
                for name, quantity in lines
            ],
        }

    async with standing_in(says(both)) as server:
        talk = assisted(server.base_url)
        talk.hears("two burgers and three black fizzy", entities)
        answer = await talk.does("action_select_product")
    assert answer.named == ["utter_added", "utter_did_you_mean"] and units() == 2
    assert answer.responses[1]["lines"] == "3 × Coke 35cl"


async def test_a_mere_guess_is_asked_about_and_a_sure_one_is_not(assisted, menu):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        talk.hears("abeg do am", intent="browse_menu")
        talk.latest_message["intent"]["confidence"] = 0.2
        assert (await talk.does("action_show_menu")).named == ["utter_did_you_mean"]
        talk.hears("menu", intent="browse_menu")
        assert (await talk.does("action_show_menu")).named == ["utter_categories"]
        assert len(server.requests) == 1


async def test_it_is_told_of_the_talk_but_not_of_the_person(assisted):
    async with standing_in(says({"kind": "none"})) as server:
        talk = assisted(server.base_url)
        talk.hears("any drinks?", intent="browse_menu")
        talk.events.append(
            {"event": "bot", "text": "Hello Ada, ...", "metadata": {"utter_action": "utter_products"}}
        )
        talk.hears("my address na 5 Allen Avenue", intent="inform_contact")
        await unsure(talk)
    told = str(server.requests[0])
    assert "customer: any drinks?" in told and "shop: utter_products" in told
    for private in ("Ada", "Allen", CUSTOMER_NUMBER[4:], talk.sender_id, "5500", "6000"):
        assert private not in told


@pytest.mark.parametrize("is_cut", [False, True])
async def test_it_is_told_no_greeting_and_no_answer_to_the_checkout(assisted, is_cut):
    async with standing_in(says({"kind": "none"})) as server:
        talk = assisted(server.base_url)
        talk.hears("hi, this is Adaeze", intent="greet")
        await unsure(talk)
        if not is_cut:
            talk.events.append({"event": "active_loop", "name": "checkout_form"})
        talk.hears("5 Allen Avenue, the blue burger house", intent="select_product")
        talk.events.append({"event": "active_loop", "name": None})
        talk.hears("any drinks?", intent="browse_menu")
        await unsure(talk, "dem black fizzy")
    told = [str(question_of(request)["before"]) for request in server.requests]
    assert "any drinks?" in told[1]
    assert not any(private in each for each in told for private in ("Adaeze", "Allen", "blue"))


async def test_the_same_message_twice_is_noted_once(assisted, noted):
    async with standing_in(order("Coke 35cl")) as server:
        talk = assisted(server.base_url)
        talk.hears("black fizzy", intent="out_of_scope")
        assert (await talk.asks("action_not_understood")).named == ["utter_did_you_mean"]
        assert (await talk.asks("action_not_understood")).named == ["utter_did_you_mean"]
    assert len(noted()) == 1


async def test_without_a_model_everything_is_as_it_was(talk, noted):
    assert (await unsure(talk)).named == ["utter_not_understood", "utter_next_greeting"]
    assert noted() == [("fallback", "2 of dem black fizzy", "out_of_scope")]


async def test_a_correction_tells_what_was_misunderstood_before(talk, menu, noted):
    await talk.turn("action_select_product", "2 burgers", [order_line(menu["burger"], quantity="2")])
    talk.hears("no, take that back", intent="undo")
    await talk.does("action_undo")
    assert noted() == [("correction", "2 burgers", None)]


@pytest.mark.parametrize(
    ("action", "text", "entities"),
    [("action_modify_item", "make it 3", [number("3")]), ("action_remove_item", "remove it", [])],
)
async def test_what_is_changed_straight_after_it_was_added_is_a_correction(
    talk, menu, noted, action, text, entities
):
    for straight in (False, True):
        await talk.turn("action_select_product", "2 burgers", [order_line(menu["burger"], quantity="2")])
        talk.events.append({"event": "bot", "text": "...", "metadata": {"utter_action": "utter_added"}})
        if not straight:
            talk.hears("thanks", intent="thank")
        talk.hears(text, entities, intent="modify_item")
        await talk.does(action)
        assert noted() == [("correction", "2 burgers", None)] * straight


async def test_a_quantity_that_is_refused_was_not_understood(talk, menu, noted):
    talk.slots["product"] = str(menu["burger"].id)
    talk.form = "quantity_form"
    talk.hears("plenty", intent="give_quantity")
    talk.fills("quantity", "plenty")
    await talk.does("validate_quantity_form")
    assert noted() == [("fallback", "plenty", "give_quantity")]
