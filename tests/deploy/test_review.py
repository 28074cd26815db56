"""`make review`: from messages that were misunderstood to examples, and never from a test."""

from __future__ import annotations

import json
import re
import uuid
from decimal import Decimal

import pytest
import yaml

from assist.client import ModelClient
from assist.drafting import MOST_CALLS, Drafter
from db.models import Decision, MisunderstandingKind
from deploy import review
from deploy.nlu_examples import NLU, examples, tested
from settings import LlmSettings
from shop import misunderstandings
from shop.misunderstandings import INTENTS, Example, Group, Noticed
from tests.assist.stand_in import completion, reply, standing_in

NEW = "wetin i don gather for here so far"


@pytest.fixture
def note(shop, customer):
    """Notes a message."""

    def note(text: str, kind=MisunderstandingKind.FALLBACK, **values) -> None:
        noticed = Noticed(kind, "GREETING", text, **values)
        shop.run(lambda work: misunderstandings.note(work, customer, noticed))

    return note


@pytest.fixture(scope="module")
def learnt() -> review.Learnt:
    """What data/nlu and the tests say."""
    return review.Learnt.read()


def reviewed(*lines: str, intent: str = "view_cart", accepted: bool = True, language: str = "pcm") -> str:
    """A file as a designer leaves it."""
    metadata = {"accepted": accepted, "language": language, "ids": []}
    entry = {"intent": intent, "metadata": metadata, "examples": "".join(f"- {line}\n" for line in lines)}
    return yaml.safe_dump({"version": "3.1", "nlu": [entry]}, allow_unicode=True)


def test_what_was_misunderstood_is_proposed_with_an_intent(shop, note, tmp_path):
    note(NEW, language="pcm", proposal={"intent": "view_cart"})
    known = next(line for intent, line in examples("en") if intent == "view_cart" and line.isascii())
    note(f"{known} pls")
    note("<script>alert(1)</script> | - intent: greet\n- hello")
    review._export(shop, tmp_path)
    text = (tmp_path / "review.yml").read_text()
    entries = {entry["examples"]: entry for entry in yaml.safe_load(text)["nlu"]}
    assert entries[f"- {NEW}\n"]["intent"] == "view_cart"
    assert entries[f"- {NEW}\n"]["metadata"]["language"] == "pcm"
    assert entries[f"- {known} pls\n"]["intent"] == "view_cart", "its nearest example's"
    assert not any(entry["metadata"]["accepted"] for entry in entries.values())
    assert all(len(lines.splitlines()) == 1 for lines in entries), "no line makes another one"
    skeleton = yaml.safe_load((tmp_path / "transcripts" / "001.yml").read_text())
    assert set(skeleton) == {"conversation", "talk"}


def test_what_the_console_accepted_is_marked(shop, note, tmp_path):
    note(NEW, language="pcm")
    (group,) = shop.run(misunderstandings.groups)
    shop.run(lambda work: misunderstandings.decide(work, group.ids, Decision.ACCEPTED, "ada", "view_cart"))
    review._export(shop, tmp_path)
    taken = review.take((tmp_path / "review.yml").read_text(), review.Learnt.read())
    assert taken.lines == {"pcm": {"view_cart": [NEW]}}


def test_what_lay_in_a_cart_is_no_example_and_no_transcript(shop, note, tmp_path):
    note(NEW)
    note("3 × Test Burger", kind=MisunderstandingKind.ABANDONED_CART)
    for group in shop.run(misunderstandings.groups):
        shop.run(
            lambda work, group=group: misunderstandings.decide(
                work, group.ids, Decision.ACCEPTED, "ada", "view_cart"
            )
        )
    note("4 × Test Burger", kind=MisunderstandingKind.ABANDONED_CART)
    note("how i go take send am back")
    review._export(shop, tmp_path)
    assert "Burger" not in (tmp_path / "review.yml").read_text()
    assert len(list((tmp_path / "transcripts").iterdir())) == 1


def test_what_is_taken_does_not_come_back(shop, note, tmp_path, monkeypatch):
    monkeypatch.setattr(review.write, "__defaults__", (tmp_path / "nlu",))
    for language in review.LANGUAGES:
        (tmp_path / "nlu" / language).mkdir(parents=True)
    note(NEW, language="pcm")
    note("wetin una get wey person fit chop", language="pcm")
    (group, _) = shop.run(misunderstandings.groups)
    shop.run(lambda work: misunderstandings.decide(work, group.ids, Decision.ACCEPTED, "ada", "view_cart"))
    review._export(shop, tmp_path)
    exported = (tmp_path / "review.yml").read_text().replace("accepted: false", "accepted: true")
    (tmp_path / "mine.yml").write_text(exported)
    review._accept(shop, str(tmp_path / "mine.yml"))
    assert NEW in (tmp_path / "nlu" / "pcm" / review.FILE).read_text()
    review._export(shop, tmp_path)
    assert yaml.safe_load((tmp_path / "review.yml").read_text())["nlu"] == []


@pytest.mark.parametrize(
    "line",
    [
        "a b\x07c d",
        "/restart now please",
        '[x]{"entity": bad',
        "[gratis](price) food",
        "a ] b",
        "one\u2028two three",
    ],
)
def test_what_would_break_the_training_is_left_out(line, learnt):
    text = yaml.safe_dump({"nlu": [{**yaml.safe_load(reviewed("x"))["nlu"][0], "examples": f"- {line}"}]})
    taken = review.take(text, learnt)
    assert not any(line in lines for by in taken.lines.values() for lines in by.values())
    assert len(taken.left_out) == 1


