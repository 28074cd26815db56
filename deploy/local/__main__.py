"""`make run` and `make shell`: everything from nothing to a bot that answers.

python -m deploy.local run      the whole bot, until Ctrl-C
python -m deploy.local shell    the same bot in `rasa shell`
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from honcho.manager import Manager

from deploy.local.env_file import load_or_generate
from deploy.local.processes import (
    MARK,
    Command,
    commands,
    end_leftovers,
    process_environment,
    wait_until_ready,
)
from deploy.local.servers import EmbeddedPostgres, EmbeddedValkey, ServerFailed
from deploy.prepare import (
    ROOT,
    TrainingFailed,
    prepare_database,
    prepare_model,
    rasa_environment,
    serving_command,
)
from settings import (
    DEFAULT_STATE_DIR,
    ENV_FILE,
    SERVERS_FILE,
    Settings,
    exit_with,
    read_settings_or_exit,
)
from whatsapp.content import made_up_sids

READY_SECONDS = 180.0
STARTED = time.monotonic()


def report(line: str) -> None:
    """Tell the person at the terminal how far it is."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {line}", flush=True)


def main() -> None:
    """Parse the command line and bring the bot up."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("command", choices=["run", "shell"])
    chosen = parser.parse_args().command
    os.chdir(ROOT)
    state_dir = Path(os.environ.get("STATE_DIR", DEFAULT_STATE_DIR)).absolute()
    state_dir.mkdir(parents=True, exist_ok=True)
    _mark_oneself(state_dir)
    # Asked to end, or the terminal closed: it ends as Ctrl-C does: `with` blocks stop what they started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with only_one(state_dir), bring_up(state_dir) as (settings, model, found):
            (run if chosen == "run" else shell)(settings, model, found, state_dir)
    except KeyboardInterrupt:
        report("stopped")


def _mark_oneself(state_dir: Path) -> None:
    """Start anew with the mark in the environment, so that forks are known as leftovers, too."""
    mark = str(state_dir.resolve())
    if os.environ.get(MARK) != mark:
        os.environ[MARK] = mark
        os.execv(sys.executable, [sys.executable, "-m", "deploy.local", *sys.argv[1:]])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the STATE_DIR; a second start ends with one line."""
    with (state_dir / "lock").open("w") as lock:
        try:
            # A record lock is not inherited by forks, so a killed launcher lets go of it.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            exit_with(f"already running from {state_dir}; stop it first, or set STATE_DIR")
        yield


@contextlib.contextmanager
def bring_up(state_dir: Path) -> Iterator[tuple[Settings, Path, dict[str, str]]]:
    """Settings, servers, database and model; at the end the embedded servers are stopped."""
    servers_file = state_dir / SERVERS_FILE
    servers_file.unlink(missing_ok=True)
    ended = end_leftovers(state_dir)
    if ended:
        report(f"ended {ended} processes that an earlier start left behind")
    generated = load_or_generate(ENV_FILE)
    if generated:
        report(f"wrote {ENV_FILE} with generated keys ({len(generated)})")
    settings = read_settings_or_exit()
    _require_free_ports(settings)
    with contextlib.ExitStack() as stack:
        try:
            found = _start_servers(settings, state_dir, stack)
            servers_file.touch(mode=0o600)
            servers_file.write_text("".join(f"{name}={value}\n" for name, value in found.items()))
            stack.callback(servers_file.unlink, missing_ok=True)
            os.environ.update(found)
            settings = read_settings_or_exit()
            if settings.whatsapp.dev_mode and not settings.whatsapp.content_sids:
                found["WHATSAPP_CONTENT_SIDS"] = made_up_sids()
            assert settings.database_url is not None
            prepare_database(settings.database_url, report)
            model = prepare_model(state_dir / "logs" / "training.log", report)
        except (ServerFailed, TrainingFailed) as failure:
            exit_with(str(failure))
        yield settings, model, found


