"""How many states a second a gateway takes from Redis: as changes, and whole from agents of earlier versions."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import psutil
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.sync.client import connect as joined

from measuring import Figure, serving
from postgres_server import PostgresServer
from redis_running import RunningRedis
from running import data
from vivienne.cluster.heartbeats import AGENTS
from vivienne.redis.publishing import MOST_IN_BATCH, STATE, STATES_CHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measuring import Serving

_ASSETS = tuple(f"A{number}" for number in range(200))
_AGENT = "0001-agent"
_SUBSCRIPTION = {"type": "subscribe", "assets": [_ASSETS[-1]]}
_UPDATES = {"updates": "changes"}
_SECONDS = 10.0
_BEGIN_SECONDS = 2.0
"""Until a flood is taken at full speed."""
_ROUNDS_APART = 1_000_000
"""Rounds of a flood, at most."""
_AHEAD = 10
"""Rounds of all assets that may be on their way."""
_WHOLE_IN_BATCH = 10
_PATIENCE = 0.2
"""Seconds after which it goes on, with whole states: the gateway may not have listened yet."""
WANTED = 20_000


def measure() -> list[Figure]:
    """Measure both ways at the same gateway, with one client."""
    with gateway_alone() as flooding:
        whole = flooding.takes(_SECONDS, changes=False)
        changed = flooding.takes(_SECONDS, changes=True)
        state = flooding.state
    return [
        Figure("size of a state, whole", f"{len(orjson.dumps(state)):,} bytes"),
        Figure(
            "size of a state whose price moved, as a change", f"{len(orjson.dumps(_change(state, 'A1', 2))):,} bytes"
        ),
        Figure("states a second that a gateway takes whole", f"{whole.rate:,.0f}"),
        Figure("processor time of it for each", f"{whole.processor_us:.0f} us"),
        Figure("states a second that a gateway takes as changes", f"{changed.rate:,.0f}"),
        Figure("processor time of it for each", f"{changed.processor_us:.0f} us"),
        Figure("states a second that fill its core: whole", f"{1e6 / whole.processor_us:,.0f}"),
        Figure(
            "states a second that fill its core: as changes",
            f"{1e6 / changed.processor_us:,.0f}",
            f">= {WANTED:,}",
            1e6 / changed.processor_us >= WANTED,
            is_speed=True,
        ),
    ]


@dataclass(frozen=True)
class Taken:
    """What a gateway took.

    Attributes:
        rate: states a second, by the clock.
        processor_us: processor time of it for each state.
    """

    rate: float
    processor_us: float


@contextmanager
def gateway_alone(python: str = sys.executable) -> Iterator[Flooding]:
    """A gateway with a Redis and a PostgreSQL of its own, and without an agent.

    Args:
        python: that of the checkout whose gateway it is.
    """
    with ExitStack() as opened:
        postgres = PostgresServer()
        opened.callback(postgres.remove)
        postgres.start()
        redis = opened.enter_context(RunningRedis("--client-output-buffer-limit", "pubsub 0 0 0"))
        flags = ("--role", "gateway", "--redis", redis.url, "--assets", ",".join(_ASSETS), "--db", postgres.database())
        gateway = opened.enter_context(serving(*flags, python=python))
        state, takes_changes = _state(python)
        yield Flooding(redis.url, gateway, state, takes_changes=takes_changes)


class Flooding:
    """A gateway that is flooded, each time by an agent that started later.

    Attributes:
        state: of a real agent.
        takes_changes: whether it knows changes; earlier versions know whole states only.
    """

    def __init__(self, redis: str, gateway: Serving, state: dict[str, Any], *, takes_changes: bool) -> None:
        self._redis, self._gateway, self.state, self.takes_changes = redis, gateway, state, takes_changes
        self._floods = 0

    def takes(self, seconds: float, *, changes: bool) -> Taken:
        """Flood it for a while, with changes or with whole states."""
        self._floods += 1
        flood = _Flood(self._redis, self._gateway, self.state, self._floods, changes=changes)
        return asyncio.run(flood.run(seconds))


class _Flood:
    """An agent that publishes as fast as a gateway takes it, whose client says how far it is."""

    def __init__(self, redis: str, gateway: Serving, state: dict[str, Any], number: int, *, changes: bool) -> None:
        self._url, self._gateway, self._state, self._changes = redis, gateway, state, changes
        self._agent = f"{_AGENT}-{number:06}"
        self._round = self._seen = self._first = number * _ROUNDS_APART
        """A round is the price in it, so that clients can tell how far the gateway is."""
        self._go_on = 0.0
        self._begins = True
        """Whether the gateway needs whole states, as at the beginning."""

    async def run(self, seconds: float) -> Taken:
        """Flood for a while."""
        redis = Redis.from_url(self._url)
        url = f"ws://127.0.0.1:{self._gateway.port}/ws/state"
        beating = asyncio.create_task(self._beat(redis))
        async with connect(url, max_size=None, compression=None) as client:
            for updates in ({}, _UPDATES):  # earlier versions refuse the second one
                await client.send(orjson.dumps(_SUBSCRIPTION | updates).decode())
            publishing = asyncio.create_task(self._publish(redis))
            await self._watch(client, _BEGIN_SECONDS)
            process = psutil.Process(self._gateway.process.pid)
            before, begin, used = self._seen, time.perf_counter(), sum(process.cpu_times()[:2])
            await self._watch(client, seconds)
            states = (self._seen - before) * len(_ASSETS)
            used, passed = sum(process.cpu_times()[:2]) - used, time.perf_counter() - begin
            taken = Taken(states / passed, used / states * 1e6)
            for task in (publishing, beating):
                task.cancel()
            await asyncio.gather(publishing, beating, return_exceptions=True)
        await redis.aclose()
        return taken

    async def _watch(self, client: Any, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            message = orjson.loads(await client.recv())
            if message["type"] in ("asset_data", "asset_changed"):
                self._seen = max(self._seen, int(data(message.get("patch", message)).get("price", 0)))

    async def _publish(self, redis: Any) -> None:
        while True:
            is_ahead = self._round - self._seen >= _AHEAD
            if is_ahead and time.perf_counter() < self._go_on:
                await asyncio.sleep(0.001)
                continue
            self._round += 1
            self._begins = is_ahead or self._round == self._first + 1
            self._go_on = time.perf_counter() + _PATIENCE
            async with redis.pipeline(transaction=False) as batch:
                for channel, text in self._messages(self._round):
                    batch.publish(channel, text)
                await batch.execute()

    def _messages(self, seq: int) -> Iterator[tuple[str, bytes]]:
        if not self._changes:
            for asset in _ASSETS:
                yield STATE + asset, orjson.dumps({**self._whole(asset, seq), "published_by": self._agent})
            return
        size = _WHOLE_IN_BATCH if self._begins else MOST_IN_BATCH
        for first in range(0, len(_ASSETS), size):
            entries = [
                self._whole(asset, seq) if self._begins else _change(self._state, asset, seq)
                for asset in _ASSETS[first : first + size]
            ]
            message = {"type": "states_changed", "published_by": self._agent, "states": entries}
            yield STATES_CHANGED, orjson.dumps(message)

    def _whole(self, asset: str, seq: int) -> dict[str, Any]:
        agent = self._state["agents"]["VivienneAgent"]
        moved = {"VivienneAgent": {**agent, "data": {**agent["data"], "price": float(seq)}}}
        return {**self._state, "asset": asset, "seq": seq, "agents": moved}

    async def _beat(self, redis: Any) -> None:
        beat = {"agent": self._agent, "shard": "1/1", "assets": _ASSETS, "feed": "simulated", "timeframe": "15m"}
        while True:
            await redis.publish(AGENTS, orjson.dumps({**beat, "troubles": {}, "changes": self._changes}))
            await asyncio.sleep(0.5)


def _change(state: dict[str, Any], asset: str, seq: int) -> dict[str, Any]:
    moved = {"price": float(seq), "price_time": "2026-01-01T12:00:15.000Z"}
    patch = {"timestamp": state["timestamp"], "seq": seq, "agents": {"VivienneAgent": {"data": moved}}}
    return {"type": "asset_changed", "asset": asset, "seq": seq, "base_seq": seq - 1, "patch": patch}


def _state(python: str) -> tuple[dict[str, Any], bool]:
    """A state of a real agent, and whether its version knows changes."""
    with serving("--assets", "BTC", python=python) as agent, joined(f"ws://127.0.0.1:{agent.port}/ws/state") as client:
        state: dict[str, Any] = orjson.loads(client.recv())
        client.send(orjson.dumps({"type": "subscribe", "assets": ["*"], **_UPDATES}).decode())
        while (kind := orjson.loads(client.recv())["type"]) not in ("subscribe_response", "error"):
            pass
        return state, kind != "error"
