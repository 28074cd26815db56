"""A week's opening hours as a form has them, written in OpenStreetMap's notation and read from it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shop.errors import BadInput

DAYS = {
    "Mo": "Monday",
    "Tu": "Tuesday",
    "We": "Wednesday",
    "Th": "Thursday",
    "Fr": "Friday",
    "Sa": "Saturday",
    "Su": "Sunday",
}
NEVER = "off"
SPAN = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4])[:.]([0-5]\d)")
_RULE = re.compile(r"(?P<days>[A-Z][a-z](?:[-,][A-Z][a-z])*) (?P<spans>off|[\d:,-]+)")


def written(week: Mapping[str, str]) -> str:
    """The notation for a week: for each day its hours such as `9:00-12:00, 14:00-20:00`; empty: closed.

    Days in a row with the same hours become one rule.

    Raises:
        BadInput
    """
    hours = [(day, _spans(DAYS[day], week.get(day, ""))) for day in DAYS]
    rules: list[tuple[str, str, str]] = []
    for day, spans in hours:
        if rules and rules[-1][2] == spans:
            rules[-1] = (rules[-1][0], day, spans)
        else:
            rules.append((day, day, spans))
    open_rules = [
        f"{first if first == last else f'{first}-{last}'} {spans}" for first, last, spans in rules if spans
    ]
    return "; ".join(open_rules) or NEVER


def read(notation: str) -> dict[str, str] | None:
    """The week behind a notation that `written` could have made; None where it says more than a week."""
    names = list(DAYS)
    week = dict.fromkeys(names, "")
    if notation == NEVER:
        return week
    for rule in filter(None, (part.strip() for part in notation.split(";"))):
        match = _RULE.fullmatch(rule)
        if match is None:
            return None
        for part in match["days"].split(","):
            first, _, last = part.partition("-")
            if first not in names or (last or first) not in names:
                return None
            chosen = names[names.index(first) : names.index(last or first) + 1]
            if not chosen:
                return None
            week.update(
                dict.fromkeys(chosen, "" if match["spans"] == "off" else match["spans"].replace(",", ", "))
            )
    return week if notation.strip() else None


def _spans(day: str, typed: str) -> str:
    """The hours of a day in the notation; a time after midnight belongs to the evening before."""
    spans = []
    for part in filter(None, (part.strip() for part in typed.split(","))):
        match = SPAN.fullmatch(part)
        if match is None or (match[3] == "24" and match[4] != "00"):
            raise BadInput("hours", f"{day}: write hours such as 9:00-12:00, 14:00-20:00; empty is closed.")
        spans.append(f"{int(match[1]):02d}:{match[2]}-{int(match[3]):02d}:{match[4]}")
    return ",".join(spans)
