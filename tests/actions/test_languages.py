"""Every sentence of the bot exists in every language that it speaks, with the same gaps and keywords."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.formatting import local_time
from db.models import Customer
from shop.customers import LANGUAGES

ROOT = Path(__file__).parents[2]
RESPONSES: dict[str, list[dict[str, Any]]] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))[
    "responses"
]
DEFAULT = "en"
ORDER = [*(code for code in LANGUAGES if code != DEFAULT), DEFAULT]
CHANGED = "utter_language_changed_"
ONE_LANGUAGE = {"utter_english_only", "utter_staff_message", *(CHANGED + code for code in LANGUAGES)}
TRANSLATED = sorted(set(RESPONSES) - ONE_LANGUAGE)
# What customers type is English in every language, for that is what the bot understands.
COMMANDS = {
    "*2*",
    "*cancel*",
    "*cart*",
    "*checkout*",
    "*confirm*",
    "*help*",
    "*human*",
    "*I have paid*",
    "*menu*",
    "*no*",
    "*order ahead*",
    "*pay online*",
    "*receipt*",
    "*undo*",
    "*delivery*",
    "*pickup*",
    "*transfer*",
    "*cash*",
    "*start over*",
    "*where is my order*",
    "*yes*",
    *(f"*{name}*" for name in ("English", "French", "Pidgin", "Portuguese", "Spanish")),
}
HEADINGS = {"*Our menu*", "*Your cart*", "*Your order*", "*Total: {total}*"}


def variants(response: str) -> list[dict[str, dict[str, Any]]]:
    """Each wording of a response: what it says, by the code of the language.

    Most have one. Of several, the first ones of all languages belong together, then the second ones.
    """
    wordings: dict[str, list[dict[str, Any]]] = {}
    for variation in RESPONSES[response]:
        condition = variation.get("condition")
        if condition is None:
            code = DEFAULT
        else:
            ((constraint),) = condition
            assert constraint == {"type": "slot", "name": "language", "value": constraint["value"]}
            code = constraint["value"]
        assert code == next(reversed(wordings), code) or code not in wordings, f"{response}: {code} is apart"
        wordings.setdefault(code, []).append(variation)
    assert len({len(found) for found in wordings.values()}) == 1, f"{response}: a language lacks a wording"
    return [dict(zip(wordings, together, strict=True)) for together in zip(*wordings.values(), strict=True)]


def by_language(response: str) -> list[dict[str, str]]:
    """The texts of each wording of a response, by the code of their language."""
    return [{code: variation["text"] for code, variation in each.items()} for each in variants(response)]


def bold(text: str) -> list[str]:
    """What is printed bold, with its stars."""
    return re.findall(r"\*[^*\n]+\*", text)


def emoji(text: str) -> list[str]:
    """The pictures in a text."""
    return [character for character in text if unicodedata.category(character) == "So"]


def test_few_responses_have_one_language():
    assert set(RESPONSES) >= ONE_LANGUAGE
    for response in ONE_LANGUAGE:
        assert [set(variation) for variation in RESPONSES[response]] == [{"text"}], response


def test_the_languages_are_these():
    """Whoever takes one away takes it away from customers who chose it."""
    assert list(LANGUAGES) == ["en", "pcm", "fr", "es", "pt"]


@pytest.mark.parametrize("response", TRANSLATED)
def test_a_response_exists_in_every_language_and_english_is_the_default(response):
    for texts in by_language(response):
        assert set(texts) == set(LANGUAGES)
        assert list(texts) == ORDER, "the order of all responses; the default stands last"
        assert all(text.strip() for text in texts.values())
        assert len(set(texts.values())) == len(texts), "no language repeats another"


def test_a_wording_is_said_once():
    for response in TRANSLATED:
        texts = [text for texts in by_language(response) for text in texts.values()]
        assert len(texts) == len(set(texts)), response


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != DEFAULT])
@pytest.mark.parametrize("response", ["utter_greet", "utter_small_talk"])
def test_a_language_that_is_missing_is_noticed(monkeypatch, response, code):
    kept = [each for each in RESPONSES[response] if code not in str(each.get("condition", ""))]
    monkeypatch.setitem(RESPONSES, response, kept)
    with pytest.raises(AssertionError):
        test_a_response_exists_in_every_language_and_english_is_the_default(response)


@pytest.mark.parametrize("code", [*LANGUAGES])
def test_a_wording_that_one_language_lacks_is_noticed(monkeypatch, code):
    last = max(
        place
        for place, each in enumerate(RESPONSES["utter_small_talk"])
        if (each["condition"][0]["value"] if "condition" in each else DEFAULT) == code
    )
    kept = [each for place, each in enumerate(RESPONSES["utter_small_talk"]) if place != last]
    monkeypatch.setitem(RESPONSES, "utter_small_talk", kept)
    with pytest.raises(AssertionError, match="lacks a wording"):
        by_language("utter_small_talk")


@pytest.mark.parametrize("response", TRANSLATED)
def test_all_languages_have_the_same_gaps_emoji_and_lines(response):
    for texts in by_language(response):
        for kind in (
            lambda text: sorted(re.findall(r"{[^{}]*}", text)),
            emoji,
            lambda text: text.count("\n"),
        ):
            expected = kind(texts[DEFAULT])
            assert {code: kind(text) for code, text in texts.items()} == dict.fromkeys(texts, expected)


@pytest.mark.parametrize("response", TRANSLATED)
def test_all_languages_have_the_same_things_to_tap(response):
    for each in variants(response):
        taps = {code: [tap["payload"] for tap in said.get("buttons", [])] for code, said in each.items()}
        assert taps == dict.fromkeys(taps, taps[DEFAULT])


@pytest.mark.parametrize("response", TRANSLATED)
def test_keywords_are_the_same_bold_words_in_all_languages(response):
    for texts in by_language(response):
        shown = {code: set(bold(text)) & COMMANDS for code, text in texts.items()}
        assert shown == dict.fromkeys(texts, shown[DEFAULT])
        values = {
            code: [word for word in bold(text) if word.startswith("*{")] for code, text in texts.items()
        }
        assert values == dict.fromkeys(texts, values[DEFAULT])
        assert len({len(bold(text)) for text in texts.values()}) == 1, "as many bold words"
        assert all(text.count("*") % 2 == 0 for text in texts.values()), "every star has its other half"


@pytest.mark.parametrize("response", TRANSLATED)
def test_every_bold_word_is_a_command_a_value_or_a_heading(response):
    for texts in by_language(response):
        for word in bold(texts[DEFAULT]):
            assert word in COMMANDS | HEADINGS or word.startswith("*{"), word


def test_the_languages_offered_are_those_that_are_understood():
    (texts,) = by_language("utter_languages")
    for text in texts.values():
        offered = [word.strip("*").lower() for word in bold(text)]
        assert [next(c for c, names in LANGUAGES.items() if name in names) for name in offered] == list(
            LANGUAGES
        )


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        (None, "Mon 23 Nov, 09:00"),
        ("en", "Mon 23 Nov, 09:00"),
        ("pcm", "Mon 23 Nov, 09:00"),
        ("fr", "lun. 23 nov., 09:00"),
        ("es", "lun 23 nov, 09:00"),
        ("pt", "seg. 23 nov., 09:00"),
    ],
)
def test_a_time_has_the_names_of_its_language(language, shown):
    assert local_time(datetime(2026, 11, 23, 8, tzinfo=UTC), "Africa/Lagos", language) == shown


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("english", "en"),
        ("naija", "pcm"),
        ("en français", "fr"),
        ("en español, por favor", "es"),
        ("fala português?", "pt"),
    ],
)
async def test_a_change_is_confirmed_in_the_new_language_at_once(talk, sessions, asked, code):
    answer = await talk.turn("action_change_language", asked)
    assert answer.named == [CHANGED + code]
    assert answer.slots["language"] == code
    with sessions() as session:
        assert session.query(Customer).one().language == code


async def test_a_language_that_the_bot_does_not_speak_changes_nothing(talk):
    answer = await talk.turn("action_change_language", "speak yoruba")
    assert answer.named == ["utter_languages"]
    assert "language" not in answer.slots


async def test_where_the_shop_offers_one_language_none_is_chosen(make_talk, menu):
    answer = await make_talk(multi_language=False).turn("action_change_language", "french")
    assert answer.named == ["utter_english_only"]
    assert "language" not in answer.slots
