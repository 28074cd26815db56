"""Looks at a process's main thread 250 times a second, and keeps in a file what it was doing.

Python imports this module by itself where this folder is on PYTHONPATH. It looks as long as
BENCH_PROFILE/on exists, and writes BENCH_PROFILE/<pid>.txt: the part of all looks in which a function was
running or waited for another one, greatest first. Waiting for events counts as the loop's own time.
"""

from __future__ import annotations

import collections
import os
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(os.environ["BENCH_PROFILE"])
PAUSE_SECONDS = 0.004
WRITE_SECONDS = 1.0
MOST = 150


def _look_for_ever() -> None:
    switch = FOLDER / "on"
    main = threading.main_thread().ident or 0
    seen: collections.Counter[str] = collections.Counter()
    looks, write_at = 0, 0.0
    while True:
        if not switch.exists():
            time.sleep(0.1)
            continue
        time.sleep(PAUSE_SECONDS)
        looks += 1
        seen.update(_functions(main))
        if time.monotonic() > write_at:
            _write(seen, looks)
            write_at = time.monotonic() + WRITE_SECONDS


def _functions(thread: int) -> set[str]:
    """The functions on a thread's stack, each once."""
    found = set()
    frame = sys._current_frames().get(thread)
    while frame is not None:
        code = frame.f_code
        found.add(f"{code.co_filename.rpartition('site-packages/')[2]}:{code.co_name}")
        frame = frame.f_back
    return found


def _write(seen: collections.Counter[str], looks: int) -> None:
    lines = [f"{' '.join(sys.argv[:2])}: {looks} looks"]
    lines += [f"{count / looks:6.1%} {name}" for name, count in seen.most_common(MOST)]
    (FOLDER / f"{os.getpid()}.txt").write_text("\n".join(lines) + "\n")


threading.Thread(target=_look_for_ever, daemon=True).start()
