"""A disk that is full or broken: nothing is acknowledged, what was in force stays, and it goes on once the disk does.

Errors are made in two ways: a real file system of one megabyte that is full (where this user may mount one), and a
library in front of the C library, whose calls fail from the n-th on (where there is a C compiler).
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forking import Forking
from measuring import Figure
from running import RunningServer
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500", "--speed", "600")
_SOURCE = Path(__file__).parent / "faults.c"
_RECOVERY_SECONDS = 20.0
_DISK_BYTES = 1 << 20


@dataclass
class _Ledger:
    """What was sent to a server and what has to be true of it.

    Attributes:
        good: the value that was acknowledged last.
        acknowledged: config_ids of everything that was acknowledged.
        wrong: counted sentences.
    """

    good: float | None = None
    acknowledged: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    _number: int = 0

    def send(self, server: RunningServer, *, by_websocket: bool = False) -> dict[str, Any]:
        """Send a change with a value of its own; give the answer."""
        self._number += 1
        # A long reason, so that few of them fit into a page that is there already.
        config = {"position_size_bang": self._number / 1000, "reason": "x" * 900}
        if by_websocket:
            with server.client() as client:
                reason = config.pop("reason")
                answer = client.ask({"type": "config_update", "config": config, "reason": reason})
        else:
            answer = server.post("partial-update", config).json()
        if answer.get("status") == "success":
            self.good = self._number / 1000
            self.acknowledged.append(answer["config_id"])
        elif answer.get("code") != "not_stored":
            self.wrong[f"refused with {answer}"] += 1
        return answer

    def check_refusing(self, server: RunningServer) -> None:
        """The disk does not work, and a change has just been refused: the last good configuration is in force."""
        if self.good is not None and _in_force(server) != self.good:
            self.wrong["something else than the last good configuration is in force"] += 1
        with server.client() as client:
            shown = client.state("BTC")["agents"]["VivienneAgent"]["config"]["settings"]["position_size_bang"]
        if self.good is not None and shown != self.good:
            self.wrong["states show something else than the last good configuration"] += 1
        if server.get("/ready").status_code != 503:
            self.wrong["ready although changes are refused"] += 1

    def check_recovered(self, server: RunningServer) -> None:
        """The disk works again: so does everything else, and the next process finds what was acknowledged."""
        if not _soon(lambda: server.get("/ready").status_code == 200):
            self.wrong["not ready again"] += 1
        if self.send(server).get("status") != "success":
            self.wrong["takes no change again"] += 1
        kept = {entry["config_id"] for entry in server.history()}
        self.wrong["acknowledged and lost"] += len(set(self.acknowledged) - kept)
        server.kill()
        server.start()
        if _in_force(server) != self.good:
            self.wrong["another configuration after a restart"] += 1


def measure(*, calls: int = 14, rounds: int = 3) -> list[Figure]:
    """Let the disk be full and broken.

    Args:
        calls: how many of a change's writes or syncs are the first that fails, one after the other.
        rounds: how often the real file system is filled.
    """
    return [*_really_full(rounds), *_failing(calls)]


def _really_full(rounds: int) -> list[Figure]:
    name = f"a disk of 1 MB filled up, {rounds} x"
    ledger, refused = _Ledger(), 0
    with _small_disk() as disk:
        if disk is None:
            return [Figure(name, "not run: this user may not mount one")]
        with RunningServer(*_FLAGS, db=disk / "disk.db") as server:
            ledger.send(server)
            for number in range(rounds):
                for _ in range(10):
                    # Again each time: a journal of the record that has ended leaves room.
                    with (disk / "filler").open("ab") as filler, suppress(OSError):
                        filler.write(b"\0" * _free(disk))
                    # A few still fit into the page that is begun.
                    answer = ledger.send(server, by_websocket=bool(number % 2))
                    if answer.get("status") != "success":
                        refused += 1
                        ledger.check_refusing(server)
                (disk / "filler").unlink()
                ledger.check_recovered(server)
    return [_figure(f"{name} (tmpfs)", ledger, refused, rounds)]


def _failing(calls: int) -> list[Figure]:
    faults = {
        "full (ENOSPC on write)": ("pwrite", errno.ENOSPC),
        "broken (EIO on write)": ("pwrite", errno.EIO),
        "broken (EIO on sync)": ("sync", errno.EIO),
    }
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return [Figure(f"disk {name}", "not run: it needs Linux and a C compiler") for name in faults]
    figures = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        library, orders = Path(folder) / "faults.so", Path(folder) / "orders"
        command = [compiler, "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl", "-lpthread"]
        subprocess.run(command, check=True, timeout=60)
        environment = {"FAULTS": str(orders), "FAULTS_IN": "disk.db"}
        forking = Forking(environment={"LD_PRELOAD": str(library)})
        opened.callback(forking.end)
        for name, (call, number) in faults.items():
            ledger, refused, progress = _Ledger(), 0, Progress(f"faults, disk {name}", calls)
            db = Path(folder) / name.replace(" ", "-") / "disk.db"
            with RunningServer(*_FLAGS, db=db, environment=environment, forking=forking) as server:
                ledger.send(server)
                for first in range(1, calls + 1):
                    _order(orders, f"{call}-{first} {call} {number} {first}")
                    answer = ledger.send(server, by_websocket=bool(first % 2))
                    if answer.get("status") != "success":
                        refused += 1
                        ledger.check_refusing(server)
                    _order(orders, "")
                    ledger.check_recovered(server)
                    progress.at(first, f"{refused} refused")
            figures.append(_figure(f"disk {name}, from the 1st to the {calls}th", ledger, refused, 1))
    return figures


def _figure(name: str, ledger: _Ledger, refused: int, at_least: int) -> Figure:
    wrong = +ledger.wrong
    value = f"{refused} refused, {wrong.total()} wrong" + "".join(
        f"; {count} x {what}" for what, count in wrong.items()
    )
    return Figure(name, value, "0 wrong", refused >= at_least and not wrong)


def _order(path: Path, text: str) -> None:
    """Give an order at once, not half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system of its own, or None where this user may not mount one."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "vivienne-torture", folder]
        if os.geteuid() or subprocess.run(mount, capture_output=True, timeout=30, check=False).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True, timeout=30)


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def _in_force(server: RunningServer) -> Any:
    return server.active()["config"]["settings"]["position_size_bang"]


def _soon(check: Any) -> bool:
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.1)
    return False
