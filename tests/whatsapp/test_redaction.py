"""Numbers that nobody should type: cards and phones go, all that an order is made of stays."""

from __future__ import annotations

import re

import pytest

from tests.environment import CUSTOMER_NUMBER
from whatsapp.redaction import CARD_MARK, PHONE_MARK, mask_numbers, redact

NIGERIAN_SHOP = "+2349010000000"
AMERICAN_SHOP = "+14155238886"
# Test numbers of the networks and of payment providers; none was ever issued.
VISA = "4111111111111111"
CARDS = [
    VISA,
    "4222222222222",
    "4000000000000000006",
    "5555555555554444",
    "2223003122003222",
    "2720990000000007",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6200000000000005",
    "5060666666666666666",
]
SEPARATORS = [
    "",
    " ",
    "-",
    ".",
    "\u00a0",
    "\u202f",
    "\u2009",
    "\u3000",
    "\u200b",
    "\u2060",
    "\u202a",
    "\u00ad",
    "\u2011",
    "\u2013",
    "\u2014",
    "\u2212",
    "\uff0d",
    "\uff0e",
    "·",
    "_",
    "\n",
    "\r\n",
    " - ",
    "  ",
]


def removed(text: str, shop: str = NIGERIAN_SHOP) -> tuple[str, bool]:
    """What is left of a text, and whether it held a card."""
    redacted = redact(text, shop, CUSTOMER_NUMBER)
    return redacted.text, redacted.card_removed


def with_check_digit(digits: str) -> str:
    """The number that these digits begin. Written apart from the code that it tests."""
    weighted = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return digits + str(-sum(value - 9 if value > 9 else value for value in weighted) % 10)


def test_the_test_cards_are_cards():
    assert [with_check_digit(card[:-1]) for card in CARDS] == CARDS


@pytest.mark.parametrize("shop", [NIGERIAN_SHOP, AMERICAN_SHOP])
@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_removed_and_the_words_stay(card, shop):
    assert removed(f"my card is {card} thanks", shop) == (f"my card is {CARD_MARK} thanks", True)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_it_is_found_in_groups_of_four(separator):
    typed = separator.join(VISA[start : start + 4] for start in range(0, 16, 4))
    assert removed(f"pay with {typed} please") == (f"pay with {CARD_MARK} please", True)


@pytest.mark.parametrize(
    "typed",
    [
        "4111,1111,1111,1111",
        "4111/1111/1111/1111",
        "4111 | 1111 | 1111 | 1111",
        "*4111* *1111* *1111* *1111*",
        "3782 822463 10005",
        "3782,822463,10005",
        "3056-930902-5904",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "41111111 11111111",
        "４１１１ １１１１ １１１１ １１１１",
        "٤١١١ ١١١١ ١١١١ ١١١١",
        "४१११११११११११११११",
        "𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏",
        "⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹",
        "④①①① ①①①① ①①①① ①①①①",
        "4\ufe0f\u20e3" + "1\ufe0f\u20e3" * 15,
    ],
)
def test_it_is_found_however_it_is_typed(typed):
    text, card_removed = removed(f"card {typed} ok")
    assert card_removed
    assert CARD_MARK in text
    assert not any(character.isdigit() for character in text)


@pytest.mark.parametrize("typed", [f"visa{VISA}", f"{VISA}exp", f"№{VISA}!", f"+{VISA}", f"({VISA})"])
def test_it_is_found_against_a_word(typed):
    text, card_removed = removed(typed)
    assert card_removed
    assert not re.search(r"\d", text)


@pytest.mark.parametrize(
    "typed",
    [
        f"{VISA} exp 12/27 cvv 123",
        f"{VISA} 12/27 123",
        f"{VISA}, 12-2027, 1234",
        f"{VISA}\n12/27\n123",
        f"{VISA} 12 27 123",
        f"{VISA} expiry: 12/2027 CVC: 123",
        f"{VISA}, expires Dec 2027, security code is 123",
        f"{VISA} exp date: 1227 cvv2 123",
        f"{VISA} valid thru 12/27, pin 1234",
        f"{VISA}cvv123",
        f"cvv 123 exp 12/27 {VISA}",
        f"{VISA} EXP １２/２７ CVV １２３",
    ],
)
def test_what_is_typed_beside_a_card_number_goes_with_it(typed):
    assert removed(f"charge {typed} ok") == (f"charge {CARD_MARK} ok", True)


