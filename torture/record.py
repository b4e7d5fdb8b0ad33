"""kill -9 at any moment while decisions are recorded: at most the last second is missing, and a gap says so."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.exceptions import ConnectionClosed

from measuring import Figure
from running import RunningServer
from torture.progress import Progress
from vivienne.record.database import open_record
from vivienne.record.reader import Range, RecordReader
from vivienne.record.verifying.running import Verification
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.reader import Gap
    from vivienne.record.rows import RecordedBar

_ASSETS = ("BTC", "ETH", "SOL")
_SPEED = 600
"""Ten bars a second of each asset."""
_ROUND_SECONDS = 60.0
_LATEST_KILL_SECONDS = 1.5
LOST_SECONDS = 1.0
"""Longest time before a kill whose decisions may be missing."""


class _Streamed(NamedTuple):
    """A decision as a client saw it."""

    version: int
    level: str
    side: str
    confidence: float
    came: float


@dataclass
class _Watched:
    """Every decision that was streamed, by asset and open time of its bar."""

    decisions: dict[tuple[str, int], _Streamed] = field(default_factory=dict)

    def follow(self, server: RunningServer) -> None:
        """Note what is streamed, until the server is gone."""
        try:
            with server.client() as client:
                client.ask({"type": "subscribe", "assets": [*_ASSETS]})
                while True:
                    self._take(client.receive())
        except (ConnectionClosed, OSError, TimeoutError):
            return

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] != "asset_data":
            return
        data = message["agents"]["VivienneAgent"]["data"]
        bar = data["bar"]
        if bar is None or bar["config_version"] is None:
            return
        time_ms = round(datetime.fromisoformat(bar["time"]).timestamp() * 1_000)
        self.decisions[message["asset"], time_ms] = _Streamed(
            bar["config_version"], bar["clarity_level"], bar["side"], bar["signal_confidence"], time.time()
        )


@dataclass
class _Found:
    """What was wrong after the kills.

    Attributes:
        recorded: number of streamed decisions that are in the record.
        late: decisions that were streamed long before a kill and are missing.
        unmarked: decisions that are missing, and no gap says so.
        other: decisions that are recorded otherwise than they were streamed.
    """

    recorded: int = 0
    missing: int = 0
    late: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def look(self, path: Path, streamed: dict[tuple[str, int], _Streamed], killed: float) -> None:
        """Compare what was streamed before a kill with the record."""
        times = [when for _, when in streamed]
        if not times:
            return
        first, last = min(times), max(times)
        reader = RecordReader(open_record(path, "to read"))
        try:
            run = reader.runs()[-1]
            series = reader.series(run.id)
            ids = {each.asset: {segment.id for segment in each.segments} for each in series}
            bars = {
                (each.asset, bar.bar.open_time): bar
                for each in series
                for bar in reader.bars(each, Range(first=first, last=last))
            }
            # Those of killed processes have times of the machine.
            gaps = _gaps_of(reader, run.id, killed) + reader.gaps(run.id, first, last)
        finally:
            reader.close()
        for key, decision in streamed.items():
            self._compare(key, decision, bars.get(key), killed)
            is_marked = any(_covers(gap, key[1], decision.came, ids.get(key[0], set())) for gap in gaps)
            if (key not in bars or bars[key].made is None) and not is_marked:
                self.unmarked.append(f"{key[0]} at {key[1]}")

    def _compare(self, key: tuple[str, int], streamed: _Streamed, bar: RecordedBar | None, killed: float) -> None:
        if bar is None or bar.made is None:
            self.missing += 1
            if killed - streamed.came > LOST_SECONDS:
                self.late.append(f"{key[0]} at {key[1]}, {killed - streamed.came:.2f} s before the kill")
            return
        self.recorded += 1
        made = bar.made.decision
        recorded = bar.made.config_version, made.level.word, made.side, round(made.confidence, 9)
        if recorded != streamed[:4]:
            self.other.append(f"{key[0]} at {key[1]}: {streamed[:4]} was streamed, {recorded} is recorded")


def _gaps_of(reader: RecordReader, run_id: int, killed: float) -> list[Gap]:
    """The gaps of a kill. The next process writes them when its record is open, which may be after it serves."""
    deadline = time.monotonic() + _ROUND_SECONDS
    while not (found := reader.gaps(run_id, round(killed * 1_000), _now())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [*found]


def _covers(gap: Gap, open_time: int, came: float, series: set[int]) -> bool:
    if gap.series_id is None:
        return gap.from_time <= came * 1_000 <= gap.to_time
    return gap.series_id in series and gap.from_time <= open_time <= gap.to_time


def _now() -> int:
    return round(time.time() * 1_000)


def measure(*, kills: int = 300, latest_kill: float = _LATEST_KILL_SECONDS) -> list[Figure]:
    """Kill a server that decides and records, over and over, while its configuration changes.

    Args:
        kills: how often.
        latest_kill: seconds after the first decision that is seen, at most, until the kill.
    """
    moments = random.Random(16)  # noqa: S311  # spreads moments, guards no secret
    found = _Found()
    progress = Progress("kills", kills)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kills.db"
        recorded = path.with_name("kills-record.db")
        flags = ("--assets", ",".join(_ASSETS), "--timeframe", "1m", "--speed", str(_SPEED))
        with RunningServer(*flags, "--market-begin", iso(_now()), db=path) as server:
            for kill in range(1, kills + 1):
                watched = _Watched()
                watching = threading.Thread(target=watched.follow, args=(server,), daemon=True)
                watching.start()
                _wait_for(watched)
                server.post("partial-update", {"bang_threshold": 75 + kill % 20}).raise_for_status()
                time.sleep(moments.uniform(0, latest_kill))
                killed = time.time()
                server.kill()
                watching.join(timeout=_ROUND_SECONDS)
                server.start()
                found.look(recorded, watched.decisions, killed)
                progress.at(kill, f"{found.recorded:,} recorded, {found.missing} missing, {len(found.late)} too early")
        different, missing = _verified(recorded)
    return [
        Figure(f"streamed decisions recorded over {kills} kills", f"{found.recorded:,}", "", None),
        Figure(
            f"missing although streamed over {LOST_SECONDS:g} s before the kill",
            f"{len(found.late)} {found.late[:3] or ''}", "0", not found.late, is_speed=True,
        ),
        Figure("missing and in no gap", f"{len(found.unmarked)} {found.unmarked[:3] or ''}", "0", not found.unmarked),
        Figure("recorded otherwise", f"{len(found.other)} {found.other[:3] or ''}", "0", not found.other),
        Figure("different when decided anew; not to be decided", f"{different}; {missing}", "0; 0",
               not different and not missing),
    ]  # fmt: skip


def _wait_for(watched: _Watched) -> None:
    deadline = time.monotonic() + _ROUND_SECONDS
    while not watched.decisions:
        if time.monotonic() > deadline:
            raise RuntimeError("no decision was streamed")
        time.sleep(0.01)


def _verified(path: Path) -> tuple[int, int]:
    """Numbers of decisions that are different when they are decided anew, and that cannot be or were altered."""
    reader = RecordReader(open_record(path, "to read"))
    try:
        verification = Verification(reader)
        for series in reader.series(reader.runs()[-1].id):
            for _ in verification.steps(series):
                pass
        verification.look_at_rows()
    finally:
        reader.close()
    return verification.different.total(), max(verification.missing.total(), verification.damaged)
