"""Pushed trades: how many a second a server takes over HTTP, and the processor time of each.

Four feeders push 100 trades at a time of ten assets; another one pushes a trade at a time and waits for its price in
a state.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from websockets.asyncio.client import connect

from measuring import Figure, percentile, serving

if TYPE_CHECKING:
    from measuring import Serving

_ASSETS = tuple(f"A{number}" for number in range(10))
_FEEDERS, _AT_ONCE, _PUSHES, _SINGLES = 4, 100, 100, 200
_URL = "/phoenix/market/trades"


def measure() -> list[Figure]:
    """Measure a server of a pushed market."""
    flags = ("--feed", "push", "--assets", ",".join(_ASSETS), "--max-pushed-rows-per-minute", "100000000")
    with serving(*flags) as running:
        url = f"http://127.0.0.1:{running.port}"
        delays = asyncio.run(_delays(url, running.port))
        before, begin = _processor(running), time.perf_counter()
        asyncio.run(_feed(url))
        passed, used = time.perf_counter() - begin, _processor(running) - before
    count = _FEEDERS * _PUSHES * _AT_ONCE
    milliseconds = [each * 1000 for each in delays]
    return [
        Figure("pushed trades a second, 100 at a time, 4 feeders", f"{count / passed:,.0f}"),
        Figure("processor time of each", f"{used / count * 1e6:.0f} us"),
        Figure(
            "push of one trade to its price in a state, p50 and p99",
            f"{percentile(milliseconds, 50):.1f} and {percentile(milliseconds, 99):.1f} ms",
        ),
    ]


def _processor(running: Serving) -> float:
    return sum(psutil.Process(running.process.pid).cpu_times()[:2])


def _trade(asset: str, number: int) -> dict[str, Any]:
    price = 100 + number % 50 / 10
    return {
        "asset": asset,
        "id": number,
        "time": round(time.time() * 1000),
        "price": price,
        "amount": 0.5,
        "side": "buy",
    }


async def _feed(url: str) -> None:
    async def push(feeder: int) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60.0) as client:
            for number in range(_PUSHES):
                first = (feeder * _PUSHES + number) * _AT_ONCE
                rows = [_trade(_ASSETS[each % len(_ASSETS)], first + each) for each in range(_AT_ONCE)]
                answer = await client.post(_URL, json={"trades": rows})
                assert answer.json()["accepted"] == _AT_ONCE, answer.text

    await asyncio.gather(*(push(feeder) for feeder in range(_FEEDERS)))


async def _delays(url: str, port: int) -> list[float]:
    """Seconds from a push to the state with its price. States of prices go out every 100 ms at most."""
    delays = []
    async with httpx.AsyncClient(base_url=url) as client, connect(f"ws://127.0.0.1:{port}/ws/state") as states:
        for number in range(_SINGLES):
            trade = {**_trade(_ASSETS[0], -number - 1), "id": f"single-{number}", "price": 1_000.0 + number}
            begin = time.perf_counter()
            await client.post(_URL, json={"trades": [trade]})
            while _price(json.loads(await states.recv())) != trade["price"]:
                pass
            delays.append(time.perf_counter() - begin)
    return delays


def _price(message: dict[str, Any]) -> float | None:
    if message.get("asset") != _ASSETS[0] or message["type"] != "asset_data":
        return None
    price: float | None = message["agents"]["VivienneAgent"]["data"]["price"]
    return price
