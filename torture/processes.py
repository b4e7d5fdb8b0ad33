"""Several processes: pauses that an agent cannot read, forged heartbeats, and failovers that lose changes."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from measuring import Figure, percentile
from postgres_server import PostgresServer
from redis_running import RunningRedis, eventually
from running import RunningServer, data
from several import Two
from torture.progress import Progress

if TYPE_CHECKING:
    from running import Client

_AGENTS = "vivienne:agents"
_STALE_SECONDS = 30.0
_PAUSE_MS = 250.0
_SMALL = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
_SIZE = "position_size_bang"
_LOST = 2
"""Changes that a failover loses."""


def measure(*, pauses: int = 100, failovers: int = 20) -> list[Figure]:
    """Pause and fail over.

    Args:
        pauses: while the agent cannot read the database.
        failovers: of a database that two processes share.
    """
    postgres = PostgresServer()
    try:
        postgres.start()
        with RunningRedis() as redis, Two(postgres, redis) as two:
            figures = [*_paused(two, pauses), _forged(two, redis)]
        return [*figures, *_failed_over(postgres, failovers)]
    finally:
        postgres.remove()


def _paused(two: Two, pauses: int) -> list[Figure]:
    """Lock the agent out, pause, look at what it publishes without a gateway between, and let it in again."""
    progress, took, confirmed, live = Progress("pauses, agent locked out", pauses), list[float](), 0, 0
    for number in range(pauses):
        progress.at(number)
        two.revoke()
        try:
            begin = time.monotonic()
            answer = two.gateway.post("pause", {}).json()
            took.append(1000 * (time.monotonic() - begin))
            confirmed += answer["status"] == "success" and all(each["confirmed"] for each in answer["agents"])
            live += two.published() != {"paused"}
        finally:
            two.grant()
        two.resume()
    p99 = percentile(took, 99)
    return [
        Figure(
            "pauses that an agent without its database confirmed",
            f"{confirmed} of {pauses}",
            "all",
            confirmed == pauses,
        ),
        Figure("  answered as confirmed while it published decisions", f"{live}", "0", live == 0),
        Figure("  the answer, p99", f"{p99:.0f} ms", f"<= {_PAUSE_MS:g} ms", p99 <= _PAUSE_MS, is_speed=True),
    ]


def _forged(two: Two, redis: RunningRedis) -> Figure:
    """Kill the agent and go on to send its heartbeats."""
    with redis.listener(_AGENTS) as beats:
        beat = beats.hear()
    with two.gateway.client() as client:
        client.state("BTC")
        two.agent.kill()
        begin = time.monotonic()
        while not _is_stale(client) and time.monotonic() - begin < 2 * _STALE_SECONDS:
            redis.client.publish(_AGENTS, json.dumps(beat))
    seconds = time.monotonic() - begin
    name = "agent killed, its heartbeats forged: stale after"
    return Figure(name, f"{seconds:.1f} s", f"<= {_STALE_SECONDS:g} s", seconds <= _STALE_SECONDS, is_speed=True)


def _is_stale(client: Client) -> bool:
    with suppress(TimeoutError):
        client.receive(0.3)
    return {data(state)["status"] for state in client.states.values()} == {"stale"}


def _failed_over(postgres: PostgresServer, failovers: int) -> list[Figure]:
    """Lose the last changes, make others in their place at one of two processes, and look at the other one."""
    progress, mixed, ready = Progress("failovers", failovers), 0, 0
    with ExitStack() as open_:
        database = postgres.database()
        first, second = (open_.enter_context(RunningServer(*_SMALL, db=database)) for _ in range(2))
        for number in range(failovers):
            progress.at(number)
            for value in range(1 + _LOST):
                version = _change(first, 10 * number + value + 1)
            before = first.active("BTC")
            second.stop()
            postgres.execute(f"DELETE FROM revisions WHERE version > {version - _LOST}", url=database)  # noqa: S608
            second.start()
            for value in range(number % (2 * _LOST + 1)):
                _change(second, -value)
            eventually(lambda: first.get("/ready").status_code == 503)
            refused = first.post("partial-update", {"asset_symbol": "BTC", "settings": {_SIZE: 0}})
            mixed += refused.status_code != 503 or first.active("BTC") != before
            ready += second.get("/ready").status_code != 200
            first.stop()
            first.start()
            mixed += first.active("BTC") != second.active("BTC")
    return [
        Figure(f"{failovers} failovers that lost {_LOST} changes: mixed configurations", f"{mixed}", "0", mixed == 0),
        Figure("  processes that read the database afterwards and were not ready", f"{ready}", "0", ready == 0),
    ]


def _change(server: RunningServer, value: float) -> int:
    made: dict[str, Any] = server.post(
        "partial-update", {"asset_symbol": "BTC", "settings": {_SIZE: abs(value) / 10}}
    ).json()
    return int(made["version"])
