"""The live catalogue as the parser sees it: a copy in Redis, read again by a thread of its own."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass

import redis

from settings import RedisSettings
from whatsapp.redis import CATALOGUE_KEY, connection_options

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
class Catalogue:
    """All names of one version of the catalogue."""

    version: str
    names: tuple[CatalogueName, ...]

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
        return cls(values["version"], (*products, *categories))


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
            if document and f'"version": "{self._current.version}"' not in document[:100]:
                self._current = Catalogue.from_json(document)
        except (redis.RedisError, OSError) as error:
            logger.warning("catalogue not readable: %s", type(error).__name__)
        except (ValueError, KeyError, TypeError):
            logger.error("catalogue in Redis is damaged; going on with version %r", self._current.version)

    def _keep_reading(self) -> None:
        while not self._stopped.wait(REFRESH_SECONDS):
            self.refresh()
