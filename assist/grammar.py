"""The closed grammar of what the model may answer, and its JSON schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from shop.candidates import Candidate
from shop.quantities import MOST_PER_LINE

MOST_LINES = 8
MOST_DETAILS = 10
NAME_CHARACTERS = 80

Known = Literal[
    "browse_menu",
    "view_cart",
    "checkout",
    "track_order",
    "ask_opening_hours",
    "reorder",
    "help",
    "human_handoff",
    "affirm",
    "deny",
    "payment_done",
    "cancel_order",
    "clear_cart",
    "delete_my_data",
    "stop_messages",
    "start_over",
]
PROPOSED = frozenset(
    "browse_menu view_cart checkout track_order ask_opening_hours reorder help human_handoff".split()
)
"""Those that a customer may be asked about: the worst that a yes does can be undone, or is asked about once
more. The others are known so that they are recognised, and never proposed: who means them has to say so."""
Clarify = Literal["product", "quantity", "other"]
Detail = Annotated[str, Field(max_length=NAME_CHARACTERS)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderLine(_Closed):
    """Some of a candidate; `product` is its key in the question (`p1`)."""

    product: Annotated[str, Field(max_length=8)]
    quantity: Annotated[int, Field(ge=1, le=MOST_PER_LINE)]
    options: Annotated[tuple[Detail, ...], Field(max_length=MOST_DETAILS)]
    without: Annotated[tuple[Detail, ...], Field(max_length=MOST_DETAILS)]


class Order(_Closed):
    """The customer orders."""

    kind: Literal["order"]
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=MOST_LINES)]


class Intent(_Closed):
    """The customer wants something else that the shop knows."""

    kind: Literal["intent"]
    intent: Known


class Question(_Closed):
    """The customer has to be asked; which question is asked is ours to word."""

    kind: Literal["clarify"]
    about: Clarify


class Nothing(_Closed):
    """It is none of the shop's business, or cannot be understood."""

    kind: Literal["none"]


class Answer(_Closed):
    """All that the model may say."""

    command: Annotated[Order | Intent | Question | Nothing, Field(discriminator="kind")]


def key_of(place: int) -> str:
    """The key of the candidate at a place, counted from 0."""
    return f"p{place + 1}"


def schema_for(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """The JSON schema of an answer about these candidates: no key, option or removal but theirs. Without any,
    nothing can be ordered."""
    kinds = [_object("intent", intent={"enum": list(get_args(Known))})]
    kinds += [_object("clarify", about={"enum": list(get_args(Clarify))}), _object("none")]
    if candidates:
        lines = {"type": "array", "minItems": 1, "maxItems": MOST_LINES, "items": _line(candidates)}
        kinds.insert(0, _object("order", lines=lines))
    return _closed({"command": {"anyOf": kinds}})


def _line(candidates: Sequence[Candidate]) -> dict[str, Any]:
    keys = [key_of(place) for place in range(len(candidates))]
    options = [name for candidate in candidates for _, name in candidate.options]
    return _closed(
        {
            "product": {"enum": keys},
            "quantity": {"type": "integer", "minimum": 1, "maximum": MOST_PER_LINE},
            "options": _names(options),
            "without": _names([name for candidate in candidates for name in candidate.removable]),
        }
    )


def _names(names: Sequence[str]) -> dict[str, Any]:
    unique = list(dict.fromkeys(names))
    most = MOST_DETAILS if unique else 0
    return {"type": "array", "maxItems": most, "items": {"enum": unique} if unique else {"type": "string"}}


def _object(kind: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return _closed({"kind": {"const": kind}, **properties})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
