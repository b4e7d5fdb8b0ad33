"""kill -9 at any moment while changes come in: what was acknowledged is there afterwards, and nothing is half there."""

from __future__ import annotations

import itertools
import random
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from websockets.exceptions import ConnectionClosed

from measuring import Figure
from running import COMPREHENSIVE, PLAIN, RunningServer
from torture.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
_SENDERS = 4
_ROUND_SECONDS = 60.0
_LATEST_KILL_SECONDS = 0.1
_PAGE = 1_000


@dataclass
class _Sent:
    """What all senders sent, each value once, and what was acknowledged.

    Attributes:
        values: every value that was sent.
        acknowledged: by version, its config_id and value.
        wrong: answers that are neither an acknowledgement nor a connection that ended.
    """

    values: set[float] = field(default_factory=set)
    acknowledged: dict[int, tuple[str, float]] = field(default_factory=dict)
    wrong: list[Any] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def next(self) -> float:
        value = next(self._numbers) / 1_000
        self.values.add(value)
        return value

    def keep(self, value: float, answer: dict[str, Any]) -> None:
        if answer.get("status") == "success":
            self.acknowledged[answer["version"]] = (answer["config_id"], value)
        else:
            self.wrong.append(answer)

    def over_rest(self, server: RunningServer) -> None:
        url = f"{server.url}{COMPREHENSIVE}/partial-update"
        try:
            with httpx.Client(timeout=_ROUND_SECONDS, trust_env=False, verify=PLAIN) as http:
                while True:
                    value = self.next()
                    self.keep(value, http.post(url, json={"position_size_bang": value}).json())
        except httpx.TransportError:
            return

    def over_websocket(self, server: RunningServer) -> None:
        try:
            with server.client() as client:
                while True:
                    value = self.next()
                    message = {"type": "config_update", "config": {"position_size_bang": value}}
                    self.keep(value, client.ask(message))
        except (ConnectionClosed, OSError):
            return


@dataclass
class _Found:
    """What was wrong after the kills.

    Attributes:
        last: the newest version that was looked at.
        lost: acknowledged versions that are not there, or are another change.
        torn: sentences about what is half there.
    """

    last: int = 0
    lost: set[int] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)

    def look(self, server: RunningServer, sent: _Sent) -> None:
        """Look at everything that is new since the last look, and at what is in force."""
        new = _newer(server, self.last)
        versions = [entry["version"] for entry in new]
        if versions != list(range(self.last + len(new), self.last, -1)):
            self.torn.append(f"after version {self.last} there are {versions}")
        stored = {entry["version"]: entry for entry in new}
        values = {version: _value(entry) for version, entry in stored.items()}
        for version, (config_id, value) in sent.acknowledged.items():
            if version > self.last and (
                version not in stored or (stored[version]["config_id"], values[version]) != (config_id, value)
            ):
                self.lost.add(version)
        for version, entry in stored.items():
            (change,) = entry["changed"]
            if values[version] not in sent.values or change["new"] != values[version]:
                self.torn.append(f"version {version} has {values[version]} and says {change}")
            if version - 1 in values and change["old"] != values[version - 1]:
                self.torn.append(f"version {version} was made on {change['old']}, not on {values[version - 1]}")
        active = server.active()
        if new and (active["config_id"], _value(active)) != (new[0]["config_id"], values[versions[0]]):
            self.torn.append(f"{active['config_id']} is in force and not version {versions[0]}")
        self.last = max([self.last, *versions])


def measure(
    *, kills: int = 300, changes: int = 30_000, db: str = "", latest_kill: float = _LATEST_KILL_SECONDS
) -> list[Figure]:
    """Kill a server that takes changes by REST and WebSocket at once, over and over.

    Args:
        kills: how often.
        changes: acknowledged changes over all kills, at least.
        db: address of a PostgreSQL database; a new SQLite file without it.
        latest_kill: seconds after the last change that is waited for.
    """
    moments = random.Random(20)  # noqa: S311  # spreads moments, guards no secret
    sent, found = _Sent(), _Found()
    damaged: list[str] = []
    progress = Progress("kills", kills)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kills.db"
        with RunningServer(*_FLAGS, db=db or path) as server:
            for kill in range(1, kills + 1):
                senders = _start(sent, server)
                _wait_for(sent, changes * kill // kills, senders)
                time.sleep(moments.uniform(0, latest_kill))
                server.kill()
                for sender in senders:
                    sender.join(timeout=_ROUND_SECONDS)
                server.start()
                found.look(server, sent)
                if not db:
                    damaged += _damage(path)
                progress.at(kill, f"{len(sent.acknowledged):,} changes acknowledged, {len(found.lost)} lost")
            again = _Found()
            again.look(server, sent)
    lost = found.lost | again.lost
    torn = [*found.torn, *again.torn, *map(str, sent.wrong)]
    made = len(sent.acknowledged)
    return [
        Figure(f"changes acknowledged over {kills} kills", f"{made:,}", f">= {changes:,}", made >= changes),
        Figure("acknowledged and lost", f"{len(lost)} {sorted(lost)[:5] or ''}", "0", not lost),
        Figure("torn, or wrongly answered", f"{len(torn)} {torn[:2] or ''}", "0", not torn),
        *([] if db else [Figure("integrity check", "; ".join(damaged[:3]) or "ok", "ok", not damaged)]),
    ]


def _start(sent: _Sent, server: RunningServer) -> list[threading.Thread]:
    works = itertools.islice(itertools.cycle((sent.over_rest, sent.over_websocket)), _SENDERS)
    senders = [threading.Thread(target=work, args=(server,), daemon=True) for work in works]
    for sender in senders:
        sender.start()
    return senders


def _wait_for(sent: _Sent, count: int, senders: list[threading.Thread]) -> None:
    deadline = time.monotonic() + _ROUND_SECONDS
    while len(sent.acknowledged) < count:
        if time.monotonic() > deadline or not any(sender.is_alive() for sender in senders):
            raise RuntimeError(f"the server takes no changes any more: {sent.wrong[-1:]}")
        time.sleep(0.001)


def _newer(server: RunningServer, version: int) -> list[dict[str, Any]]:
    """Revisions above a version, newest first."""
    found: list[dict[str, Any]] = []
    query: dict[str, int] = {}
    while True:
        page = server.get(f"{COMPREHENSIVE}/history", limit=_PAGE, **query).raise_for_status().json()
        found += [entry for entry in page["history"] if entry["version"] > version]
        if page["next"] is None or page["next"] <= version:
            return found
        query = {"before": page["next"]}


def _value(entry: dict[str, Any]) -> float:
    value: float = entry["config"]["settings"]["position_size_bang"]
    return value


def _damage(path: Path) -> list[str]:
    """What SQLite finds wrong with the file; nothing when it is sound."""
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    return [] if found == ["ok"] else found