def _start_servers(settings: Settings, state_dir: Path, stack: contextlib.ExitStack) -> dict[str, str]:
    """Start the servers that nobody named; the settings that lead to them."""
    found: dict[str, str] = {}
    if settings.database_url is None:
        report("starting embedded PostgreSQL")
        postgres = EmbeddedPostgres(state_dir)
        stack.callback(postgres.stop)
        found["DATABASE_URL"] = postgres.database_url()
    if settings.redis.host is None:
        report("starting embedded Valkey")
        port = int(os.environ["REDIS_PORT"]) if os.environ.get("REDIS_PORT") else None
        valkey = EmbeddedValkey(state_dir, port)
        stack.callback(valkey.stop)
        found |= {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(valkey.port),
            "REDIS_PASSWORD": valkey.password,
        }
    return found


def _require_free_ports(settings: Settings) -> None:
    for name in ("PORT", "RASA_PORT", "ACTIONS_PORT"):
        port = getattr(settings, name.lower())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.bind_host, port))
            except OSError:
                exit_with(f"{name}: {port} is in use by another program; set another {name}")


def run(settings: Settings, model: Path, found: dict[str, str], state_dir: Path) -> None:
    """Start the processes, tell when they are ready, and stay until one ends or Ctrl-C comes."""
    manager = Manager()
    environment = process_environment(state_dir, {**found, **rasa_environment()})
    for command in commands(settings, model):
        manager.add_process(command.name, str(command), env=environment, cwd=str(ROOT))
    report("starting rasa, actions, web, sender")
    threading.Thread(target=_tell_when_ready, args=(settings,), daemon=True).start()
    manager.loop()
    # honcho's loop took Ctrl-C for itself and stopped the processes.
    report("stopping the embedded servers")
    if manager.returncode not in (0, None) and manager.returncode < 128:
        sys.exit(manager.returncode)


def _tell_when_ready(settings: Settings) -> None:
    missing = wait_until_ready(["actions", "web", "sender", "rasa"], settings, READY_SECONDS)
    if missing:
        report(f"not ready after {READY_SECONDS:.0f} s: {', '.join(missing)}")
        return
    report("ready")
    base = settings.public_base_url
    first = (
        f"Open the local WhatsApp: {base}/"
        if settings.whatsapp.dev_mode
        else f"Twilio's webhook: {base}/webhooks/whatsapp/webhook"
    )
    console = f"The staff's console: {base}/console (make owner NAME=... makes the first owner)"
    print(f"\n  {first}\n  {console}\n  Ctrl-C stops everything.\n", flush=True)


def shell(settings: Settings, model: Path, found: dict[str, str], state_dir: Path) -> None:
    """Start everything but the WhatsApp side, and talk to the bot in the terminal."""
    environment = process_environment(state_dir, {**found, **rasa_environment()})
    needed = [command for command in commands(settings, model) if command.name != "rasa"]
    started = [start(command, environment, state_dir) for command in needed]
    try:
        missing = wait_until_ready([command.name for command in needed], settings, READY_SECONDS)
        if missing:
            exit_with(f"not ready: {', '.join(missing)}; see {state_dir / 'logs'}")
        report("ready; what the shop starts itself is told at your next message; /stop ends")
        subprocess.run(
            [
                *(*serving_command(), "shell", "--model", str(model), "--port", str(settings.rasa_port)),
                *("--endpoints", str(_endpoints_with(settings.actions_url, state_dir))),
            ],
            cwd=ROOT,
            env=environment,
            check=False,
        )
    finally:
        stop(started)


def _endpoints_with(actions_url: str, state_dir: Path) -> Path:
    """Rasa's endpoints with our action server's address, which `rasa shell` takes from a file only."""
    endpoints = yaml.safe_load((ROOT / "endpoints.yml").read_text(encoding="utf-8"))
    endpoints["action_endpoint"]["url"] = f"{actions_url}/webhook"
    written = state_dir / "endpoints.yml"
    written.write_text(yaml.safe_dump(endpoints), encoding="utf-8")
    return written


def start(command: Command, environment: dict[str, str], state_dir: Path) -> subprocess.Popen[bytes]:
    """Start one process in the background; its output goes to STATE_DIR/logs."""
    log = state_dir / "logs" / f"{command.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as written:
        return subprocess.Popen(
            command.arguments,
            cwd=ROOT,
            env=environment,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Stop processes that `start` started."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
