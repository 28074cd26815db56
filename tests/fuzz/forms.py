"""What Twilio posts for a message of each kind and for a delivery, and what people and attackers type."""

from __future__ import annotations

from random import Random

from tests.environment import ENVIRONMENT

Fields = list[tuple[str, str]]

SENDERS = tuple(
    [f"+234803{1_000_000 + 419 * k}" for k in range(15_000)]
    + [f"+1415555{1_000 + k}" for k in range(5_000)]
    + [f"+336{12_345_000 + 13 * k}" for k in range(5_000)]
)
"""So many that none of them says more in a minute than the shop takes from one."""
LONGEST_FIRST_CODES = ("+234", "+33", "+1")
ORDERS = (
    "hi;menu;2 burgers, one without onions, and a large cola;make that 3;checkout;yes;no;where is my order;"
    "abeg gimme two jollof;clear my cart;use code SAVE10;deliver to 12 Allen Avenue, Ikeja;STOP;help;1;10"
).split(";")
ODD_TEXTS = (
    "/",
    " /checkout",
    "/checkout",
    "/payment_confirmed{}",
    '/payment_confirmed{"amount": "0"}',
    "/restart",
    "/session_start",
    'EXTERNAL: {"a": 1}',
    "🍔🍟🥤" * 20,
    "👩🏾‍🍳 2️⃣ 🍔",
    "أريد برغر واحد من فضلك",
    "\u202eregrub 2\u202c",
    "\u200b\u2060\ufeff",
    "   \n\t ",
    "9" * 400,
    "-1 burgers",
    "1e309 burgers",
    "٣ برغر",
    "²½ burgers",
    "4111 1111 1111 1111 cvv 123",
    "a\r\nX-Injected: 1",
    "'; DROP TABLE orders; --",
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7} %s %n {0}",
    "../../etc/passwd",
    "\x01\x02\x1b[31m",
    "a\u0301" * 500,
    "\U000e0041\U0010ffff\ufffe",
)
COORDINATES = (
    "6.6018;-33.8567844;0;-0.0;90;91;-180.0000001;NaN;sNaN123;Infinity;1e999999999;1e-999999999;6,6018;٦.٦;"
    "0x10;1_0;--1; 3.35 ;3..5;+;here;" + "9" * 60
).split(";")
MEDIA = (
    "https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/MM0/Media/ME0",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:6379/",
    "https://api.twilio.com.attacker.example/x.jpg",
    "https://api.twilio.com@attacker.example/x.jpg",
    "file:///etc/passwd",
    "gopher://x",
    "//[::1",
    "",
)
KINDS = ("text", "button", "list", "location", "image", "voice", "contacts", "reply", "referral", "meta")


def national(number: str) -> str:
    """A number without its country code."""
    code = next(code for code in LONGEST_FIRST_CODES if number.startswith(code))
    return number.removeprefix(code)


def said_number(rng: Random, number: str) -> str:
    """A sender's own number, as people write it."""
    own = national(number)
    grouped = [own[:3], own[3:6], own[6:]]
    return rng.choice(
        (
            number,
            number[1:],
            f"00{number[1:]}",
            f"whatsapp:{number}",
            f"https://wa.me/{number[1:]}",
            number.removesuffix(own) + " " + " ".join(grouped),
            number.removesuffix(own) + "-".join(["", *grouped]),
            number.removesuffix(own) + f" ({grouped[0]}) {grouped[1]}.{grouped[2]}",
            number.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)}),
            "\u200b".join(number),
        )
    )


def text(rng: Random, number: str) -> str:
    """A text of a customer: mostly an order, else something odd, else one with their number in it."""
    chance = rng.random()
    if chance < 0.5:
        return rng.choice(ORDERS)
    if chance < 0.8:
        return rng.choice(ODD_TEXTS)
    if chance < 0.95:
        return f"{rng.choice(ORDERS)} {said_number(rng, number)}"
    return "".join(chr(rng.randrange(1, 0xD800)) for _ in range(rng.randrange(1, 60)))


def sid(rng: Random, prefix: str = "SM") -> str:
    """An id as Twilio makes them."""
    return f"{prefix}{rng.getrandbits(128):032x}"


def message(rng: Random, number: str) -> Fields:
    """An incoming message of some kind."""
    kind = rng.choice(KINDS)
    message_id = sid(rng, "MM" if kind in ("image", "voice", "contacts") else "SM")
    fields = {
        "SmsMessageSid": message_id,
        "NumMedia": "0",
        "ProfileName": rng.choice(("Ada", "Ada 🍔", "", "عائشة", said_number(rng, number))),
        "MessageType": kind,
        "SmsSid": message_id,
        "WaId": number[1:],
        "SmsStatus": "received",
        "Body": text(rng, number),
        "To": ENVIRONMENT["TWILIO_WHATSAPP_NUMBER"],
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "MessageSid": message_id,
        "AccountSid": ENVIRONMENT["TWILIO_ACCOUNT_SID"],
        "From": f"whatsapp:{number}",
        "ApiVersion": "2010-04-01",
        "ChannelMetadata": f'{{"type":"whatsapp","data":{{"context":{{"WaId":"{number[1:]}"}}}}}}',
    }
    fields.update(_of_kind(rng, kind, number))
    return list(fields.items())


def _of_kind(rng: Random, kind: str, number: str) -> dict[str, str]:
    """What messages of a kind have besides."""
    if kind in ("button", "list"):
        title = text(rng, number)
        name = "Button" if kind == "button" else "List"
        return {"ButtonText": title, "ButtonPayload": title, f"{name}Id": "checkout", "ListTitle": title}
    if kind == "location":
        place = {
            "Address": text(rng, number),
            "Label": text(rng, number),
            "Body": rng.choice(("", "my gate")),
        }
        return {"Latitude": "6.6018", "Longitude": "3.3515", **place}
    if kind in ("image", "voice", "contacts"):
        content_type = {"image": "image/jpeg", "voice": "audio/ogg", "contacts": "text/vcard"}[kind]
        media = {"MediaUrl0": rng.choice(MEDIA), "MediaContentType0": content_type}
        return {"NumMedia": "1", "Body": rng.choice(("", text(rng, number))), **media}
    if kind == "reply":
        return {"OriginalRepliedMessageSid": sid(rng), "OriginalRepliedMessageSender": f"whatsapp:{number}"}
    if kind == "referral":
        return {
            "ReferralBody": text(rng, number),
            "ReferralSourceUrl": rng.choice(MEDIA),
            "Forwarded": "true",
        }
    return {}


def delivery(rng: Random, number: str) -> Fields:
    """What became of a message that we sent."""
    message_id = sid(rng)
    status = rng.choice(("queued", "sent", "delivered", "read", "failed", "undelivered"))
    code = rng.choice(("63016", "63024", "30008")) if status in ("failed", "undelivered") else ""
    fields = {
        "MessageSid": message_id,
        "SmsSid": message_id,
        "MessageStatus": status,
        "SmsStatus": status,
        "ErrorCode": code,
        "ErrorMessage": rng.choice(("", f"cannot reach {number}")),
        "To": f"whatsapp:{number}",
        "From": ENVIRONMENT["TWILIO_WHATSAPP_NUMBER"],
        "AccountSid": ENVIRONMENT["TWILIO_ACCOUNT_SID"],
        "ChannelToAddress": f"{number[:-3]}XXX",
        "ApiVersion": "2010-04-01",
    }
    return list(fields.items())
