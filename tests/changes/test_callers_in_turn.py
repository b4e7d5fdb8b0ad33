"""Turns: the callers take turns, and each may wait for so many."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import httpx
import orjson
import pytest

from batched import Batched
from vivienne.access.book import TokenBook
from vivienne.access.caller import Caller
from vivienne.changes.looking_back import LookingBack
from vivienne.changes.page_reads import PageReads
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
from vivienne.store.thread import StoreThread
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from vivienne.live.market import Market
    from vivienne.store.token import Token


class Quick(Batched):
    """A market, a store in a thread, and a Redis whose agents answer at once; each remembers whom it served."""

    assets = ("BTC",)

    def __init__(self) -> None:
        self.asking = Asking()

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
    looking_back = LookingBack(cast("Any", quick), PageReads(cast("Any", quick)))
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


async def test_others_have_their_turn_however_many_are_urgent() -> None:
    turns, order = Turns(), list[str]()

    async def taken(name: str, *, is_urgent: bool) -> None:
        async with turns.turn(name, is_urgent=is_urgent):
            order.append(name)
            await asyncio.sleep(0)

    async def flood(name: str) -> None:
        while "change" not in order or "second" not in order:
            await taken(name, is_urgent=True)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for name in ("one", "two", "three", "four"):
            tasks.create_task(flood(name))
        await asyncio.sleep(0)
        for name in ("change", "second"):
            tasks.create_task(taken(name, is_urgent=False))
        await asyncio.sleep(0)
        tasks.create_task(taken("pause", is_urgent=True))
    assert order.index("pause") < order.index("change") < order.index("second") < 60


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


ALERTS = "/phoenix/alerts"


@pytest.fixture
async def alerts(tmp_path: Path) -> AsyncIterator[tuple[ConfigService, StoreThread, httpx.AsyncClient]]:
    """A server whose thread of the store is at hand."""
    store = SqliteRevisionStore(tmp_path / "v.db")
    thread = StoreThread(30.0)
    service, hub = ConfigService(store, ["BTC"], thread=thread), Hub()
    app = web_application(service, LocalView(cast("Market", Quick())), hub, StateBoard(hub), LogStream())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield service, thread, client
    await service.close()


@pytest.mark.parametrize("path", ["deliveries?asset=NOPE", "events?channel=apprise", "deliveries"])
async def test_pages_of_alerts_are_read_in_the_turns_of_pages_of_the_history(
    alerts: tuple[ConfigService, StoreThread, httpx.AsyncClient], path: str
) -> None:
    service, thread, client = alerts
    may_begin = threading.Event()
    holding = asyncio.create_task(thread.run(may_begin.wait, 30.0))
    asking = [asyncio.create_task(client.get(f"{ALERTS}/{path}")) for _ in range(100)]
    async with asyncio.timeout(30):
        while not (refused := [each for each in asking if each.done()]):  # noqa: ASYNC110  # they have no event
            await asyncio.sleep(0)
    unread: list[int] = []
    history = asyncio.create_task(service.history(None, 1, None, whose="bob"))
    history.add_done_callback(lambda _: unread.append(sum(not each.done() for each in asking)))
    await asyncio.sleep(0)
    may_begin.set()
    await holding
    answers = await asyncio.gather(*asking)
    await history
    assert {each.result().status_code for each in refused} == {429}
    codes = [each.status_code for each in answers]
    assert codes.count(200) + codes.count(429) == 100
    assert MOST_WAITING < codes.count(200) <= MOST_WAITING + 2
    assert unread[0] >= MOST_WAITING - 4  # the other caller had its turn before nearly all of them


async def test_pages_keep_neither_the_health_of_the_store_nor_the_tokens_waiting(
    alerts: tuple[ConfigService, StoreThread, httpx.AsyncClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, thread, _ = alerts
    order: list[str] = []
    with closing(SqliteRevisionStore(tmp_path / "tokens.db")) as tokens:
        book = TokenBook(tokens, thread)

        def none() -> list[Token]:
            order.append("tokens")
            return []

        monkeypatch.setattr(tokens, "tokens", none)
        monkeypatch.setattr(service._store, "check", lambda: order.append("health"))
        may_begin = threading.Event()
        first = asyncio.create_task(thread.run(may_begin.wait, 30.0))
        await asyncio.sleep(0)
        pages = [asyncio.create_task(service.pages.read(f"eve-{each}", order.append, "page")) for each in range(3)]
        pages.append(asyncio.create_task(thread.pages.look_up(order.append, "page")))
        await asyncio.sleep(0.01)
        looks = [asyncio.create_task(service.check()), asyncio.create_task(book.refresh())]
        await asyncio.sleep(0)
        may_begin.set()
        await asyncio.gather(first, *looks, *pages)
    assert sorted(order[:2]) == ["health", "tokens"]
    assert order[2:] == ["page"] * 4


async def test_what_became_of_all_alerts_is_read_once_for_all_who_ask_together(
    alerts: tuple[ConfigService, StoreThread, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _, client = alerts
    store, looks = service.alert_store, list[str]()
    found = store.stuck

    def counted(most: int) -> Any:
        looks.append("look")
        return found(most)

    monkeypatch.setattr(store, "stuck", counted)
    rule = {"name": "a", "assets": ["*"], "event": "config", "channels": [{"type": "browser"}]}
    alert_id = (await client.post(ALERTS, json=rule)).json()["alert_id"]
    paths = [ALERTS, f"{ALERTS}/{alert_id}"] * 50
    answers = await asyncio.gather(*(client.get(path) for path in paths))
    assert {each.status_code for each in answers} == {200}
    assert len(looks) <= 4
