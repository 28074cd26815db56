"""The lint of the menu: what a shop is told about names that the bot may misread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shop import catalogue
from shop.menu_lint import Finding, Kind, MenuNames, OptionNames, ProductNames, lint
from tests.shop.menus import COFFEE, csv_of, loader

SIZES = (
    OptionNames("Regular", "Size", ("normal", "m")),
    OptionNames("Large", "Size", ("big", "XL")),
)
CLEAN = MenuNames(
    (
        ProductNames("Latte", "LAT", "Coffee", ("caffe latte", "latte macchiato"), ("Size", "Milk")),
        ProductNames("Flat White", "FLA", "Coffee", groups=("Size", "Milk")),
        ProductNames("Fish and Chips", "FIS", "Mains", ("fish n chips",), removable=("tartar",)),
        ProductNames("Crème Brûlée", "CRE", "Desserts", ("creme brulee", "burnt cream")),
        ProductNames("Hot Dogs", "HOT", "Mains", ("hotdog", "frankfurter")),
        ProductNames("کباب", "KEB", "Mains", ("烤肉", "串")),
    ),
    (
        *SIZES,
        OptionNames("Oat", "Milk", ("oatly",)),
        OptionNames("Soy", "Milk"),
        OptionNames("Regular", "Spiciness", ("normal",)),
    ),
)


def menu(*products: tuple[str, ...], options: tuple[OptionNames, ...] = ()) -> MenuNames:
    """A menu of products, each its name and its aliases."""
    named = enumerate(products)
    return MenuNames(
        tuple(ProductNames(name, f"SKU-{n}", aliases=tuple(aliases)) for n, (name, *aliases) in named),
        options,
    )


def warnings(names: MenuNames) -> list[Finding]:
    return [finding for finding in lint(names) if finding.kind.is_warning]


def only(names: MenuNames) -> Finding:
    """The one warning about a menu."""
    found = warnings(names)
    assert len(found) == 1, found
    assert found[0].sentence.endswith(".")
    assert found[0].suggestion.endswith(".")
    return found[0]


def test_nothing_is_wrong_with_a_clean_menu():
    assert warnings(CLEAN) == []
    assert lint(MenuNames(())) == ()


class TestNamesOfSeveralProducts:
    def test_one_alias_of_two_products(self):
        found = only(menu(("Coca-Cola", "coke"), ("Pepsi", "Coke")))
        assert (found.kind, found.about, found.words) == (Kind.SAME_NAME, "Pepsi", ("coke", "Coke"))
        assert found.sentence == "'coke' names 'Coca-Cola' and 'Pepsi'."
        assert "remove it from the others" in found.suggestion

    def test_an_alias_that_is_the_name_of_another(self):
        found = only(menu(("Cola", "soda"), ("Fanta", "cola")))
        assert (found.kind, found.about) == (Kind.SAME_NAME, "Fanta")
        assert found.suggestion == "Remove the alias from 'Fanta'."

    def test_two_products_of_one_name_are_told_apart_by_sku(self):
        found = only(menu(("Latte",), ("Latte",)))
        assert found.sentence == "'Latte' names 'Latte' (sku 'SKU-0') and 'Latte' (sku 'SKU-1')."
        assert found.suggestion.startswith("Rename one of them")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("French Fries", "French fry"),
            ("Cheeseburger", "cheese burgers"),
            ("Crème Brûlée", "creme brulee"),
            ("Moi Moi", "moi-moi"),
            ("Shepherd's Pie", "shepherds pies"),
            ("7up", "7 Up"),
            ("Sandwich", "Sandwiches"),
            ("Jalapeño Bœuf", "jalapeno boeuf"),
        ],
    )
    def test_names_that_differ_in_writing_only(self, one, other):
        found = warnings(menu((one,), (other,)))
        assert [finding.kind for finding in found if finding.kind is not Kind.READ_OTHERWISE] == [
            Kind.ALMOST_SAME_NAME
        ]
        assert set(found[0].words) == {one, other}
        assert "differ only by plural, accents, spaces or signs" in found[0].sentence

    @pytest.mark.parametrize(
        ("one", "other"),
        [("Swiss Roll", "Swis Rolls Mix"), ("Pho", "Phos Bowl"), ("烤肉", "烤鸭"), ("🍕", "🍔")],
    )
    def test_names_that_differ_in_more(self, one, other):
        assert warnings(menu((one,), (other,))) == []

    def test_one_product_may_write_its_name_in_many_ways(self):
        assert warnings(menu(("Puff Puff", "puffpuff", "puff puffs", "PUFF PUFF"))) == []

    def test_many_products_are_one_finding(self):
        found = only(menu(*((f"{kind} Pizza", "pie") for kind in "Ham Tuna Egg Spinach Corn Beef".split())))
        assert found.sentence.startswith(
            "'pie' names 'Beef Pizza', 'Corn Pizza', 'Egg Pizza', 'Ham Pizza' and 2 more"
        )


class TestOptions:
    def test_an_alias_of_two_options_of_one_product(self):
        options = (
            OptionNames("Large", "Size", ("jumbo bite",)),
            OptionNames("Cheese", "Extras", ("jumbo bites",)),
        )
        product = ProductNames("Pizza", groups=("Size", "Extras"))
        assert only(MenuNames((product,), options)).kind is Kind.ALMOST_SAME_NAME
        apart = (ProductNames("Pizza", groups=("Size",)), ProductNames("Salad", groups=("Extras",)))
        assert warnings(MenuNames(apart, options)) == []

    def test_a_size_may_be_called_so(self):
        assert warnings(MenuNames((), SIZES)) == []
        assert only(menu(("Family Pizza", "large"))).kind is Kind.EVERYDAY_WORD


class TestPartsOfNames:
    def test_of_another_product(self):
        found = only(menu(("Coca-Cola", "coke"), ("Diet Coke",)))
        assert (found.kind, found.about, found.words) == (Kind.PART_OF_NAME, "Coca-Cola", ("coke",))
        assert found.sentence == "'coke', an alias of 'Coca-Cola', is a part of 'Diet Coke'."
        assert found.suggestion.startswith("Keep it if 'coke' alone always means 'Coca-Cola'")

    def test_of_an_alias_of_another_product(self):
        found = only(menu(("Beef Burger", "burger"), ("Hamlet", "double burgers")))
        assert (
            found.sentence
            == "'burger', an alias of 'Beef Burger', is a part of 'double burgers' (an alias of 'Hamlet')."
        )

    @pytest.mark.parametrize(("option", "what"), [("Oat Milk", "a part of"), ("Milk", "the same as")])
    def test_of_an_option(self, option, what):
        found = only(menu(("Fresh Milk", "milk"), options=(OptionNames(option, "Milk"),)))
        assert found.sentence == f"'milk', an alias of 'Fresh Milk', is {what} the option '{option}'."

    def test_an_alias_of_an_option(self):
        names = menu(("Double Cheese Burger",), options=(OptionNames("Extra Cheese", "Extras", ("cheese",)),))
        assert only(names).about == "Extra Cheese"

    def test_whole_words_only(self):
        assert warnings(menu(("Cola", "coke"), ("Cokelite",), ("Ham", "pig"), ("Pigeon",))) == []

    def test_words_in_their_order_only(self):
        assert warnings(menu(("Chicken Rice", "rice chicken"), ("Rice with Chicken",))) == []

    def test_a_name_is_no_alias(self):
        assert warnings(menu(("Latte",), ("Iced Latte",))) == []

    def test_the_name_of_a_category_with_others_in_it(self):
        pizzas = ProductNames("Margherita", "A", "Pizzas", ("pizza",)), ProductNames("Funghi", "B", "Pizzas")
        found = only(MenuNames(pizzas))
        assert (found.kind, found.about) == (Kind.CATEGORY, "Margherita")
        assert warnings(MenuNames(pizzas[:1])) == []


class TestAliasesThatAreNoNames:
    @pytest.mark.parametrize("alias", ["7", "two", "12", "dozen", "\u0663"])
    def test_numbers(self, alias):
        found = only(menu(("Lemon Soda", alias)))
        assert (found.kind, found.words) == (Kind.NUMBER, (alias,))
        assert "quantity" in found.sentence

    @pytest.mark.parametrize(
        "alias",
        "with no the large please yes menu cart cancel abeg big ok checkout And".split() + ["the big one"],
    )
    def test_words_of_ordering(self, alias):
        found = only(menu(("Lemon Soda", alias)))
        assert (found.kind, found.words) == (Kind.EVERYDAY_WORD, (alias,))
        assert found.suggestion.startswith(f"Remove the alias '{alias}'")

    def test_what_it_is_read_as(self):
        assert "read as the wish to see the menu" in only(menu(("Surprise", "menu"))).sentence
        assert "read as a size" in only(menu(("Surprise", "jumbo"))).sentence

    @pytest.mark.parametrize("alias", ["jr", "B", "É", "x2"])
    def test_one_or_two_letters(self, alias):
        assert only(menu(("Junior Burger", alias))).kind is Kind.TOO_SHORT

    def test_letters_are_no_sizes_of_products(self):
        assert only(menu(("Family Pizza", "XL"))).kind is Kind.TOO_SHORT

    def test_they_are_not_looked_for_in_other_names(self):
        found = warnings(menu(("Lemon Soda", "no"), ("No Sugar Cola", "sugarless cola")))
        assert [(one.kind, one.about) for one in found] == [
            (Kind.EVERYDAY_WORD, "Lemon Soda"),
            (Kind.READ_OTHERWISE, "No Sugar Cola"),
        ]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("Cancel Cake", "has 'cancel' in it, which may be read as the wish to cancel an order"),
        ("Menu of the Day", "may be read as the wish to see the menu"),
        ("7 Up", "begins with a number: it may be read as 7 of 'up'"),
        ("Three Cheese Pizza", "may be read as three of 'cheese pizza'"),
        ("Yes", "is an everyday word: alone it is read as a yes"),
        ("86", "is a number: alone it is read as a quantity or as a place on a list"),
        ("The One", "alone it is read as a part of the sentence"),
    ],
)
def test_names_that_say_something_else(name, how):
    found = only(menu((name,)))
    assert (found.kind, found.about, found.words) == (Kind.READ_OTHERWISE, name, (name,))
    assert how in found.sentence


@pytest.mark.parametrize(
    "name", ["Chicken Wings 6 pcs", "Coke 50cl", "Rice with Beans", "Gin & Tonic", "Large Fries"]
)
def test_names_that_hold_such_words_without_harm(name):
    assert warnings(menu((name,))) == []


class TestShortForms:
    @staticmethod
    def forms(names: MenuNames) -> dict[str, tuple[str, ...]]:
        found = [one for one in lint(names) if not one.kind.is_warning]
        assert all(" will also be understood as " in one.sentence for one in found)
        return {one.about: one.words for one in found}

    def test_are_words_that_only_one_product_has(self):
        names = menu(("Classic Beef Burger",), ("Crispy Chicken Burger",), ("Beef Suya",), ("Tea",))
        assert self.forms(names) == {
            "Classic Beef Burger": ("beef burger", "classic beef", "classic burger"),
            "Crispy Chicken Burger": ("chicken", "crispy burger"),
            "Beef Suya": ("suya",),
        }

    def test_come_from_aliases_too(self):
        assert self.forms(menu(("Puff Puff", "dough balls")))["Puff Puff"] == ("balls", "dough", "puff")

    def test_are_no_names_of_anything_else(self):
        products = (
            ProductNames("Vanilla Sundae", "A", "Sundaes", removable=("vanilla",)),
            ProductNames("Lemon Tart", "B", "Tarts"),
            ProductNames("Lemon", "C", "Fruit"),
            ProductNames("Oat Biscuit", "D", "Snacks"),
        )
        names = MenuNames(products, (OptionNames("Oat Milk", "Milk"),))
        assert self.forms(names) == {"Oat Biscuit": ("biscuit",)}

    def test_say_enough(self):
        assert self.forms(menu(("Large Fried Fish of the Day", "7 spices"))) == {
            "Large Fried Fish of the Day": ("fish", "spices")
        }

    def test_do_not_turn_a_name_round(self):
        assert self.forms(menu(("Gluten Free Sponge",)))["Gluten Free Sponge"] == ("sponge", "gluten free")

    def test_are_not_shared_by_synonyms(self):
        assert self.forms(menu(("Veggie Wrap",), ("Vegetable Stew",))) == {
            "Veggie Wrap": ("wrap",),
            "Vegetable Stew": ("stew",),
        }


def test_the_worst_comes_first():
    names = menu(
        ("Cola", "coke", "no", "7", "x"), ("Pepsi", "coke"), ("7 Up",), ("Colas", "fizz"), ("Diet Fizz",)
    )
    kinds = [finding.kind for finding in lint(names)]
    assert kinds == sorted(kinds, key=list(Kind).index)
    assert set(kinds) == set(Kind) - {Kind.CATEGORY}


def test_sentences_are_one_harmless_line():
    for finding in lint(
        menu(("Evil\x1b[31m\nTea", "a\x07", "tea"), ("Green Tea\u202e",), ("x" * 500, "tea"))
    ):
        assert (finding.sentence + finding.suggestion).isprintable()
        assert len(finding.sentence) < 600


WORDS = st.sampled_from(
    "coke Cokes diet no 7 with Menu é 🍕 crème free small x the veggie".split()
) | st.text(max_size=5)
TEXTS = st.lists(WORDS, max_size=10).map(" ".join)
ALIASES = st.lists(TEXTS, max_size=3).map(tuple)
GROUPS = st.lists(st.sampled_from(["Size", "Milk", "Gone"]), max_size=2).map(tuple)
PRODUCTS = st.builds(ProductNames, TEXTS, st.text(max_size=2), TEXTS, ALIASES, GROUPS, ALIASES)
OPTIONS = st.builds(OptionNames, TEXTS, st.sampled_from(["Size", "Milk"]), ALIASES)


@hypothesis_settings(max_examples=400, deadline=None)
@given(products=st.lists(PRODUCTS, max_size=6), options=st.lists(OPTIONS, max_size=4), shuffle=st.randoms())
def test_whatever_it_is_given_it_ends_and_order_makes_no_difference(products, options, shuffle):
    found = lint(MenuNames(tuple(products), tuple(options)))
    shuffle.shuffle(products)
    shuffle.shuffle(options)
    assert lint(MenuNames(tuple(products), tuple(options))) == found
    assert all(finding.words and finding.sentence and finding.suggestion for finding in found)


def test_the_names_on_sale(shop, make_product):
    loader(shop)(COFFEE + csv_of('MOC,Mocha,Coffee,"",1200,,,"latte",,,,Size', header="").lstrip())
    names = shop.run(catalogue.names)
    assert [product.name for product in names.products] == ["Latte", "Mocha"], "tea is off sale"
    assert names.products[0] == ProductNames(
        "Latte", "LAT", "Coffee", ("caffe latte", "latte macchiato"), ("Size", "Milk"), ("foam",)
    )
    assert OptionNames("Oat", "Milk", ("oatly",)) in names.options
    assert only(names).kind is Kind.SAME_NAME
