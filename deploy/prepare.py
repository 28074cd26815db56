"""What must be done before the processes start: migrate, load the demo menu, train.

`make run` does it on one machine; the container set-up runs it as a one-shot: `python -m deploy.prepare`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config

from db.engine import make_engine, make_sessions
from db.seed.load import load_demo_menu
from settings import read_settings_or_exit

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
TRAINED_FROM = ("data", "domain.yml", "config.yml", "dialogue/nlu", "requirements/dialogue.txt")
KEPT_MODELS = 3

Report = Callable[[str], None]


class TrainingFailed(Exception):
    """`rasa train` did not make a model; the message names its log."""


def prepare_database(database_url: str, report: Report) -> None:
    """Bring the tables up to date and load the demo menu into an empty catalogue."""
    migrate(database_url)
    report("database is up to date")
    engine = make_engine(database_url)
    try:
        with make_sessions(engine).begin() as session:
            loaded = load_demo_menu(session)
    finally:
        engine.dispose()
    if loaded:
        report(f"demo menu loaded: {loaded} products")


def migrate(database_url: str, revision: str = "head") -> None:
    """Bring the tables to a revision, up or (`base`, `-1`) down."""
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "db" / "migrations"))
    engine = make_engine(database_url, statement_milliseconds=0)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            move = command.upgrade if revision == "head" else command.downgrade
            move(config, revision)
    finally:
        engine.dispose()


def model_path() -> Path:
    """Where the model of the present data, domain, configuration and NLU code is, or will be."""
    digest = hashlib.sha256()
    for file in _trained_from():
        digest.update(str(file.relative_to(ROOT)).encode())
        digest.update(file.read_bytes())
    return MODELS / f"chatcart-{digest.hexdigest()[:12]}.tar.gz"


def prepare_model(log: Path, report: Report) -> Path:
    """Train if there is no model of the present files; the model.

    Raises:
        TrainingFailed
    """
    model = model_path()
    if model.exists():
        model.touch()  # the newest is the one that a plain `rasa run` takes
        report(f"model {model.name} is up to date")
        return model
    report("training the model; this takes about two minutes")
    log.parent.mkdir(parents=True, exist_ok=True)
    building = MODELS / "building"
    arguments = ["train", "--fixed-model-name", model.name, "--out", str(building)]
    process = subprocess.Popen(
        [rasa_command(), *arguments],
        cwd=ROOT,
        env={**os.environ, **rasa_environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with log.open("w") as written:
        for line in process.stdout:
            written.write(line)
            if "Starting to train component" in line:
                report(f"  training {line.rsplit(chr(39), 2)[1]}")
    built = building / model.name
    if process.wait() != 0 or not built.exists():
        raise TrainingFailed(f"training failed; see {log}")
    # Renamed when whole: a start that is killed in the middle leaves no half model behind.
    built.replace(model)
    _forget_old_models(model)
    report(f"model {model.name} trained")
    return model


def rasa_command() -> str:
    """Rasa's command in the dialogue plane's environment."""
    return str(environment("dialogue") / "bin" / "rasa")


def serving_command() -> tuple[str, ...]:
    """Rasa's command for what serves, in half of the memory."""
    return str(environment("dialogue") / "bin" / "python"), "-m", "dialogue"


def environment(plane: str) -> Path:
    """A plane's virtual environment; CHATCART_VENVS names another place (the container image does)."""
    return Path(os.environ.get("CHATCART_VENVS", ROOT / ".venvs")) / plane


def rasa_environment() -> dict[str, str]:
    """What quiets Rasa and its libraries."""
    return {
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
    }


def _trained_from() -> Iterator[Path]:
    for name in TRAINED_FROM:
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in files if file.suffix in (".yml", ".py", ".txt", ".json"))


def _forget_old_models(newest: Path) -> None:
    models = sorted(MODELS.glob("chatcart-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    for old in models[:-KEPT_MODELS]:
        if old != newest:
            old.unlink()


def main() -> None:
    """Prepare for processes that somebody else starts."""
    settings = read_settings_or_exit()
    if settings.database_url is None:
        sys.exit("chatcart: DATABASE_URL: is not set")
    prepare_database(settings.database_url, print)
    try:
        prepare_model(settings.state_dir / "logs" / "training.log", print)
    except TrainingFailed as failure:
        sys.exit(f"chatcart: {failure}")


if __name__ == "__main__":
    main()
