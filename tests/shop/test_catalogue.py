"""The menu: what is found, what a number or a name picks, and when the parser must read it anew."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import text

from db.models import Product, StateChange
from shop import catalogue
from shop.catalogue import Choice, ProductView
from shop.errors import NothingToChooseFrom, NumberNotOnList, QuantityNotANumber, SoldOut, UnknownProduct


@pytest.fixture
def menu(make_product) -> dict[str, Product]:
    """A small menu: two that can be confused, one with an alias, one sold out, one taken off."""
    rows = [
        make_product(name="Beef Burger", aliases=["hamburger"], position=1),
        make_product(name="Chicken Burger", position=2, price=Decimal("6000.00")),
        make_product(name="Jollof Rice", category="Rice", position=3, stock_quantity=None),
        make_product(name="Suya Skewers", category="Grill", position=4, stock_quantity=0),
        make_product(name="Puff Puff", category="Desserts", position=5, available=False),
    ]
    return {row.name: row for row in rows}


@pytest.fixture
def version(shop) -> Callable[[], str]:
    """The catalogue's version now."""
    return lambda: shop.run(catalogue.version)


def names(shown: catalogue.Choices) -> list[str]:
    return [choice.name for choice in shown.choices]


def test_available_products_found(shop, ask, menu):
    shown = shop.run(catalogue.categories)
    assert names(shown) == ["Burgers", "Rice", "Grill"], "in menu order; nothing of Desserts is on sale"
    assert {choice.kind for choice in shown.choices} == {"category"}

    burgers = shop.run(lambda work: catalogue.products_in(work, "burgers"))
    assert names(burgers) == ["Beef Burger", "Chicken Burger"]
    beef, chicken = burgers.products
    assert (beef.price, beef.left, beef.sold_out) == (Decimal("5500.00"), 50, False)
    assert chicken.price == Decimal("6000.00")
    assert [choice.id for choice in burgers.choices] == [str(beef.id), str(chicken.id)]

    (skewers,) = ask(catalogue.show_menu, "Grill").products
    assert skewers.sold_out, "shown, so that customers know it exists, but marked"
    assert ask(catalogue.show_menu, "Rice").products[0].left is None, "unlimited"


def test_a_menu_with_nothing_on_sale_is_empty(ask, make_product):
    make_product(available=False)
    shown = ask(catalogue.show_menu)
    assert shown.choices == shown.products == ()


def test_an_unknown_category_shows_all_categories(ask, menu):
    assert names(ask(catalogue.show_menu, "Sushi")) == ["Burgers", "Rice", "Grill"]
    assert names(ask(catalogue.show_menu, "Desserts")) == ["Burgers", "Rice", "Grill"]


def test_units_held_for_others_are_not_left(sessions, menu):
    with sessions.begin() as session:
        beef = session.get(Product, menu["Beef Burger"].id)
        beef.reserved_quantity = 48
        assert catalogue.view(beef).left == 2
        beef.reserved_quantity = 50
        assert catalogue.view(beef).sold_out


@pytest.mark.parametrize("number", ["1", "1.0", " 2 ", "02"])
def test_product_selection_validated(ask, menu, number):
    shown = ask(catalogue.show_menu, "Burgers").choices
    picked = ask(catalogue.choose_number, number, shown).product
    assert picked.name == names(ask(catalogue.show_menu, "Burgers"))[int(float(number)) - 1]
    assert isinstance(picked, ProductView)


def test_a_number_can_pick_a_category(ask, menu):
    shown = ask(catalogue.show_menu).choices
    selection = ask(catalogue.choose_number, "2", shown)
    assert selection.product is None
    assert names(selection.choices) == ["Jollof Rice"]
    assert selection.choices.category == "Rice"


@pytest.mark.parametrize(("number", "told"), [("0", "0"), ("-1", "-1"), ("2.5", "2.5"), ("99", "99")])
def test_a_number_that_is_not_on_the_list_is_refused(ask, menu, number, told):
    shown = ask(catalogue.show_menu, "Burgers").choices
    with pytest.raises(NumberNotOnList) as refusal:
        ask(catalogue.choose_number, number, shown)
    assert refusal.value.values == {"number": told, "highest": 2}


@pytest.mark.parametrize("number", ["", "the first", "NaN", "Infinity", None])
def test_what_is_no_number_is_refused(ask, menu, number):
    with pytest.raises(QuantityNotANumber):
        ask(catalogue.choose_number, number, ask(catalogue.show_menu, "Burgers").choices)


def test_a_number_without_a_list_is_refused(ask, menu):
    with pytest.raises(NothingToChooseFrom):
        ask(catalogue.choose_number, "1", ())


def test_a_list_that_went_stale_is_refused_politely(ask, menu, sessions):
    """Between showing and choosing, the kitchen took the burger off the menu."""
    shown = ask(catalogue.show_menu, "Burgers").choices
    with sessions.begin() as session:
        session.get(Product, menu["Beef Burger"].id).available = False
    with pytest.raises(SoldOut) as refusal:
        ask(catalogue.choose_number, "1", shown)
    assert refusal.value.values == {"product": "Beef Burger"}
    gone = Choice("product", "00000000-0000-4000-8000-000000000000", "Unicorn Stew")
    with pytest.raises(UnknownProduct):
        ask(catalogue.choose_number, "1", [gone])


@pytest.mark.parametrize("typed", ["Jollof Rice", "jollof rice", "JOLLOF", "jolof rice", "jollof rise"])
def test_a_name_is_recognised_typos_and_all(ask, menu, typed):
    assert ask(catalogue.select, [], typed).product.name == "Jollof Rice"


