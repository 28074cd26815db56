"""Requests to the webhooks: each is made of the run's seed and its step's number, and of nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

from twilio.request_validator import RequestValidator

from tests.environment import ENVIRONMENT
from tests.fuzz.forms import COORDINATES, MEDIA, SENDERS, Fields, delivery, message, text

BASE = ENVIRONMENT["PUBLIC_BASE_URL"]
WEBHOOK = "/webhooks/whatsapp/webhook"
STATUS = "/webhooks/whatsapp/status"
FORM = b"application/x-www-form-urlencoded"
NEXT_TOKEN = "next-token"
TOKENS = (ENVIRONMENT["TWILIO_AUTH_TOKEN"], NEXT_TOKEN)
"""The two of a rotation: either signs."""
MEGABYTE = 1_000_000
BLANKABLE = ("Body", "From", "MessageSid", "SmsMessageSid", "To", "ProfileName", "NumMedia", "MessageStatus")
QUERIES = ("?shop=1", "?", "?a=%ff", "?a=1&a=2", "?[", "?%00", "?bodySHA256=0", "?a=b#c", "?" + "q" * 6000)
CONTENT_TYPES = (
    b"",
    b"application/json",
    b"multipart/form-data; boundary=x",
    b"text/plain",
    b"Application/X-WWW-Form-Urlencoded",
    b"application/x-www-form-urlencoded-not",
    b"\xff",
)
FINE_CONTENT_TYPES = (FORM, FORM + b"; charset=UTF-8", FORM + b"; charset=klingon")


@dataclass
class Case:
    """One request. `expected` is its status where nothing odd was done to it."""

    number: str
    fields: Fields = field(default_factory=list)
    path: str = WEBHOOK
    method: str = "POST"
    query: str = ""
    body: bytes = b""
    content_type: bytes = FORM
    signatures: list[bytes] = field(default_factory=list)
    more_headers: list[bytes] = field(default_factory=list)
    expected: int | None = None
    copies: int = 1
    """How often it is sent, at the same time."""

    @property
    def url(self) -> str:
        """The public address that this request is for; a fragment is no part of it."""
        return BASE + (self.path + self.query).partition("#")[0]

    @property
    def raw(self) -> bytes:
        """The bytes on the connection."""
        head = [f"{self.method} {self.path}{self.query} HTTP/1.1".encode(), b"Host: attacker.example"]
        if self.content_type:
            head.append(b"Content-Type: " + self.content_type)
        if self.method == "POST":
            head.append(b"Content-Length: %d" % len(self.body))
        head += [b"X-Twilio-Signature: " + signature for signature in self.signatures]
        return b"\r\n".join([*head, *self.more_headers, b"", self.body])

    @property
    def is_signed(self) -> bool:
        """Whether Twilio's own library makes one of these signatures for this body at this address."""
        form = Form(parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        right = {sign(url, form, token) for url in _spellings(self.url) for token in TOKENS}
        return not right.isdisjoint(self.signatures)

    @property
    def ids(self) -> set[str]:
        """The ids that this body names."""
        form = parse_qs(self.body.decode("utf-8", "replace"))
        return {value for name in ("MessageSid", "SmsMessageSid") for value in form.get(name, [])}


class Form(dict[str, list[str]]):
    """Fields as web frameworks hand them to Twilio's library, which asks for `getlist`."""

    def getlist(self, name: str) -> list[str]:
        """All values of a field."""
        return self[name]


def sign(url: str, form: Form, token: str) -> bytes:
    """Twilio's signature."""
    return RequestValidator(token).compute_signature(url, form).encode()


def _spellings(url: str) -> list[str]:
    """The same address: Twilio signs it with its port or without, and a blank query is none."""
    parts = urlsplit(BASE)
    plain = [url, url.removesuffix("?")]
    return [*plain, *(one.replace(parts.netloc, str(parts.hostname), 1) for one in plain)]


def make_case(seed: int, step: int) -> Case:
    """The request of a step: new, or that of a step shortly before."""
    rng = Random(f"{seed}:{step}")
    if step and rng.random() < 0.05:
        return make_case(seed, rng.randrange(max(0, step - 300), step))
    number = rng.choice(SENDERS)
    if rng.random() < 0.08:
        return _handshake(rng, number)
    is_message = rng.random() < 0.85
    case = Case(number, message(rng, number) if is_message else delivery(rng, number))
    case.path, case.expected = (WEBHOOK, 200) if is_message else (STATUS, 204)
    case.copies = rng.randint(2, 4) if rng.random() < 0.03 else 1
    # Twilio's hand: whatever stands in the fields, it is signed.
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        rng.choice(FIELD_MUTATIONS)(rng, case)
    quoted = rng.choice((quote, quote_plus))
    case.body = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in case.fields).encode()
    for _ in range(rng.choice((0, 0, 0, 0, 1))):
        rng.choice(BODY_MUTATIONS)(rng, case)
    _sign(rng, case)
    # The attacker's: after the signature was made.
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        rng.choice(FORGERIES)(rng, case)
    return case


