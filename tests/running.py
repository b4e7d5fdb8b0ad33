"""A real `vivienne serve` in a process of its own, and a plain WebSocket client for it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ports import free_port

if TYPE_CHECKING:
    from types import TracebackType

    from websockets.sync.client import ClientConnection

    from forking import Forked, Forking

COMPREHENSIVE = "/phoenix/config/vivienne/comprehensive"
START_SECONDS = 60.0
ANSWER_SECONDS = 10.0
PATIENCE_SECONDS = 300.0
"""So long a client of a test receives in all; nothing that a test waits for takes longer."""
STOP_SECONDS = 10.0
JSON = {"Content-Type": "application/json"}
# Shorter than a server keeps a connection that is idle: one that it is about to close is not used for a request.
_KEPT = httpx.Limits(keepalive_expiry=2.0)
# Knows no authority, for nothing here is encrypted: to read those of the system takes longer than a request.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

State = dict[str, Any]
"""An `asset_data` message."""


def http_client(own_address: str | None = None, **more: Any) -> httpx.Client:
    """A client, with an address of its own if need be, for servers on this machine, without encryption."""
    transport = httpx.HTTPTransport(verify=PLAIN, limits=_KEPT, local_address=own_address)
    return httpx.Client(transport=transport, timeout=ANSWER_SECONDS, trust_env=False, **more)


def without_settings(environment: dict[str, str] | None = None) -> dict[str, str]:
    """The present environment without Vivienne's variables, with others laid over it."""
    present = {name: value for name, value in os.environ.items() if not name.startswith("VIVIENNE_")}
    return present | (environment or {})


