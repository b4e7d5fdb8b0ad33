"""The servers that are measured side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fanout.cores import SERVER, pin, processor_seconds
from measuring import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_HERE = Path(__file__).parent
REFERENCE, NOW, BEFORE = "C reference", "now", "before"
_ALL = str(20_000)
# More than there are clients, so that no limit is measured.
_LIMITS = (
    *("--max-handshakes-per-second", "1000000", "--max-half-open", _ALL, "--max-connections", "12000"),
    *("--max-connections-per-address", _ALL, "--max-websockets-per-caller", _ALL),
    *("--max-changes-per-minute", "1000000"),
)
_STILL = ("--speed", "0.001")
"""A market whose next price comes after a quarter of an hour."""


@dataclass(frozen=True)
class Running:
    """A server that runs, pinned to its core."""

    process: int
    port: int

    def begin(self) -> None:
        """Send states as fast as clients take them."""
        os.kill(self.process, signal.SIGUSR1)

    def end(self) -> None:
        """Send nothing."""
        os.kill(self.process, signal.SIGUSR2)

    def halt(self) -> None:
        """Do nothing at all."""
        os.kill(self.process, signal.SIGSTOP)

    def go_on(self) -> None:
        """Go on after `halt`."""
        os.kill(self.process, signal.SIGCONT)

    def processor_seconds(self) -> float:
        """Processor time so far."""
        return processor_seconds(self.process)


class Candidate(Protocol):
    """A server to start."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    @property
    def sends_first(self) -> bool:
        """Whether a client gets a state when it connects."""

    def saturated(self, assets: tuple[str, ...]) -> AbstractContextManager[Running]:
        """Start one that waits for `Running.begin`."""

    def moving(self, assets: tuple[str, ...]) -> AbstractContextManager[Running]:
        """Start one whose prices move as usual."""


@dataclass(frozen=True)
class Vivienne:
    """The program of a checkout.

    Attributes:
        python: of its environment.
    """

    name: str
    python: str = sys.executable
    sends_first: bool = True

    @contextmanager
    def serving(
        self, *flags: str, program: tuple[str, ...] = ("-m", "vivienne"), patience: float = 60.0
    ) -> Iterator[Running]:
        """Start it; see `measuring.serving`."""
        with serving(*flags, program=program, python=self.python, patience=patience) as running:
            pin(running.process.pid, SERVER)
            yield Running(running.process.pid, running.port)

    def saturated(self, assets: tuple[str, ...]) -> AbstractContextManager[Running]:
        """See `Candidate`."""
        program = (str(_HERE / "saturated.py"),)
        return self.serving("--assets", ",".join(assets), *_STILL, *_LIMITS, program=program)

    def moving(self, assets: tuple[str, ...]) -> AbstractContextManager[Running]:
        """See `Candidate`."""
        return self.serving("--assets", ",".join(assets), *_LIMITS)

    def printed(self, script: Path, *arguments: str) -> Any:
        """The JSON that a script prints, run by the interpreter of the checkout."""
        done = subprocess.run([self.python, str(script), *arguments], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


def programs(earlier: str) -> list[Vivienne]:
    """The program of today, and that of another checkout with its own environment.

    Args:
        earlier: path of the other checkout; empty for none.
    """
    if not earlier:
        return [Vivienne(NOW)]
    python = Path(earlier) / ".venv" / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"{python} does not exist: run make in {earlier} first")
    return [Vivienne(NOW), Vivienne(BEFORE, str(python))]


@dataclass(frozen=True)
class Bare:
    """A program that sends the payload in a file to every client, and prints its port.

    Attributes:
        command: that runs it; the payload is its last argument.
    """

    name: str
    command: tuple[str, ...]
    payload: Path
    sends_first: bool = False

    @contextmanager
    def saturated(self, assets: tuple[str, ...]) -> Iterator[Running]:
        """See `Candidate`; the payload is the same whatever the assets are."""
        del assets
        process = subprocess.Popen([*self.command, str(self.payload)], stdout=subprocess.PIPE, text=True)
        try:
            pin(process.pid, SERVER)
            port = process.stdout.readline() if process.stdout is not None else ""
            yield Running(process.pid, int(port))
        finally:
            process.kill()
            process.communicate()

    def moving(self, assets: tuple[str, ...]) -> AbstractContextManager[Running]:
        """See `Candidate`: it sends for each POST."""
        return self.saturated(assets)


def libraries(payload: Path) -> list[Bare]:
    """The usual ways to send to many clients in Python."""
    return [
        Bare(name, (sys.executable, str(_HERE / program)), payload)
        for name, program in (
            ("uvicorn, one send_text each", "sending_each.py"),
            ("websockets, its broadcast", "broadcasting.py"),
        )
    ]