def _sign(rng: Random, case: Case) -> None:
    if rng.random() < 0.1:
        case.query = rng.choice(QUERIES)
        case.expected = None
    form = Form(parse_qs(case.body.decode("utf-8", "replace"), keep_blank_values=True))
    case.signatures = [sign(case.url, form, rng.choice(TOKENS))]


def _handshake(rng: Random, number: str) -> Case:
    """A GET: Meta's verification of a webhook, or something like it."""
    case = Case(number, method="GET", path=rng.choice((WEBHOOK, WEBHOOK, STATUS)), content_type=b"")
    token = rng.choice((ENVIRONMENT["WHATSAPP_WEBHOOK_VERIFY_TOKEN"], "guess", "tökén", "", "\0", "x" * 3000))
    values = {
        "hub.mode": rng.choice(("subscribe", "unsubscribe", "")),
        "hub.verify_token": token,
        "hub.challenge": rng.choice(("1158201444", "", "a\r\nb", text(rng, number))),
    }
    names = rng.sample(sorted(values), rng.randint(0, 3))
    case.query = "?" + "&".join(f"{name}={quote(values[name])}" for name in names)
    if rng.random() < 0.2:
        case.query = rng.choice(
            (*QUERIES, "?hub.mode=subscribe&hub.verify_token=%ff%fe", "?hub.verify_token")
        )
    return case


def _change(name: str, value: str, case: Case) -> None:
    case.fields = [pair for pair in case.fields if pair[0] != name] + [(name, value)]
    case.expected = None


def _blank(rng: Random, case: Case) -> None:
    _change(rng.choice(BLANKABLE), "", case)


def _missing(rng: Random, case: Case) -> None:
    names = set(rng.sample(BLANKABLE, rng.randint(1, 4)))
    case.fields = [pair for pair in case.fields if pair[0] not in names]
    case.expected = None


def _many(rng: Random, case: Case) -> None:
    case.fields += [(f"Field{number}", "x") for number in range(rng.choice((100, 180, 400)))]
    case.expected = None


def _doubled(rng: Random, case: Case) -> None:
    name, value = rng.choice(case.fields)
    case.fields.append((name, rng.choice((value, "", text(rng, case.number)))))
    case.expected = None


def _array(rng: Random, case: Case) -> None:
    name, value = rng.choice(case.fields)
    _change(name + rng.choice(("[]", "[0]", "[a][b]", "[__proto__]")), value, case)


def _nul(rng: Random, case: Case) -> None:
    name, value = rng.choice(case.fields)
    _change(*rng.choice(((name + "\0", value), (name, value + "\0"), ("\0", "\0"))), case)


def _pin(rng: Random, case: Case) -> None:
    _change("Latitude", rng.choice(COORDINATES), case)
    _change("Longitude", rng.choice(COORDINATES), case)
    if rng.random() < 0.5:
        _change("Body", "", case)


def _media(rng: Random, case: Case) -> None:
    _change("NumMedia", rng.choice(("1", "10", "-1", "x", "9" * 50)), case)
    for number in range(rng.randint(1, 10)):
        _change(f"MediaUrl{number}", rng.choice(MEDIA), case)


def _odd_value(rng: Random, case: Case) -> None:
    names = [name for name, _ in case.fields if name not in ("MessageSid", "SmsMessageSid", "From")]
    _change(rng.choice(names), text(rng, case.number), case)


def _odd_sender(rng: Random, case: Case) -> None:
    own = case.number
    senders = (
        "whatsapp:",
        "whatsapp:ada",
        f"sms:{own}",
        own,
        f"whatsapp: {own} ",
        "whatsapp:+1",
        "NG.1234567890",
    )
    _change("From", rng.choice((*senders, "whatsapp:+" + "9" * 500, text(rng, own))), case)


def _odd_id(rng: Random, case: Case) -> None:
    _change("MessageSid", rng.choice(("x", " ", "SM\n1", "*", "é" * 40, "SM" + "0" * 5000, "{}")), case)


def _odd_delivery(rng: Random, case: Case) -> None:
    _change("MessageStatus", rng.choice(("", "x" * 300, "read\nread", "canceled", "READ", "\u200b")), case)
    _change("ErrorCode", rng.choice(("", "9" * 400, "x", "63016\n", "-1", "٦٣٠١٦")), case)


