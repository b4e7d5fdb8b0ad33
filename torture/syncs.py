"""The system calls of a server, by strace: what is acknowledged was synced before, every time."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Figure
from running import RunningServer
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
_CALLS = "pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync"
_END_SECONDS = 30.0
_LINE = re.compile(r"(?P<thread>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>(?P<rest>.*)|(?P<call>\w+)\((?P<first>.*))")
_FILE = re.compile(r"\d+<(?P<path>[^>]*)>")
_ACKNOWLEDGED = "Configuration updated: "


def measure(*, changes: int = 10_000) -> list[Figure]:
    """Make changes one after the other, by REST and WebSocket in turn, and read what the server did meanwhile."""
    if shutil.which("strace") is None:
        return [Figure("a sync between commit and acknowledgement", "not run: there is no strace here")]
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        # -D: the process that is started, and told to stop, is the server and not strace.
        prefix = ("strace", "-D", "-f", "-y", "--seccomp-bpf", "-s", "256", "-e", f"trace={_CALLS}", "-o", str(trace))
        try:
            _make(RunningServer(*_FLAGS, db=Path(folder) / "syncs.db", prefix=prefix), changes)
        except AssertionError as error:
            if "ptrace" in str(error):
                return [Figure("a sync between commit and acknowledgement", "not run: this machine allows no strace")]
            raise
        _wait_for_end(trace)
        with trace.open(errors="replace") as lines:
            acknowledged, without = _read(lines, "syncs.db")
    return [
        Figure("acknowledgements seen by strace", f"{acknowledged:,}", f"{changes:,}", acknowledged == changes),
        Figure("sent while a write to the database was not synced", f"{without}", "0", without == 0),
    ]


def _make(running: RunningServer, changes: int) -> None:
    progress = Progress("changes", changes)
    with running as server, server.client() as client:
        for number in range(1, changes + 1):
            config = {"position_size_bang": number / 1000}
            if number % 2:
                answer = server.post("partial-update", config).json()
            else:
                answer = client.ask({"type": "config_update", "config": config})
            if answer["status"] != "success" or answer["version"] != number:
                raise RuntimeError(f"change {number} was answered with {answer}")
            progress.at(number)


def _wait_for_end(trace: Path) -> None:
    """Wait until strace has written what it saw; it ends a moment after what it watches."""
    deadline = time.monotonic() + _END_SECONDS
    while "+++ exited with" not in trace.read_bytes()[-200:].decode(errors="replace"):
        if time.monotonic() > deadline:
            raise RuntimeError("strace did not end")
        time.sleep(0.05)


def _read(lines: Iterable[str], name: str) -> tuple[int, int]:
    """How many acknowledgements went out, and how many of them before everything written was synced.

    Args:
        lines: of strace.
        name: of the database; its journal begins with it too.
    """
    unsynced: set[str] = set()
    under_way: dict[str, str] = {}
    synced = False
    acknowledged = without = 0
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        thread, call, first = found["thread"], found["call"] or found["resumed"], found["first"] or ""
        file = _FILE.match(first)
        path = file["path"] if file else ""
        of_database = Path(path).name.startswith(name)
        if call == "pwrite64" and of_database:
            unsynced.add(path)
        elif call in ("fsync", "fdatasync"):
            if found["resumed"]:
                path = under_way.pop(thread, "")
            elif "unfinished" in line:
                under_way[thread] = path
                continue
            if line.rstrip().endswith("= 0") and Path(path).name.startswith(name):
                unsynced.discard(path)
                synced = True
        elif path.startswith("socket:") and _ACKNOWLEDGED in first:
            acknowledged += 1
            without += bool(unsynced) or not synced
            synced = False
    return acknowledged, without
