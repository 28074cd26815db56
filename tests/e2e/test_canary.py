"""One conversation with everything in it that must not be kept: the number and a card, found nowhere."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from db.models import OrderStatus
from shop import order_status
from shop.service import Shop
from tests.e2e.rows import latest_order_of, pseudonym
from tests.e2e.system import Phone, System

NUMBER = "+2348055512399"
CARD = "4242424242424242"
DELIVERING = {"DELIVERY_FEE": "1500", "PAYMENT_PROVIDERS": "sandbox,cash", "LOG_FORMAT": "json"}
PROCESSES = ("actions", "rasa", "sender", "web")
PIN = {
    "Latitude": "6.601838",
    "Longitude": "3.351486",
    "Address": "12 Allen Avenue, Ikeja, call 0805 551 2399",
    "Label": "Blue gate +234 (805) 551-2399",
    "Body": "",
}
TYPED = [
    "my number is 08055512399",
    "call me on 0805 551 2399",
    "+234 805 551 2399",
    "2348055512399",
    "write to whatsapp:+2348055512399 please",
    "it is 234-805-551-2399, or 8055512399",
    f"my card is {CARD}",
    "4242 4242 4242 4242 exp 12/29 cvv 123",
]


def digits(value: str) -> re.Pattern[str]:
    """Finds these digits, whatever stands between them that is neither a letter nor a digit."""
    return re.compile(r"[\W_]{0,8}".join(value))


# The last ten digits are in every way of writing the number.
SECRETS = {"number": digits("8055512399"), "card": digits(CARD)}


class CanaryPhone(Phone):
    """A phone whose messages have ids without its number, as Twilio's have."""

    def fields(self, text: str) -> dict[str, str]:
        return {**super().fields(text), "MessageSid": f"SM{uuid.uuid4().hex}"}


