"""What the cells of a menu may hold. Each function raises ValueError with the reason in plain words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2_000
MOST_DIGITS = 10
"""Of a price, before the decimals."""
LARGEST_NUMBER = 2**31 - 1
STORED_DECIMALS = 2

_AMOUNT = re.compile(r"([+-]?) ?([0-9]+)(?:[.,]([0-9]+))?")
_YES, _NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}


def text(value: object) -> str:
    """Any text, without blanks around it; None is blank."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text; put it in quotation marks")
    kept = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()
    for character in kept:
        # NUL and lone surrogates cannot be stored; the others cannot be shown.
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise ValueError(f"holds the unprintable character U+{ord(character):04X}")
    return kept


def limited(most: int) -> Callable[[object], str]:
    """Makes a check: text of one line that is not longer than this and not blank."""

    def check(value: object) -> str:
        kept = " ".join(text(value).split())
        if not kept:
            raise ValueError("is blank")
        if len(kept) > most:
            raise ValueError(f"is longer than {most} characters")
        return kept

    return check


def description(value: object) -> str:
    """Text of several lines, or none."""
    kept = text(value)
    if len(kept) > DESCRIPTION_LENGTH:
        raise ValueError(f"is longer than {DESCRIPTION_LENGTH} characters")
    return kept


def picture(value: object) -> str | None:
    """The name of a file among the pictures, or none."""
    kept = text(value)
    if kept and (not re.fullmatch(r"\w[\w.-]*", kept) or len(kept) > NAME_LENGTH):
        raise ValueError(f"{shown(kept)} is not a file's name such as latte.jpg")
    return kept or None


def names(value: object) -> list[str]:
    """A list of names, in text separated by `|`; each once."""
    parts = text(value).split("|") if value is None or isinstance(value, str) else value
    if not isinstance(parts, list):
        raise ValueError(f"{shown(value)} is not a list of names")
    one = limited(NAME_LENGTH)
    kept: dict[str, str] = {}
    for part in parts:
        if text(part):
            name = one(part)
            kept.setdefault(name.casefold(), name)
    return list(kept.values())


def flag(value: object) -> bool:
    """Yes or no; blank is yes."""
    if isinstance(value, bool):
        return value
    word = text(value).casefold() if value is None or isinstance(value, str) else shown(value)
    if word in _NO:
        return False
    if word and word not in _YES:
        raise ValueError(f"{shown(value)} is neither yes nor no")
    return True


def whole(value: object) -> int:
    """A whole number that is not negative."""
    written = _written(value, "a whole number")
    if re.fullmatch(r"-[0-9]+", written):
        raise ValueError(f"{shown(value)} is negative")
    if not re.fullmatch(r"[0-9]+", written):
        raise ValueError(f"{shown(value)} is not a whole number")
    digits = written.lstrip("0") or "0"
    if len(digits) > len(str(LARGEST_NUMBER)) or int(digits) > LARGEST_NUMBER:
        raise ValueError(f"{shown(value)} is too large")
    return int(digits)


def stock(value: object) -> int | None:
    """Units in stock; blank is unlimited."""
    return None if value is None or value == "" else whole(value)


def money(value: object, currency: str, places: int) -> Decimal:
    """An amount, with a sign or without, in a currency that has so many decimals."""
    written = _written(value, "an amount such as 1500 or 1500.00").replace("\N{MINUS SIGN}", "-")
    match = _AMOUNT.fullmatch(written)
    if match is None:
        raise ValueError(f"{shown(value)} is not an amount such as 1500 or 1500.00, without a currency")
    sign, whole_part, decimals = match[1], match[2].lstrip("0") or "0", match[3] or ""
    if len(whole_part) > MOST_DIGITS:
        raise ValueError(f"{shown(value)} is absurd: {MOST_DIGITS} digits are the most")
    # Not rounded: 5.000 may well mean five thousand. But 1500.00 is an amount of yen.
    if len(decimals) > STORED_DECIMALS or decimals[places:].strip("0"):
        raise ValueError(
            f"{shown(value)} has more decimals than {currency} ({places}); thousands are not separated"
        )
    return Decimal(f"{sign}{whole_part}.{decimals or 0}")


def price(value: object, currency: str, places: int) -> Decimal:
    """What a product costs."""
    amount = money(value, currency, places)
    if amount < 0:
        raise ValueError(f"{shown(value)} is negative")
    return amount


def shown(value: object) -> str:
    """A value as a message may show it: on one line, harmless on a terminal, not too long."""
    written = str(value) if isinstance(value, Decimal) else repr(value)
    return written if len(written) <= 60 else f"{written[:60]}..."


def _written(value: object, what: str) -> str:
    """A number as somebody would write it."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{shown(value)} is not {what}")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -20 or number.adjusted() > 20:
        raise ValueError(f"{shown(value)} is not {what}")
    return format(number, "f")