def _long(rng: Random, case: Case) -> None:
    name = rng.choice(("Body", "ProfileName", "Address", "ButtonText"))
    _change(name, rng.choice(("a", "9 ", "🍔", "+")) * rng.choice((4096, 4097, 9000, 20_000)), case)


FIELD_MUTATIONS: tuple[Callable[[Random, Case], None], ...] = (
    _blank,
    _missing,
    _many,
    _doubled,
    _array,
    _nul,
    _pin,
    _media,
    _odd_value,
    _odd_value,
    _odd_sender,
    _odd_id,
    _odd_delivery,
    _long,
)


def _invalid_utf8(rng: Random, case: Case) -> None:
    case.body += b"&X=" + rng.choice((b"%ff", b"\xff", b"%ed%a0%80", b"%c3", b"%f8%88%80%80%80"))
    case.expected = None


def _random_bytes(rng: Random, case: Case) -> None:
    case.body = rng.randbytes(rng.randint(0, 400))
    case.expected = None


def _odd_form(rng: Random, case: Case) -> None:
    tails = (b"&", b"&&&", b"&=", b"&=x", b"&Lonely", b";a=b", b"&%", b"&%zz=1", b"&a=b=c", b"&+=%20", b"#x")
    case.body += rng.choice(tails)
    case.expected = None


def _huge(rng: Random, case: Case) -> None:
    if rng.random() < 0.1:
        case.body += b"&Huge=" + b"a" * MEGABYTE
    else:
        case.body += b"&Large=" + b"a" * (64 * 1024 - len(case.body) - 7 + rng.choice((-1, 0, 1)))
    case.expected = None


BODY_MUTATIONS: tuple[Callable[[Random, Case], None], ...] = (_invalid_utf8, _random_bytes, _odd_form, _huge)


def _no_signature(_: Random, case: Case) -> None:
    case.signatures, case.expected = [], None


def _wrong_signature(rng: Random, case: Case) -> None:
    right = case.signatures[0] if case.signatures else b"A" * 28
    wrong = (
        b"",
        b"AAAA",
        base64.b64encode(rng.randbytes(20)),
        right[:-2],
        right.lower(),
        b"\xff" * 28,
        right * 2,
    )
    case.signatures = [rng.choice(wrong)] + ([right] if rng.random() < 0.1 else [])
    case.expected = None


def _signed_otherwise(rng: Random, case: Case) -> None:
    """Right for another address, or made with another account's token."""
    form = Form(parse_qs(case.body.decode("utf-8", "replace"), keep_blank_values=True))
    elsewhere = (f"https://attacker.example{WEBHOOK}", case.url + "?x=1", BASE + "/", case.url.upper())
    other = STATUS if case.path == WEBHOOK else WEBHOOK
    token, url = rng.choice(((TOKENS[0], rng.choice((*elsewhere, BASE + other))), ("another", case.url)))
    case.signatures, case.expected = [sign(url, form, token)], None


def _altered(rng: Random, case: Case) -> None:
    """Other fields than those that were signed."""
    altered = (b"&Body=200+burgers", b"&Extra=1", b"&From=whatsapp:%2B2348099999999", b"&MessageSid=SM1")
    case.body, case.expected = case.body + rng.choice(altered), None


def _flipped(rng: Random, case: Case) -> None:
    if case.body:
        place = rng.randrange(len(case.body))
        case.body = case.body[:place] + rng.randbytes(1) + case.body[place + 1 :]
    case.expected = None


def _other_query(rng: Random, case: Case) -> None:
    case.query, case.expected = rng.choice(QUERIES), None


def _content_type(rng: Random, case: Case) -> None:
    if rng.random() < 0.3:
        case.content_type = rng.choice(FINE_CONTENT_TYPES)
    else:
        case.content_type, case.expected = rng.choice(CONTENT_TYPES), None


def _headers(rng: Random, case: Case) -> None:
    """Headers that proxies and attackers add; they change nothing."""
    added = (
        b"X-Forwarded-Host: shop.example",
        b"X-Forwarded-Proto: https",
        b"X-Original-URL: /webhooks/whatsapp/status",
        b"X-HTTP-Method-Override: DELETE",
        b"Cookie: " + b"c" * 3000,
        b"Content-Encoding: gzip",
        b"Accept: \xff\xfe",
        b"X-Request-ID: " + rng.randbytes(8).hex().encode() + b"\t%00",
    )
    case.more_headers += rng.sample(added, rng.randint(1, 3))


FORGERIES: tuple[Callable[[Random, Case], None], ...] = (
    _no_signature,
    _wrong_signature,
    _signed_otherwise,
    _altered,
    _flipped,
    _other_query,
    _content_type,
    _headers,
)
