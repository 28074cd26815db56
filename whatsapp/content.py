"""Twilio's content templates: buttons and lists where WhatsApp shows them, a notice outside its window.

Which template is for what is configured by purpose: `quick_reply_2` has the variables 1 (text), 2 and 3
(title and id of the first button), 4 and 5; `list_5` is the same with five rows; `picture` has 1 (text) and 2
(the last part of the picture's address, where a template may have a variable); `notice` has variable 1 alone.
Limits: Twilio, "Content API" (quick replies, list pickers and media within a session).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from whatsapp.choices import Choice

MOST_CHARACTERS = 1024
"""Of a template's text (error 63021)."""
MOST_BUTTONS, MOST_ROWS = 3, 10
MOST_BUTTON_CHARACTERS, MOST_ROW_CHARACTERS = 20, 24
NOTICE, PICTURE = "notice", "picture"
_NUMBERED_LINE = re.compile(r"^\d+\. .*\n?", re.MULTILINE)


def made_up_sids() -> str:
    """WHATSAPP_CONTENT_SIDS for the local WhatsApp, which shows what a template shows by any id."""
    buttons = [f"quick_reply_{count}" for count in range(1, MOST_BUTTONS + 1)]
    lists = [f"list_{count}" for count in range(MOST_BUTTONS + 1, MOST_ROWS + 1)]
    purposes = [*buttons, *lists, PICTURE]
    return ",".join(f"{purpose}=HX{number:032x}" for number, purpose in enumerate(purposes))


def fill_choices(
    text: str, choices: Sequence[Choice], tokens: Sequence[str], sids: Mapping[str, str]
) -> tuple[str, dict[str, str]] | None:
    """The template that shows these choices, and its variables; None where there is none that can."""
    if not choices or len(choices) > MOST_ROWS:
        return None
    few = len(choices) <= MOST_BUTTONS
    purpose = f"quick_reply_{len(choices)}" if few else f"list_{len(choices)}"
    if purpose not in sids:
        return None
    without_list = _NUMBERED_LINE.sub("", text).strip()
    if not without_list or len(without_list) > MOST_CHARACTERS:
        return None
    most = MOST_BUTTON_CHARACTERS if few else MOST_ROW_CHARACTERS
    variables = [without_list]
    for choice, token in zip(choices, tokens, strict=True):
        variables += [_shortened(choice.title, most), token]
    return sids[purpose], {str(number): value for number, value in enumerate(variables, start=1)}


def fill_picture(text: str, address: str, sids: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """The template that shows a picture with its text; None without one, or where it takes no such text."""
    if PICTURE not in sids or not 0 < len(text) <= MOST_CHARACTERS:
        return None
    return sids[PICTURE], {"1": text, "2": address.rpartition("/")[2]}


def fill_notice(text: str, sids: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """The approved template that says a notice when the customer has not written for a day; None without
    one. A template's variable takes no line ends (Meta, "Message templates")."""
    if NOTICE not in sids:
        return None
    return sids[NOTICE], {"1": _shortened(" ".join(text.split()), MOST_CHARACTERS)}


def says_itself(text: str, choices: Sequence[Choice]) -> bool:
    """Whether a text tells what can be picked already: as a numbered list, or as words to type."""
    if _NUMBERED_LINE.search(text):
        return True
    return all(re.search(rf"[*(]{re.escape(choice.title)}[*)]", text, re.IGNORECASE) for choice in choices)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