def test_an_alias_names_its_product(ask, menu):
    assert ask(catalogue.select, [], "hamburger").product.name == "Beef Burger"


def test_a_recognised_id_wins_over_the_words(ask, menu):
    chosen = ask(catalogue.select, [str(menu["Chicken Burger"].id)], "something else")
    assert chosen.product.id == menu["Chicken Burger"].id


@pytest.mark.parametrize("typed", ["sushi", "", "???", "quantum physics"])
def test_an_unknown_product_is_refused_and_quoted(ask, menu, typed):
    with pytest.raises(UnknownProduct) as refusal:
        ask(catalogue.select, [], typed)
    assert refusal.value.values == {"asked": typed}
    with pytest.raises(UnknownProduct):
        ask(catalogue.select, ["no-uuid", "00000000-0000-4000-8000-000000000000"], typed)


def test_a_sold_out_product_cannot_be_picked(ask, menu, sessions):
    before = count(sessions)
    with pytest.raises(SoldOut) as refusal:
        ask(catalogue.select, [], "suya skewers")
    assert refusal.value.values == {"product": "Suya Skewers"}
    assert count(sessions) == before, "a refusal moves nobody"


def test_words_that_may_mean_several_give_a_list(ask, menu):
    selection = ask(catalogue.select, [], "burger")
    assert selection.product is None
    assert sorted(names(selection.choices)) == ["Beef Burger", "Chicken Burger"]
    assert selection.choices.asked == "burger"
    picked = ask(catalogue.choose_number, "2", selection.choices.choices)
    assert picked.product.name == names(selection.choices)[1]


def test_a_list_of_suggestions_stays_short(ask, make_product):
    for number in range(12):
        make_product(name=f"Burger Number {number}")
    assert len(ask(catalogue.search, [], "burger").choices) == catalogue.MOST_SUGGESTIONS


def test_search_finds_by_words_and_by_ids(ask, menu):
    assert names(ask(catalogue.search, [], "rice")) == ["Jollof Rice"]
    by_id = ask(catalogue.search, [str(menu["Suya Skewers"].id)], "suya")
    assert by_id.products[0].sold_out, "a search may find what is sold out"
    with pytest.raises(UnknownProduct):
        ask(catalogue.search, [], "sushi")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Beef Burger Deluxe"},
        {"aliases": ["hamburger", "beefy"]},
        {"category": "Sandwiches"},
        {"removable": ["onions"]},
        {"available": False},
        {"position": 9},
    ],
)
def test_the_version_changes_with_what_the_parser_reads(menu, sessions, version, change):
    before = version()
    with sessions.begin() as session:
        row = session.get(Product, menu["Beef Burger"].id)
        undo = {name: getattr(row, name) for name in change}
        for name, value in change.items():
            setattr(row, name, value)
    assert version() != before
    with sessions.begin() as session:
        for name, value in undo.items():
            setattr(session.get(Product, menu["Beef Burger"].id), name, value)
    assert version() != before, "no version ever comes back: somebody may have read it in between"


@pytest.mark.parametrize(
    "change",
    [{"price": Decimal("1.00")}, {"stock_quantity": 1}, {"reserved_quantity": 3}, {"description": "New"}],
)
def test_prices_and_stock_leave_the_version_alone(menu, sessions, version, change):
    before = version()
    with sessions.begin() as session:
        for name, value in change.items():
            setattr(session.get(Product, menu["Beef Burger"].id), name, value)
    assert version() == before


def test_a_whole_menu_is_one_change(make_product, sessions, version):
    number = int(version().rpartition(".")[2])
    with sessions.begin() as session:
        for position in range(3):
            session.add(Product(name=f"Dish {position}", sku=f"D-{position}", price=1, category="Food"))
            session.flush()
    assert int(version().rpartition(".")[2]) == number + 1


def test_a_change_by_hand_is_counted_too(menu, sessions, version):
    before = version()
    with sessions.begin() as session:
        session.execute(text("UPDATE products SET name = 'Plantain' WHERE name = 'Jollof Rice'"))
    assert version() != before


def test_the_version_of_an_empty_catalogue_exists(version):
    assert version()


def test_a_new_name_is_found_at_once_and_an_old_one_no_more(ask, menu, sessions):
    assert names(ask(catalogue.search, [], "jollof rise")) == ["Jollof Rice"]
    with sessions.begin() as session:
        session.get(Product, menu["Jollof Rice"].id).name = "Ofada"
    assert names(ask(catalogue.search, [], "ofadda")) == ["Ofada"]
    with pytest.raises(UnknownProduct):
        ask(catalogue.search, [], "jollof rise")


def test_the_snapshot_holds_names_and_no_prices(shop, menu, version):
    snapshot = shop.run(catalogue.snapshot)
    assert snapshot["version"] == version()
    assert snapshot["categories"] == ["Burgers", "Rice", "Grill"]
    assert snapshot["products"][0] == {
        "id": str(menu["Beef Burger"].id),
        "name": "Beef Burger",
        "aliases": ["hamburger"],
        "option_groups": [],
        "removable": [],
    }
    assert snapshot["option_groups"] == {}
    assert "Puff Puff" not in [product["name"] for product in snapshot["products"]]


def count(sessions) -> int:
    """How many state changes were recorded."""
    with sessions.begin() as session:
        return session.query(StateChange).count()
