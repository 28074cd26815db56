"""Which language a customer asks for, in their own words."""

from __future__ import annotations

import unicodedata

import pytest

from shop.customers import LANGUAGES, LanguageChoice, choose_language, recognise


@pytest.fixture
def choose(shop, caller):
    """Ask for a language; returns the choice and the language that is remembered."""

    def ask(asked):
        who = caller()
        done = shop.execute(
            who, "language", LanguageChoice, lambda work, customer: choose_language(work, customer, asked)
        )
        remembered = shop.run(lambda work: recognise(work, who.lookup, None, None)).language
        return done.result.language, remembered

    return ask


def test_every_name_is_understood_in_every_spelling(choose):
    for code, names in LANGUAGES.items():
        for name in names:
            decomposed = unicodedata.normalize("NFD", name)
            for asked in (name, name.upper(), f"Abeg, {name.title()}!", f"use {decomposed} please"):
                assert choose(asked) == (code, code), asked


def test_a_code_fits_the_column_and_no_name_means_two_languages():
    names = [name for names in LANGUAGES.values() for name in names]
    assert len(names) == len(set(names))
    assert all(len(code) <= 8 for code in LANGUAGES)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("spanish", "es"),
        ("español", "es"),
        ("en espanol porfa", "es"),
        ("¿Hablas castellano?", "es"),
        ("vous parlez espagnol ?", "es"),
        ("fala espanhol", "es"),
        ("portuguese", "pt"),
        ("em português, por favor", "pt"),
        ("portugues do brasil", "pt"),
        ("Brazilian Portuguese please", "pt"),
        ("eu falo brasileiro", "pt"),
        ("hablas portugués", "pt"),
        ("en portugais", "pt"),
        ("en inglés", "en"),
        ("em francês", "fr"),
        ("en francés", "fr"),
    ],
)
def test_a_language_is_named_in_any_language(choose, asked, chosen):
    assert choose(asked) == (chosen, chosen)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("english", "en"),
        ("broken english", "pcm"),
        ("Broken   English abeg", "pcm"),
        ("broken-english", "pcm"),
        ("pidgin english", "pcm"),
        ("change it back to English", "en"),
        ("my english is broken", "en"),
    ],
)
def test_the_longest_name_wins(choose, asked, chosen):
    assert choose(asked) == (chosen, chosen)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("i don't speak english well, use french", "fr"),
        ("i don't understand french, go back to english", "en"),
        ("no more broken english, english please", "en"),
        ("from English to Naija", "pcm"),
        ("no hablo inglés, mejor español", "es"),
        ("em vez de espanhol, português", "pt"),
    ],
)
def test_of_several_languages_the_last_one_counts(choose, asked, chosen):
    assert choose(asked) == (chosen, chosen)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "?!",
        "speak yoruba",
        "comida francesa",
        "comida española",
        "pizza portuguesa",
        "the Englishman",
        "my language",
    ],
)
def test_what_names_no_language_chooses_none(choose, asked):
    assert choose(asked) == (None, None)


def test_a_language_is_kept_until_another_one_is_chosen(choose):
    assert choose("parlez-vous français ?") == ("fr", "fr")
    assert choose("speak hausa to me") == (None, "fr")
    assert choose("you fit yarn pidgin") == ("pcm", "pcm")
    assert choose("en anglais") == ("en", "en")
