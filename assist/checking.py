"""What the model said is compared with what was asked, what was typed and what is sold."""

from __future__ import annotations

import re
import unicodedata

from pydantic import ValidationError

from assist.failures import BadAnswer
from assist.grammar import PROPOSED, Answer, Intent, Nothing, Order, OrderLine, Question, key_of
from assist.situation import Proposal, ProposedLine, Situation
from shop.candidates import Candidate

IMPLIED = 1
"""The quantity that needs not be said."""
_NUMBER = re.compile(r"\d{1,4}")


def read(text: str) -> Answer:
    """An answer within the grammar.

    Raises:
        BadAnswer
    """
    try:
        return Answer.model_validate_json(text)
    except ValidationError:
        raise BadAnswer("wrong_schema") from None


def check(answer: Answer, situation: Situation) -> Proposal | None:
    """The proposal that an answer makes; None where it makes none.

    Raises:
        BadAnswer: a product that was not offered, an option that is not its own, a quantity nobody said.
    """
    command = answer.command
    if isinstance(command, Nothing):
        return None
    if isinstance(command, Question):
        return Proposal(clarify=command.about)
    if isinstance(command, Intent):
        return Proposal(intent=command.intent) if command.intent in PROPOSED else None
    return _order(command, situation)


def numbers_in(text: str) -> frozenset[int]:
    """The whole numbers that are written with digits, of any script."""
    digits = "".join(
        character if (digit := unicodedata.digit(character, None)) is None else str(digit)
        for character in text
    )
    return frozenset(int(number) for number in _NUMBER.findall(digits))


def _order(order: Order, situation: Situation) -> Proposal:
    offered = {key_of(place): candidate for place, candidate in enumerate(situation.candidates)}
    said = situation.numbers | numbers_in(situation.text) | {IMPLIED}
    lines = []
    for line in order.lines:
        candidate = offered.get(line.product)
        if candidate is None:
            raise BadAnswer("unknown_product")
        if line.quantity not in said:
            raise BadAnswer("quantity_not_said")
        lines.append(_line(line, candidate))
    return Proposal(lines=tuple(lines))


def _line(line: OrderLine, candidate: Candidate) -> ProposedLine:
    options = {name.casefold(): (key, name) for key, name in candidate.options}
    removable = {name.casefold(): name for name in candidate.removable}
    try:
        return ProposedLine(
            candidate.id,
            candidate.name,
            line.quantity,
            tuple(dict.fromkeys(options[name.casefold()] for name in line.options)),
            tuple(dict.fromkeys(removable[name.casefold()] for name in line.without)),
        )
    except KeyError:
        raise BadAnswer("unknown_option") from None
