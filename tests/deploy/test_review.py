"""`make review`: from messages that were misunderstood to examples, and never from a test."""

from __future__ import annotations

import re

import pytest
import yaml

from db.models import Decision, MisunderstandingKind
from deploy import review
from deploy.nlu_examples import NLU, examples, tested
from shop import misunderstandings
from shop.misunderstandings import Noticed

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
