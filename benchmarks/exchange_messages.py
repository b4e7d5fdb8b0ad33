"""Times from a message of an exchange to the state that it causes, at a thousand trades a second of ten assets.

Two things are measured, because states that differ in price only are held back on purpose: the message that closes a
minute, to the state with its bar; and a trade of a calm market among busy ones, to the state with its price.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from bisect import bisect_left
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from exchange_agent import ASSETS, following, until
from measuring import Figure, percentile
from running import data
from serve_busy import CALM, NAME, TRADES_A_SECOND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

_SECONDS = 240.0
_CALM_SECONDS = 0.15
"""So long without a state, nothing holds the next price back."""
_WANTED_MS = 20.0
_PROGRAM = Path(__file__).with_name("serve_busy.py")


class _Seen(NamedTuple):
    """A state: its asset, its price, the minute of its bar, and when it came."""

    asset: str
    price: float
    minute: int | None
    came: float


async def measure() -> list[Figure]:
    """Follow ten markets at the real pace: a minute has six thousand trades of each."""
    async with _exchange() as process:
        url = await _line(process)
        async with following(NAME, url, pace=1.0) as (server, client):
            await until(client, lambda state: state["status"] == "live")
            agent, begin = psutil.Process(server.process.pid), time.perf_counter()
            before = sum(agent.cpu_times()[:2])
            gc.disable()  # a look for garbage among all that was seen holds up what comes
            try:
                seen = await _states(client, begin + _SECONDS)
            finally:
                gc.enable()
            used, passed = sum(agent.cpu_times()[:2]) - before, time.perf_counter() - begin
        notes = json.loads((await process.communicate(b"\n"))[0])
    closed, prices = _closed(notes["closed"], seen), _prices(notes["traded"], seen)
    return [
        *_figures(f"message that closes a minute to asset_data, {len(ASSETS)} at once", closed),
        *_figures("trade of a calm market to asset_data", prices),
        Figure("processor time of the whole agent per trade", f"{used / (passed * TRADES_A_SECOND) * 1e6:.0f} us"),
    ]


def _figures(name: str, times: list[float]) -> list[Figure]:
    assert times, f"{name}: nothing was seen"
    p50, p99 = percentile(times, 50), percentile(times, 99)
    return [
        Figure(f"{name}: p50 of {len(times)}", f"{p50:.1f} ms"),
        Figure("the same: p99, most", f"{p99:.1f}, {max(times):.1f} ms", f"<= {_WANTED_MS:g} ms", p99 <= _WANTED_MS),
    ]


@asynccontextmanager
async def _exchange() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(_PROGRAM), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    found = (await process.stdout.readline()).decode().strip()
    assert found, "the exchange has ended"
    return found


async def _states(client: ClientConnection, end: float) -> list[_Seen]:
    seen: list[_Seen] = []
    while time.perf_counter() < end:
        message: Any = json.loads(await client.recv())
        came = time.perf_counter()
        if message["type"] == "asset_data":
            state = data(message)
            minute = None if state["bar"] is None else _minute(state["bar"]["time"])
            seen.append(_Seen(message["asset"], state["price"], minute, came))
    return seen


def _minute(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) // 60


def _closed(notes: list[tuple[str, int, float]], seen: list[_Seen]) -> list[float]:
    """Milliseconds from each message that closed a minute to the state with its bar."""
    sent = {(asset, minute): moment for asset, minute, moment in notes}
    return [
        (state.came - sent[state.asset, state.minute]) * 1e3
        for state in seen if state.minute is not None and (state.asset, state.minute) in sent
    ]  # fmt: skip


def _prices(notes: list[tuple[str, float, float]], seen: list[_Seen]) -> list[float]:
    """Milliseconds from each trade of a calm market, that nothing held back, to the state with its price."""
    found: list[float] = []
    for asset in CALM:
        states = [state for state in seen if state.asset == asset]
        moments = [state.came for state in states]
        for _, price, sent in (note for note in notes if note[0] == asset):
            place = bisect_left(moments, sent)
            if 0 < place < len(states) and sent - moments[place - 1] > _CALM_SECONDS and states[place].price == price:
                found.append((moments[place] - sent) * 1e3)
    return found
