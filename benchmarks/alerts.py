"""Alerts: from a closed bar to a received webhook, with fifty assets at once, and what rules cost a decision.

Fifty assets replay the same minutes, so that all of them reach a level at the same bar. One rule sends each of these
alerts to a receiver in this process, in order. In a second run another rule sends the same to a receiver that accepts
connections and never answers.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from making import minutes, write_minutes
from measuring import Figure, percentile, serving
from vivienne.agent.evaluate import evaluate
from vivienne.agent.schema import Configuration
from vivienne.alerts.happenings import happened, possible
from vivienne.alerts.names import Names
from vivienne.alerts.reading import read_rule
from vivienne.alerts.rulebook import Rulebook
from vivienne.alerts.standing import Standing, standing_of
from vivienne.market.types import Bars
from vivienne.slices import whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from measuring import Serving
    from vivienne.alerts.rule import Rule

_ASSETS = tuple(f"A{number}" for number in range(50))
_SPEED, _SECONDS, _START = 120, 40.0, timedelta(seconds=5)
_RULES, _BARS = 1_000, 600
_LEVELS = ["idle", "loaded", "aim", "bang"]


@dataclass
class _Receiver:
    """Takes webhooks.

    Attributes:
        came: time of arrival, seconds since the epoch, and the alert.
        connections: what serves each of them; ends with the sender.
    """

    answers: bool
    port: int = 0
    came: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    connections: list[Any] = field(default_factory=list)

    @asynccontextmanager
    async def there(self) -> AsyncIterator[_Receiver]:
        """Listen."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=256)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await asyncio.gather(*self.connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                body = await reader.readexactly(length)
                if not self.answers:
                    await reader.read()  # until the sender gives up
                self.came.append((time.time(), json.loads(body)))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def measure() -> list[Figure]:
    """Measure a server that replays, and rules in this process."""
    with tempfile.TemporaryDirectory() as folder:
        file = write_minutes(Path(folder) / "minutes.csv", minutes(8_000, seed=3))
        alone = asyncio.run(_latencies(file, has_dead_one=False))
        beside = asyncio.run(_latencies(file, has_dead_one=True))
    p99, p99_beside = percentile(alone, 99), percentile(beside, 99)
    cost = _cost_of_rules()
    return [
        Figure(
            f"bar closed to webhook received, 50 assets at once ({len(alone):,}): p50, p99",
            f"{percentile(alone, 50):.0f} and {p99:.0f} ms",
            "p99 <= 150 ms",
            p99 <= 150,
            is_speed=True,
        ),
        Figure(
            f"the same beside a receiver that never answers ({len(beside):,}): p50, p99",
            f"{percentile(beside, 50):.0f} and {p99_beside:.0f} ms ({p99_beside / p99 - 1:+.0%})",
            "p99 +10 %",
            p99_beside <= 1.1 * p99,
            is_speed=True,
        ),
        Figure(
            "1,000 rules over 50 assets, for each decision",
            f"{cost * 1e3:.3f} ms",
            "<= 1 ms",
            cost <= 0.001,
            is_speed=True,
        ),
    ]


async def _latencies(file: Path, *, has_dead_one: bool) -> list[float]:
    """Milliseconds from the first decision on a bar to each webhook of this bar."""
    data = [flag for asset in _ASSETS for flag in ("--data", f"{asset}={file}")]
    flags = (
        "--feed",
        "replay",
        "--speed",
        str(_SPEED),
        "--timeframe",
        "1m",
        "--alert-hosts",
        "127.0.0.1",
        "--record",
        "off",
        # All assets begin together, once everything is read.
        "--market-begin",
        f"{datetime.now(UTC) + _START:%Y-%m-%dT%H:%M:%SZ}",
        *data,
    )
    async with _Receiver(answers=True).there() as live, _Receiver(answers=False).there() as dead:
        with serving(*flags) as running:
            await asyncio.to_thread(_make, running, live.port)
            if has_dead_one:
                await asyncio.to_thread(_make, running, dead.port)
            await asyncio.sleep(_SECONDS)
    begun: dict[str, float] = {}
    for _, event in live.came:
        moment = datetime.fromisoformat(event["time"]).timestamp()
        begun[event["bar_time"]] = min(begun.get(event["bar_time"], moment), moment)
    return [(came - begun[event["bar_time"]]) * 1e3 for came, event in live.came]


def _make(running: Serving, port: int) -> None:
    rule = {
        "name": "levels", "assets": ["*"], "event": "level", "levels": _LEVELS,
        "channels": [{"type": "webhook", "url": f"http://127.0.0.1:{port}/hook"}],
    }  # fmt: skip
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}/phoenix/alerts",
        json.dumps(rule).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  # of our own server


@dataclass(frozen=True)
class _Named:
    rule: Rule


def _cost_of_rules() -> float:
    """Seconds that a thousand rules of all kinds take for one decision, on average."""
    kinds: list[dict[str, Any]] = [
        {"event": "level"}, {"event": ["entry", "exit"]}, {"event": "held"}, {"event": "confidence", "above": 0.95},
        {"event": "size", "min_size": 50},
    ]  # fmt: skip
    rules = [
        _Named(
            read_rule(
                {
                    "name": f"rule {number}",
                    "assets": ["*"],
                    "channels": [{"type": "browser"}],
                    **kinds[number % len(kinds)],
                },
                assets=_ASSETS,
            ).rule
        )
        for number in range(_RULES)
    ]
    book = Rulebook(rules, "simulated", Names(["A0"]))
    whole(book.look_up("A0"))
    steps = _standings()
    begin = time.perf_counter()
    for before, now in pairwise(steps):
        can_be = possible(before, now)
        for named in book.of_bar("A0", can_be):
            happened(named.rule, before, now, can_be)
    return (time.perf_counter() - begin) / (len(steps) - 1)


def _standings() -> list[Standing]:
    bars = Bars.from_candles(minutes(1_000 + _BARS, seed=3))
    decisions = evaluate(bars, Configuration(), 1, _BARS).decisions()
    closes = bars.close[-_BARS:].tolist()
    return [standing_of(made, close, 1, has_effect=True) for made, close in zip(decisions, closes, strict=True)]
