"""The live menu as the order parser sees it: a copy in Redis, read again by a thread of its own."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence

import redis

from dialogue.orders.menu import EMPTY, from_catalogue
from dialogue.orders.reader import OrderReader
from settings import RedisSettings
from whatsapp.redis import CACHE_COUNTERS_KEY, CATALOGUE_KEY, connection_options

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0


class LiveMenu:
    """A reader of orders with the newest menu that could be read; the last good one while there is none.

    A reader is built by the thread that found a new menu, so that no message waits for it.
    """

    def __init__(self, settings: RedisSettings, codes: Sequence[str]) -> None:
        self._redis = redis.Redis(**connection_options(settings))
        self._codes = tuple(codes)
        self._current = OrderReader(EMPTY, self._codes)
        self._stopped = threading.Event()

    @property
    def current(self) -> OrderReader:
        """The reader to use now."""
        return self._current

    def start(self) -> None:
        """Read once, then keep reading in the background."""
        self.refresh()
        threading.Thread(target=self._keep_reading, name="menu", daemon=True).start()

    def stop(self) -> None:
        """End the background reading."""
        self._stopped.set()

    def refresh(self) -> None:
        """Read the menu; keeps the last good one if there is none or it is damaged."""
        version = self._current.menu.version
        try:
            document = self._redis.get(CATALOGUE_KEY)
            self._redis.hincrby(CACHE_COUNTERS_KEY, "catalogue_hits" if document else "catalogue_misses", 1)
            if document and f'"version": "{version}"' not in document[:100]:
                menu = from_catalogue(json.loads(document))
                self._current = OrderReader(menu, self._codes, self._current.forms)
        except (redis.RedisError, OSError) as error:
            logger.warning("menu not readable: %s", type(error).__name__)
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.error("the menu in Redis is damaged; going on with version %r", version)

    def _keep_reading(self) -> None:
        while not self._stopped.wait(REFRESH_SECONDS):
            self.refresh()
