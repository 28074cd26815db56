"""What a process has loaded is no longer looked through for garbage; what it makes later is."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, weakref
from settings.memory import keep_what_is_loaded

class Node:
    pass

loaded = [Node() for _ in range(1000)]
keep_what_is_loaded()
assert gc.get_freeze_count() > 1000
assert not any(isinstance(one, Node) for one in gc.get_objects())
later = Node()
later.itself = later
gone = weakref.ref(later)
del later
gc.collect()
assert gone() is None
"""


def test_what_is_loaded_is_out_of_sight_and_what_comes_later_is_collected() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