def run_program(
    *arguments: str, environment: dict[str, str] | None = None, prefix: tuple[str, ...] = (), before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `vivienne` with these arguments to its end, which must come soon.

    Args:
        arguments: of `vivienne`.
        environment: variables on top of the present ones.
        prefix: command to run it under.
        before: code that the process executes before.
    """
    forking = RunningServer.forking
    if forking is not None and not _has_to_load(environment, prefix):
        return forking.run(arguments, without_settings(environment), START_SECONDS, before)
    assert not before, "only a forked process executes something before"
    return subprocess.run(
        [*prefix, sys.executable, "-m", "vivienne", *arguments],
        env=without_settings(environment),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def _has_to_load(environment: dict[str, str] | None, prefix: tuple[str, ...]) -> bool:
    """Whether there is something that has to be there before the program is."""
    names = ("LD_", "PYTHON", "LC_", "LANG")
    return bool(prefix) or any(name.startswith(names) for name in environment or ())


def data(state: State) -> dict[str, Any]:
    """The decision in a state."""
    found: dict[str, Any] = state["agents"]["VivienneAgent"]["data"]
    return found


def config(state: State) -> dict[str, Any]:
    """The configuration in a state."""
    found: dict[str, Any] = state["agents"]["VivienneAgent"]["config"]
    return found


class RunningServer:
    """A server process.

    Args:
        flags: of ``vivienne serve``, beyond port and database.
        db: the database: a file, or the address of one of PostgreSQL's.
        port: 0 for a free one, which it keeps when it is started again.
        environment: variables on top of the present ones.
        prefix: command to run it under.
        forking: starts it, in place of the one for all.
        before: code that the process executes before.

    Attributes:
        forking: starts them, where it can and may; None lets each load the program itself.
    """

    forking: ClassVar[Forking | None] = None

    def __init__(
        self,
        *flags: str,
        db: Path | str,
        port: int = 0,
        environment: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        forking: Forking | None = None,
        before: str = "",
    ) -> None:
        self.db = db
        self.port = port or free_port()
        self._host = "127.0.0.1"
        self._flags = flags
        self._environment = without_settings(environment)
        self._prefix = prefix
        self._forking = forking or (None if _has_to_load(environment, prefix) else self.forking)
        self._before = before
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._log = Path(tempfile.mkstemp(prefix="vivienne-test-", suffix=".log")[1])
        # One for all requests: making one costs more than most requests take.
        self.http = http_client()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
        finally:
            if self._process is not None and self._process.poll() is None:
                self.kill()
            self._log.unlink(missing_ok=True)
            self.http.close()

    @property
    def process(self) -> subprocess.Popen[bytes] | Forked:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://{self._host}:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        arguments = ["serve", "--port", str(self.port), "--db", str(self.db), *self._flags]
        if self._forking is None:
            assert not self._before, "only a forked process executes something before"
            command = [*self._prefix, sys.executable, "-m", "vivienne", *arguments]
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(command, stderr=log, env=self._environment)
        else:
            self._process = self._forking.start(arguments, self._environment, self._log, self._before)
        self.http.close()
        self.http = http_client()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(r"listens on http://(\S+):(\d+)", self.log)
            if found:
                self._host = found[1] if found[1].startswith("[") else self._host
                self.port = int(found[2])
                if self._healthy():
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"vivienne serve did not come up:\n{self.log}")

    def _healthy(self) -> bool:
        try:
            return self.http.get(f"{self.url}/health", timeout=1.0).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=STOP_SECONDS)

    # REST

    def get(self, path: str, **query: Any) -> httpx.Response:
        """GET a path."""
        return self.http.get(self.url + path, params=query)

    def post(self, name: str, body: Any, **more: Any) -> httpx.Response:
        """POST JSON to a configuration endpoint, such as ``partial-update``."""
        return self.http.post(f"{self.url}{COMPREHENSIVE}/{name}", json=body, **more)

    def post_text(self, name: str, body: str | bytes, **headers: str) -> httpx.Response:
        """POST a body as it is, declared as JSON."""
        return self.http.post(f"{self.url}{COMPREHENSIVE}/{name}", content=body, headers=JSON | headers)

    def delete(self, config_id: str, **more: Any) -> httpx.Response:
        """DELETE a configuration."""
        return self.http.delete(f"{self.url}{COMPREHENSIVE}/{config_id}", **more)

    def reset(self, asset: str | None = None) -> dict[str, Any]:
        """Take everything out of a layer."""
        whom = {} if asset is None else {"asset_symbol": asset}
        found: dict[str, Any] = self.post("reset", {**whom, "all": True}).raise_for_status().json()
        return found

    def history(self) -> list[dict[str, Any]]:
        """Every revision, newest first."""
        found: list[dict[str, Any]] = []
        before: dict[str, int] = {}
        for _ in range(100):
            page = self.get(f"{COMPREHENSIVE}/history", limit=1_000, **before).raise_for_status().json()
            found += page["history"]
            if page["next"] is None:
                return found
            before = {"before": page["next"]}
        raise AssertionError("the history has no end")

    def newest(self) -> dict[str, Any] | None:
        """The newest revision."""
        page = self.get(f"{COMPREHENSIVE}/history", limit=1).raise_for_status().json()["history"]
        return page[0] if page else None

    def active(self, asset: str | None = None) -> dict[str, Any]:
        """What is in force."""
        query = {} if asset is None else {"asset_symbol": asset}
        found: dict[str, Any] = self.get(f"{COMPREHENSIVE}/active", **query).raise_for_status().json()
        return found

    # WebSocket

    def client(self, host: str = "127.0.0.1") -> Client:
        """A client of `/ws/state`."""
        return Client(f"ws://{host}:{self.port}/ws/state")

    def slow_client(self) -> Client:
        """A client of `/ws/state` that takes little off the connection unless it is asked to."""
        # A small buffer, so that the server notices soon that nobody reads.
        plain = socket.socket(socket.AF_INET)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        plain.settimeout(ANSWER_SECONDS)
        plain.connect(("127.0.0.1", self.port))
        return Client(f"ws://127.0.0.1:{self.port}/ws/state", sock=plain, max_queue=1)

    def log_client(self, query: str = "") -> Client:
        """A client of `/ws/logs`."""
        return Client(f"ws://127.0.0.1:{self.port}/ws/logs{query}")


class Client:
    """A plain WebSocket client that keeps the newest state of each asset while it waits for what it is asked for."""

    def __init__(self, url: str, **more: Any) -> None:
        self._open = ExitStack()
        self._connection: ClientConnection = self._open.enter_context(
            connect(url, open_timeout=ANSWER_SECONDS, close_timeout=0.2, max_size=None, **more)
        )
        self.states: dict[str, dict[str, Any]] = {}
        self._patient_until = time.monotonic() + PATIENCE_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, message: Any) -> None:
        """Send a message; texts and bytes go as they are."""
        self._connection.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def close(self) -> None:
        """Leave."""
        self._open.close()

    def receive(self, timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next message, whatever it is."""
        # States come without end, so a loop that waits for one that never comes would go on for ever.
        assert time.monotonic() < self._patient_until, f"nothing that is waited for came in {PATIENCE_SECONDS:g} s"
        message: dict[str, Any] = json.loads(self._connection.recv(timeout))
        if message["type"] == "asset_data":
            self.states[message["asset"]] = message
        return message

    def ask(self, message: Any) -> dict[str, Any]:
        """Send a message and give its answer."""
        self.send(message)
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next message that is no state."""
        while (answer := self.receive())["type"] in ("asset_data", "asset_changed"):
            pass
        return answer

    def nothing_comes(self, seconds: float) -> bool:
        """Whether no message comes for so long."""
        try:
            self.receive(seconds)
        except TimeoutError:
            return True
        return False

    def closing(self) -> tuple[int, str]:
        """Wait until the server closes the connection; give its code and reason."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            try:
                self.receive(max(0.01, deadline - time.monotonic()))
            except ConnectionClosed as closed:
                return (0, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)
        raise AssertionError("the server keeps the connection open")

    def state(self, asset: str, *, version: int = 0, timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The newest state of an asset, decided with this configuration version or a later one."""
        deadline = time.monotonic() + timeout
        while asset not in self.states or self.states[asset]["config_version"] < version:
            self.receive(max(0.01, deadline - time.monotonic()))
        return self.states[asset]
