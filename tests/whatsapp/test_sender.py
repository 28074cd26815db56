"""The sender, against a stand-in of Twilio's API that answers over HTTP as it is told to."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("starlette", reason="the stand-in of Twilio's API is on the commerce plane")

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from settings import PrivacySettings, read_settings
from tests.environment import CUSTOMER_NUMBER
from tests.whatsapp.conftest import until, working
from web.local_whatsapp.twilio_api import TwilioStandIn
from whatsapp import window
from whatsapp.conversation_queue import Entry, outbound_queue
from whatsapp.daily import DailyFigures
from whatsapp.deliveries import UNDELIVERED_KEY, Deliveries
from whatsapp.identity import Identity
from whatsapp.outbound import OutboundMessage
from whatsapp.pacing import KEY, TAKE, Pace
from whatsapp.sender import Figures, Sender
from whatsapp.twilio_api import MOST_RETRY_AFTER_SECONDS, TwilioMessages
from whatsapp.worker import RetryLater

pytestmark = pytest.mark.usefixtures("short_waits")

BUSY = '{"code": 20429, "message": "Too Many Requests", "status": 429}'
REFUSED = '{"code": 63016, "message": "Outside the allowed window", "status": 400}'
OPTED_OUT = '{"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}'


@dataclass
class Twilio:
    """Twilio's API: what it shall answer next, and what reached the phone."""

    stand_in: TwilioStandIn
    answers: list[Response] = field(default_factory=list)
    lose_answers: int = 0
    posts: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as told, else as Twilio does."""
        app = Starlette(routes=self.stand_in.routes())
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        self.posts += 1
        if self.answers:
            await self.answers.pop(0)(scope, receive, send)
        elif self.lose_answers:
            self.lose_answers -= 1
            await app(scope, receive, _nowhere)
            await PlainTextResponse("<html>Bad Gateway</html>", 502)(scope, receive, send)
        else:
            await app(scope, receive, send)

    def bodies(self, number: str = CUSTOMER_NUMBER) -> list[str]:
        """What a phone got."""
        return [message.body for message in self.stand_in.phones.of(number)]


async def _nowhere(_: Any) -> None:
    """An answer that is lost on its way."""


@pytest.fixture
def twilio(settings, monkeypatch) -> Iterator[Twilio]:
    """The stand-in, listening; TWILIO_API_BASE_URL names it."""
    api = Twilio(TwilioStandIn(settings.whatsapp))
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    monkeypatch.setenv("TWILIO_API_BASE_URL", f"http://127.0.0.1:{port}")
    yield api
    server.should_exit = True
    thread.join(5)


def make_sender(redis: Any, identity: Identity, opted_out: list[str] | None = None, **changed: Any) -> Sender:
    """The sender of these settings; `opted_out` gets the conversations that it tells of."""
    opted_out = [] if opted_out is None else opted_out
    settings = read_settings()
    figures = Figures.make(CollectorRegistry(), settings.shop.timezone)
    whatsapp = replace(settings.whatsapp, **changed)
    return Sender(redis, identity, TwilioMessages(settings), whatsapp, figures, opted_out.append)


@pytest.fixture
def sender(redis, identity, twilio) -> Sender:
    """The sender of these settings."""
    return make_sender(redis, identity)


@pytest.fixture
def message(identity: Identity) -> OutboundMessage:
    """A reply to the customer."""
    return OutboundMessage("SM1:0", "ada", identity.seal(CUSTOMER_NUMBER), "2 × Test Burger · ₦11,000.00")


async def deliver_all(redis: Any, sender: Sender) -> None:
    """Let the sender work until nothing waits."""

    async def empty() -> bool:
        return await redis.xlen("chatcart:outbound") == 0

    async with working(sender.worker()):
        await until(empty)


def entry(message: OutboundMessage) -> Entry:
    """A message as it waits on the stream."""
    return Entry("1-0", message.conversation, message.to_json())


async def test_a_message_is_delivered_once_from_the_shops_number(redis, sender, twilio, message):
    await outbound_queue(redis).add(message)
    assert not await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body]
    assert [key async for key in redis.scan_iter(match="chatcart:outbound:attempt:*")] == []


async def test_the_replies_of_a_conversation_arrive_in_order_with_their_pictures(
    redis, sender, twilio, message
):
    for number in range(5):
        picture = ("http://x/burger.jpg",) if number == 2 else ()
        reply = OutboundMessage(f"SM1:{number}", "ada", message.address, f"reply {number}", picture)
        await outbound_queue(redis).add(reply)
    await deliver_all(redis, sender)
    told = twilio.stand_in.phones.of(CUSTOMER_NUMBER)
    assert [one.body for one in told] == [f"reply {number}" for number in range(5)]
    assert [one.media for one in told if one.media] == [("http://x/burger.jpg",)]


async def test_a_message_that_had_reached_twilio_is_not_sent_again(redis, sender, twilio, message):
    # The sender delivered, and died before it could commit.
    await sender.deliver(entry(message))
    assert twilio.bodies() == [message.body]
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body]


async def test_a_message_whose_attempt_never_reached_twilio_is_sent(redis, sender, twilio, message):
    # The sender noted its attempt, and died before it could deliver.
    now = datetime.now(timezone.utc).isoformat()
    await redis.set(f"chatcart:outbound:attempt:{message.id}", now)
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body]


async def test_an_answer_that_was_lost_doubles_nothing(redis, sender, twilio, message):
    twilio.lose_answers = 1
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body]
    assert twilio.posts == 1


async def test_the_same_words_in_two_replies_are_said_twice(redis, sender, twilio, message):
    for number in range(2):
        reply = OutboundMessage(f"SM{number}:0", "ada", message.address, message.body)
        await outbound_queue(redis).add(reply)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body] * 2


@pytest.mark.parametrize(
    "answer",
    [
        Response(BUSY, 429, {"Retry-After": "0"}, "application/json"),
        Response('{"code": 20500, "message": "Internal error"}', 500, None, "application/json"),
        Response("<html>Service Unavailable</html>", 503),
    ],
    ids=["429", "500", "503"],
)
async def test_twilio_is_asked_again_when_it_was_busy_or_broken(redis, sender, twilio, message, answer):
    twilio.answers = [answer, answer]
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body]
    assert twilio.posts == 3


async def test_the_message_that_waits_for_twilio_keeps_its_place(redis, sender, twilio, message):
    twilio.answers = [Response(BUSY, 429, None, "application/json")]
    await outbound_queue(redis).add(message)
    later = OutboundMessage("SM2:0", "ada", message.address, "later")
    await outbound_queue(redis).add(later)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body, "later"]


async def test_what_twilio_refuses_is_dropped_with_one_line_without_the_number(
    redis, sender, twilio, message, caplog
):
    caplog.set_level(logging.INFO, logger="whatsapp")
    twilio.answers = [Response(REFUSED, 400, None, "application/json")]
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("whatsapp")]
    assert lines == [
        "message SM1:0 refused by Twilio: code 63016, the customer has not written for 24 hours, and only an"
        " approved template may go out"
    ]
    assert twilio.bodies() == []
    assert twilio.posts == 1


async def test_who_opted_out_is_told_of_once_refused(redis, identity, twilio, message):
    opted_out: list[str] = []
    twilio.answers = [Response(OPTED_OUT, 400, None, "application/json")]
    await outbound_queue(redis).add(message)
    await deliver_all(redis, make_sender(redis, identity, opted_out))
    assert (opted_out, twilio.posts) == (["ada"], 1)


async def test_of_the_shops_own_messages_those_that_were_refused_or_given_up_are_listed(
    redis, sender, twilio, message
):
    await redis.flushall()
    own = replace(message, id="an event:0", notice=True)
    twilio.answers = [Response(REFUSED, 400, None, "application/json")] * 2
    await outbound_queue(redis).add(own)
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    pipeline = redis.pipeline(transaction=True)
    (await sender.give_up(entry(replace(own, id="another:0"))))(pipeline)
    await pipeline.execute()
    assert await redis.lrange(UNDELIVERED_KEY, 0, -1) == ["an event:0 63016", "another:0 "]


async def test_one_of_the_shops_own_that_is_lost_later_is_listed(redis, sender, twilio, message):
    await redis.flushall()
    await outbound_queue(redis).add(replace(message, id="an event:0", notice=True))
    await deliver_all(redis, sender)
    (sent,) = twilio.stand_in.phones.of(CUSTOMER_NUMBER)
    await Deliveries(redis).record(sent.sid, "undelivered", "63016")
    assert await redis.lrange(UNDELIVERED_KEY, 0, -1) == ["an event:0 63016"]


async def answered_today(redis: Any) -> dict[float | None, int]:
    """What the dashboard reads: how many answers kept which bound."""
    zone = read_settings().shop.timezone
    (day,) = await DailyFigures(zone).of(redis, [datetime.now(ZoneInfo(zone)).date()])
    return dict(day.answered)


async def test_only_what_twilio_took_is_an_answer_and_what_was_given_up_is_the_slowest(
    redis, sender, twilio, message
):
    await redis.flushall()
    asked = replace(message, asked_at=time.time())
    twilio.answers = [Response(REFUSED, 400, None, "application/json")]
    await outbound_queue(redis).add(asked)
    await deliver_all(redis, sender)
    assert await answered_today(redis) == {}
    await outbound_queue(redis).add(replace(asked, id="SM2:0"))
    await deliver_all(redis, sender)
    assert sum((await answered_today(redis)).values()) == 1
    pipeline = redis.pipeline(transaction=True)
    (await sender.give_up(entry(asked)))(pipeline)
    await pipeline.execute()
    assert (await answered_today(redis))[None] == 1


async def test_a_message_whose_address_no_key_opens_is_dropped_and_the_next_one_goes(
    redis, sender, twilio, message, caplog
):
    elsewhere = Identity(PrivacySettings((base64.urlsafe_b64encode(b"k" * 32).decode(),), b"i" * 32))
    stray = OutboundMessage("SM0:0", "ada", elsewhere.seal(CUSTOMER_NUMBER), "for nobody")
    await outbound_queue(redis).add(stray)
    await outbound_queue(redis).add(message)
    await deliver_all(redis, sender)
    assert twilio.bodies() == [message.body]
    assert "message SM0:0 dropped: no key opens its address" in caplog.text
    assert CUSTOMER_NUMBER not in caplog.text


async def test_an_api_out_of_reach_is_asked_later(redis, identity, message, monkeypatch):
    monkeypatch.setenv("TWILIO_API_BASE_URL", "http://127.0.0.1:9")
    unreachable = make_sender(redis, identity)
    with pytest.raises(RetryLater) as wish:
        await unreachable.deliver(entry(message))
    assert CUSTOMER_NUMBER not in str(wish.value)


async def test_a_message_that_cannot_be_delivered_for_long_is_given_up_with_one_line(
    redis, sender, message, caplog
):
    effects = await sender.give_up(entry(message))
    assert "message SM1:0 not delivered" in caplog.text
    assert CUSTOMER_NUMBER not in caplog.text
    async with redis.pipeline() as pipeline:
        effects(pipeline)
        assert len(pipeline) == 0


@pytest.mark.parametrize("asked", ["7", "Wed, 21 Oct 2065 07:28:00 GMT"], ids=["seconds", "date"])
async def test_twilio_says_how_long_it_wants_to_be_left_alone(redis, sender, twilio, message, asked):
    twilio.answers = [Response(BUSY, 429, {"Retry-After": asked}, "application/json")]
    with pytest.raises(RetryLater) as wish:
        await sender.deliver(entry(message))
    assert wish.value.seconds == (7 if asked == "7" else MOST_RETRY_AFTER_SECONDS)


async def test_a_list_to_tap_is_sent_by_its_template(redis, sender, twilio, message):
    variables = {"1": "Pick one", "2": "Soup", "3": "token0", "4": "Rice", "5": "token1"}
    shown = replace(message, body="Pick one", content_sid="HX" + "2" * 32, content_variables=variables)
    await sender.deliver(entry(shown))
    (arrived,) = twilio.stand_in.phones.of(CUSTOMER_NUMBER)
    assert (arrived.body, arrived.buttons) == ("Pick one", (("Soup", "token0"), ("Rice", "token1")))


@pytest.mark.parametrize(("wrote", "template"), [(True, False), (False, True)])
async def test_a_notice_goes_out_by_its_template_when_the_customer_wrote_long_ago(
    redis, identity, twilio, message, wrote, template
):
    sent: list[Any] = []
    sender = make_sender(redis, identity, content_sids={"notice": "HX" + "9" * 32})
    create = sender._messages.create
    sender._messages.create = lambda *given: (sent.append(given), create(*given))[1]
    if wrote:
        async with redis.pipeline() as pipeline:
            window.open_in(pipeline, "ada")
            await pipeline.execute()
    await sender.deliver(entry(replace(message, body="Your order\nis ready", notice=True)))
    ((_, _, _, sid, variables),) = sent
    assert (sid is not None) is template
    assert variables == ({"1": "Your order is ready"} if template else {})


async def test_all_senders_together_keep_the_pace(redis):
    """Slots are handed out by Redis, one after the other, whoever asks."""
    waits = [int(await redis.eval(TAKE, 1, KEY, 1000)) for _ in range(4)]
    assert waits[0] == 0
    assert [round(wait / 1000) for wait in waits] == [0, 1, 2, 3]


async def test_without_a_limit_nobody_waits(redis):
    await Pace(redis, 0).wait()
    assert not await redis.exists(KEY)
