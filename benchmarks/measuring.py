"""What the benchmarks share: a server process, figures, a table."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Figure:
    """One line of the report.

    Attributes:
        wanted: the figure to reach, in words; empty where there is none.
        met: whether it was, None where there is none.
        is_speed: whether it is of time or memory, which no test asserts.
    """

    name: str
    value: str
    wanted: str = ""
    met: bool | None = None
    is_speed: bool = False


def percentile(values: Sequence[float], percent: float) -> float:
    """A percentile, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """Minimum, median and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} (min {low:.{digits}f}, max {high:.{digits}f})"


def machine() -> str:
    """What it ran on."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


@dataclass
class Serving:
    """A running server.

    Attributes:
        seconds: from the start of the process to the first answer of `/health`.
    """

    process: subprocess.Popen[bytes]
    port: int
    seconds: float
    log: Path


@contextmanager
def serving(
    *flags: str,
    program: tuple[str, ...] = ("-m", "vivienne"),
    python: str = sys.executable,
    patience: float = _START_SECONDS,
) -> Iterator[Serving]:
    """A server process on a free port with a new database.

    Args:
        flags: of `vivienne serve`.
        program: arguments of Python that run `vivienne`.
        python: that of the checkout whose server it is.
        patience: seconds in which it must have started.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        log = Path(folder) / "log"
        command = [python, *program, "serve", "--port", "0", "--db", f"{folder}/bench.db", *flags]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VIVIENNE_")}
        begin = time.perf_counter()
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stderr=sink, env=environment)
        try:
            port = _port(process, log, patience)
            _wait_for_health(port)
            yield Serving(process, port, time.perf_counter() - begin, log)
        finally:
            process.terminate()
            process.wait(timeout=max(10.0, patience / 5))


def _port(process: subprocess.Popen[bytes], log: Path, patience: float) -> int:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"listens on http://\S+:(\d+)", log.read_text())
        if found:
            return int(found[1])
        time.sleep(0.005)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def _wait_for_health(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.005)
        else:
            return
    raise RuntimeError("the server does not answer")
