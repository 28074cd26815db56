"""Replies become as few WhatsApp messages as they need, and none is longer than WhatsApp takes."""

from __future__ import annotations

import pytest

from settings.checks import content_sids, content_sids_or_blank
from whatsapp.choices import Choice
from whatsapp.content import fill_choices, fill_notice, made_up_sids
from whatsapp.outbound import MOST_CHARACTERS, Answered, Composed, OutboundMessage, Reply, compose, split_body


def composed(*replies: Reply) -> list[OutboundMessage]:
    """The messages of one turn."""
    return list(compose(replies, Answered("SM1", "c", "sealed"), {}).messages)


def test_the_texts_of_one_turn_are_one_message():
    messages = composed(Reply("Not on our menu."), Reply("  1. Burgers\n2. Drinks\n"))
    assert [message.body for message in messages] == ["Not on our menu.\n\n1. Burgers\n2. Drinks"]


def test_a_picture_carries_the_text_that_goes_with_it():
    messages = composed(Reply("How many?", image="http://x/burger.jpg"))
    assert [(m.body, m.media) for m in messages] == [("How many?", ("http://x/burger.jpg",))]


def test_what_is_said_around_a_picture_keeps_its_order():
    messages = composed(Reply("before"), Reply("caption", "http://x/1.jpg"), Reply("after"), Reply("last"))
    assert [(m.body, m.media) for m in messages] == [
        ("before", ()),
        ("caption", ("http://x/1.jpg",)),
        ("after\n\nlast", ()),
    ]


def test_a_picture_without_words_is_sent():
    assert [(m.body, m.media) for m in composed(Reply(image="http://x/1.jpg"))] == [("", ("http://x/1.jpg",))]


def test_a_long_caption_goes_on_in_a_message_without_the_picture():
    first, second = composed(Reply("word " * 400, image="http://x/1.jpg"))
    assert (first.media, second.media) == (("http://x/1.jpg",), ())


@pytest.mark.parametrize("replies", [(), (Reply(""),), (Reply(" \n"), Reply(""))])
def test_a_turn_that_says_nothing_sends_nothing(replies):
    assert composed(*replies) == []


def test_a_blank_reply_changes_nothing():
    full = "a" * MOST_CHARACTERS
    assert [message.body for message in composed(Reply(full), Reply(" "))] == [full]


def test_ids_are_the_same_however_often_a_turn_is_repeated():
    replies = (Reply("a" * 2000), Reply("caption", "http://x/1.jpg"))
    assert composed(*replies) == composed(*replies)
    assert [message.id for message in composed(*replies)] == ["SM1:0", "SM1:1", "SM1:2"]


def test_a_message_survives_the_stream():
    message = OutboundMessage("SM1:0", "c", "sealed", "₦5,500 🍔", ("http://x/1.jpg",))
    assert OutboundMessage.from_json(message.to_json()) == message


def test_a_body_that_just_fits_is_not_split():
    assert split_body("a" * MOST_CHARACTERS) == ["a" * MOST_CHARACTERS]


def test_a_long_list_is_split_at_line_ends():
    lines = [f"{number}. Product with quite a long name" for number in range(100)]
    bodies = split_body("\n".join(lines))
    assert len(bodies) == 3
    assert [line for body in bodies for line in body.split("\n")] == lines


