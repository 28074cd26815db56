"""The stock project in a folder of its own, and the model that `rasa train` makes of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from bench.channel.conversation import CONVERSATION
from deploy.prepare import ROOT, rasa_command, rasa_environment

PROJECT = Path(__file__).parent / "stock_project"
CACHE = ROOT / ".state" / "bench-stock"
EXAMPLES = 40
"""Sentences of each intent, from data/nlu: about as many as a project of its size has."""
MODEL = "stock.tar.gz"


class StockFailed(Exception):
    """The stock project could not be trained or started; the message names its log."""


def prepare_stock() -> Path:
    """The folder of the stock project, trained: as left by an earlier run where nothing has changed.

    Raises:
        StockFailed
    """
    nlu = make_nlu()
    home = CACHE / _digest(nlu)
    if not (home / "models" / MODEL).exists():
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(PROJECT, home, ignore=shutil.ignore_patterns("__pycache__"))
        data = home / "data"
        data.mkdir()
        for name in ("rules.yml", "stories.yml"):
            (home / name).rename(data / name)
        (data / "nlu.yml").write_text(nlu)
        _train(home)
    return home


def make_nlu() -> str:
    """The training sentences: a sample of Chatcart's own for the intents that the stock domain has."""
    intents = yaml.safe_load((PROJECT / "domain.yml").read_text())["intents"]
    found: dict[str, list[str]] = {name: [] for name in intents}
    for file in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["nlu"]:
            if group.get("intent") in found:
                found[group["intent"]] += group["examples"].splitlines()[:EXAMPLES]
    for line in CONVERSATION:
        found[line.intent].append(f"- {line.text}")
    groups = [
        {"intent": name, "examples": "\n".join(dict.fromkeys(lines)) + "\n"} for name, lines in found.items()
    ]
    return yaml.safe_dump({"version": "3.1", "nlu": groups}, allow_unicode=True, sort_keys=False)


def _digest(nlu: str) -> str:
    digest = hashlib.sha256(nlu.encode())
    for file in sorted(PROJECT.rglob("*")):
        if file.suffix in (".yml", ".py"):
            digest.update(str(file.relative_to(PROJECT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _train(home: Path) -> None:
    log = home / "training.log"
    print("training the stock project; this takes minutes, once", flush=True)
    with log.open("wb") as written:
        done = subprocess.run(
            [rasa_command(), "train", "--fixed-model-name", "building", "--out", "models"],
            cwd=home,
            env={**os.environ, **rasa_environment()},
            stdout=written,
            stderr=written,
            check=False,
        )
    built = home / "models" / "building.tar.gz"
    if done.returncode != 0 or not built.exists():
        raise StockFailed(f"the stock project was not trained; see {log}")
    built.rename(home / "models" / MODEL)