def test_two_cards_are_both_removed():
    assert removed(f"{VISA} or {CARDS[3]} both") == (f"{CARD_MARK} or {CARD_MARK} both", True)
    assert removed(f"{VISA} {CARDS[3]}") == (CARD_MARK, True)


@pytest.mark.parametrize("typed", ["cvv 123", "CVV: 1234", "my cvc is 123", "security code 123", "cvv123"])
def test_a_security_code_that_comes_in_a_message_of_its_own_is_removed(typed):
    text, card_removed = removed(typed)
    assert card_removed
    assert not re.search(r"\d", text)


def test_a_phone_beside_a_card_goes_too():
    text, card_removed = removed(f"{VISA} is my card and 0803 765 4321 my phone")
    assert (text, card_removed) == (f"{CARD_MARK} is my card and {PHONE_MARK} my phone", True)


@pytest.mark.parametrize(
    ("phone", "own_number"),
    [
        ("+2348030000005", CUSTOMER_NUMBER),
        ("2348030000005", CUSTOMER_NUMBER),
        ("234 803 000 0005", CUSTOMER_NUMBER),
        ("+5511987654325", CUSTOMER_NUMBER),
        ("5511987654325", "+5511987654325"),
    ],
)
def test_a_phone_number_that_passes_for_a_card_is_a_phone_number(phone, own_number):
    digits = re.sub(r"\D", "", phone)
    assert with_check_digit(digits[:-1]) == digits
    redacted = redact(f"call {phone} please", AMERICAN_SHOP, own_number)
    assert (redacted.text, redacted.card_removed) == (f"call {PHONE_MARK} please", False)


@pytest.mark.parametrize(
    "typed",
    [
        "2 burgers and 12 cokes",
        "5500",
        "5500.00",
        "₦5,500.00",
        "12500.00",
        "₦1,250,000.00 for all of it?",
        "where is order K7M2PX",
        "A7K2MQ",
        "order 234567",
        "2 7 Up and 1 Coke 50cl",
        "at 12:30 on 22/11",
        "100000 burgers",
        "1000000",
        "1000000000000 colas",
        "code 1234",
        "pin 1234",
        "exp 12/27",
        "4111",
        "my promo is valid till 12/27",
        "is the 50cl at 400.00 or 450.00 now",
        "4111111111111112",
        "1111222233334444",
        "9" * 16,
        "sbx_40b1234567894111111111111111abcd",
        "http://x/pay/sbx_0123456789abcdef0123456789abcdef",
        "SM4111111111111111abcdefabcdefabcd",
        "4a111111-1111-4111-8111-111111111111",
        "000013240101123456789012345678",
        "",
    ],
)
@pytest.mark.parametrize("shop", [NIGERIAN_SHOP, AMERICAN_SHOP])
def test_quantities_prices_orders_and_references_stay(typed, shop):
    assert removed(typed, shop) == (typed, False)


@pytest.mark.parametrize(
    "typed",
    ["5500.00 4200.00 3000.08", "100.00 4400.00 1200.00 9500.00", "6500.00\n400.00\n3300.00\n2000.00"],
)
def test_a_list_of_prices_that_passes_for_a_card_is_a_list_of_prices(typed):
    assert removed(typed) == (typed, False)


def test_a_card_number_that_is_two_phone_numbers_is_a_card_number():
    singapore, card = "+6561234567", with_check_digit("612345678123456")
    typed = " ".join(card[start : start + 4] for start in range(0, 16, 4))
    assert redact(typed, singapore, singapore).card_removed


@pytest.mark.parametrize("shop", [NIGERIAN_SHOP, AMERICAN_SHOP])
@pytest.mark.parametrize("typed", ["234 802 866 2277 234 803 973 4325", "438-579-9165 426-739-5340"])
def test_phone_numbers_in_a_row_that_pass_for_a_card_go_too(typed, shop):
    assert removed(typed, shop) == (CARD_MARK, True)


