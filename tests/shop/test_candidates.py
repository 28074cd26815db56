"""Products that words may mean: near ones first, what is shown before all, nothing that is not on sale."""

from __future__ import annotations

from sqlalchemy import event

from db.models import Product
from shop import candidates


def test_what_is_near_comes_first_and_what_is_shown_before_all(shop, make_product, customer):
    for number in range(20):
        make_product(name=f"Soup {number}", category="Soups")
    cola = make_product(name="Cola", category="Drinks", description="Black and fizzy, served cold.")
    pie = make_product(name="Meat Pie", category="Snacks", removable=["onions"])
    make_product(name="Fizzy Water", category="Drinks", available=False)
    found = shop.run(
        lambda work: candidates.around(work, customer, "3 black fizzy ones", [str(pie.id), "gone"])
    )
    assert [one.id for one in found.products[:2]] == [str(pie.id), str(cola.id)]
    assert found.products[0].removable == ("onions",)
    assert len(found.products) == candidates.MOST_CANDIDATES
    assert "Fizzy Water" not in [one.name for one in found.products]
    assert found.catalogue_version == shop.run(lambda work: work.products.find_version())


def test_an_empty_shop_has_none(shop, customer):
    assert shop.run(lambda work: candidates.around(work, customer, "anything")).products == ()


def test_a_large_menu_is_read_once_and_then_only_what_may_be_meant(shop, make_product, customer):
    for number in range(60):
        make_product(name=f"Soup {number}", category="Soups", description="Hot.")
    cola = make_product(name="Cola", category="Drinks", description="Black and fizzy.")
    shop.run(lambda work: candidates.around(work, customer, "black fizzy"))
    loaded: list[int] = []

    def count(*_: object) -> None:
        loaded.append(1)

    event.listen(Product, "load", count)
    found = shop.run(lambda work: candidates.around(work, customer, "black fizzy"))
    event.remove(Product, "load", count)
    assert 0 < len(loaded) <= candidates.MOST_CANDIDATES
    assert found.products[0].id == str(cola.id)
    make_product(name="Fizzy Black Tonic", category="Drinks")
    found = shop.run(lambda work: candidates.around(work, customer, "black fizzy tonic"))
    assert found.products[0].name == "Fizzy Black Tonic"
