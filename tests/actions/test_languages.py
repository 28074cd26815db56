"""Every sentence of the bot exists in every language that it speaks, with the same gaps and keywords."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml

from db.models import Customer
from shop.customers import LANGUAGES

ROOT = Path(__file__).parents[2]
RESPONSES: dict[str, list[dict[str, Any]]] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))[
    "responses"
]
DEFAULT = "en"
CHANGED = "utter_language_changed_"
ONE_LANGUAGE = {"utter_english_only", *(CHANGED + code for code in LANGUAGES)}
TRANSLATED = sorted(set(RESPONSES) - ONE_LANGUAGE)
# What customers type is English in every language, for that is what the bot understands.
COMMANDS = {
    "*2*",
    "*cancel*",
    "*cart*",
    "*checkout*",
    "*confirm*",
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
    *(f"*{name}*" for name in ("English", "French", "Pidgin")),
}
HEADINGS = {"*Our menu*", "*Your cart*", "*Your order*", "*Total: {total}*"}


def by_language(response: str) -> dict[str, str]:
    """The texts of a response, by the code of their language."""
    texts = {}
    for variation in RESPONSES[response]:
        condition = variation.get("condition")
        if condition is None:
            code = DEFAULT
        else:
            ((constraint),) = condition
            assert constraint == {"type": "slot", "name": "language", "value": constraint["value"]}
            code = constraint["value"]
        assert code not in texts, f"{response} has {code} twice"
        texts[code] = variation["text"]
    return texts


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


@pytest.mark.parametrize("response", TRANSLATED)
def test_a_response_exists_in_every_language_and_english_is_the_default(response):
    texts = by_language(response)
    assert set(texts) == set(LANGUAGES)
    assert list(texts)[-1] == DEFAULT, "the default stands last"
    assert all(text.strip() for text in texts.values())
    assert len(set(texts.values())) == len(texts), "no language repeats another"


@pytest.mark.parametrize("response", TRANSLATED)
def test_all_languages_have_the_same_gaps_emoji_and_lines(response):
    texts = by_language(response)
    for kind in (lambda text: sorted(re.findall(r"{[^{}]*}", text)), emoji, lambda text: text.count("\n")):
        expected = kind(texts[DEFAULT])
        assert {code: kind(text) for code, text in texts.items()} == dict.fromkeys(texts, expected)


@pytest.mark.parametrize("response", TRANSLATED)
def test_keywords_are_the_same_bold_words_in_all_languages(response):
    texts = by_language(response)
    shown = {code: set(bold(text)) & COMMANDS for code, text in texts.items()}
    assert shown == dict.fromkeys(texts, shown[DEFAULT])
    values = {code: [word for word in bold(text) if word.startswith("*{")] for code, text in texts.items()}
    assert values == dict.fromkeys(texts, values[DEFAULT])
    assert len({len(bold(text)) for text in texts.values()}) == 1, "as many bold words"
    assert all(text.count("*") % 2 == 0 for text in texts.values()), "every star has its other half"


@pytest.mark.parametrize("response", TRANSLATED)
def test_every_bold_word_is_a_command_a_value_or_a_heading(response):
    for word in bold(by_language(response)[DEFAULT]):
        assert word in COMMANDS | HEADINGS or word.startswith("*{"), word


def test_the_languages_offered_are_those_that_are_understood():
    for text in by_language("utter_languages").values():
        offered = [word.strip("*").lower() for word in bold(text)]
        assert [next(c for c, names in LANGUAGES.items() if name in names) for name in offered] == list(
            LANGUAGES
        )


@pytest.mark.parametrize(("asked", "code"), [("english", "en"), ("naija", "pcm"), ("en français", "fr")])
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
