"""The live menu: a new product is known at the next message, and a damaged copy harms nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import pytest
import redis

from dialogue.nlu.live_menu import LiveMenu
from settings import RedisSettings
from whatsapp.redis import CATALOGUE_KEY, connection_options

MOST_SECONDS = 5.0


@pytest.fixture(scope="module")
def settings() -> RedisSettings:
    """How to reach the Redis of this run."""
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if not port:
        pytest.skip("needs a Redis: CHATCART_TEST_REDIS_PORT is not set")
    return RedisSettings("127.0.0.1", int(port), os.environ.get("CHATCART_TEST_REDIS_PASSWORD"), False)


@pytest.fixture
def server(settings: RedisSettings) -> Iterator[redis.Redis]:
    """That Redis, without a menu."""
    connection = redis.Redis(**connection_options(settings))
    connection.delete(CATALOGUE_KEY)
    yield connection
    connection.delete(CATALOGUE_KEY)


@pytest.fixture
def live(settings: RedisSettings, server: redis.Redis) -> Iterator[LiveMenu]:
    """A live menu that has read once."""
    live = LiveMenu(settings, ("en",))
    live.start()
    yield live
    live.stop()


def menu(version: str, *names: str) -> str:
    """A menu as the shop publishes it."""
    products = [
        {"id": name, "name": name, "aliases": [], "category": "Food", "option_groups": [], "removable": []}
        for name in names
    ]
    return json.dumps({"version": version, "categories": ["Food"], "products": products})


def wait_for(live: LiveMenu, version: str) -> None:
    """Until this version is read with, at most as long as a customer may wait for a new product."""
    end = time.monotonic() + MOST_SECONDS
    while live.current.menu.version != version and time.monotonic() < end:
        time.sleep(0.05)
    assert live.current.menu.version == version


def test_a_product_is_understood_soon_after_it_exists_and_no_longer_than_it_does(
    live: LiveMenu, server: redis.Redis
) -> None:
    assert live.current.read("2 samosas").lines == ()
    server.set(CATALOGUE_KEY, menu("1", "Samosa", "Cola"))
    wait_for(live, "1")
    assert live.current.read("2 samosas").lines[0].products == ("Samosa",)
    server.set(CATALOGUE_KEY, menu("2", "Cola"))
    wait_for(live, "2")
    assert live.current.read("2 samosas").lines == ()


def test_the_last_good_menu_is_kept_while_there_is_none(live: LiveMenu, server: redis.Redis) -> None:
    server.set(CATALOGUE_KEY, menu("1", "Samosa"))
    wait_for(live, "1")
    for damaged in ("", "no json", '{"version": "9"}', '{"version": "9", "categories": 1, "products": [1]}'):
        server.set(CATALOGUE_KEY, damaged)
        live.refresh()
        assert live.current.read("2 samosas").lines[0].products == ("Samosa",)
    server.delete(CATALOGUE_KEY)
    live.refresh()
    assert live.current.menu.version == "1"


def test_a_new_version_costs_only_what_is_new(live: LiveMenu, server: redis.Redis) -> None:
    server.set(CATALOGUE_KEY, menu("1", "Samosa"))
    wait_for(live, "1")
    known = live.current.forms
    server.set(CATALOGUE_KEY, menu("2", "Samosa", "Cola"))
    wait_for(live, "2")
    assert live.current.forms is known
