"""What serves holds no library that it does not use."""

from __future__ import annotations

import psutil

from tests.e2e.system import System


def test_rasa_serves_without_tensorflow(system: System) -> None:
    loaded = {mapped.path for mapped in psutil.Process(system.pid("rasa")).memory_maps()}
    assert any("spacy" in path for path in loaded)
    assert not [path for path in loaded if "tensorflow" in path]
