"""A recording expects what will be the same the next time, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import yaml

from tests.e2e.test_conversations import STEPS
from web.local_whatsapp.phones import PhoneMessage
from web.local_whatsapp.recording import transcript

START = datetime(2026, 11, 25, 12, tzinfo=UTC)


def talk(*said: tuple[str, str], outcomes: dict[str, str] | None = None) -> list[dict[str, object]]:
    """The turns of a recorded conversation; `>` is the customer, `<` the bot."""
    messages = [
        PhoneMessage(
            f"SM{place}",
            "in" if sign == ">" else "out",
            text,
            (),
            START + timedelta(seconds=place),
            layout="location" if text.startswith("📍") else "",
        )
        for place, (sign, text) in enumerate(said)
    ]
    written = transcript("a talk", messages, "Tunde", (outcomes or {}).get)
    values = yaml.safe_load(written)
    assert values["conversation"] == "a talk"
    assert all(set(turn) <= STEPS for turn in values["talk"]), "each step can be replayed"
    return list(values["talk"])


def test_what_the_bot_said_before_the_customer_is_no_turn():
    assert talk(("<", "Hello"), (">", "menu"), ("<", "📋 *Our menu*")) == [
        {"customer says": "menu", "bot sends": "📋 *Our menu*"}
    ]


def test_names_numbers_links_and_times_are_not_expected():
    passing = [
        "Hello Tunde, welcome to *Mama Put*!",
        "Order *ABC234* is ready.",
        "Pay here: https://shop.example/payments/sandbox/P1",
        "We open on Mon 23 Nov, 09:00.",
        "I am a bot, the ordering assistant.",
    ]
    assert talk((">", "hi"), *(("<", line) for line in passing)) == [{"customer says": "hi"}]
    kept = "Type *menu* to see what we have."
    assert talk((">", "hi"), ("<", "\n".join([*passing, kept]))) == [
        {"customer says": "hi", "bot sends": kept}
    ]


def test_answers_in_several_messages_are_one_turns():
    assert talk((">", "hi"), ("<", "one"), ("<", "two")) == [
        {"customer says": "hi", "bot sends": ["one", "two"]}
    ]


def test_a_payment_is_a_step_of_its_own():
    link = "Pay here: http://127.0.0.1:4000/payments/sandbox/P1\nThe link works for 30 minutes."
    said = ((">", "yes"), ("<", link), ("<", "🎉 Payment received: ₦1,720.00."))
    assert talk(*said, outcomes={"P1": "paid"}) == [
        {"customer says": "yes", "bot sends": "The link works for 30 minutes."},
        {"customer pays": "paid", "bot sends": "🎉 Payment received: ₦1,720.00."},
    ]
    assert talk(*said, outcomes={"P1": "failed"})[1]["customer pays"] == "in vain"
    assert len(talk(*said)) == 1, "nothing was paid"


def test_a_place_is_sent_again_as_a_place():
    assert talk((">", "📍 6.5244, 3.3792\nHome"), ("<", "Noted.")) == [
        {"customer sends": "6.5244, 3.3792", "bot sends": "Noted."}
    ]
