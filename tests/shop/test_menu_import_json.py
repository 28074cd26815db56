"""Menus in JSON: our own format, and that of the order-parsing data sets."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from shop.menu_import import Imported
from tests.shop.menus import json_of, loader, products_of, refuser

EVALUATION = Path(__file__).resolve().parents[3] / "shared" / "evaldata"


@pytest.fixture
def load(shop):
    return loader(shop)


@pytest.fixture
def refused(shop):
    return refuser(shop)


@pytest.fixture
def products(sessions):
    return lambda: products_of(sessions)


class TestJson:
    GROUP = {
        "name": "Size",
        "required": True,
        "most": 1,
        "options": [{"name": "Small", "price_difference": -200.1, "aliases": ["little"]}, {"name": "Large"}],
    }
    LATTE = {"sku": "LAT", "name": "Latte", "category": "Coffee", "price": 1500.1, "options": ["Size"]}

    def test_our_own_format(self, load, products):
        more = {"stock": 5, "aliases": ["caffe"], "available": False, "picture": None, "description": None}
        content = json_of([{**self.LATTE, **more}], [self.GROUP])
        assert load(content) == Imported(1, 0, 0, 0, 1)
        latte = products()["LAT"]
        assert (latte.price, latte.stock_quantity, latte.available) == (Decimal("1500.10"), 5, False)
        small = latte.option_groups[0].options[0]
        assert (small.price_difference, small.aliases) == (Decimal("-200.10"), ["little"])
        assert load(content) == Imported(0, 0, 1, 0, 0)

    def test_rows_have_the_lines_where_they_begin(self, refused):
        content = """{"option_groups": [{"name": "Size", "options": []}],
          "products": [ {"sku": "A", "name": "A", "category": "A",
             "price": -1},
            {"sku": "B", "name": "B", "category": "B", "price": 1, "options": ["Size"]},

            {"sku": "B", "name": "B", "category": "B", "price": 1, "colour": "red"}, 7]}"""
        problems = refused(content)
        assert [line for line, _ in problems] == [1, 2, 6, 6, 6]
        assert problems[0] == (1, "the choice 'Size' has no options")
        assert "'colour'" in problems[3][1]

    @pytest.mark.parametrize(
        ("content", "line", "reason"),
        [
            ('{"products": [\n {"sku": }]}', 2, "column 10: this is not JSON"),
            ('{"products": [', 1, "this is not JSON"),
            ('["a"]', 1, 'a list "products"'),
            ('{"menu": []}', 1, 'a list "products"'),
            ('{"products": {}}', 1, "is not a list"),
            ('{"products": [],\n"option_groups": [{"name": "A", "options": 1}]}', 2, "does not belong there"),
            ('{"products": [],\n"option_group": []}', 2, "'option_group' is not known"),
            ("[" * 100_000, 1, "nested too deeply"),
        ],
    )
    def test_what_is_not_such_a_file(self, refused, content, line, reason):
        assert any(where == line and reason in why for where, why in refused(content))

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("price", True), ("price", []), ("price", "NaN"), ("sku", 5), ("name", None), ("name", {}),
            ("stock", 1.5), ("stock", True), ("aliases", "a" * 201), ("aliases", [1]),
            ("options", [["Size"]]), ("available", 2), ("name", "\ud800"), ("tax_class", []),
            ("picture", "a b"),
        ],
    )  # fmt: skip
    def test_values_of_a_wrong_kind(self, refused, key, value):
        assert [line for line, _ in refused(json_of([{**self.LATTE, key: value}], [self.GROUP]))][0] > 1

    @pytest.mark.parametrize(
        "number", ["NaN", "Infinity", "-Infinity", "1e999999999999999999999", "0e-99999999"]
    )
    def test_numbers_that_are_none(self, refused, number):
        [(_, reason)] = refused(json_of([self.LATTE], [self.GROUP]).replace("1500.1", number))
        assert "is not an amount" in reason

    def test_the_same_choice_twice(self, refused):
        [(_, reason)] = refused(json_of([self.LATTE], [self.GROUP, self.GROUP]))
        assert "already in line" in reason


class TestMenusOfDataSets:
    CONTENT = """{"domain": "tea", "products": [
        {"id": "green tea", "category": "hot_drink", "aliases": ["sencha"]},
        {"id": "7-up", "category": "soda", "aliases": []},
        {"id": "7 up", "category": "soda", "aliases": []}],
        "options": {"size": {"small": ["little"], "large": []}, "add-ons": {"2% milk": [], "honey": []}},
        "language": {"number": {}}}"""

    def test_names_skus_and_choices_are_made_of_the_ids(self, load, products):
        assert load(self.CONTENT, price="1500").added == 3
        tea = products()["green-tea"]
        assert (tea.name, tea.category, tea.price) == ("Green Tea", "Hot Drink", Decimal(1500))
        assert tea.aliases == ["green tea", "sencha"]
        assert [(group.name, group.required, group.most) for group in tea.option_groups] == [
            ("Size", False, 1),
            ("Add Ons", False, 2),
        ]
        assert [option.name for option in tea.option_groups[1].options] == ["2% Milk", "Honey"]
        assert len(products()) == 3
        assert load(self.CONTENT, price="1500") == Imported(0, 0, 3, 0, 0)

    def test_need_one_price_for_all(self, refused):
        [(line, reason)] = refused(self.CONTENT)
        assert line == 1
        assert "PRICE=1500" in reason

    @pytest.mark.parametrize(
        ("damage", "line"),
        [
            (('"7-up"', "7"), 3),
            (('"sencha"', "5"), 2),
            (('"soda"', '""'), 3),
            (('["little"]', '"little", "x": 1'), 5),
            (('{"small": ["little"], "large": []}', "[]"), 5),
            (('{"small": ["little"], "large": []}, "add', '[], "add'), 5),
        ],
    )
    def test_bad_rows_have_their_lines(self, refused, damage, line):
        assert refused(self.CONTENT.replace(*damage, 1), price="1500")[0][0] == line

    @pytest.mark.parametrize("name", ["coffee_tm4", "fastfood_multidogo"])
    def test_the_menus_of_the_evaluation_load(self, load, products, name):
        path = EVALUATION / f"menu_{name}.json"
        if not path.exists():
            pytest.skip(f"{path} is not on this machine")
        wanted = json.loads(path.read_text(encoding="utf-8"))
        assert load(path.read_bytes(), price="1500").added == len(wanted["products"])
        for product in products().values():
            offered = [len(group.options) for group in product.option_groups]
            assert offered == [len(options) for options in wanted["options"].values()]
        assert load(path.read_bytes(), price="1500").unchanged == len(wanted["products"])
