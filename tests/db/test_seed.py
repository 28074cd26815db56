"""The demo menu."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from db.models import Product
from db.seed.load import MENU, load_demo_menu

PICTURES = MENU.parent / "pictures"


def test_the_demo_menu_is_loaded_once(sessions):
    with sessions.begin() as session:
        assert load_demo_menu(session) == 30
    with sessions.begin() as session:
        assert load_demo_menu(session) == 0
        assert session.query(Product).count() == 30


def test_a_shop_with_products_of_its_own_gets_no_demo(sessions, test_burger):
    with sessions.begin() as session:
        assert load_demo_menu(session) == 0
        assert session.query(Product).count() == 1


def test_the_demo_menu_is_complete(session):
    load_demo_menu(session)
    products = session.query(Product).order_by(Product.position).all()
    categories = Counter(product.category for product in products)
    assert len(categories) == 6
    assert "Burgers" in categories
    assert [product.position for product in products] == list(range(30))
    assert len({product.name.casefold() for product in products}) == 30
    for product in products:
        assert product.description
        assert product.available
        assert product.price > Decimal(0)
        assert (PICTURES / product.picture).stat().st_size > 1000
    drawn = {file.name for file in PICTURES.iterdir()}
    assert drawn == {product.picture for product in products}, "no picture without a product"


def test_an_alias_belongs_to_one_product(session):
    load_demo_menu(session)
    words = [
        word.casefold() for row in session.query(Product) for word in dict.fromkeys([row.name, *row.aliases])
    ]
    assert [word for word, times in Counter(words).items() if times > 1] == []
