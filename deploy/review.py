"""Messages that were misunderstood become examples, where a designer says so.

    python -m deploy.review                    writes what was misunderstood to .state/review
    python -m deploy.review --draft            the same, with what a language model drafts for it
    python -m deploy.review --accept FILE      takes over what is marked `accepted: true` in it

What is exported is Rasa's YAML with a suggested intent, and beside it the skeleton of a transcript for each
group. A line that is learnt already, that differs from such a line by one word, or that a test says is left
out: what is tested is never learnt.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import getpass
import json
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import fuzz, process

from assist.drafting import SECONDS, Draft, Drafter
from db.models import Decision
from deploy.nlu_examples import (
    LANGUAGES,
    NLU,
    as_example,
    examples,
    plain,
    shapes,
    tested,
    unfit_to_learn,
)
from settings import LlmSettings, read_settings_or_exit
from shop import misunderstandings
from shop.assembly import make_shop
from shop.misunderstandings import INTENTS, Group
from shop.service import Shop

FILE = "reviewed.yml"
MOST_EXAMPLES = 20
LIKELY = 60
"""How alike (0 to 100) the nearest example has to be for its intent to be suggested."""
NOTHING = "out_of_scope"
HEAD = """\
# What was misunderstood, the costliest first. Correct `intent` and the examples (a product's name may be
# marked [so](product)), write `accepted: true`, then: make review ACCEPT={file}
"""


class ReviewError(Exception):
    """A file that cannot be taken over; the message says why, in one line."""


@dataclass
class Learnt:
    """What is learnt already, and what tests say."""

    intents: frozenset[str]
    lines: set[str]
    shapes: set[tuple[str, str, tuple[str, ...]]]
    tested: set[str]

    @classmethod
    def read(cls, folder: Path = NLU) -> Learnt:
        """Everything in data/nlu."""
        rows = [(language, *row) for language in LANGUAGES for row in examples(language, folder)]
        return cls(
            frozenset(intent for _, intent, _ in rows),
            {plain(line) for *_, line in rows},
            {(language, intent, shape) for language, intent, line in rows for shape in shapes(line)},
            tested(),
        )

    def refusal(self, language: str, intent: str, line: str) -> str | None:
        """Why a line is left out; None where it is new, and then it is learnt."""
        if (unfit := unfit_to_learn(line)) is not None:
            return unfit
        if plain(line) in self.tested:
            return "a test says it"
        if plain(line) in self.lines:
            return "learnt already"
        own = {(language, intent, shape) for shape in shapes(line)}
        if own & self.shapes:
            return "differs from a learnt line by one word"
        self.lines.add(plain(line))
        self.shapes |= own
        return None


@dataclass
class Taken:
    """What a file led to: new lines by language and intent, what was left out and why, and who decided."""

    lines: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    decided: list[tuple[list[uuid.UUID], str]] = field(default_factory=list)


def proposals(
    undecided: Sequence[Group],
    accepted: Sequence[Group],
    known: Iterable[tuple[str, str]],
    drafts: Mapping[tuple[uuid.UUID, ...], Draft] | None = None,
) -> str:
    """Groups as Rasa's YAML; what was accepted in the console is marked so already, and what a model drafted
    (`drafts`, by the ids of a group) is marked as that, and never as accepted."""
    learnt, drafted = list(known), drafts or {}
    entries = [_entry(group, True, learnt) for group in accepted if _lines(group)]
    for group in (group for group in undecided if _lines(group)):
        draft = drafted.get(group.ids)
        entry = _entry(group, False, learnt)
        entries.append(entry)
        if draft is None:
            continue
        if group.suggested_intent is None:
            entry["intent"], entry["metadata"]["drafted"] = draft.intent, "intent"
        if draft.paraphrases:
            entries.append(_paraphrases(entry["intent"], group.language, draft.paraphrases))
    return yaml.safe_dump({"version": "3.1", "nlu": entries}, allow_unicode=True, sort_keys=False, width=110)


def transcript(group: Group) -> str:
    """The skeleton of a conversation that shows that this is understood from now on."""
    said = group.said[0]
    talk = [{"customer says": said, "bot sends": "what the bot should say"}]
    conversation = {"conversation": f"{group.language}: {said}"[:80], "talk": talk}
    return yaml.safe_dump(conversation, allow_unicode=True, sort_keys=False, width=110)


def take(text: str, learnt: Learnt) -> Taken:
    """What of a reviewed file is to be learnt.

    Raises:
        ReviewError: the file is no such YAML, or names an intent or a language that nobody knows.
    """
    taken = Taken()
    try:
        entries = yaml.safe_load(text)["nlu"]
        marked = [entry for entry in entries if entry["metadata"]["accepted"] is True]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ReviewError(f"not a file of `make review`: {type(error).__name__}") from None
    for entry in marked:
        intent, language = str(entry["intent"]), str(entry["metadata"].get("language"))
        if intent not in learnt.intents:
            raise ReviewError(f"{intent} is no intent that has examples")
        if language not in LANGUAGES:
            raise ReviewError(f"{language} is none of {', '.join(LANGUAGES)}")
        for line in str(entry.get("examples") or "").splitlines():
            _take_line(taken, learnt, (language, intent), line.strip().removeprefix("- ").strip())
        taken.decided.append(([uuid.UUID(each) for each in entry["metadata"].get("ids", ())], intent))
    return taken


def write(lines: dict[str, dict[str, list[str]]], folder: Path = NLU) -> None:
    """Add lines to data/nlu/<language>/reviewed.yml."""
    for language, by_intent in lines.items():
        path = folder / language / FILE
        kept: dict[str, list[str]] = {}
        if path.exists():
            for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
                kept[entry["intent"]] = [x.removeprefix("- ") for x in entry["examples"].splitlines()]
        for intent, added in by_intent.items():
            kept.setdefault(intent, []).extend(added)
        body = ['version: "3.1"', "nlu:"]
        for intent in sorted(kept):
            body += [f"  - intent: {intent}", "    examples: |", *(f"      - {x}" for x in kept[intent])]
        path.write_text("\n".join(body) + "\n", encoding="utf-8")


def _take_line(taken: Taken, learnt: Learnt, place: tuple[str, str], line: str) -> None:
    language, intent = place
    if not line:
        return
    refusal = learnt.refusal(language, intent, line)
    if refusal is None:
        taken.lines.setdefault(language, {}).setdefault(intent, []).append(line)
    else:
        taken.left_out.append(f"{line}: {refusal}")


def _entry(group: Group, accepted: bool, learnt: Sequence[tuple[str, str]]) -> dict[str, Any]:
    texts = _lines(group)
    return {
        "intent": group.suggested_intent or _nearest(texts[0], learnt),
        "metadata": {
            "accepted": accepted,
            "language": group.language,
            "lost": str(group.lost),
            "noticed": dict(group.kinds),
            "ids": [str(each) for each in group.ids],
        },
        "examples": "".join(f"- {text}\n" for text in texts),
    }


def _paraphrases(intent: str, language: str, lines: Sequence[str]) -> dict[str, Any]:
    """What a model drafted, as an entry of its own: a person deletes, corrects and accepts."""
    metadata = {"accepted": False, "drafted": "examples", "language": language, "ids": []}
    return {"intent": intent, "metadata": metadata, "examples": "".join(f"- {line}\n" for line in lines)}


def _lines(group: Group) -> list[str]:
    """What customers wrote, as examples."""
    return list(dict.fromkeys(filter(None, map(as_example, group.said))))[:MOST_EXAMPLES]


def _nearest(text: str, learnt: Sequence[tuple[str, str]]) -> str:
    lines = [plain(line) for _, line in learnt]
    near = process.extractOne(plain(text), lines, scorer=fuzz.token_sort_ratio, score_cutoff=LIKELY)
    return learnt[near[2]][0] if near else NOTHING


async def draft_for(
    undecided: Sequence[Group], drafter: Drafter, learnt: Learnt
) -> dict[tuple[uuid.UUID, ...], Draft]:
    """What a model drafts for groups, the costliest first; what could not be learnt is left out at once."""
    drafts = {}
    for group in undecided:
        draft = await drafter.draft(_lines(group), group.language)
        if draft is not None:
            intent = group.suggested_intent or draft.intent
            typed = filter(None, map(as_example, draft.paraphrases))
            fit = tuple(line for line in typed if learnt.refusal(group.language, intent, line) is None)
            drafts[group.ids] = Draft(draft.intent, fit)
    return drafts


def _draft(undecided: Sequence[Group], llm: LlmSettings | None) -> dict[tuple[uuid.UUID, ...], Draft]:
    if llm is None:
        raise ReviewError("LLM_BASE_URL: missing; a language model drafts, and there is none")
    # Its library takes more than a second to import: only who drafts pays for it.
    from assist.client import ModelClient

    client = ModelClient(replace(llm, deadline_seconds=SECONDS))
    return asyncio.run(draft_for(undecided, Drafter(client, INTENTS), Learnt.read()))


def _export(
    shop: Shop,
    folder: Path,
    draft: Callable[[Sequence[Group]], dict[tuple[uuid.UUID, ...], Draft]] = lambda _: {},
) -> None:
    undecided = [group for group in shop.run(misunderstandings.groups) if _lines(group)]
    accepted = shop.run(misunderstandings.accepted)
    (folder / "transcripts").mkdir(parents=True, exist_ok=True)
    known = [row for language in LANGUAGES for row in examples(language)]
    file = folder / "review.yml"
    file.write_text(
        HEAD.format(file=file) + proposals(undecided, accepted, known, draft(undecided)), encoding="utf-8"
    )
    for number, group in enumerate(undecided, start=1):
        path = folder / "transcripts" / f"{number:03d}.yml"
        path.write_text(transcript(group), encoding="utf-8")
    print(f"{len(undecided)} groups to decide about, {len(accepted)} accepted already: {file}")


def _accept(shop: Shop, path: str) -> None:
    try:
        taken = take(Path(path).read_text(encoding="utf-8"), Learnt.read())
    except (OSError, UnicodeDecodeError) as error:
        raise ReviewError(f"{path}: {type(error).__name__}") from None
    write(taken.lines)
    for ids, intent in taken.decided:
        decide = functools.partial(
            misunderstandings.decide,
            ids=ids,
            decision=Decision.ACCEPTED,
            decided_by=getpass.getuser(),
            label=intent,
        )
        shop.run(decide)
        shop.run(functools.partial(misunderstandings.mark_taken, ids=ids))
    for line in taken.left_out:
        print(f"left out: {line}")
    added = {language: {k: len(v) for k, v in lines.items()} for language, lines in taken.lines.items()}
    print(f"learnt: {json.dumps(added)}; try it with `make nlu-report`")


def main() -> None:
    """Export, or take over."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--draft", action="store_true")
    arguments.add_argument("--accept", default="", metavar="FILE")
    given = arguments.parse_args()
    settings = read_settings_or_exit()
    shop = make_shop(settings)
    try:
        if given.accept:
            _accept(shop, given.accept)
        else:
            folder = settings.state_dir / "review"
            _export(shop, folder, *([functools.partial(_draft, llm=settings.llm)] if given.draft else []))
    except ReviewError as error:
        sys.exit(f"chatcart: {error}")


if __name__ == "__main__":
    main()
