"""Turns: the callers take turns, and each may wait for so many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import httpx
import orjson
import pytest

from batched import Batched
from vivienne.access.caller import Caller
from vivienne.changes.looking_back import LookingBack
from vivienne.changes.service import ConfigService
from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.cluster.questions import Answer, Asking
from vivienne.errors import TooManyRequests
from vivienne.live.view import LocalView
from vivienne.market.feeds.pushed.asset import Tally
from vivienne.market.feeds.pushed.feed import Taken
from vivienne.server.factory import web_application
from vivienne.server.pushing import LocalPushes
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from vivienne.live.market import Market


class Quick(Batched):
    """A market, a store in a thread, and a Redis whose agents answer at once; each remembers whom it served."""

    assets = ("BTC",)

    def __init__(self) -> None:
        self.asking = Asking()
        self.reads = self

    def chart(self, asset: str, limit: int, _before: int | None = None) -> dict[str, Any]:
        return {"asset": asset, "limit": limit}

    async def look_up(self, *_: object) -> None:
        await asyncio.sleep(0)

    async def push(self, *_: object, **_more: object) -> Taken:
        await asyncio.sleep(0)
        return Taken(Tally(), {})

    async def publish(self, channel: str, message: bytes) -> int:  # noqa: ARG002  # as of every Redis
        number = orjson.loads(message)["id"]
        asyncio.get_running_loop().call_soon(self.asking.settle, Answer(answer=number, content=None))
        return 1


def charts(quick: Quick) -> Callable[[str], Awaitable[object]]:
    view = LocalView(cast("Market", quick))
    return lambda whose: view.chart("BTC", 1, whose=whose)


def pages(quick: Quick) -> Callable[[str], Awaitable[object]]:
    looking_back = LookingBack(cast("Any", quick), cast("Any", quick))
    return lambda whose: looking_back.page(None, 1, None, whose=whose)


def questions(quick: Quick) -> Callable[[str], Awaitable[object]]:
    quick.asking.connected(cast("Any", quick))
    return lambda whose: quick.asking.ask("one", {"kind": "closes", "count": 1}, whose)


def pushes(quick: Quick) -> Callable[[str], Awaitable[object]]:
    pushes = LocalPushes(cast("Any", quick))
    return lambda whose: pushes.push("candles", {}, Caller(token=whose))


@pytest.mark.parametrize("kind", [charts, pages, questions, pushes])
async def test_one_who_asks_for_hundreds_delays_others_by_one_turn(
    kind: Callable[[Quick], Callable[[str], Awaitable[object]]],
) -> None:
    ask = kind(Quick())
    served: list[str] = []
    refused: list[str] = []

    async def one(whose: str) -> None:
        try:
            await ask(whose)
        except TooManyRequests:
            refused.append(whose)
        else:
            served.append(whose)

    async with asyncio.timeout(30):
        await asyncio.gather(*(one("ann") for _ in range(300)), one("bob"))

    assert served.index("bob") <= 10  # at most so many are asked at once
    assert set(refused) == {"ann"}
    assert MOST_WAITING < served.count("ann") <= MOST_WAITING + 8
    assert len(refused) + len(served) == 301


async def test_who_waits_for_too_many_turns_is_told_when_to_retry(tmp_path: Path) -> None:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    hub = Hub()
    app = web_application(service, LocalView(cast("Market", Quick())), hub, StateBoard(hub), LogStream())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        answers = await asyncio.gather(*(client.get("/phoenix/assets/BTC/bars") for _ in range(100)))
    await service.close()

    refused = [each for each in answers if each.status_code != 200]
    assert 0 < len(refused) < 100 - MOST_WAITING
    assert {(each.status_code, each.headers["Retry-After"], each.json()["code"]) for each in refused} == {
        (429, "1", "too_many_requests")
    }


async def test_one_who_left_the_queue_does_not_count() -> None:
    turns = Turns(most_waiting=1)

    async def wait() -> None:
        async with turns.turn("ann"):
            pass

    async with turns.turn("bob"):
        for _ in range(3):
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        last = asyncio.create_task(wait())
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests, match="1 of your requests"):
            await wait()
    await last
    assert turns.are_free
