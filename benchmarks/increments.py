"""Increments by `If-Match`, by many writers at once: each reads, adds, and writes on top of what it read."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from running import COMPREHENSIVE, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import RunningServer

_STEP = 1 / 1024
"""Exact in binary, so that a sum of them is."""
_SECONDS = 30.0
NO_LIMIT = ("--max-changes-per-minute", str(10**7))
"""Flags of the servers: conflicts count as changes that were asked for."""


@dataclass(frozen=True)
class Increments:
    """What came of it.

    Attributes:
        sum: of all increments, in increments.
        revisions: that were made.
        conflicts: increments that were refused, and made again on top of what was newer.
        seconds: that it took.
    """

    sum: float
    revisions: int
    conflicts: int
    seconds: float


def increment(
    servers: list[RunningServer], writers: int, increments: int, progress: Callable[[int], None] = lambda _: None
) -> Increments:
    """Let writers increment one value of BTC.

    Args:
        servers: that share one configuration; writers take them in turn.
        writers: how many.
        increments: of all of them together.
        progress: is told how many are made.
    """
    return asyncio.run(_increment(servers, writers, increments, progress))


async def _increment(
    servers: list[RunningServer], writers: int, increments: int, progress: Callable[[int], None]
) -> Increments:
    left, conflicts = increments, 0

    async def write(server: RunningServer) -> None:
        nonlocal left, conflicts
        async with _rest(server) as rest:
            while left:
                left -= 1
                while not await _increment_once(rest):
                    conflicts += 1
                progress(increments - left)

    async with _rest(servers[0]) as rest:
        first = (await rest.post("/partial-update", json=_size(0))).raise_for_status().json()["version"]
        begin = time.perf_counter()
        await asyncio.gather(*(write(servers[number % len(servers)]) for number in range(writers)))
        seconds = time.perf_counter() - begin
        active = await _active(rest, at_least=first + increments)
    return Increments(_value(active) / _STEP, active["version"] - first, conflicts, seconds)


async def _increment_once(rest: httpx.AsyncClient) -> bool:
    """Whether it was made; otherwise somebody else was faster."""
    active = await _active(rest)
    answer = await rest.post(
        "/partial-update", json=_size(_value(active) + _STEP), headers={"If-Match": f'"{active["version"]}"'}
    )
    if answer.status_code == httpx.codes.PRECONDITION_FAILED:
        return False
    answer.raise_for_status()
    return True


async def _active(rest: httpx.AsyncClient, at_least: int = 0) -> dict[str, Any]:
    """What is in force, once it is this version; what it is by then when that does not come."""
    deadline = time.monotonic() + _SECONDS
    while True:
        active: dict[str, Any] = (await rest.get("/active", params={"asset_symbol": "BTC"})).raise_for_status().json()
        if active["version"] >= at_least or time.monotonic() > deadline:
            return active
        await asyncio.sleep(0.02)


def _value(active: dict[str, Any]) -> float:
    value: float = active["config"]["settings"]["position_size_bang"]
    return value


def _rest(server: RunningServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url + COMPREHENSIVE, trust_env=False, verify=PLAIN, timeout=_SECONDS)


def _size(value: float) -> dict[str, Any]:
    return {"asset_symbol": "BTC", "settings": {"position_size_bang": value}}
