"""Two agents and two gateways on one machine: how long changes and states take, and what each part of it costs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from websockets.asyncio.client import connect

from increments import NO_LIMIT, increment
from measuring import Figure, percentile, spread
from postgres_server import PostgresServer
from redis_running import RunningRedis
from running import COMPREHENSIVE, data
from several import ASSETS, Several, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Client, RunningServer

_WARM_UP = 20
_CHANGES = 500
_SENDERS = 8
_RESTARTS = 5
_SECONDS = 10
_CLIENTS = 50
_MANY_CLIENTS = 400
_P99_MS = 50.0
_INCREMENTS = 10_000


@contextmanager
def _several(*flags: str, everywhere: tuple[str, ...] = ()) -> Iterator[tuple[Several, RunningRedis]]:
    with ExitStack() as opened:
        postgres = PostgresServer()
        opened.callback(postgres.remove)
        postgres.start()
        redis = opened.enter_context(RunningRedis())
        yield opened.enter_context(Several(postgres.database(), redis, *flags, everywhere=everywhere)), redis


def measure() -> list[Figure]:
    """Measure a change from one gateway to a client of the other, rates, and recovery."""
    with _several() as (several, redis):
        here, there = several.gateways
        times = asyncio.run(_changes(here, there))
        one = asyncio.run(_rate([here]))
        both = asyncio.run(_rate([here, there]))
        restarts = [_restart(redis, several) for _ in range(_RESTARTS)]
    p50, p99 = percentile(times, 50), percentile(times, 99)
    return [
        Figure("change at gateway A to client of gateway B, p50", f"{p50:.1f} ms"),
        Figure(
            "change at gateway A to client of gateway B, p99", f"{p99:.1f} ms", f"<= {_P99_MS:g} ms", p99 <= _P99_MS
        ),
        Figure(f"changes a second, {_SENDERS} senders at one gateway", f"{one:.0f}"),
        Figure(f"changes a second, {_SENDERS} senders at each of two gateways", f"{both:.0f}"),
        Figure("Redis back to live states at clients of both gateways", spread(restarts, "s")),
    ]


def measure_increments() -> list[Figure]:
    """Conflicting increments by `If-Match` over two gateways: none may be lost and none made twice."""
    with _several(everywhere=NO_LIMIT) as (several, _):
        found = increment(several.gateways, len(several.gateways), _INCREMENTS)
    return [
        Figure(
            f"{_INCREMENTS:,} increments by If-Match over two gateways: sum",
            f"{found.sum:,.0f} ({found.revisions:,} revisions)",
            f"{_INCREMENTS:,}",
            found.sum == _INCREMENTS == found.revisions,
        ),
        Figure("the same: conflicts, time", f"{found.conflicts:,}, {found.seconds:.0f} s"),
    ]


def measure_states() -> list[Figure]:
    """What a state costs agents, Redis, and gateways with and without clients, in processor time."""
    # Nearly all of them are moves of the price: what a decision costs is measured by itself.
    flags = ("--timeframe", "15m", "--speed", "600", "--price-interval", "0.02")
    with _several(*flags) as (several, redis):
        quiet = asyncio.run(_costs(several, redis, clients=0))
        busy = asyncio.run(_costs(several, redis, clients=_CLIENTS))
        memory = asyncio.run(_memory(several.gateways[1]))
    gateway = quiet["gateway"] / quiet["states"] * 1e6
    delivery = (busy["gateway"] / busy["states"] * 1e6 - gateway) / _CLIENTS
    redis_us = quiet["redis"] / quiet["states"] * 1e6
    return [
        Figure("states a second from agents to each gateway", f"{quiet['states'] / _SECONDS:.0f}"),
        Figure("size of a state", f"{quiet['bytes']:,.0f} bytes"),
        Figure("processor time of agents for a state", f"{quiet['agents'] / quiet['states'] * 1e6:.0f} us"),
        Figure("processor time of Redis for a state to two gateways", f"{redis_us:.0f} us"),
        Figure("processor time of a gateway for a state, one client", f"{gateway:.0f} us"),
        Figure("processor time of a gateway for a state to each further client", f"{delivery:.1f} us"),
        Figure("memory of a gateway for each client", f"{memory / 1e3:.0f} kB"),
    ]


async def _changes(here: RunningServer, there: RunningServer) -> list[float]:
    times = []
    async with _rest(here) as rest, connect(f"ws://127.0.0.1:{there.port}/ws/state", max_size=None) as client:
        for number in range(_WARM_UP + _CHANGES):
            begin = time.perf_counter()
            answer, seen = await asyncio.gather(
                rest.post("/partial-update", json=_size("BTC", number % 100 / 10)), _seen(client, number + 1)
            )
            answer.raise_for_status()
            if number >= _WARM_UP:
                times.append((seen - begin) * 1000)
            await asyncio.sleep(0.002)
    return times


async def _seen(client: Any, version: int) -> float:
    while True:
        text = await client.recv()
        moment = time.perf_counter()
        message = json.loads(text)
        if message["asset"] == "BTC" and message["config_version"] >= version:
            return moment


async def _rate(gateways: list[RunningServer]) -> float:
    async def send(gateway: RunningServer, sender: int) -> None:
        async with _rest(gateway) as rest:
            for number in range(_CHANGES // _SENDERS):
                answer = await rest.post("/partial-update", json=_size("ETH", (number + sender) % 100 / 10))
                answer.raise_for_status()

    begin = time.perf_counter()
    await asyncio.gather(*(send(gateway, sender) for gateway in gateways for sender in range(_SENDERS)))
    return len(gateways) * (_CHANGES // _SENDERS) * _SENDERS / (time.perf_counter() - begin)


async def _costs(several: Several, redis: RunningRedis, *, clients: int) -> dict[str, float]:
    """Processor seconds of each part, and how many states came, while one client counts and others only read."""
    processes = {
        "agents": [agent.process.pid for agent in several.agents],
        "redis": [redis.pid],
        "gateway": [several.gateways[0].process.pid],
    }
    url = f"ws://127.0.0.1:{several.gateways[0].port}/ws/state"
    readers = [asyncio.create_task(_read(url)) for _ in range(clients)]
    states: dict[str, int] = {}
    sizes: list[int] = []
    async with connect(url, max_size=None, compression=None) as client:
        await asyncio.sleep(1)
        before = {name: _processor(pids) for name, pids in processes.items()}
        first: dict[str, int] = {}
        end = time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            text = await client.recv()
            message = json.loads(text)
            first.setdefault(message["asset"], message["seq"])
            states[message["asset"]] = message["seq"]
            sizes.append(len(text))
    used = {name: _processor(pids) - before[name] for name, pids in processes.items()}
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    count = sum(states[asset] - first[asset] for asset in states)
    return {**used, "states": count, "bytes": statistics.mean(sizes)}


async def _memory(gateway: RunningServer) -> float:
    """What the process grows by, for each of many clients that read."""
    process = psutil.Process(gateway.process.pid)
    url = f"ws://127.0.0.1:{gateway.port}/ws/state"
    before = process.memory_info().rss
    readers = [asyncio.create_task(_read(url)) for _ in range(_MANY_CLIENTS)]
    await asyncio.sleep(_SECONDS)
    grown = process.memory_info().rss - before
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    return grown / _MANY_CLIENTS


async def _read(url: str) -> None:
    async with connect(url, max_size=None, compression=None) as client:
        while True:
            await client.recv()


def _processor(pids: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def _restart(redis: RunningRedis, several: Several) -> float:
    """Kill Redis until every state is stale, start it again, and give how long it takes until all are live again."""
    with ExitStack() as opened:
        clients = [opened.enter_context(gateway.client()) for gateway in several.gateways]
        redis.kill()
        _wait_for_status(clients, "stale")
        redis.start()
        begin = time.monotonic()
        _wait_for_status(clients, "live")
        taken = time.monotonic() - begin
    for server in several.gateways:
        wait_until_ready(server, 30)
    return taken


def _wait_for_status(clients: list[Client], status: str) -> None:
    for client in clients:
        while any(data(client.state(asset))["status"] != status for asset in ASSETS):
            client.receive()


def _rest(gateway: RunningServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.url + COMPREHENSIVE, trust_env=False, timeout=30)


def _size(asset: str, value: float) -> dict[str, Any]:
    return {"asset_symbol": asset, "settings": {"position_size_bang": value}}