@pytest.mark.parametrize(
    "typed",
    [
        "08031234567",
        "0803 123 4567",
        "0803-123-4567",
        "+234 803 123 4567",
        "+2348031234567",
        "2348031234567",
        "+44 20 7946 0958",
        "٠٨٠٣١٢٣٤٥٦٧",
    ],
)
def test_a_typed_phone_number_is_masked_and_the_rest_is_kept(typed):
    assert mask_numbers(f"call me on {typed} please", NIGERIAN_SHOP) == f"call me on {PHONE_MARK} please"
    assert removed(f"call me on {typed} please", AMERICAN_SHOP) == (f"call me on {PHONE_MARK} please", False)


def test_every_phone_number_of_a_message_is_masked():
    typed = "08031234567 or my wife, 0803 123 4568"
    assert mask_numbers(typed, NIGERIAN_SHOP) == f"{PHONE_MARK} or my wife, {PHONE_MARK}"


def test_a_local_phone_number_is_one_of_the_shops_country_or_of_the_customers():
    assert mask_numbers("(415) 523-8886", AMERICAN_SHOP) == PHONE_MARK
    assert mask_numbers("0803 123 4567", AMERICAN_SHOP, CUSTOMER_NUMBER) == PHONE_MARK


@pytest.mark.parametrize("text", ["4 1 " * 1000, "4" * 4096, "cvv " * 1000, "exp valid is " * 300])
def test_no_text_takes_long(text):
    assert len(redact(text, AMERICAN_SHOP, CUSTOMER_NUMBER).text) <= len(text)


def test_no_card_number_survives_however_it_is_grouped():
    hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is on the commerce plane")
    given = hypothesis.strategies
    prefixes = given.sampled_from("3456") | given.integers(2221, 2720).map(str)
    zeros = given.sampled_from("0０٠०")
    words = given.text("abc xyzé🍔\n", max_size=12)

    @given.composite
    def cards(draw) -> tuple[str, str]:
        """A number, and how it is typed."""
        prefix, length = draw(prefixes), draw(given.integers(13, 19))
        rest = draw(
            given.text("0123456789", min_size=length - 1 - len(prefix), max_size=length - 1 - len(prefix))
        )
        number = with_check_digit(prefix + rest)
        gaps = given.just("") | given.sampled_from(SEPARATORS)
        zero = ord(draw(zeros))
        typed = "".join(chr(zero + int(digit)) + draw(gaps) for digit in number[:-1])
        return number, typed + chr(zero + int(number[-1]))

    @hypothesis.settings(max_examples=1000, deadline=None)
    @hypothesis.given(
        card=cards(), before=words, after=words, shop=given.sampled_from([NIGERIAN_SHOP, AMERICAN_SHOP])
    )
    def nothing_survives(card: tuple[str, str], before: str, after: str, shop: str) -> None:
        number, typed = card
        # Prices typed below each other are told apart from a card number on purpose.
        plain = "".join(str(int(each)) if each.isdecimal() else each for each in typed)
        hypothesis.assume(not re.fullmatch(r"[\d.\s]*\.\d\d(\s+\d+\.\d\d)+|[1-9]\d{0,2}0{5,}(\s.*)?", plain))
        text, card_removed = removed(f"{before}{typed}{after}", shop)
        assert not any(character.isdigit() for character in text)
        assert card_removed or text == f"{before}{PHONE_MARK}{after}"

    nothing_survives()


def test_a_text_without_digits_stays_and_none_grows():
    hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is on the commerce plane")
    given = hypothesis.strategies

    @hypothesis.settings(max_examples=300, deadline=None)
    @hypothesis.given(text=given.text(given.characters(exclude_categories=["Cs", "Nd", "No"]), max_size=200))
    def nothing_changes(text: str) -> None:
        assert removed(text) == (text, False)

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(
        text=given.lists(
            given.sampled_from(
                [VISA, "cvv123", "exp1/27", "pin123", "08031234567", " ", "\n", "a", "2", "[card]"]
            ),
            max_size=12,
        ).map("".join)
    )
    def nothing_grows(text: str) -> None:
        assert len(removed(text)[0]) <= len(text)

    nothing_changes()
    nothing_grows()