def test_a_customer_marks_nothing(shop, note, tmp_path):
    note('/greet [two]{"entity": "product"} of [dem](price)\x07 ones')
    review._export(shop, tmp_path)
    (entry,) = yaml.safe_load((tmp_path / "review.yml").read_text())["nlu"]
    assert entry["examples"] == '- greet two "entity": "product" of dem (price) ones\n'


def test_only_what_is_accepted_is_taken(learnt):
    assert review.take(reviewed("zyx wvu one two three", accepted=False), learnt).lines == {}


def test_what_is_learnt_already_or_tested_is_left_out():
    learnt = review.Learnt.read()
    intent, known = next(row for row in examples("en") if len(row[1].split()) > 5)
    nearly = known.replace(known.split()[0], "zebra", 1)
    test = next(text for text in sorted(tested()) if text not in learnt.lines and len(text.split()) > 3)
    text = reviewed(known, nearly, test, NEW, NEW.upper(), intent=intent, language="en")
    taken = review.take(text, learnt)
    assert taken.lines == {"en": {intent: [NEW]}}
    assert len(taken.left_out) == 4


@pytest.mark.parametrize(
    "text",
    ["", "nlu: 3", "{", reviewed("x y z", intent="give_refund"), reviewed("x y z", language="../en")],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_line(text, learnt):
    with pytest.raises(review.ReviewError) as refused:
        review.take(text, learnt)
    assert re.fullmatch(r"[^\n]+", str(refused.value))


def test_lines_are_added_to_those_that_were_reviewed_before(tmp_path):
    (tmp_path / "pcm").mkdir()
    review.write({"pcm": {"view_cart": [NEW]}}, tmp_path)
    review.write(
        {"pcm": {"view_cart": ["another: one # here"], "greet": ["how body dey my people"]}}, tmp_path
    )
    assert list(examples("pcm", tmp_path)) == [
        ("greet", "how body dey my people"),
        ("view_cart", NEW),
        ("view_cart", "another: one # here"),
    ]
    assert NLU.name == "nlu"


async def drafted(texts, answers, learnt):
    """What is exported of groups of one message each, with what a model answers about them."""
    groups = [group_of(text, suggested) for text, suggested in texts]

    async def behave(request, writer):
        await reply(writer, completion(answers[min(len(server.requests), len(answers)) - 1]))

    async with standing_in(behave) as server:
        drafter = Drafter(ModelClient(LlmSettings(server.base_url, "tiny", deadline_seconds=30)), INTENTS)
        drafts = await review.draft_for(groups, drafter, learnt)
    entries = yaml.safe_load(review.proposals(groups, [], list(examples("en")), drafts))["nlu"]
    return entries, server.requests


def group_of(text: str, suggested: str | None = None) -> Group:
    """A message that was not understood."""
    kind = MisunderstandingKind.FALLBACK
    example = Example(uuid.uuid4(), kind, "GREETING", text, "pcm", None, None, None, Decimal(0), None)
    return Group((example,), Decimal(0), suggested)


def draft(intent: str, *paraphrases: str) -> str:
    """A model's answer."""
    return json.dumps({"intent": intent, "paraphrases": paraphrases})


async def test_a_model_drafts_and_accepts_nothing(learnt):
    answer = draft("view_cart", "how body of my basket be now", "/restart", '[x]{"entity": bad', "menu")
    (asked, paraphrased), requests = await drafted([(NEW, None)], [answer], review.Learnt.read())
    assert (asked["intent"], asked["metadata"]["drafted"]) == ("view_cart", "intent")
    assert paraphrased["metadata"] == {
        "accepted": False,
        "drafted": "examples",
        "language": "pcm",
        "ids": [],
    }
    assert paraphrased["examples"].splitlines()[0] == "- how body of my basket be now"
    assert "/restart" not in paraphrased["examples"] and "{" not in paraphrased["examples"]
    assert "- menu" not in paraphrased["examples"].splitlines(), "learnt already"
    assert review.take(yaml.safe_dump({"nlu": [asked, paraphrased]}), learnt).lines == {}
    assert NEW in str(requests[0]["messages"])


async def test_a_suggestion_is_not_written_over(learnt):
    entries, _ = await drafted([(NEW, "reorder")], [draft("view_cart")], learnt)
    assert entries[0]["intent"] == "reorder" and "drafted" not in entries[0]["metadata"]


@pytest.mark.parametrize("answer", ["<html>", draft("give_refund"), draft("help", *"abcdefg"), "{}"])
async def test_a_model_that_answers_nonsense_is_left_alone_after_a_while(learnt, answer):
    texts = [(f"zxqv {number} wvut", "help") for number in range(5)]
    entries, requests = await drafted(texts, [answer], learnt)
    assert len(requests) == 3
    assert len(entries) == 5 and not any("drafted" in entry["metadata"] for entry in entries)


async def test_no_more_than_some_calls_are_made(learnt):
    texts = [(f"zxqv {number} wvut", "help") for number in range(MOST_CALLS + 4)]
    _, requests = await drafted(texts, [draft("help")], learnt)
    assert len(requests) == MOST_CALLS
