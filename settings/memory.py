"""How a process that serves deals with memory."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 10_000
"""So many new objects are looked through at once; Python's 700 is less than one message makes."""


def keep_what_is_loaded() -> None:
    """Take what a process has loaded by now out of the collector's sight.

    A model and the libraries around it are a million objects, which stay until the end; each full
    collection walks through all of them, and nobody is answered meanwhile. Source: Python's documentation
    of `gc.freeze`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
