"""What was misunderstood: noted with what it may cost, grouped, ranked, decided, forgotten."""

from __future__ import annotations

from decimal import Decimal

import pytest

from db.models import Decision, MisunderstandingKind
from shop import cart, checkout, misunderstandings, privacy
from shop.conversation import ConversationState
from shop.misunderstandings import DAYS_KEPT, Noticed


@pytest.fixture
def says(shop, caller):
    """A customer writes what the bot does not understand."""

    def says(text: str, number: str = "+2348030000001", kind=MisunderstandingKind.FALLBACK, **values) -> None:
        noticed = Noticed(kind, "GREETING", text, **values)
        who = caller(number)
        shop.execute(
            who, "note", type(None), lambda work, customer: misunderstandings.note(work, customer, noticed)
        )

    return says


@pytest.fixture
def fills_cart(shop, caller, test_burger):
    """A customer has some burgers (5500.00 each) in the cart."""

    def fills(units: int, number: str = "+2348030000001"):
        return shop.execute(
            caller(number),
            "add",
            cart.CartChange,
            lambda work, customer: cart.add(work, customer, str(test_burger.id), str(units)),
        )

    return fills


def test_alike_messages_are_one_group_and_the_costliest_comes_first(shop, says, fills_cart):
    for number in range(3):
        says("do you do catering for parties", f"+23480300000{number}1")
    fills_cart(2, "+2348030000091")
    says("I wan the black fizzy one", "+2348030000091")
    says("i want the black fizzy ones!", "+2348030000091")
    first, second = shop.run(misunderstandings.groups)
    assert set(first.texts) == {"i want the black fizzy ones!", "I wan the black fizzy one"}
    assert first.lost == Decimal("11000.00"), "one cart, however often its customer was misunderstood"
    assert (second.lost, len(second.ids)) == (Decimal(0), 3)


def test_who_bought_after_all_cost_nothing(shop, says, fills_cart, caller, clock):
    fills_cart(1)
    says("the round bread with meat")
    assert shop.run(misunderstandings.groups)[0].lost == Decimal("5500.00")
    clock.pass_minutes(1)
    for name in ("begin", "review", "confirm"):
        function = getattr(checkout, name)
        shop.run(lambda work, function=function: function(work, caller("+2348030000001").recognised(work)))
    assert shop.run(misunderstandings.groups)[0].lost == Decimal(0)


def test_what_was_proposed_is_suggested_before_what_was_guessed(shop, says):
    says("wetin i don pick", intent="repeat", proposal={"intent": "view_cart"})
    says("abeg wetin i don pick", intent="repeat")
    says("zxqv", intent="out_of_scope")
    suggested = {group.texts[0]: group.suggested_intent for group in shop.run(misunderstandings.groups)}
    assert sorted(suggested.values(), key=str) == [None, "view_cart"]


def test_another_language_is_another_group(shop, says):
    says("menu", language="en")
    says("menu", language="fr")
    assert sorted(group.language for group in shop.run(misunderstandings.groups)) == ["en", "fr"]


@pytest.mark.parametrize(
    ("answers", "suggested"),
    [
        ({"view_cart": None}, "view_cart"),
        ({"view_cart": False}, "repeat"),
        ({"view_cart": None, "checkout": True}, "checkout"),
        ({"repeat": False}, None),
    ],
)
def test_what_customers_said_no_to_is_not_suggested(shop, says, caller, clock, answers, suggested):
    who = caller("+2348030000001")
    for intent, answer in answers.items():
        kind = MisunderstandingKind.ASSISTED
        clock.pass_minutes(1)
        says("wetin i don pick", kind=kind, intent="repeat", proposal={"intent": intent})
        if answer is not None:
            shop.run(
                lambda work, answer=answer: misunderstandings.answer_proposal(
                    work, who.recognised(work), accepted=answer
                )
            )
    (group,) = shop.run(misunderstandings.groups)
    assert group.suggested_intent == suggested