def test_a_long_line_is_split_at_spaces_else_where_it_must_be():
    assert split_body("one two three", 8) == ["one two", "three"]
    assert split_body("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_whatever_is_split_loses_nothing_but_whitespace_and_fits():
    hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is on the commerce plane")
    pieces = hypothesis.strategies.sampled_from([" ", "\n", "\n\n", "a", "bc", "₦5,500", "🍔", "longer-word"])
    texts = hypothesis.strategies.lists(pieces, max_size=60).map("".join)

    @hypothesis.settings(max_examples=300, deadline=None)
    @hypothesis.given(text=texts, limit=hypothesis.strategies.integers(1, 40))
    def nothing_is_lost(text: str, limit: int) -> None:
        bodies = split_body(text.strip(), limit)
        assert "".join("".join(bodies).split()) == "".join(text.split())
        assert all(len(body) <= limit for body in bodies)
        assert all(body for body in bodies) or not text.strip()

    nothing_is_lost()


def test_whatever_a_turn_says_arrives_in_messages_that_fit():
    hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is on the commerce plane")
    words = hypothesis.strategies.text(alphabet=" \nab🍔", max_size=20).map(lambda text: text * 120)
    replies = hypothesis.strategies.builds(
        Reply, words, hypothesis.strategies.sampled_from([None, "http://x/1"])
    )

    @hypothesis.settings(max_examples=100, deadline=None)
    @hypothesis.given(said=hypothesis.strategies.lists(replies, max_size=4))
    def everything_arrives(said: list[Reply]) -> None:
        messages = composed(*said)
        spoken = "".join("".join(reply.text.split()) for reply in said)
        assert "".join("".join(message.body.split()) for message in messages) == spoken
        assert all(len(message.body) <= MOST_CHARACTERS for message in messages)
        assert all(message.body or message.media for message in messages)
        assert len({message.id for message in messages}) == len(messages)

    everything_arrives()


YES_OR_NO = (Choice("Yes", "/affirm"), Choice("No", "/deny"))
ANSWERED = Answered("SM1", "c", "sealed")
SIDS = {"quick_reply_2": "HX2", "list_4": "HX4", "notice": "HXN"}
TOKENS = [f"token{number}" for number in range(10)]


def offered(text: str, choices: tuple[Choice, ...], sids: dict[str, str]) -> Composed:
    """A turn that ends with something to pick."""
    replies = [Reply("Hello"), Reply(text, choices=choices)]
    return compose(replies, Answered("SM1", "c", "sealed"), sids, TOKENS[: len(choices)])


def test_where_there_is_a_template_choices_are_buttons():
    turn = offered("Shall I place it?", YES_OR_NO, SIDS)
    (message,) = turn.messages
    assert (message.content_sid, message.body) == ("HX2", "Hello\n\nShall I place it?")
    assert message.content_variables == {
        "1": "Hello\n\nShall I place it?",
        "2": "Yes",
        "3": "token0",
        "4": "No",
        "5": "token1",
    }
    assert (turn.buttons, turn.numbered) == ({"token0": YES_OR_NO[0], "token1": YES_OR_NO[1]}, ())


def test_without_a_template_choices_are_numbered_text_and_the_numbers_count():
    turn = offered("Shall I place it?", YES_OR_NO, {})
    (message,) = turn.messages
    assert (message.content_sid, message.body) == (None, "Hello\n\nShall I place it?\n1. Yes\n2. No")
    assert (turn.buttons, turn.numbered) == ({}, YES_OR_NO)


@pytest.mark.parametrize("text", ["Say *yes* or *no*.", "Tapez *yes* (yes) ou *non* (no)", "1. Yes\n2. No"])
def test_what_a_text_says_itself_is_not_said_twice(text):
    turn = offered(text, YES_OR_NO, {})
    assert turn.messages[-1].body == f"Hello\n\n{text}"
    assert turn.numbered == ()


def test_a_list_to_tap_takes_the_place_of_the_numbered_one():
    dishes = tuple(Choice(name, f"/select_{name}") for name in ("Soup", "Rice", "Fish", "A" * 30))
    listed = (
        "Our menu\n"
        + "\n".join(f"{n}. {dish.title}" for n, dish in enumerate(dishes, start=1))
        + "\n\nPick one."
    )
    (message,) = offered(listed, dishes, SIDS).messages
    assert message.content_variables["1"] == message.body == "Hello\n\nOur menu\n\nPick one."
    titles = [message.content_variables[str(number)] for number in (2, 4, 6, 8)]
    assert titles == ["Soup", "Rice", "Fish", "A" * 23 + "…"]
    assert offered(listed, dishes, {}).messages[-1].body == f"Hello\n\n{listed}"


@pytest.mark.parametrize("count", [1, 3, 5, 11])
def test_no_template_for_so_many_means_text(count):
    choices = tuple(Choice(f"Dish {number}", "/select") for number in range(count))
    assert all(
        message.content_sid is None
        for message in compose(
            [Reply("?", choices=choices)], Answered("SM1", "c", "s"), SIDS, ["t"] * count
        ).messages
    )


def test_a_template_takes_no_more_text_than_twilio_does():
    turn = offered("a" * 1100, YES_OR_NO, SIDS)
    assert turn.messages[-1].content_sid is None
    assert turn.numbered == YES_OR_NO


def test_a_picture_goes_without_buttons():
    turn = compose([Reply("?", "http://x/1.jpg", YES_OR_NO)], Answered("SM1", "c", "s"), SIDS, TOKENS[:2])
    assert (turn.messages[0].media, turn.messages[0].content_sid) == (("http://x/1.jpg",), None)


def test_a_picture_goes_by_its_template_where_there_is_one():
    def sent(text: str, sids: dict[str, str]) -> OutboundMessage:
        return compose([Reply(text, "https://shop.example/pictures/soup.jpg")], ANSWERED, sids).messages[0]

    by_template = sent("*Soup*", {"picture": "HXP"})
    assert (by_template.content_sid, by_template.content_variables) == (
        "HXP",
        {"1": "*Soup*", "2": "soup.jpg"},
    )
    assert sent("*Soup*", {}).content_sid is None
    assert sent("", {"picture": "HXP"}).content_sid is None, "a variable is never empty"
    long = compose(
        [Reply("soup " * 300, "https://shop.example/pictures/1.jpg")], ANSWERED, {"picture": "HXP"}
    )
    assert [message.content_sid for message in long.messages] == [None] * len(long.messages)
    assert long.messages[0].media == ("https://shop.example/pictures/1.jpg",)


def test_only_the_message_with_the_picture_goes_by_its_template():
    replies = [Reply("hi"), Reply("*Soup*", "https://shop.example/pictures/soup.jpg"), Reply("How many?")]
    sids = [message.content_sid for message in compose(replies, ANSWERED, {"picture": "HXP"}).messages]
    assert sids == [None, "HXP", None]


def test_what_can_be_picked_before_something_else_is_said_counts_on():
    turn = compose(
        [Reply("?", choices=YES_OR_NO), Reply("more")], Answered("SM1", "c", "s"), SIDS, TOKENS[:2]
    )
    assert turn.messages[0].content_sid == "HX2"


def test_a_notice_on_one_line_fits_a_template():
    assert fill_notice("Your order\n*K7* is ready", SIDS) == ("HXN", {"1": "Your order *K7* is ready"})
    assert fill_notice("ready", {}) is None


@pytest.mark.parametrize("count", range(1, 11))
def test_the_local_whatsapp_has_a_template_for_every_number_of_choices(count):
    content_sids_or_blank(made_up_sids())
    choices = tuple(Choice(f"Dish {number}", "/x") for number in range(count))
    tokens = [f"token {number}" for number in range(count)]
    filled = fill_choices("Which one?", choices, tokens, content_sids(made_up_sids()))
    assert filled is not None and filled[1]["1"] == "Which one?"
