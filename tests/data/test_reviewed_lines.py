"""What was taken over from `make review` reaches the model as it was written: Rasa's own reader reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

from deploy import review
from deploy.prepare import environment

READ = """
import json, sys
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
read = RasaYAMLReader().reads(sys.stdin.read()).intent_examples
rows = [[e.get("intent"), e.get("text"), [x["entity"] for x in e.get("entities") or []]] for e in read]
print(json.dumps(rows))
"""
HOSTILE = (
    "zyx wvu \x07 tsr qpo",
    "/restart zyx wvu tsr",
    '[zyx]{"entity": bad',
    "[zyx](price) wvu tsr qpo",
    "[zyx][wvu] tsr",
    "zyx ]{ wvu",
    "\ufeffzyx wvu tsr qpo nml",
    "- zyx wvu kji hgf",
)
FIT = {
    "zyx: wvu # tsr | > & * !": [],
    "%hgf 'edc \"baz rqs": [],
    "two [zyx wvu](product) tsr qpo": ["product"],
    "👩\u200d🍳 zyx wvu (tsr) qpo": [],
}


def test_rasa_reads_what_was_taken_and_nothing_else(tmp_path: Path) -> None:
    lines = "".join(f"- {line}\n" for line in (*HOSTILE, *FIT))
    entry = {"intent": "view_cart", "metadata": {"accepted": True, "language": "en", "ids": []}}
    taken = review.take(yaml.safe_dump({"nlu": [{**entry, "examples": lines}]}), review.Learnt.read())
    (tmp_path / "en").mkdir()
    review.write(taken.lines, tmp_path)
    written = (tmp_path / "en" / review.FILE).read_text(encoding="utf-8")
    python = str(environment("dialogue") / "bin" / "python")
    done = subprocess.run([python, "-c", READ], input=written, capture_output=True, text=True, check=True)
    read = {text: entities for intent, text, entities in json.loads(done.stdout) if intent == "view_cart"}
    assert read == {line.replace("[", "").replace("](product)", ""): marks for line, marks in FIT.items()}
    assert len(taken.left_out) == len(HOSTILE)
