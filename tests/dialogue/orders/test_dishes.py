"""Orders of dishes that come with things: pieces that are counted, swaps, lists of what is left out."""

from __future__ import annotations

import pytest

from dialogue.orders.menu import from_catalogue
from dialogue.orders.reader import OrderReader

GROUPS = {
    "Size": ["Small", "Large"],
    "Meat": ["Beef", "Chicken", "Fish"],
    "With": ["Rice Balls", "Dumplings", "Noodles", "Olives", "Feta", "Nuts"],
    "Sweetness": ["0% Sugar", "30% Sugar", "100% Sugar"],
    "Scoops": ["Single Gelato", "Double Gelato"],
    "Flavour": ["Pistachio", "Mango"],
}
DISHES = ["Stew", "Palm Rice", "Garden Salad", "Beef Wrap", "Lemon Tea", "Gelato"]
MENU = from_catalogue(
    {
        "version": "1",
        "categories": [],
        "products": [{"id": n, "name": n, "aliases": [], "option_groups": list(GROUPS)} for n in DISHES],
        "option_groups": {
            group: [{"id": name, "name": name, "aliases": []} for name in names]
            for group, names in GROUPS.items()
        },
    }
)
READER = OrderReader(MENU, ("en", "pcm"))


def told(text: str) -> list[str]:
    """Each line in short: `2 Stew +Beef -Nuts`."""
    return [
        " ".join(
            [
                str(line.quantity or 1),
                line.name,
                *(f"+{one.choice.value}" for one in line.modifiers),
                *(f"-{one.choice.value}" for one in line.without),
            ]
        )
        for line in READER.read(text).lines
        if not line.removed
    ]


def counted(text: str) -> list[tuple[str, int, dict[str, int | None]]]:
    """Each line's dish and quantity, with how many of what comes with it."""
    return [
        (line.name, int(line.quantity or 1), {one.choice.value: one.count for one in line.modifiers})
        for line in READER.read(text).lines
    ]


@pytest.mark.parametrize(
    "text",
    [
        "stew with 3 pieces of beef and 2 wraps of dumplings",
        "stew, dumplings 2 wraps, beef 3 pieces",
        "stew with beef (3 pieces) and dumplings (2 wraps)",
    ],
)
def test_pieces_are_of_what_comes_with_a_dish(text):
    assert counted(text) == [("Stew", 1, {"Beef": 3, "Dumplings": 2})]


def test_a_size_behind_is_not_counted_in_plates():
    assert counted("palm rice large 2 plates") == [("Palm Rice", 2, {"Large": None})]


def test_one_thing_of_a_list_is_counted():
    assert counted("garden salad with olives, dumplings x4, nuts") == [
        ("Garden Salad", 1, {"Olives": None, "Dumplings": 4, "Nuts": None})
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("stew with chicken, sorry change the chicken to fish", ["1 Stew +Fish"]),
        ("garden salad, swap the feta for nuts", ["1 Garden Salad +Nuts -Feta"]),
        ("garden salad, sub nuts for the feta", ["1 Garden Salad +Nuts -Feta"]),
        ("stew with chicken, no use fish instead of the chicken", ["1 Stew +Fish"]),
        ("garden salad no olives, fish instead of chicken", ["1 Garden Salad +Fish -Olives -Chicken"]),
    ],
)
def test_what_is_swapped_goes(text, lines):
    assert told(text) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("salad with no olives, nuts, or feta", ["1 Garden Salad -Olives -Nuts -Feta"]),
        ("salad with no olives, nuts, and feta", ["1 Garden Salad -Olives -Nuts -Feta"]),
        ("salad, no olives, and fish on it", ["1 Garden Salad +Fish -Olives"]),
        ("stew no fish, i want beef", ["1 Stew +Beef -Fish"]),
        ("i cant eat nuts so a garden salad please", ["1 Garden Salad -Nuts"]),
    ],
)
def test_a_no_reaches_as_far_as_it_is_meant(text, lines):
    assert told(text) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("still have palm rice? i will take two with fish", ["2 Palm Rice +Fish"]),
        ("palm rice 2500 worth with fish", ["1 Palm Rice +Fish"]),
        ("2 stews. first one beef, second one fish", ["1 Stew +Beef", "1 Stew +Fish"]),
        ("3 stews: 2 beef 1 fish. nuts for the fish one", ["2 Stew +Beef", "1 Stew +Fish +Nuts"]),
        ("double gelato mango please", ["1 Gelato +Double Gelato +Mango"]),
        ("lemon tea sugar 30", ["1 Lemon Tea +30% Sugar"]),
        ("lemon tea unsweetened", ["1 Lemon Tea +0% Sugar"]),
        ("stew withbeef nonuts", ["1 Stew +Beef -Nuts"]),
        ("grandma'll have the stew with beef", ["1 Stew +Beef"]),
    ],
)
def test_as_people_say_it(text, lines):
    assert told(text) == lines
