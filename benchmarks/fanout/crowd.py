"""Many clients of a server in one process, which counts what they get."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

from fanout.cores import CLIENTS, pin

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_ADDRESSES = 100
"""Each caller has a share of the time of a server, so they come from many addresses of this machine."""
_PARALLEL = 64
"""Handshakes under way at once."""


@dataclass(frozen=True)
class Counted:
    """What came in a time.

    Attributes:
        states: number of `asset_data` messages.
        changes: number of `asset_changed` messages.
        size: bytes of one of either, on average.
        seconds: by the clock.
    """

    states: int
    changes: int
    size: float
    seconds: float

    @property
    def deliveries(self) -> int:
        """States in either form."""
        return self.states + self.changes


class Crowd:
    """Connected clients.

    Args:
        program: the compiled client.
        port: of the server, on this machine.
        clients: their number.
        subscription: a message that each sends first; empty for none.
        waits: for a first state of each.

    Attributes:
        opened: seconds until the last handshake was answered.
    """

    def __init__(self, program: Path, port: int, clients: int, *, subscription: str = "", waits: bool = True) -> None:
        numbers = (port, clients, _ADDRESSES, _PARALLEL, int(waits))
        command = [str(program), *map(str, numbers), *([subscription] if subscription else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pin(self._process.pid, CLIENTS)
        self.opened: float = self._answer()["opened"]

    def count(self, seconds: float) -> Counted:
        """Count for a while."""
        self._say(f"count {seconds}")
        found = self._answer()
        if found["error"]:
            raise RuntimeError("the server answers clients with an error")
        states, changes = found["asset_data"], found["asset_changed"]
        size = (found["asset_data_bytes"] + found["asset_changed_bytes"]) / max(1, states + changes)
        return Counted(states, changes, size, found["seconds"])

    def watch(self, text: str) -> None:
        """Begin to look for a text in what comes from now on."""
        self._say(f"await {text}")
        if self._line() != "ready":
            raise RuntimeError("the clients are not ready")

    def seen(self) -> float:
        """Wait until each client has had the text; the time of the last one, as of `time.perf_counter`."""
        last: float = self._answer()["last"]
        return last

    def halt(self) -> None:
        """Do nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Go on after `halt`."""
        self._process.send_signal(signal.SIGCONT)

    def _say(self, line: str) -> None:
        _pipe(self._process.stdin).write(f"{line}\n")
        _pipe(self._process.stdin).flush()

    def _line(self) -> str:
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise RuntimeError("the clients have ended")
        return line.strip()

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the clients have no pipe")
    return pipe
