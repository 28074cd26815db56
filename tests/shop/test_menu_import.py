"""Menus from files: all of it or nothing, every bad row with its line, and twice is once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from db.models import Product
from shop.menu_import import Imported, MenuRefused, Rules, import_menu, read_menu
from tests.shop.menus import COFFEE, HEADER, csv_of, loader, products_of, refuser


@pytest.fixture
def load(shop):
    return loader(shop)


@pytest.fixture
def refused(shop):
    return refuser(shop)


@pytest.fixture
def products(sessions):
    return lambda: products_of(sessions)


class TestAGoodFile:
    def test_says_everything_about_its_products(self, load, products):
        assert load(COFFEE) == Imported(2, 0, 0, 0, 3)
        latte, tea = products().values()
        assert (latte.name, latte.category, latte.price) == ("Latte", "Coffee", Decimal("1500.50"))
        assert latte.description == "Milky,\nand mild"
        assert (latte.stock_quantity, latte.available, latte.picture) == (20, True, "latte.jpg")
        assert (latte.aliases, latte.removable) == (["caffe latte", "latte macchiato"], ["foam"])
        assert (tea.stock_quantity, tea.available, tea.picture, tea.aliases) == (None, False, None, [])
        assert (latte.position, tea.position) == (0, 1)

    def test_its_choices_are_made_once_and_shared(self, load, products):
        load(COFFEE)
        latte, tea = products().values()
        size, milk = latte.option_groups
        assert [group.name for group in tea.option_groups] == ["Size", "Extras"]
        assert tea.option_groups[0].id == size.id
        assert (size.required, size.most, milk.required, tea.option_groups[1].most) == (True, 1, False, 3)
        assert [(option.name, option.price_difference) for option in size.options] == [
            ("Small", Decimal(-200)),
            ("Large", Decimal(500)),
        ]
        assert milk.options[0].aliases == ["oatly"]

    def test_twice_changes_nothing(self, load, sessions):
        load(COFFEE)
        with sessions.begin() as session:
            before = session.execute(select(Product.id, Product.updated_at).order_by(Product.id)).all()
        assert load(COFFEE) == Imported(0, 0, 2, 0, 0)
        with sessions.begin() as session:
            assert (
                session.execute(select(Product.id, Product.updated_at).order_by(Product.id)).all() == before
            )

    def test_a_new_price_changes_one_product_and_keeps_its_id(self, load, products):
        load(COFFEE)
        before = products()
        assert load(COFFEE.replace("1500.50", "1600")) == Imported(0, 1, 1, 0, 0)
        after = products()
        assert after["LAT"].price == Decimal(1600)
        assert after["LAT"].id == before["LAT"].id

    def test_columns_that_it_does_not_have_are_left_alone(self, load, products, make_product):
        make_product(sku="LAT", aliases=["caffe"], stock_quantity=7, reserved_quantity=3, available=False)
        load(csv_of("LAT,Latte,Coffee,1700"))
        latte = products()["LAT"]
        assert (latte.name, latte.price) == ("Latte", Decimal(1700))
        assert (latte.aliases, latte.stock_quantity, latte.available) == (["caffe"], 7, False)
        assert latte.reserved_quantity == 3

    def test_a_blank_cell_is_blank(self, load, products):
        load(COFFEE)
        load(csv_of("LAT,Latte,Coffee,1700,,", header="sku,name,category,price,stock,options"))
        assert products()["LAT"].stock_quantity is None
        assert products()["LAT"].option_groups == []

    def test_an_option_that_is_gone_is_unavailable_and_comes_back(self, load, products):
        load(COFFEE)
        assert load(COFFEE.replace("Oat~oatly=+300|Soy", "Soy")) == Imported(0, 0, 2, 0, 1)
        assert {option.name: option.available for option in products()["LAT"].option_groups[1].options} == {
            "Oat": False,
            "Soy": True,
        }
        load(COFFEE.replace("Oat~oatly=+300", "Oat=+300"))
        oat = next(one for one in products()["LAT"].option_groups[1].options if one.name == "Oat")
        assert (oat.available, oat.aliases) == (True, ["oatly"])

    def test_leaves_other_products_alone(self, load, products, make_product):
        make_product(sku="OLD")
        load(COFFEE)
        assert products()["OLD"].available

    def test_as_the_whole_menu_takes_others_off_sale_and_its_own_on(self, load, products, make_product):
        make_product(sku="OLD")
        make_product(sku="GONE", name="Gone", available=False)
        make_product(sku="LAT", name="Latte", available=False)
        imported = load(csv_of("LAT,Latte,Coffee,1700"), replace=True)
        assert (imported.made_unavailable, imported.changed) == (1, 1)
        assert {sku: product.available for sku, product in products().items()} == {
            "OLD": False,
            "GONE": False,
            "LAT": True,
        }

    def test_may_name_a_choice_that_only_the_shop_has(self, load, products):
        load(COFFEE)
        load(csv_of("MOC,Mocha,Coffee,2000,Milk", header="sku,name,category,price,options"))
        assert [group.name for group in products()["MOC"].option_groups] == ["Milk"]

    def test_may_leave_prices_to_one_for_all(self, load, products):
        load(csv_of("A,Latte,Coffee,", "B,Tea,Tea,900"), price="1200")
        assert [product.price for product in products().values()] == [Decimal(1200), Decimal(900)]


class TestSpreadsheets:
    @pytest.mark.parametrize(
        "content",
        [
            "sku;name;category;price\r\nLAT;Latte;Coffee;1500,50\r\n".encode("utf-8-sig"),
            b"sku\tname\tcategory\tprice\nLAT\tLatte\tCoffee\t1500.50\n",
            b"sep=;\r\nsku;name;category;price\r\nLAT;Latte;Coffee;1500,5\r\n",
            b"PRICE , Category,SKU,Name\n1500.50,Coffee,LAT,Latte\n",
            b'"sku";"name";"category";"price"\n"LAT";"Latte";"Coffee";"1500.50"\n',
            b"\n\nsku,name,category,price,,\nLAT,Latte,Coffee,1500.50,,\n,,,,,\n",
            b"sku,name,category,price\rLAT,Latte,Coffee,1500.50\r",
        ],
        ids=["excel", "tabs", "sep", "header", "quoted", "blank", "old-mac"],
    )
    def test_every_flavour(self, load, products, content):
        load(content)
        latte = products()["LAT"]
        assert (latte.name, latte.category, latte.price) == ("Latte", "Coffee", Decimal("1500.50"))

    def test_line_breaks_in_cells_do_not_shift_the_lines(self, refused):
        content = 'sku,name,category,price,description\r\nA,A,A,1,"one\r\ntwo\r\nthree"\r\n\r\nB,B,B,-1,\r\n'
        assert refused(content) == [(6, "price '-1' is negative")]

    def test_another_encoding_is_named_with_its_line(self, refused):
        content = "sku,name,category,price\nA,Tea,Tea,1\nB,Café,Coffee,2\n".encode("latin-1")
        [(line, reason)] = refused(content)
        assert line == 3
        assert "UTF-8" in reason

    def test_quotation_marks_that_do_not_match(self, refused):
        problems = refused('sku,name,category,price\nA,"Tea"s,Tea,1\nB,B,B,-1\nC,"C,C,3\n')
        assert [line for line, _ in problems] == [2, 3, 4]

    def test_unknown_missing_and_repeated_columns(self, refused):
        [unknown, missing, twice] = sorted(reason for _, reason in refused("sku,nme,price,sku\nA,B,1,A\n"))[
            ::-1
        ]
        assert "'nme'" in unknown
        assert missing == "missing columns: name, category"
        assert twice == "columns that are there twice: sku"


BAD_CELLS = [
    ("price", "", "price is blank"),
    ("price", "-1", "is negative"),
    ("price", "free", "is not an amount"),
    ("price", "NGN 5", "is not an amount"),
    ("price", "1e3", "is not an amount"),
    ("price", "٣", "is not an amount"),
    ("price", "1.005", "more decimals than NGN (2)"),
    ("price", "5.000", "thousands are not separated"),
    ("price", '"5,500"', "thousands are not separated"),
    ("price", "10000000000", "absurd"),
    ("stock", "-1", "is negative"),
    ("stock", "1.5", "not a whole number"),
    ("stock", "many", "not a whole number"),
    ("stock", "2147483648", "too large"),
    ("available", "perhaps", "neither yes nor no"),
    ("tax_class", "alcohol", "known: reduced, standard"),
    ("picture", "../secret.jpg", "not a file's name"),
    ("sku", " ", "sku is blank"),
    ("sku", "S" * 65, "longer than 64"),
    ("name", "", "name is blank"),
    ("name", "N" * 201, "longer than 200"),
    ("name", "Te\0a", "unprintable character U+0000"),
    ("category", "", "category is blank"),
    ("description", "D" * 2001, "longer than 2000"),
    ("aliases", "a|" + "b" * 201, "longer than 200"),
    ("options", "Size", "neither this file nor the shop"),
    ("options", "Size!", "is not a choice such as"),
    ("options", ": Small", "is not a choice such as"),
    ("options", "Size!:", "has no options"),
    ("options", "Size: Small=much", "is not an amount"),
    ("options", "Size: Small | small", "twice"),
    ("options", "Size!*2: Small | Large", "exactly one option"),
    ("options", "Extras*0: Cheese", "not between 1 and 100"),
    ("options", "Extras: =5", "name is blank"),
    ("options", "Size!: Small=-901 | Large", "with its cheapest options would be -1"),
    ("options", "Extras*2: A=-500 | B=-401 | C=-1", "would be -1"),
]


class TestBadRows:
    @pytest.fixture
    def policy(self, shop):
        return replace(shop.policy, tax_classes={"reduced": Decimal("0.05")})

    @pytest.mark.parametrize(("column", "cell", "reason"), BAD_CELLS)
    def test_is_told_with_its_line_and_nothing_is_written(self, shop, policy, products, column, cell, reason):
        cells = {"sku": "B", "name": "Tea", "category": "Tea", "price": "900", column: cell}
        bad = ",".join(cells.get(name, "") for name in HEADER.split(","))
        good = "A,Good,Tea,900,,,,,reduced,,,Milk: Oat"
        menu = read_menu(csv_of(good, bad, good.replace("A,", "C,"), header=HEADER), Rules.of(policy))
        with pytest.raises(MenuRefused) as caught:
            shop.run(lambda work: import_menu(work, menu))
        assert [line for line, _ in caught.value.problems] == [3]
        assert reason in caught.value.problems[0].reason
        assert products() == {}

    def test_all_are_told_at_once_those_of_the_shop_too(self, refused, products, make_product):
        make_product(sku="HELD", stock_quantity=5, reserved_quantity=3)
        rows = ["A,,Tea,-1,", "HELD,Held,Tea,900,2", "A,Tea,Tea,900,", "B,Tea", "C,Tea,Tea,1,2,3"]
        assert refused(csv_of(*rows, header="sku,name,category,price,stock")) == [
            (2, "name is blank"),
            (2, "price '-1' is negative"),
            (3, "stock 2 is below the 3 units that unpaid orders hold"),
            (4, "the sku 'A' is already in line 2"),
            (5, "has 2 cells, the header has 5"),
            (6, "has 6 cells, the header has 5"),
        ]
        assert set(products()) == {"HELD"}

    def test_stock_may_fall_to_what_is_reserved(self, load, products, make_product):
        make_product(sku="HELD", stock_quantity=5, reserved_quantity=3)
        load(csv_of("HELD,Held,Tea,900,3", header="sku,name,category,price,stock"))
        assert products()["HELD"].stock_quantity == 3

    def test_a_choice_that_is_written_in_two_ways(self, refused):
        rows = [
            "A,Tea,Tea,900,Size: Small|Large",
            "B,Tea,Tea,900,Size: Small",
            "C,Tea,Tea,900,Size: Small|Large",
        ]
        [(line, reason)] = refused(csv_of(*rows, header="sku,name,category,price,options"))
        assert line == 3
        assert "written differently in line 2" in reason

    def test_a_product_that_the_file_does_not_have_must_not_become_cheaper_than_nothing(self, load, refused):
        load(COFFEE)
        row = "NEW,New,Tea,5000,Size!: Small=-1000 | Large"
        [(line, reason)] = refused(csv_of(row, header="sku,name,category,price,options"))
        assert line == 2
        assert "would make the product 'Tea' cost -100.00" in reason

    def test_the_choices_that_a_product_keeps_count(self, load, refused):
        load(COFFEE)
        [(_, reason)] = refused(csv_of("LAT,Latte,Coffee,100"))
        assert reason == "price 100.00 with its cheapest options would be -100.00"

    @pytest.mark.parametrize("content", ["", "  \n\n", "sku,name,category,price\n", '{"products": []}'])
    def test_no_product_at_all_even_as_the_whole_menu(self, refused, products, make_product, content):
        make_product(sku="OLD")
        assert refused(content, replace=True)
        assert products()["OLD"].available

    @pytest.mark.parametrize(("currency", "price", "good"), [
        ("JPY", "1500.00", True), ("JPY", "1500.5", False), ("KWD", "1.25", True), ("KWD", "1.125", False),
    ])  # fmt: skip
    def test_decimals_are_those_of_the_currency(self, currency, price, good):
        menu = read_menu(csv_of(f"A,Tea,Tea,{price}"), Rules(currency))
        assert bool(menu.products) is good
        assert bool(menu.problems) is not good
