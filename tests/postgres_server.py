"""A real PostgreSQL server for tests, in a folder of its own, on a free port of this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg

from ports import free_port

USER, PASSWORD = "vivienne", "s3cret-p4ss"  # of a server that lives as long as the tests
SECONDS = 60
_INSTALLED = Path("/usr/lib/postgresql")
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
fsync = on
shared_buffers = 16MB
max_connections = 60
logging_collector = off
"""


_END_WITH_STDIN = 'cat > /dev/null; "$0" stop -D "$1/data" -m immediate; rm -rf "$1"'


class PostgresServer:
    """A server that is started and stopped at will; its databases stay until `remove`."""

    def __init__(self) -> None:
        self._initdb, self._pg_ctl = _program("initdb"), _program("pg_ctl")
        self._numbers = count(1)
        self._as: dict[str, Any] = {}
        # Not in the folder of the test run, into which only its owner may look.
        self.folder = Path(tempfile.mkdtemp(prefix="vivienne-pg-"))
        self.data = self.folder / "data"
        self.port = free_port()
        if os.geteuid() == 0:  # the server refuses to run as root
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.folder, "postgres", "postgres")
        password = self.folder / "password"
        password.write_text(_verifier(PASSWORD))
        if self._as:
            shutil.chown(password, "postgres")
        self._run(
            self._initdb, "-D", str(self.data), "-U", USER, "--pwfile", str(password), "--auth-host=scram-sha-256",
            "--auth-local=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        self._can_copy_files = float((self.data / "PG_VERSION").read_text()) >= 15
        (self.data / "postgresql.conf").write_text(_CONFIGURATION.format(port=self.port, folder=self.folder))

        # Ends the server when this process ends, even if it is killed: the server is a daemon.
        self._watch = subprocess.Popen(
            ["sh", "-c", _END_WITH_STDIN, self._pg_ctl, self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self._as,
        )  # fmt: skip

    def start(self) -> None:
        """Start it, unless it runs; on return it takes connections."""
        if not self.is_running():
            self._control("start", "--wait", "--log", str(self.folder / "log"))

    def stop(self, how: str = "fast") -> None:
        """Stop it: ``fast`` is orderly, ``immediate`` is a crash."""
        if self.is_running():
            self._control("stop", "--wait", "--mode", how)

    def restart(self) -> None:
        """Stop it orderly and start it."""
        self.stop()
        self.start()

    def is_running(self) -> bool:
        """Whether there is a server process."""
        # Not `pg_ctl status`, which does the same: each test asks, and starting a program takes longer than many.
        file = self.data / "postmaster.pid"
        return file.exists() and psutil.pid_exists(int(file.read_text().split()[0]))

    def freeze(self, *, thaw: bool = False) -> None:
        """Let all its processes stand still, or go on."""
        postmaster = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        for process in (*postmaster.children(), postmaster):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume() if thaw else process.suspend()

    def remove(self) -> None:
        """Stop it for good."""
        with contextlib.suppress(AssertionError):
            self.stop("immediate")
        self._watch.communicate(timeout=SECONDS)

    def database(self) -> str:
        """Make a database and give its address."""
        name = f"vivienne_{next(self._numbers)}"
        # Files are copied in two thirds of the time that a copy through the log takes, the only other way there is.
        strategy = "STRATEGY FILE_COPY" if self._can_copy_files else ""
        self.execute(f"CREATE DATABASE {name} {strategy}")
        return self.url(name)

    def url(self, name: str, *, user: str = USER, password: str | None = PASSWORD) -> str:
        """The address of a database."""
        secret = "" if password is None else f":{password}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str, *, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as a user who may do anything."""
        with psycopg.connect(url or self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def _control(self, *arguments: str) -> None:
        result = self._result(*arguments)
        log = self.folder / "log"
        said = log.read_text(errors="replace") if log.exists() else ""
        assert result.returncode == 0, f"pg_ctl {arguments[0]} failed: {result.stderr}{said}"

    def _result(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._pg_ctl, *arguments, "-D", str(self.data), "-t", str(SECONDS)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=SECONDS + 10, check=False,
            cwd=self.folder, **self._as,
        )  # fmt: skip

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=self.folder, **self._as
        )
        assert done.returncode == 0, f"{command[0]} failed: {done.stderr}"


def _verifier(password: str) -> str:
    """What PostgreSQL keeps of a password, in place of it: of a single round, for there are thousands of connections.

    The usual 4,096 take longer than all else that a connection is made of, at both ends.
    """
    salt, rounds = b"of the tests", 1
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client, server = (hmac.digest(salted, part, "sha256") for part in (b"Client Key", b"Server Key"))
    kept = [base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client).digest(), server)]
    return f"SCRAM-SHA-256${rounds}:{kept[0]}${kept[1]}:{kept[2]}"


def _program(name: str) -> str:
    """Where a program of the server is: on the path, or where Debian puts it."""
    installed = sorted(_INSTALLED.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    assert found is not None, (
        f"The tests need PostgreSQL and found no {name} on the path or in {_INSTALLED}; "
        "on Debian, install the package postgresql"
    )
    return found
