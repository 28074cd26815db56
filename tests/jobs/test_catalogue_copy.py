"""The catalogue's copy: there when it is needed, new when the shop changed, untouched otherwise."""

from __future__ import annotations

import json

import pytest

from db.models import Product
from jobs.catalogue_copy import CATALOGUE_KEY, VERSION_KEY, publish_catalogue

MINUTES = 60


@pytest.fixture
async def published(shop, redis, test_burger) -> dict[str, object]:
    """A catalogue that was just published."""
    assert await publish_catalogue(shop, redis, MINUTES)
    return await copy(redis)


async def copy(redis) -> dict[str, object]:
    """What the parser would read."""
    return json.loads(await redis.get(CATALOGUE_KEY))


def change(sessions, product: Product, **values: object) -> None:
    """Somebody changes a product."""
    with sessions.begin() as session:
        for name, value in values.items():
            setattr(session.get(Product, product.id), name, value)


async def test_a_missing_copy_is_published_for_an_hour(published, redis, test_burger):
    assert published["products"] == [
        {
            "id": str(test_burger.id),
            "name": "Test Burger",
            "aliases": [],
            "option_groups": [],
            "removable": [],
        }
    ]
    assert published["option_groups"] == {}
    assert published["categories"] == ["Burgers"]
    assert published["version"] == await redis.get(VERSION_KEY)
    assert 3590 <= await redis.ttl(CATALOGUE_KEY) <= 3600
    assert 3590 <= await redis.ttl(VERSION_KEY) <= 3600


async def test_the_copy_holds_no_prices(published):
    assert "5500" not in json.dumps(published)


async def test_an_unchanged_catalogue_is_not_published_again(published, shop, redis):
    assert not await publish_catalogue(shop, redis, MINUTES)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Best Burger"},
        {"category": "Specials"},
        {"aliases": ["tester"]},
        {"removable": ["onions"]},
        {"available": False},
    ],
)
async def test_a_change_is_published_at_once(published, shop, redis, sessions, test_burger, values):
    change(sessions, test_burger, **values)
    assert await publish_catalogue(shop, redis, MINUTES)
    assert await copy(redis) != published
    assert not await publish_catalogue(shop, redis, MINUTES)


@pytest.mark.parametrize("values", [{"price": 6000}, {"stock_quantity": 3}])
async def test_what_the_parser_does_not_read_changes_nothing(
    published, shop, redis, sessions, test_burger, values
):
    change(sessions, test_burger, **values)
    assert not await publish_catalogue(shop, redis, MINUTES)


async def test_a_new_product_is_published(published, shop, redis, make_product):
    make_product(name="Coke", category="Drinks", aliases=["coca cola"], position=1)
    assert await publish_catalogue(shop, redis, MINUTES)
    assert (await copy(redis))["categories"] == ["Burgers", "Drinks"]


async def test_a_copy_half_way_to_expiring_is_published_again(published, shop, redis):
    await redis.expire(CATALOGUE_KEY, 1799)
    assert await publish_catalogue(shop, redis, MINUTES)
    assert await redis.ttl(CATALOGUE_KEY) > 3590


async def test_a_copy_that_was_lost_is_published_again(published, shop, redis):
    await redis.delete(CATALOGUE_KEY)
    assert await publish_catalogue(shop, redis, MINUTES)
    assert await copy(redis) == published


async def test_a_shop_that_sells_nothing_publishes_that(shop, redis):
    assert await publish_catalogue(shop, redis, MINUTES)
    assert (await copy(redis))["products"] == []
    assert not await publish_catalogue(shop, redis, MINUTES)