def test_a_cart_is_no_message(shop, says, fills_cart, clock):
    says("3 x test burger")
    fills_cart(3)
    clock.pass_minutes(60 * 24 + 20)
    shop.run(cart.abandon_expired)
    said = {group.examples[0].kind.value: group.said for group in shop.run(misunderstandings.groups)}
    assert said == {"fallback": ("3 x test burger",), "abandoned_cart": ()}


def test_a_cart_that_expired_is_abandoned_also_where_its_customer_is_faster_than_the_job(
    shop, fills_cart, clock
):
    fills_cart(3)
    clock.pass_minutes(60 * 24 + 20)
    fills_cart(1)
    assert shop.run(cart.abandon_expired) == 0
    ((example,),) = [group.examples for group in shop.run(misunderstandings.groups)]
    assert (example.kind, example.text) == (MisunderstandingKind.ABANDONED_CART, "3 × Test Burger")


def test_what_is_an_example_is_not_exported_again(shop, says):
    says("wetin i don pick")
    ids = shop.run(misunderstandings.groups)[0].ids
    assert shop.run(lambda work: misunderstandings.mark_taken(work, ids)) == 0, "nobody accepted it"
    shop.run(lambda work: misunderstandings.decide(work, ids, Decision.ACCEPTED, "ada", "view_cart"))
    assert len(shop.run(misunderstandings.accepted)) == 1
    assert shop.run(lambda work: misunderstandings.mark_taken(work, ids)) == 1
    assert shop.run(misunderstandings.accepted) == []


def test_nobody_accepts_what_nobody_knows(shop, says):
    says("wetin i don pick")
    ids = shop.run(misunderstandings.groups)[0].ids
    with pytest.raises(ValueError, match="view_crat"):
        shop.run(lambda work: misunderstandings.decide(work, ids, Decision.ACCEPTED, "ada", "view_crat"))


def test_what_was_decided_is_no_longer_asked_about(shop, says, clock):
    says("wetin i don pick")
    says("do you do catering")
    ids = shop.run(misunderstandings.groups)[0].ids

    def decide(work):
        return misunderstandings.decide(work, ids, Decision.ACCEPTED, "ada", "view_cart")

    assert shop.run(decide) == 1
    assert shop.run(decide) == 0, "somebody decided already"
    (left,) = shop.run(misunderstandings.groups)
    assert left.ids != ids
    row = shop.run(lambda work: work.misunderstandings.find_by_id(ids[0]))
    assert (row.decision, row.decided_by, row.label) == (Decision.ACCEPTED, "ada", "view_cart")
    assert row.decided_at == clock.now


def test_an_abandoned_cart_is_one(shop, fills_cart, clock):
    fills_cart(3)
    clock.pass_minutes(60 * 24 + 20)
    assert shop.run(cart.abandon_expired) == 1
    ((example,),) = [group.examples for group in shop.run(misunderstandings.groups)]
    assert (example.kind, example.text) == (MisunderstandingKind.ABANDONED_CART, "3 × Test Burger")
    assert (example.state, example.lost) == (ConversationState.ADDING_TO_CART, Decimal("16500.00"))


def test_nothing_is_kept_for_ever(shop, says, clock):
    says("zxqv")
    clock.pass_minutes(DAYS_KEPT * 24 * 60 - 1)
    says("something else")
    assert shop.run(misunderstandings.forget_old) == 0
    clock.pass_minutes(2)
    assert shop.run(misunderstandings.forget_old) == 1


def test_it_is_part_of_what_is_exported_and_erased(shop, says, caller):
    says("my dog ate it")
    exported = shop.run(lambda work: privacy.export(work, caller("+2348030000001").recognised(work)))
    assert [row["text"] for row in exported["misunderstandings"]] == ["my dog ate it"]
    shop.run(lambda work: privacy.erase(work, caller("+2348030000001").recognised(work)))
    assert shop.run(misunderstandings.groups) == []


def test_a_long_message_is_cut(shop, says):
    says("x" * 5000)
    assert len(shop.run(misunderstandings.groups)[0].texts[0]) == misunderstandings.MOST_CHARACTERS
