"""The names of all that is on sale, kept in memory until the catalogue changes, and searched by how near
they come to what was typed. Reading them for every misspelt word takes a large shop 50 ms."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process, utils

if TYPE_CHECKING:
    from shop.work import Work

SURELY_MEANT = 88
PERHAPS_MEANT = 62
MOST_SPELLINGS = 15
"""Names that are looked at; several may be of one product."""


@dataclass(frozen=True)
class _Names:
    """Names as they are compared, with the product of each, in the order of the menu."""

    version: str | None
    names: tuple[str, ...] = ()
    products: tuple[uuid.UUID, ...] = ()


class KnownNames:
    """Searches what is on sale by name. Shared by threads: what is known is replaced as a whole."""

    def __init__(self) -> None:
        self._known = _Names(None)
        self._described = _Names(None)

    def search(self, work: Work, asked: str) -> list[uuid.UUID]:
        """Products whose name or alias comes near `asked`, best first; the one that is surely meant
        alone."""
        known = self._current(work)
        hits = process.extract(
            utils.default_process(asked),
            known.names,
            scorer=fuzz.WRatio,
            score_cutoff=PERHAPS_MEANT,
            limit=MOST_SPELLINGS,
        )
        found: dict[uuid.UUID, float] = {}
        for _, score, index in hits:
            found.setdefault(known.products[index], score)
        best = next(iter(found.values()), 0)
        surely = [product for product, score in found.items() if score >= best >= SURELY_MEANT]
        return surely or list(found)

    def nearest(self, work: Work, text: str, limit: int) -> list[uuid.UUID]:
        """The products whose names, categories and descriptions come nearest to a text, best first. A
        description that changes alone is noticed with the next change of the catalogue's version."""
        known, version = self._described, work.products.find_version()
        if known.version != version:
            known = self._described = _read_described(work, version)
        asked = utils.default_process(text)
        hits = process.extract(asked, known.names, scorer=fuzz.token_set_ratio, limit=limit)
        return [known.products[index] for *_, index in hits]

    def _current(self, work: Work) -> _Names:
        known, version = self._known, work.products.find_version()
        if known.version != version:
            known = self._known = _read(work, version)
        return known


def _read(work: Work, version: str) -> _Names:
    rows = [
        (utils.default_process(name), product)
        for product, own, aliases in work.products.find_names()
        for name in (own, *aliases)
    ]
    return _Names(version, tuple(name for name, _ in rows), tuple(product for _, product in rows))


def _read_described(work: Work, version: str) -> _Names:
    rows = work.products.find_descriptions()
    return _Names(
        version,
        tuple(utils.default_process(text) for _, text in rows),
        tuple(product for product, _ in rows),
    )
