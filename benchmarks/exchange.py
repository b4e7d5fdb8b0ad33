"""A real market, as far as this machine shows it: from messages of an exchange to states of clients."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psutil
from websockets.asyncio.client import connect

from fake_exchange import BEGIN, DIALECTS, FakeExchange, FakeMarket
from measuring import Figure, Serving, percentile, serving
from running import data
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.line import Counts, Line
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.splicing import FromCandles, FromTrades
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument, StreamEvent

_ASSETS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "BCH", "LINK", "DOGE")
_PACE = 20.0
_A_SECOND = 1_000
_SECONDS = 30.0
_BARS = 1_500
_REST_SECONDS = 0.05
_WAIT_SECONDS = 60.0


def measure() -> list[Figure]:
    """Messages to states, the cost of a trade, the start, and the way back after a break."""
    return [*_trade_costs(), *asyncio.run(_messages()), *asyncio.run(_breaks()), *asyncio.run(_start())]


def measure_memory(*, minutes: float = 30.0) -> list[Figure]:
    """The memory of an agent that follows ten markets at ten times the real pace."""
    slope, size = asyncio.run(_memory(minutes * 60))
    name = f"memory over {minutes:g} min at 10 times the real pace, {size / 1e6:.0f} MB: slope"
    return [Figure(name, f"{slope:+.2f} MB/h", "< 1 MB/h", slope < 1)]


class _Quick(FakeMarket):
    """A market whose long candles cost nothing: what is measured is who asks for them."""

    def candles(self, base: str, length: int, begin: int, end: int) -> list[Candle]:
        """See `FakeMarket`."""
        if length == 1:
            return super().candles(base, length, begin, end)
        step, last = length * MINUTE_MS, min(end, self.now() + 1)
        return [
            Candle(time, price := 100 + time // step % 97 / 10, price + 1, price - 1, price + 0.1, 5.0, 500.0, 9.0, 2.0)
            for time in range(-(-begin // step) * step, last, step)
        ]


def _trade_costs() -> list[Figure]:
    return [_trade_cost(name) for name in DIALECTS]


def _trade_cost(name: str) -> Figure:
    """Processor time from the text of a message to the minutes it makes."""
    market = FakeMarket(past=1, ahead=30, a_minute=600)
    adapter, dialect = EXCHANGES[name], DIALECTS[name]()
    instrument = _instrument(adapter, name)
    splice = FromCandles(BEGIN) if adapter.candle_is_minute else FromTrades(BEGIN, 100.0)
    splice.answer_trades([], is_whole=True)
    splice.answer_candles([])
    counts = Counts()
    line = Line(adapter, "ws://x", [instrument], _Only(splice.take), counts, Patience(pace=1e6))
    trades = market.between("BTC", BEGIN, BEGIN + 29 * MINUTE_MS)
    texts = [
        json.dumps(message) for place in range(0, len(trades), 2)
        for message in dialect.traded("BTC", trades[place : place + 2], trades[place].trade.time)
    ]  # fmt: skip

    async def read() -> float:
        begin = time.process_time()
        for text in texts:
            await line.is_news(text)  # what a connection does with each message
        return time.process_time() - begin

    cost = asyncio.run(read()) / len(trades) * 1e6
    assert not counts.left_out, counts.left_out
    return Figure(f"{name}: processor time per trade, text to minutes", f"{cost:.1f} us", "<= 30 us", cost <= 30)


def _instrument(adapter: Adapter, name: str) -> Instrument:
    answer = DIALECTS[name]().rest(FakeMarket(past=1, ahead=1), adapter.instruments_request().path, {})
    (found,) = adapter.instruments(answer)
    return found


class _Only:
    """Takes events, and nothing else happens."""

    def __init__(self, take: Callable[[StreamEvent], object]) -> None:
        self._take = take

    def take(self, event: StreamEvent) -> None:
        self._take(event)

    def interrupted(self, reason: str) -> None:
        raise AssertionError(reason)

    def refused(self, symbol: str | None, reason: str) -> None:
        raise AssertionError(symbol, reason)

    def served(self, symbol: str) -> None:
        pass

    def lost(self, symbol: str, reason: str) -> None:
        raise AssertionError(symbol, reason)

    def outage(self, reason: str | None) -> None:
        pass


class _Timed(FakeExchange):
    """Keeps when the first trade after each minute was sent, which closes it."""

    closed: dict[tuple[str, int], float]

    def _traded(self, dialect: Any, base: str, trades: Any, now: int, rng: Any) -> list[Any]:
        if trades:
            minute = trades[-1].trade.time // MINUTE_MS
            self.closed.setdefault((base, minute - 1), time.perf_counter())
        return super()._traded(dialect, base, trades, now, rng)


async def _messages() -> list[Figure]:
    """Follow ten markets with a thousand trades a second; every three seconds a minute of all of them closes."""
    a_minute = round(_A_SECOND / len(_ASSETS) * 60 / _PACE)
    market = FakeMarket(
        _ASSETS, pace=_PACE, past=_BARS + 50, ahead=round(4 * _SECONDS * _PACE / 60), a_minute=2, busy=a_minute
    )
    async with _Timed("bybit", market, step=0.02) as exchange:
        exchange.closed = {}
        flags = ("--feed", "exchange", "--exchange", "bybit", "--exchange-url", exchange.url, "--timeframe", "1m")
        async with _served(*flags, "--window", str(_BARS)) as server:
            process = psutil.Process(server.process.pid)
            async with connect(f"ws://127.0.0.1:{server.port}/ws/state", max_size=None) as client:
                await _until(client, lambda state: state["status"] == "live")
                before, begin = process.cpu_times(), time.perf_counter()
                seen = await _bars(client, exchange, begin + _SECONDS)
                after = process.cpu_times()
                used = after.user + after.system - before.user - before.system
    p50, p99 = percentile(seen, 50), percentile(seen, 99)
    return [
        Figure(f"message that closes a minute to asset_data, p50 of {len(seen)}", f"{p50:.1f} ms"),
        Figure("the same, p99, all ten closing at once", f"{p99:.1f} ms", "<= 20 ms", p99 <= 20),
        Figure("processor time of the whole agent per trade", f"{used / (_SECONDS * _A_SECOND) * 1e6:.0f} us"),
    ]


async def _breaks() -> list[Figure]:
    """Cut the connections of ten markets, and take the exchange away for a second.

    Of Binance: Kraken allows a request a second, and each market asks for one after a break.
    """
    market = FakeMarket(_ASSETS, pace=_PACE, past=_BARS + 50, ahead=120, a_minute=2, busy=12)
    async with FakeExchange("binance", market, step=0.02) as exchange:
        flags = ("--feed", "exchange", "--exchange", "binance", "--exchange-url", exchange.url, "--timeframe", "1m")
        async with (
            _served(*flags, "--window", str(_BARS)) as server,
            connect(f"ws://127.0.0.1:{server.port}/ws/state", max_size=None) as client,
        ):
            await _until(client, lambda state: state["status"] == "live")
            back = [await _back(client, exchange, seconds) for seconds in (0.0, 0.0, 0.0, 1.0, 1.0, 1.0)]
    again, name = statistics.median(back), "back after a cut, and after 1 s away: median, most"
    return [Figure(name, f"{again:.2f}, {max(back):.2f} s", "<= 2 s", again <= 2)]


@asynccontextmanager
async def _served(*flags: str) -> AsyncIterator[Serving]:
    """A server of all assets, started and stopped without holding up the exchange."""
    running = serving(*flags, "--assets", ",".join(_ASSETS))
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def _bars(client: Any, exchange: _Timed, end: float) -> list[float]:
    """Milliseconds from the message that closed a minute to the state with its bar."""
    seen: list[float] = []
    while time.perf_counter() < end:
        message = json.loads(await asyncio.wait_for(client.recv(), _WAIT_SECONDS))
        moment = time.perf_counter()
        if message["type"] == "asset_data" and (bar := data(message)["bar"]) is not None:
            minute = _minute(bar["time"])
            sent = exchange.closed.get((message["asset"], minute))
            if sent is not None:
                seen.append((moment - sent) * 1e3)
    return seen


def _minute(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) // 60


async def _until(client: Any, is_so: Callable[[Any], bool], assets: tuple[str, ...] = _ASSETS) -> None:
    """Wait until something was so of every asset."""
    missing = set(assets)
    async with asyncio.timeout(_WAIT_SECONDS):
        while missing:
            message = json.loads(await client.recv())
            if message["type"] == "asset_data" and is_so(data(message)):
                missing.discard(message["asset"])


async def _back(client: Any, exchange: FakeExchange, seconds: float) -> float:
    """Seconds until all assets are followed again after the exchange was away."""
    if seconds:
        await exchange.stop()
        await asyncio.sleep(seconds)
        await exchange.start()
    else:
        exchange.cut()
    begin = time.perf_counter()
    await _until(client, lambda state: state["feed_status"] != "connected")
    await _until(client, lambda state: state["feed_status"] == "connected" and state["status"] == "live")
    return time.perf_counter() - begin


async def _start() -> list[Figure]:
    """Start with a history of 1,500 bars of fifteen minutes for each of ten markets."""
    market = _Quick(_ASSETS, pace=1.0, past=60, ahead=10)
    async with FakeExchange("binance", market, rest_seconds=_REST_SECONDS, step=0.1) as exchange:
        flags = ("--feed", "exchange", "--exchange", "binance", "--exchange-url", exchange.url, "--timeframe", "15m")
        begin = time.perf_counter()
        async with (
            _served(*flags, "--window", str(_BARS)) as server,
            connect(f"ws://127.0.0.1:{server.port}/ws/state", max_size=None) as client,
        ):
            await _until(client, lambda state: state["status"] == "live")
            seconds = time.perf_counter() - begin
    return [
        Figure(f"start of ten assets with {_BARS:,} bars each, to the last live state", f"{seconds:.2f} s", "<= 5 s",
               seconds <= 5),
        Figure("the same, to the first answer of /health", f"{server.seconds:.2f} s"),
    ]  # fmt: skip


async def _memory(seconds: float) -> tuple[float, int]:
    """MB an hour by the line of least squares over the last two thirds, and the size at the end."""
    market = FakeMarket(_ASSETS, pace=10.0, past=_BARS + 50, ahead=round(seconds / 6) + 20, a_minute=2, busy=12)
    async with FakeExchange("binance", market, step=0.05) as exchange:
        flags = ("--feed", "exchange", "--exchange", "binance", "--exchange-url", exchange.url, "--timeframe", "1m")
        async with _served(*flags, "--window", str(_BARS)) as server:
            process, begin = psutil.Process(server.process.pid), time.perf_counter()
            hours, sizes = list[float](), list[int]()
            while (passed := time.perf_counter() - begin) < seconds:
                if passed > seconds / 3:
                    hours.append(passed / 3600)
                    sizes.append(process.memory_info().rss)
                await asyncio.sleep(1.0)
    return statistics.linear_regression(hours, sizes).slope / 1e6, sizes[-1]
