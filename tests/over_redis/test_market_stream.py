"""The market stream: each entry counts once, its position is kept, and a restart has the history again."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import RunningRedis, eventually
from running import RunningServer
from vivienne.access.budget import TimeBudgets
from vivienne.market.feeds.base import HistoryRead, MinuteClosed
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.timeframe import Timeframe
from vivienne.redis.client import Client
from vivienne.redis.market import LEASE, MOST_FIELDS, MarketStream, market_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STREAM, RESULTS = "vivienne:market", "vivienne:market:results"
MINUTE_MS = 60_000
SECONDS = 60.0


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(redis: RunningRedis) -> None:
    redis.client.flushall()


def this_minute() -> int:
    now = round(time.time() * 1000)
    return now - now % MINUTE_MS


def candle(open_time: int, close: float = 100.0, **more: Any) -> dict[str, Any]:
    return {"open_time": open_time, "open": 100.0, "high": 200.0, "low": 50.0, "close": close, "volume": 1.0, **more}


def add(redis: RunningRedis, body: dict[str, Any] | str) -> None:
    redis.client.xadd(STREAM, {"message": body if isinstance(body, str) else json.dumps(body)})


class Reading:
    """A stream that is read in this process, and the events that come of it."""

    def __init__(self, redis: RunningRedis, group: str = "vivienne", others: tuple[str, ...] = ()) -> None:
        self.feed = PushedFeed(("BTC",), timeframe=Timeframe.M1, bars=1_500, others=others)
        self._client = Client(redis.url)
        self._stream = MarketStream(self.feed, group, "me", lambda: True)
        self.events: list[Any] = []

    async def __aenter__(self) -> Reading:  # noqa: PYI034
        self._tasks = [
            asyncio.create_task(self._stream.run(self._client, lambda: None)), asyncio.create_task(self._follow())
        ]  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        assert not any(task.done() for task in self._tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._client.aclose(close_connection_pool=True)

    async def _follow(self) -> None:
        async for event in self.feed.follow("BTC"):
            self.events.append(event)

    @property
    def closes(self) -> list[float]:
        return [event.candle.close for event in self.events if isinstance(event, MinuteClosed)]

    @property
    def past(self) -> list[float]:
        return [
            close for event in self.events if isinstance(event, HistoryRead) for close in event.history.minutes.close
        ]

    async def until(self, *closes: float) -> None:
        await become(lambda: self.closes == [*closes])


async def become(check: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(SECONDS):
        while not check():  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)


async def test_entries_count_once_and_after_a_restart_they_are_the_history(redis: RunningRedis) -> None:
    begin = this_minute() - 10 * MINUTE_MS
    add(redis, {"type": "candles", "asset": "BTC", "candles": [candle(begin, 101), candle(begin + MINUTE_MS, 102)]})
    add(redis, {"candles": [candle(begin + 8 * MINUTE_MS, 103, closed=True, asset="BTC")]})
    async with Reading(redis) as first:
        await first.until(103)
        assert first.past == [101, 102]
        await become(lambda: redis.client.xpending(STREAM, "vivienne")["pending"] == 0)

    # An entry that a process had read when it was killed is taken as a new one.
    add(redis, {"candles": [candle(begin + 9 * MINUTE_MS, 104, closed=True, asset="BTC")]})
    redis.client.xreadgroup("vivienne", "killed", {STREAM: ">"})
    async with Reading(redis) as second:
        await second.until(104)
        assert second.past == [101, 102, 103]
        add(redis, {"candles": [candle(begin + 9 * MINUTE_MS, 104, closed=True, asset="BTC")]})
        await become(lambda: redis.client.xinfo_groups(STREAM)[0]["entries-read"] == 4)
    assert second.closes == [104]


async def test_each_agent_takes_its_own_rows(redis: RunningRedis) -> None:
    begin = this_minute() - 2 * MINUTE_MS
    rows = [candle(begin, 101, closed=True, asset="BTC"), candle(begin, closed=True, asset="ETH")]
    with redis.client.pubsub() as listening:
        listening.subscribe(RESULTS)
        listening.get_message(timeout=SECONDS)
        async with Reading(redis, "vivienne:1/2", ("ETH",)) as reading:
            add(redis, {"type": "candles", "candles": rows})
            await reading.until(101)
            add(redis, {"type": "trades", "asset": "ETH", "trades": [], "clock": begin})
            add(redis, {"type": "tradez", "asset": "BTC"})
            add(redis, "{")
            await become(lambda: redis.client.xinfo_groups(STREAM)[0]["entries-read"] == 4)
            await become(lambda: redis.client.xpending(STREAM, "vivienne:1/2")["pending"] == 0)
        heard = [json.loads(listening.get_message(timeout=SECONDS)["data"]) for _ in range(4)]
    assert [
        ("market_data_response", "success"),
        ("market_data_response", "success"),
        ("error", "error"),
        ("error", "error"),
    ] == [(each["type"], each["status"]) for each in heard]
    assert (1, 0) == (heard[0]["accepted"], heard[0]["refused"])
    assert (
        heard[2]["message"]
        == 'The message cannot be read: The type must be one of candles, trades, as in {"type": "candles"}'
    )
    assert all("entry" in each for each in heard)


async def test_an_entry_that_is_refused_as_a_whole_is_counted(redis: RunningRedis) -> None:
    begin = this_minute() - 2 * MINUTE_MS
    redis.client.xadd(STREAM, {f"field-{number}": "x" for number in range(MOST_FIELDS)} | {"message": "{}"})
    add(redis, json.dumps({"candles": [], "asset": "x" * 1_000_000}))
    add(redis, "{")
    with redis.client.pubsub() as listening:
        listening.subscribe(RESULTS)
        listening.get_message(timeout=SECONDS)
        async with Reading(redis) as reading:
            add(redis, {"candles": [candle(begin, 101, closed=True, asset="BTC")]})
            await reading.until(101)
            heard = [json.loads(listening.get_message(timeout=SECONDS)["data"]) for _ in range(3)]
    assert [each["code"] for each in heard] == ["too_large", "too_large", "malformed"]
    assert "17 fields; the limit is 16" in heard[0]["message"]
    assert ("vivienne_pushed_rows_total", ("unknown", "refused"), 3) in [*reading.feed.counts()]


async def test_an_entry_that_is_too_large_to_be_read_is_left_out(redis: RunningRedis) -> None:
    begin = this_minute() - 100 * MINUTE_MS
    add(redis, "x" * 40_000_000)
    add(redis, {"candles": [candle(begin, 101, asset="BTC")]})
    redis.client.xgroup_create(STREAM, "vivienne", id="$")
    redis.client.xadd(STREAM, {f"field-{number}": "x" for number in range(60_000)})
    async with Reading(redis) as reading:
        add(redis, {"candles": [candle(this_minute() - MINUTE_MS, 105, closed=True, asset="BTC")]})
        await reading.until(105)
        assert reading.past == [101]
        assert ("vivienne_pushed_rows_total", ("unknown", "refused"), 2) in [*reading.feed.counts()]


async def test_former_entries_are_read_one_by_one_and_leave_time_to_others(
    redis: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, waited = this_minute() - 100 * MINUTE_MS, 0
    for number in range(5):
        add(redis, {"candles": [candle(begin + number * MINUTE_MS, 101, asset="BTC")]})
    redis.client.xgroup_create(STREAM, "vivienne", id="$")
    due = TimeBudgets.due

    async def counted(budgets: TimeBudgets, key: str) -> None:
        nonlocal waited
        waited += 1
        await due(budgets, key)

    monkeypatch.setattr(TimeBudgets, "due", counted)
    async with Reading(redis) as reading:
        add(redis, {"candles": [candle(this_minute() - MINUTE_MS, 105, closed=True, asset="BTC")]})
        await reading.until(105)
        assert (reading.past, waited) == ([101] * 5, 6)


async def test_an_agent_that_was_replaced_leaves_the_data_to_its_successor(redis: RunningRedis) -> None:
    is_replaced = False
    begin = this_minute() - 20 * MINUTE_MS
    feeds = [PushedFeed(("BTC",), timeframe=Timeframe.M1, bars=1_500) for _ in range(2)]
    taken: list[list[Any]] = [[], []]

    async def follow(feed: PushedFeed, events: list[Any]) -> None:
        async for event in feed.follow("BTC"):
            events += [event]

    def closes(events: list[Any]) -> list[float]:
        past = [each for event in events if isinstance(event, HistoryRead) for each in event.history.minutes.close]
        return [*past, *(event.candle.close for event in events if isinstance(event, MinuteClosed))]

    client = Client(redis.url)
    first = market_stream(feeds[0], "first", "1/1", may=lambda: not is_replaced)
    later = market_stream(feeds[1], "later", "1/1")
    tasks = [asyncio.create_task(follow(*each)) for each in zip(feeds, taken, strict=True)]
    tasks.append(asyncio.create_task(first.run(client, lambda: None)))
    add(
        redis,
        {"candles": [candle(begin, 101), candle(this_minute() - 2 * MINUTE_MS, 102, closed=True)], "asset": "BTC"},
    )
    await become(lambda: closes(taken[0]) == [101, 102])
    tasks.append(asyncio.create_task(later.run(client, lambda: None)))
    is_replaced = True
    await become(lambda: redis.client.get(f"{LEASE}:1/1") == "later")
    add(redis, {"candles": [candle(this_minute() - MINUTE_MS, 103, closed=True, asset="BTC")]})
    await become(lambda: closes(taken[1]) == [101, 102, 103])
    assert closes(taken[0]) == [101, 102]
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await client.aclose(close_connection_pool=True)


def test_a_killed_server_decides_on_the_same_bars_again(redis: RunningRedis, tmp_path: Path) -> None:
    begin = this_minute() - 300 * MINUTE_MS
    rows = [candle(begin + number * MINUTE_MS, 100 + number % 7, asset="BTC", closed=True) for number in range(300)]
    add(redis, {"type": "candles", "history": False, "candles": rows[:297]})
    flags = ("--feed", "push", "--assets", "BTC", "--timeframe", "1m", "--redis", redis.url)
    with RunningServer(*flags, db=tmp_path / "v.db") as server:
        eventually(lambda: closes(server) == [row["close"] for row in rows[:297]], SECONDS)
        server.kill()
        add(redis, {"type": "candles", "history": False, "candles": rows[290:]})
        server.start()
        eventually(lambda: closes(server) == [row["close"] for row in rows], SECONDS)


def closes(server: RunningServer) -> list[float]:
    found: list[float] = server.get("/phoenix/assets", closes=1_000).json()["assets"][0]["closes"]
    return found
