"""kill -9 between a decision and its alert: each alert arrives, once or again with the same id; none is made up."""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from measuring import Figure
from running import RunningServer
from torture.progress import Progress
from vivienne.agent.evaluate import evaluate
from vivienne.agent.schema import Configuration
from vivienne.market.feeds.simulated import BEGIN_MS, simulated_minutes
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASSETS = ("BTC", "ETH", "SOL")
_SPEED = 120
"""Two bars a second of each asset: fewer close while the server starts than alerts look back on."""
_LEVELS = ["idle", "loaded", "aim", "bang"]
_LATEST_KILL_SECONDS = 1.5
_PATIENCE_SECONDS = 60.0
_ROWS = 1_000
"""Bars that are decided in one call; the history before them is longer than any decision looks back."""
_BEFORE = 1_500


@dataclass
class _Received:
    """What a receiver was sent.

    Attributes:
        ids: by asset and open time of the bar, how often each id came.
        levels: by the same, the level.
        last: when something came.
    """

    ids: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)
    levels: dict[tuple[str, int], str] = field(default_factory=dict)
    last: float = 0.0

    def take(self, event: dict[str, Any]) -> None:
        """Note an alert."""
        key = event["asset"], round(datetime.fromisoformat(event["bar_time"]).timestamp() * 1_000)
        self.ids.setdefault(key, Counter())[event["id"]] += 1
        self.levels[key] = event["clarity_level"]
        self.last = time.monotonic()


def measure(*, kills: int = 200, latest_kill: float = _LATEST_KILL_SECONDS) -> list[Figure]:
    """Kill a server that sends alerts, over and over, and compare what arrived with what the market should have caused.

    Args:
        kills: how often.
        latest_kill: seconds after a start, at most, until the kill.
    """
    moments = random.Random(17)  # noqa: S311  # spreads moments, guards no secret
    received = _Received()
    progress = Progress("kills", kills)
    begun = iso(round(time.time() * 1_000))
    with tempfile.TemporaryDirectory() as folder, _receiver(received) as port:
        flags = ("--assets", ",".join(_ASSETS), "--timeframe", "1m", "--speed", str(_SPEED), "--market-begin", begun)
        db = Path(folder) / "kills.db"
        with RunningServer(*flags, "--alert-hosts", "127.0.0.1", db=db) as server:
            _make_rule(server, port)
            _wait_for_more(received)
            for kill in range(1, kills + 1):
                time.sleep(moments.uniform(0, latest_kill))
                server.kill()
                server.start()
                progress.at(kill, f"{len(received.ids):,} alerts")
            _wait_for_more(received)
            last = {asset: max(when for name, when in received.ids if name == asset) for asset in _ASSETS}
            time.sleep(3.0)  # for whatever is before these and comes later
    missing, made_up = _compared(received, last)
    doubled = [key for key, ids in received.ids.items() if len(ids) > 1]
    again = sum(ids.total() - 1 for ids in received.ids.values())
    return [
        Figure(f"alerts received over {kills} kills", f"{len(received.ids):,}, {again} of them again", "", None),
        Figure("lost", f"{len(missing)} {missing[:3] or ''}", "0", not missing),
        Figure("made up, or of another level", f"{len(made_up)} {made_up[:3] or ''}", "0", not made_up),
        Figure("with a second id", f"{len(doubled)} {doubled[:3] or ''}", "0", not doubled),
    ]


def _receiver(received: _Received) -> _Listening:
    return _Listening(received)


class _Listening:
    """A receiver of webhooks on a port of its own."""

    def __init__(self, received: _Received) -> None:
        class Handler(BaseHTTPRequestHandler):
            """Takes each alert."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the library's name
                """Take one."""
                received.take(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            @override
            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> int:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return int(self._server.server_address[1])

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _make_rule(server: RunningServer, port: int) -> None:
    rule = {
        "name": "levels", "assets": ["*"], "event": "level", "levels": _LEVELS,
        "channels": [{"type": "webhook", "url": f"http://127.0.0.1:{port}/hook"}],
    }  # fmt: skip
    server.http.post(f"{server.url}/phoenix/alerts", json=rule).raise_for_status()


def _wait_for_more(received: _Received) -> None:
    """Wait until an alert of each asset comes."""
    seen, deadline = len(received.ids), time.monotonic() + _PATIENCE_SECONDS
    while len(received.ids) < seen + 10 or {asset for asset, _ in received.ids} != set(_ASSETS):
        if time.monotonic() > deadline:
            raise RuntimeError("no alert came")
        time.sleep(0.05)


def _compared(received: _Received, last: dict[str, int]) -> tuple[list[str], list[str]]:
    """Alerts that are missing between the first and the last one of each asset, and those that should not be there."""
    missing, made_up = [], []
    for asset in _ASSETS:
        came = {when: level for (name, when), level in received.levels.items() if name == asset and when <= last[asset]}
        wanted = dict(_changes(asset, min(came), last[asset]))
        missing += [f"{asset} at {iso(when)}" for when in wanted if when not in came]
        made_up += [f"{asset} at {iso(when)}: {level}" for when, level in came.items() if wanted.get(when) != level]
    return missing, made_up


def _changes(asset: str, first: int, last: int) -> Iterator[tuple[int, str]]:
    """The bars of a simulated market at which the level changes, and the new levels."""
    count = (last - BEGIN_MS) // MINUTE_MS + 1
    bars = Bars.from_candles([*islice(simulated_minutes(asset, 1), count)])
    begin = (first - BEGIN_MS) // MINUTE_MS - 1
    levels: list[tuple[int, str]] = []
    for start in range(begin, count, _ROWS):
        part = bars[max(0, start - _BEFORE) : start + _ROWS]
        rows = min(_ROWS, count - start)
        is_cut = start > _BEFORE
        decided = evaluate(part, Configuration(), 1, rows, is_cut=is_cut).decisions()
        levels += [(each.open_time, each.level.word) for each in decided]
    for (_, before), (when, level) in pairwise(levels):
        if level != before:
            yield when, level
