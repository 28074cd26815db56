"""Customers in Redis: known again without asking PostgreSQL, and never known after they are forgotten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import event

from actions.customer_cache import PAUSE_SECONDS, RedisCustomerCache
from db.models import Customer
from shop import cart, customers, privacy
from shop.known_customers import CacheUnavailable, KnownCustomer
from shop.service import Shop
from whatsapp.redis import CACHE_COUNTERS_KEY, connection_options


@pytest.fixture
def plain_redis(redis_settings):
    client = Redis(**connection_options(redis_settings))
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def cache(redis_settings, plain_redis) -> RedisCustomerCache:
    return RedisCustomerCache(redis_settings, hours_to_live=24)


@pytest.fixture
def shop(sessions, settings, sandbox, clock, cache, make_shop) -> Shop:
    """A shop that recognises customers by the cache."""
    flags = make_shop().flags
    return Shop(sessions, settings.shop, flags, {"sandbox": sandbox}, clock, cache)


@pytest.fixture
def asked_for_customers(engine):
    """The statements that look for customers."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_):
        if "FROM customers" in statement:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def say(shop, caller, operation, *args, kind=object):
    return shop.execute(caller(), operation.__name__, kind, lambda work, who: operation(work, who, *args))


def test_a_known_customer_is_recognised_without_asking_the_database(
    shop, caller, test_burger, asked_for_customers, sessions
):
    for _ in range(3):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    assert len(asked_for_customers) == 3, (
        "made on the first message, learned on the second, known on the third"
    )
    with sessions() as session:
        assert session.query(Customer).count() == 1


def test_hits_and_misses_are_counted(shop, caller, test_burger, plain_redis):
    for _ in range(4):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    assert plain_redis.hgetall(CACHE_COUNTERS_KEY) == {"customer_misses": "2", "customer_hits": "2"}


def test_a_customer_is_kept_for_a_day_since_the_last_message(shop, caller, test_burger, plain_redis):
    for _ in range(2):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    (key,) = plain_redis.keys("chatcart:customer:*")
    plain_redis.expire(key, 10)
    say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    assert 24 * 3600 - 60 < plain_redis.ttl(key) <= 24 * 3600
    assert "+234" not in key + plain_redis.get(key)


def test_a_new_language_is_known_at_once(shop, caller, test_burger, cache):
    for _ in range(2):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    say(shop, caller, customers.choose_language, "french please", kind=customers.LanguageChoice)
    for _ in range(2):
        found = shop.run(lambda work: caller().recognised(work).language)
    assert found == "fr"
    assert cache.get(caller().lookup).language == "fr"


def test_who_was_erased_is_forgotten(shop, caller, test_burger, cache, sessions):
    for _ in range(3):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    say(shop, caller, privacy.erase, kind=privacy.Erasure)
    assert cache.get(caller().lookup) is None
    say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    with sessions() as session:
        assert session.query(Customer).count() == 2, "somebody new"


def test_an_erasure_that_the_cache_cannot_follow_does_not_happen(
    shop, caller, test_burger, cache, sessions, redis_settings
):
    for _ in range(2):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    cache._redis = Redis(**connection_options(replace(redis_settings, port=1)))
    with pytest.raises(CacheUnavailable):
        say(shop, caller, privacy.erase, kind=privacy.Erasure)
    with sessions() as session:
        assert session.query(Customer).one().erased_at is None


def test_a_cache_out_of_reach_is_left_alone_and_the_shop_goes_on(
    sessions, settings, sandbox, clock, caller, test_burger, redis_settings, make_shop
):
    now = [0.0]
    gone = RedisCustomerCache(replace(redis_settings, port=1), 24, clock=lambda: now[0])
    shop = Shop(sessions, settings.shop, make_shop().flags, {"sandbox": sandbox}, clock, gone)
    for _ in range(3):
        say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange)
    assert gone.get(caller().lookup) is None
    now[0] += PAUSE_SECONDS + 1
    assert gone.get(caller().lookup) is None, "tried again"
    assert say(shop, caller, cart.add, str(test_burger.id), 1, kind=cart.CartChange).result.quantity == 1


def test_what_another_version_kept_is_as_if_it_were_not_there(cache, plain_redis):
    for kept in ("{}", "[1]", "nonsense", '{"id": "1", "name": null, "language": null}'):
        plain_redis.set("chatcart:customer:someone", kept)
        assert cache.get("someone") is None


class SlowCache(RedisCustomerCache):
    """Somebody has the customer erased between the look at the table and what the cache is told."""

    erase: Callable[[], Any] | None = None

    def put(self, lookup: str, known: KnownCustomer) -> None:
        if self.erase is not None:
            erase, self.erase = self.erase, None
            with suppress(TimeoutError):
                erase().result(timeout=0.5)
        super().put(lookup, known)


def test_an_erasure_beside_a_message_leaves_nobody_in_the_cache(
    sessions, settings, sandbox, clock, caller, redis_settings, plain_redis, make_shop
):
    cache = SlowCache(redis_settings, hours_to_live=24)
    shop = Shop(sessions, settings.shop, make_shop().flags, {"sandbox": sandbox}, clock, cache)
    say(shop, caller, lambda work, who: None, kind=type(None))
    lookup = caller().lookup
    plain_redis.flushall()

    def erase_now():
        return shop.run(lambda work: privacy.erase(work, work.customers.find_by_lookup(lookup)))

    with ThreadPoolExecutor(1) as console:
        erasures = []
        cache.erase = lambda: erasures.append(console.submit(erase_now)) or erasures[0]
        shop.run(lambda work: caller().recognised(work))
        assert erasures[0].result(timeout=10).orders_kept == 0
    assert cache.get(lookup) is None
