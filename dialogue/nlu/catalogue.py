"""The live catalogue as the parser sees it: a copy in Redis, read again by a thread of its own."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from settings import RedisSettings
from whatsapp.redis import CACHE_COUNTERS_KEY, CATALOGUE_KEY, connection_options

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0


@dataclass(frozen=True)
class CatalogueName:
    """A name that people type; `kind` is `product` or `category`, `id` the product's or the
    category's name."""

    text: str
    kind: str
    id: str
    shown: str


@dataclass(frozen=True)
class ProductChoices:
    """What can be chosen about a product: phrases with the option's id, and what can be left out."""

    options: tuple[tuple[str, str], ...] = ()
    removables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All names of one version of the catalogue, and the choices about each product."""

    version: str
    names: tuple[CatalogueName, ...]
    choices: Mapping[str, ProductChoices] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: str) -> Catalogue:
        """The catalogue that the shop published."""
        values = json.loads(document)
        products = [
            CatalogueName(text, "product", product["id"], product["name"])
            for product in values["products"]
            for text in (product["name"], *product["aliases"])
        ]
        categories = [CatalogueName(name, "category", name, name) for name in values["categories"]]
        return cls(values["version"], (*products, *categories), _choices(values))


def _choices(values: dict[str, Any]) -> dict[str, ProductChoices]:
    """The choices of each product that has any; products of one kind share theirs."""
    groups = {
        key: tuple((phrase, one["id"]) for one in options for phrase in (one["name"], *one["aliases"]))
        for key, options in values.get("option_groups", {}).items()
    }
    shared: dict[tuple[tuple[str, ...], tuple[str, ...]], ProductChoices] = {}
    found = {}
    for product in values["products"]:
        kind = tuple(product.get("option_groups", ())), tuple(product.get("removable", ()))
        if any(kind):
            options = tuple(pair for key in kind[0] for pair in groups.get(key, ()))
            found[product["id"]] = shared.setdefault(kind, ProductChoices(options, kind[1]))
    return found


EMPTY = Catalogue("", ())


class LiveCatalogue:
    """The newest catalogue that could be read; the last good one while there is none."""

    def __init__(self, settings: RedisSettings) -> None:
        self._redis = redis.Redis(**connection_options(settings))
        self._current = EMPTY
        self._stopped = threading.Event()

    @property
    def current(self) -> Catalogue:
        """The catalogue to parse with now."""
        return self._current

    def start(self) -> None:
        """Read once, then keep reading in the background."""
        self.refresh()
        threading.Thread(target=self._keep_reading, name="catalogue", daemon=True).start()

    def stop(self) -> None:
        """End the background reading."""
        self._stopped.set()

    def refresh(self) -> None:
        """Read the catalogue; keeps the last good one if there is none or it is damaged."""
        try:
            document = self._redis.get(CATALOGUE_KEY)
            self._redis.hincrby(CACHE_COUNTERS_KEY, "catalogue_hits" if document else "catalogue_misses", 1)
            if document and f'"version": "{self._current.version}"' not in document[:100]:
                self._current = Catalogue.from_json(document)
        except (redis.RedisError, OSError) as error:
            logger.warning("catalogue not readable: %s", type(error).__name__)
        except (ValueError, KeyError, TypeError):
            logger.error("catalogue in Redis is damaged; going on with version %r", self._current.version)

    def _keep_reading(self) -> None:
        while not self._stopped.wait(REFRESH_SECONDS):
            self.refresh()
