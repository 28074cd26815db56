"""Replies become as few WhatsApp messages as they need, and none is longer than WhatsApp takes."""

from __future__ import annotations

import pytest

from whatsapp.outbound import MOST_CHARACTERS, OutboundMessage, Reply, compose, split_body


def composed(*replies: Reply) -> list[OutboundMessage]:
    """The messages of one turn."""
    return compose(replies, inbound_id="SM1", conversation="c", address="sealed")


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
