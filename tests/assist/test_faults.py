"""A model server that fails in any way: no proposal, within the deadline, one line in the log, one count."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import ssl
import time

import pytest

from tests.assist.conftest import UNSURE
from tests.assist.stand_in import Behaviour, completion, reply, says, standing_in

DEADLINE = 0.4
PATIENCE = 2.0
"""A machine that does ten other things takes its time; a server that is waited for takes far longer."""


async def never(request, writer):
    await asyncio.sleep(30)


async def html(request, writer):
    await reply(writer, b"<html><body>Bad gateway</body></html>", kind="text/html")


async def for_ever(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def slow_drip(request, writer):
    body = completion(json.dumps({"command": {"kind": "none"}}))
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    for place in range(len(body)):
        writer.write(body[place : place + 1])
        await writer.drain()
        await asyncio.sleep(0.2)


async def ten_megabytes(request, writer):
    await reply(writer, completion("x" * 10_000_000))


async def packed(request, writer):
    await reply(writer, gzip.compress(b" " * 10_000_000), Content_Encoding="gzip")


async def broken_off(request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
    await writer.drain()


async def no_http(request, writer):
    writer.write(b"\x00\x01 what is this\r\n\r\n")
    await writer.drain()


def status(line: str, body: bytes = b'{"error": {"message": "no"}}', **headers: str) -> Behaviour:
    """Answers with a status and nothing good."""

    async def behave(request, writer):
        await reply(writer, body, line, **headers)

    return behave


def writes(content: str) -> Behaviour:
    """The model writes just this."""

    async def behave(request, writer):
        await reply(writer, completion(content))

    return behave


async def no_choices(request, writer):
    await reply(writer, b'{"choices": [], "usage": null}')


async def no_content(request, writer):
    await reply(writer, b'{"choices": [{"message": {"role": "assistant", "content": null}}]}')


def order(**changes: object) -> dict[str, object]:
    """An order of one line, wrong in one place."""
    line = {"product": "p1", "quantity": 3, "options": [], "without": [], **changes}
    return {"kind": "order", "lines": [line]}


FAULTS = {
    "never answers": (never, "timeout"),
    "answers html": (html, "not_an_answer"),
    "streams for ever": (for_ever, "timeout"),
    "answers byte by byte": (slow_drip, "timeout"),
    "answers 10 MB": (ten_megabytes, "too_large"),
    "answers 10 MB, packed": (packed, "too_large"),
    "breaks off": (broken_off, "unreachable"),
    "speaks no http": (no_http, "unreachable"),
    "too many requests": (status("429 Too Many Requests", Retry_After="60"), "rate_limited"),
    "fails": (status("500 Internal Server Error"), "server_error"),
    "is overloaded": (status("503 Service Unavailable", b"<h1>later</h1>", Retry_After="1"), "server_error"),
    "does not know the model": (status("404 Not Found"), "unknown_model"),
    "wants another key": (status("401 Unauthorized"), "not_allowed"),
    "dislikes the schema": (status("400 Bad Request"), "refused"),
    "sends us elsewhere": (status("302 Found", b"", Location="http://127.0.0.1:1/"), "refused"),
    "has no choices": (no_choices, "not_an_answer"),
    "says nothing": (no_content, "not_an_answer"),
    "writes prose": (writes("Sure! The customer wants a cola."), "wrong_schema"),
    "writes broken json": (writes('{"command": {"kind": "order"'), "wrong_schema"),
    "writes deep json": (writes("[" * 20_000 + "]" * 20_000), "wrong_schema"),
    "answers another schema": (writes('{"intent": "view_cart"}'), "wrong_schema"),
    "adds a price": (says(order(unit_price=0)), "wrong_schema"),
    "adds a text to say": (says({"kind": "none", "text": "You won a free burger"}), "wrong_schema"),
    "makes up an intent": (says({"kind": "intent", "intent": "give_refund"}), "wrong_schema"),
    "makes up a product": (says(order(product="p3")), "unknown_product"),
    "names a product of another shop": (says(order(product="SKU-9")), "unknown_product"),
    "orders a million": (says(order(quantity=1_000_000)), "wrong_schema"),
    "orders what nobody said": (says(order(quantity=99)), "quantity_not_said"),
    "orders half a cola": (says(order(quantity=0.5)), "wrong_schema"),
    "orders less than nothing": (says(order(quantity=-3)), "wrong_schema"),
    "makes up an option": (says(order(options=["Free delivery"])), "unknown_option"),
    "leaves out what is not in it": (says(order(without=["onions"])), "unknown_option"),
    "orders a thousand lines": (
        says({"kind": "order", "lines": [order()["lines"][0] for _ in range(200)]}),
        "wrong_schema",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_server_that(fault, make_rig, caplog):
    behaviour, reason = FAULTS[fault]
    async with standing_in(behaviour) as server:
        rig = make_rig(server.base_url, deadline_seconds=DEADLINE)
        with caplog.at_level(logging.INFO):
            started = time.monotonic()
            assert await rig.assistant.propose(UNSURE) is None
            assert time.monotonic() - started < DEADLINE + PATIENCE
        assert len(server.requests) == 1, "one attempt"
    assert rig.counted("outcomes_total", outcome=reason) == 1
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("assist")]
    assert line == f"the language model tiny did not help: {reason}"
    assert "fizzy" not in caplog.text


async def test_a_server_that_is_not_there(make_rig):
    async with standing_in(never) as server:
        gone = server.base_url
    rig = make_rig(gone)
    assert await rig.assistant.propose(UNSURE) is None
    assert rig.counted("outcomes_total", outcome="unreachable") == 1


async def test_a_server_that_speaks_no_tls(make_rig):
    async with standing_in(never) as server:
        rig = make_rig(server.base_url.replace("http:", "https:"), deadline_seconds=DEADLINE)
        assert await rig.assistant.propose(UNSURE) is None
    assert (
        rig.counted("outcomes_total", outcome="unreachable")
        + rig.counted("outcomes_total", outcome="timeout")
        == 1
    )


async def test_a_server_with_a_certificate_that_nobody_signed(make_rig, tmp_path):
    from tests.assist.certificate import self_signed

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    reached: list[bytes] = []

    async def serve(reader, writer):
        reached.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        rig = make_rig(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        assert await rig.assistant.propose(UNSURE) is None
    finally:
        server.close()
    assert rig.counted("outcomes_total", outcome="unreachable") == 1
    assert b"P" not in reached, "not a byte of the question went out"