@dataclass
class Conversation:
    """What was said, and where it is looked for afterwards."""

    system: System
    state_dir: Path
    phone: Phone
    order_number: str = ""
    links: list[str] = field(default_factory=list)

    def places(self) -> Iterator[tuple[str, str]]:
        """Everything that is kept or shown, by where it is."""
        yield from self.tables()
        yield from self.redis()
        yield from self.files()
        yield from self.answers()
        yield from (("a link", link) for link in self.links)

    def tables(self) -> Iterator[tuple[str, str]]:
        names = self.system.rows(
            "SELECT format('%%I.%%I', table_schema, table_name) FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        for (name,) in names:
            for (row,) in self.system.rows(f"SELECT t::text FROM {name} t"):
                yield f"table {name}", str(row)

    def redis(self) -> Iterator[tuple[str, str]]:
        settings = self.system.settings.redis
        client: Any = redis.Redis(
            host=settings.host or "", port=settings.port, password=settings.password, decode_responses=True
        )
        readers = {
            "string": client.get,
            "hash": client.hgetall,
            "list": lambda key: client.lrange(key, 0, -1),
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            "stream": client.xrange,
            "none": lambda key: "",  # expired since
        }
        for key in client.scan_iter(count=1000):
            yield f"Redis {key}", f"{key} {readers[client.type(key)](key)}"

    def files(self) -> Iterator[tuple[str, str]]:
        """The processes' logs, the servers' own, and all that was ever written to Redis."""
        folder = self.state_dir
        written = [*(folder / "logs").iterdir(), folder / "postgres" / "log"]
        written += [path for path in (folder / "valkey").rglob("*") if path.is_file()]
        for path in written:
            yield f"file {path.relative_to(folder)}", path.read_text(encoding="utf-8", errors="replace")

    def answers(self) -> Iterator[tuple[str, str]]:
        settings = self.system.settings
        web = f"http://127.0.0.1:{settings.port}"
        addresses = [f"{web}{path}" for path in ("/health/live", "/health/ready")]
        addresses += self.system.metrics_pages().values()
        addresses += [f"{settings.actions_url}/health", f"{settings.rasa_url}/webhooks/whatsapp/"]
        ours = [link for link in self.links if link.startswith(settings.public_base_url)]
        for address in [*addresses, *ours]:
            answer = httpx.get(address)
            yield f"page {address}", f"{answer.headers} {answer.text}"

    def found(self, wanted: re.Pattern[str]) -> list[str]:
        """Where a text matches; each place once."""
        return list(dict.fromkeys(place for place, text in self.places() if wanted.search(text)))


@pytest.fixture(scope="module")
def conversation(delivering: System, staff: Shop, system_dir: Path) -> Conversation:
    """From hello to the refund, with the number and a card wherever one can write them."""
    phone = CanaryPhone(delivering, NUMBER, name="Ada 08055512399")
    assert "Test Kitchen" in phone.say("hello")
    assert "Cola (Large)" in phone.say("2 large colas and a beef burger without onions")
    for text in TYPED:
        phone.say(text)
    phone.say("checkout")
    phone.say("delivery please")
    assert "Allen Avenue" in pinned(phone)
    phone.say("1")
    links = re.findall(r"http\S+/payments/sandbox/\S+", phone.say("yes"))
    assert links, "the order was placed"
    assert httpx.post(links[0], data={"outcome": "paid"}).status_code == 200
    assert "Payment received" in phone.hear()
    assert latest_order_of(delivering, phone)["status"] == "paid"
    ((number,),) = delivering.rows("SELECT number FROM orders")
    number = str(number)
    assert number in phone.say("where is my order")
    assert "/receipts/" in phone.say("send me the receipt please")
    for status in (OrderStatus.PREPARING, OrderStatus.READY, OrderStatus.COMPLETED):
        staff.run(lambda work, to=status: order_status.advance(work, number, to, "ada"))
        assert number in phone.hear()
    staff.run(lambda work: order_status.refund(work, number, None, "ada", "cold"))
    assert number in phone.hear()
    assert latest_order_of(delivering, phone)["status"] == "refunded"

    sent = delivering.sent_to(NUMBER)
    texts = [message.body for message in sent] + [url for message in sent for url in message.media]
    everything = "\n".join(texts)
    assert not SECRETS["card"].search(everything), "the bot repeats no card"
    return Conversation(delivering, system_dir, phone, number, re.findall(r"https?://\S+", everything))


def pinned(phone: Phone) -> str:
    """Send a pin on the map; what the bot answers."""
    assert phone.system.post({**phone.fields(""), **PIN}).status_code == 200
    return phone.hear()


@pytest.mark.parametrize("secret", SECRETS)
def test_what_a_customer_never_gave_us_to_keep_is_nowhere(conversation: Conversation, secret: str) -> None:
    assert conversation.found(SECRETS[secret]) == []


def test_the_search_finds_what_is_there(conversation: Conversation) -> None:
    """Or the test above would say nothing."""
    kinds = {place.split()[0] for place, _ in conversation.places()}
    assert kinds == {"table", "Redis", "file", "page", "a"}
    names = {place for place, _ in conversation.places()}
    assert {f"file logs/{name}.log" for name in PROCESSES} <= names
    assert "file postgres/log" in names and any("appendonly" in name for name in names)

    number = conversation.found(digits(conversation.order_number))
    assert {"table public.orders", "table public.outbox", "file logs/web.log"} <= set(number)
    assert any(place.startswith("Redis chatcart:session:") for place in number)
    for process, page in conversation.system.metrics_pages().items():
        assert f"page {page}" in conversation.found(re.compile("chatcart_")), f"metrics of {process}"
    receipts = [link for link in conversation.links if "/receipts/" in link]
    assert receipts and all(f"page {link}" in number for link in receipts)

    known = pseudonym(conversation.system, conversation.phone)
    assert f"Redis chatcart:session:{known}" in conversation.found(re.compile(known))
    masked = conversation.found(re.compile(r"•••|\\u2022"))
    assert {f"Redis chatcart:session:{known}", "table public.customers", "table public.orders"} <= set(masked)
    # Of the session the last turns are kept; what Redis was once told is in its file.
    assert any("appendonly" in place for place in conversation.found(re.compile(re.escape("[card]"))))
    address = conversation.found(re.compile("Allen Avenue"))
    assert {"table public.orders", "table public.carts"} <= set(address), (
        "the pin was kept, but for the number"
    )


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_logs_json_lines(conversation: Conversation, process: str) -> None:
    lines = conversation.system.log(process).splitlines()
    # Rasa's libraries warn of each other while they are imported, before there is anything to set up.
    first = next(number for number, line in enumerate(lines) if line.startswith("{"))
    assert first == 0 or process == "rasa"
    for line in lines[first:]:
        told = json.loads(line)
        assert {"time", "level", "logger", "message"} <= set(told), line


def test_a_message_is_one_line_with_its_state_and_its_time(conversation: Conversation) -> None:
    lines = conversation.system.log("rasa").splitlines()
    served = [json.loads(line) for line in lines if '"message served"' in line]
    known = pseudonym(conversation.system, conversation.phone)
    assert {line["conversation"] for line in served} == {known[:12]}
    assert len({line["message_id"] for line in served}) == len(served), "one line for a message"
    assert all(line["milliseconds"] > 0 for line in served)
    confirmed = [line for line in served if line["intent"] == "payment_confirmed"]
    assert [(line["state_before"], line["state"]) for line in confirmed] == [
        ("AWAITING_PAYMENT", "ORDER_COMPLETE")
    ]


@pytest.mark.parametrize("text", [*TYPED, PIN["Address"], PIN["Label"], "4242-4242.4242_4242", NUMBER])
def test_the_search_knows_every_way_of_writing_it(text: str) -> None:
    assert any(secret.search(text) for secret in SECRETS.values())


@pytest.mark.parametrize("planted", [NUMBER, "0805 551 2399", CARD])
def test_what_is_planted_in_a_table_or_in_redis_is_found(conversation: Conversation, planted: str) -> None:
    secret = SECRETS["card" if planted == CARD else "number"]
    settings = conversation.system.settings.redis
    client = redis.Redis(host=settings.host or "", port=settings.port, password=settings.password)
    rows = conversation.system.rows
    rows("CREATE TABLE planted (kept jsonb)")
    rows("INSERT INTO planted SELECT jsonb_build_object('words', jsonb_build_array(%s::text))", planted)
    client.hset("planted", "words", planted)
    try:
        places = set(conversation.found(secret))
        assert {"table public.planted", "Redis planted"} <= places
    finally:
        rows("DROP TABLE planted")
        client.delete("planted")
