"""Whatever a file holds, however large it is, and however many import at once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.engine.interfaces import ExecuteStyle

from db.models import OptionGroup, Product, ProductOption, product_option_groups
from shop.menu_import import Imported, MenuRefused
from tests.shop.menus import COFFEE, HEADER, csv_of, loader, products_of


@pytest.fixture
def load(shop):
    return loader(shop)


@pytest.fixture
def products(sessions):
    return lambda: products_of(sessions)


CELLS = st.text(max_size=12) | st.sampled_from(
    ["", "1", "-1", "yes", "Size!: S=-1|L", "Size", "a|b", '"', "\0"]
)
GOOD = {
    "price": "900",
    "stock": "5",
    "available": "no",
    "tax_class": "",
    "picture": "",
    "options": "Size!: S|L",
}
FUZZ = hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class TestAnythingAtAll:
    """Whatever a file holds, it is imported or refused, and refused leaves no trace."""

    @pytest.fixture
    def count(self, sessions):
        def count():
            with sessions.begin() as session:
                return [
                    session.scalar(select(func.count()).select_from(table))
                    for table in (Product, OptionGroup, ProductOption, product_option_groups)
                ]

        return count

    @pytest.fixture
    def attempt(self, load, count):
        def attempt(content):
            before = count()
            try:
                return load(content).added > 0
            except MenuRefused as refused:
                assert refused.problems
                assert count() == before
                return False

        return attempt

    @FUZZ
    @given(content=st.text() | st.binary() | st.text().map(lambda text: "{" + text))
    def test_arbitrary_text_is_refused(self, attempt, content):
        assert not attempt(content)

    @FUZZ
    @given(
        rows=st.lists(
            st.tuples(*(CELLS | st.just(GOOD.get(name, "A")) for name in HEADER.split(","))), max_size=3
        ),
        quoted=st.booleans(),
    )
    def test_arbitrary_cells(self, attempt, rows, quoted):
        escaped = [['"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row] for row in rows]
        attempt(csv_of(*(",".join(row) for row in escaped), header=HEADER))

    @FUZZ
    @given(data=st.data())
    def test_arbitrary_json(self, attempt, data):
        leaves = st.none() | st.booleans() | st.integers() | st.floats() | CELLS
        anything = st.recursive(
            leaves,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
            max_leaves=5,
        )
        keys = st.sampled_from([*HEADER.split(","), "id", "required", "most", "price_difference"])
        rows = st.lists(st.dictionaries(keys, anything, max_size=6) | anything, max_size=3)
        document = data.draw(
            st.dictionaries(st.sampled_from(["products", "option_groups", "options"]), rows | anything)
        )
        attempt(json.dumps(document))


def test_imports_at_the_same_time_add_each_product_once(load, products):
    with ThreadPoolExecutor(4) as pool:
        imported = list(pool.map(load, [COFFEE] * 4))
    assert sum(one.added for one in imported) == len(products()) == 2


def test_ten_thousand_products_take_few_statements(shop, load, engine):
    options = '"Size!: Small=-1|Large=1;Milk: Oat|Soy"'
    rows = [
        f"SKU-{number},Product {number},Category {number % 20},900,{number},{options}"
        for number in range(10_000)
    ]
    content = csv_of(*rows, header="sku,name,category,price,stock,options")
    statements = []

    def note(connection, cursor, statement, parameters, context, executemany):
        # A plain executemany is one statement for each of its rows.
        one_by_one = context.execute_style is ExecuteStyle.EXECUTEMANY
        statements.extend([statement] * (len(parameters) if one_by_one else 1))

    event.listen(engine, "before_cursor_execute", note)
    try:
        started = time.monotonic()
        assert load(content) == Imported(10_000, 0, 0, 0, 2)
        assert len(statements) < 60
        statements.clear()
        assert load(content.replace(",900,", ",950,")) == Imported(0, 10_000, 0, 0, 0)
        assert len(statements) < 60
        assert time.monotonic() - started < 60
    finally:
        event.remove(engine, "before_cursor_execute", note)
