"""A short run of `make fuzz`; and a channel that breaks its promises, which has to be found out."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

import dialogue.channel
import whatsapp.conversation_queue
import whatsapp.inbound
from settings import Settings, read_settings
from tests.environment import CUSTOMER_NUMBER
from tests.fuzz.cases import NEXT_TOKEN, make_case
from tests.fuzz.webhook import Tally, Violation, fuzz, holds_a_number
from whatsapp.redaction import Redacted

SEED = 20261122
REQUESTS = 1000
FORGETFUL = """
redis.call('SET', KEYS[1], '1')
redis.call('XADD', KEYS[2], '*', 'conversation', ARGV[2], 'body', ARGV[3])
return 1
"""


@pytest.fixture
def shop(monkeypatch) -> Settings:
    """The settings with a real Redis, while the tokens rotate."""
    port = os.environ.get("CHATCART_TEST_REDIS_PORT")
    if not port:
        pytest.skip("needs a Redis: CHATCART_TEST_REDIS_PORT is not set")
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_PORT", port)
    monkeypatch.setenv("REDIS_PASSWORD", os.environ.get("CHATCART_TEST_REDIS_PASSWORD", ""))
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_NEXT", NEXT_TOKEN)
    return read_settings()


async def run(shop: Settings, requests: int = REQUESTS) -> Tally:
    """A quiet run."""
    return await fuzz(shop, requests, SEED, report=lambda _: None)


async def test_whatever_is_posted_no_promise_of_the_channel_is_broken(shop):
    tally = await run(shop)
    assert tally.requests >= REQUESTS
    assert tally.stored
    assert {200, 204, 400, 403, 405, 413, 415} <= tally.statuses.keys()


async def test_a_channel_that_believes_every_signature_is_found_out(shop, monkeypatch):
    monkeypatch.setattr(dialogue.channel, "is_signed", lambda *_: True)
    with pytest.raises(Violation, match="not signed"):
        await run(shop)


async def test_a_channel_that_keeps_numbers_is_found_out(shop, monkeypatch):
    monkeypatch.setattr(whatsapp.inbound, "redact", lambda text, *_: Redacted(text, False))
    with pytest.raises(Violation, match="the sender's number is stored"):
        await run(shop)


@pytest.mark.parametrize("script", ["ADD", "ADD_SOME"])
async def test_a_queue_that_forgets_what_it_took_in_is_found_out(shop, monkeypatch, script):
    monkeypatch.setattr(whatsapp.conversation_queue, script, FORGETFUL)
    most = 0 if script == "ADD" else 30
    forgetful = replace(shop, whatsapp=replace(shop.whatsapp, most_per_minute=most))
    with pytest.raises(Violation, match="stored again"):
        await run(forgetful)


async def test_a_queue_that_loses_messages_is_found_out(shop, monkeypatch):
    for script in ("ADD", "ADD_SOME"):
        monkeypatch.setattr(whatsapp.conversation_queue, script, "return 0")
    with pytest.raises(Violation, match="answered with 200 and not stored"):
        await run(shop)


async def test_a_channel_that_falls_over_is_found_out(shop, monkeypatch):
    monkeypatch.delattr(dialogue.channel, "parse_form")
    with pytest.raises(Violation, match="answered 500"):
        await run(shop)


def test_a_step_is_the_same_whenever_it_is_made():
    assert [make_case(7, step).raw for step in range(300)] == [make_case(7, step).raw for step in range(300)]
    assert make_case(7, 1).raw != make_case(8, 1).raw


@pytest.mark.parametrize("written", ["+234 803 123-4567", "0803.123.4567", "٠٨٠٣١٢٣٤٥٦٧", "8\u200b031234567"])
def test_a_number_is_seen_however_it_is_written(written):
    assert holds_a_number(f"call {written}!", [CUSTOMER_NUMBER.removeprefix("+234")])
