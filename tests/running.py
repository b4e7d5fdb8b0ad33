"""A real `vivienne serve` in a process of its own, and a plain WebSocket client for it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx
from websockets.sync.client import connect

if TYPE_CHECKING:
    from types import TracebackType

    from websockets.sync.client import ClientConnection

COMPREHENSIVE = "/phoenix/config/vivienne/comprehensive"
START_SECONDS = 30.0
ANSWER_SECONDS = 10.0


class RunningServer:
    """A server process.

    Args:
        flags: of ``vivienne serve``, beyond port and database.
        db: the database file.
        port: 0 for a free one.
        environment: variables on top of the present ones.
    """

    def __init__(self, *flags: str, db: Path, port: int = 0, environment: dict[str, str] | None = None) -> None:
        self.db = db
        self.port = port
        self._flags = flags
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("VIVIENNE_")}
        self._environment.update(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path(tempfile.mkstemp(prefix="vivienne-test-", suffix=".log")[1])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        self._log.unlink(missing_ok=True)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [sys.executable, "-m", "vivienne", "serve", "--port", str(self.port), "--db", str(self.db)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*command, *self._flags], stderr=log, env=self._environment)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(r"listens on http://\S+:(\d+)", self.log)
            if found:
                self.port = int(found[1])
                if self._healthy():
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"vivienne serve did not come up:\n{self.log}")

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=1.0).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(errors="replace")

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=10)

    # REST

    def get(self, path: str, **query: Any) -> httpx.Response:
        """GET a path."""
        return httpx.get(self.url + path, params=query, timeout=ANSWER_SECONDS)

    def post(self, name: str, body: Any, **more: Any) -> httpx.Response:
        """POST JSON to a configuration endpoint, such as ``partial-update``."""
        return httpx.post(f"{self.url}{COMPREHENSIVE}/{name}", json=body, timeout=ANSWER_SECONDS, **more)

    def active(self, asset: str | None = None) -> dict[str, Any]:
        """What is in force."""
        query = {} if asset is None else {"asset_symbol": asset}
        found: dict[str, Any] = self.get(f"{COMPREHENSIVE}/active", **query).raise_for_status().json()
        return found

    # WebSocket

    def client(self) -> Client:
        """A client of `/ws/state`."""
        return Client(f"ws://127.0.0.1:{self.port}/ws/state")


class Client:
    """A plain WebSocket client that keeps the newest state of each asset while it waits for what it is asked for."""

    def __init__(self, url: str) -> None:
        self._connection: ClientConnection = connect(url, open_timeout=ANSWER_SECONDS, max_size=None)
        self.states: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def send(self, message: Any) -> None:
        """Send a message; texts and bytes go as they are."""
        self._connection.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def receive(self, timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next message, whatever it is."""
        message: dict[str, Any] = json.loads(self._connection.recv(timeout))
        if message["type"] == "asset_data":
            self.states[message["asset"]] = message
        return message

    def ask(self, message: Any) -> dict[str, Any]:
        """Send a message and give its answer."""
        self.send(message)
        while (answer := self.receive())["type"] == "asset_data":
            pass
        return answer

    def state(self, asset: str, *, version: int = 0, timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The newest state of an asset, decided with this configuration version or a later one."""
        deadline = time.monotonic() + timeout
        while asset not in self.states or self.states[asset]["config_version"] < version:
            self.receive(max(0.01, deadline - time.monotonic()))
        return self.states[asset]
