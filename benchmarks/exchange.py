"""A real market, as far as this machine shows it: from messages of an exchange to states of clients."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import TYPE_CHECKING

import exchange_messages
from exchange_agent import ASSETS, BARS, following, until
from fake_exchange import BEGIN, DIALECTS, FakeExchange, FakeMarket
from measuring import Figure
from vivienne.market.feeds.exchange.from_candles import FromCandles
from vivienne.market.feeds.exchange.from_trades import FromTrades
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.line import Line
from vivienne.market.feeds.exchange.listener import Counts
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument, StreamEvent

_PACE = 60.0
_BREAKS = 5
_BACK_SECONDS = 2.0
_REST_SECONDS = 0.05


def measure() -> list[Figure]:
    """Messages to states, the cost of a trade, the start, and the way back after a break."""
    return [*_trade_costs(), *asyncio.run(exchange_messages.measure()), *asyncio.run(_breaks()), *asyncio.run(_start())]


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
    for _ in splice.answer_candles([], asked=BEGIN):
        pass
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
            await line.hearing.is_news(text)  # what a connection does with each message
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


async def _breaks() -> list[Figure]:
    """Cut the connections of ten markets, and take the exchange away for a second, which is one of its minutes.

    Of Binance: Kraken allows a request a second, and each market asks for one after a break.
    """
    market = FakeMarket(ASSETS, pace=_PACE, past=BARS + 50, ahead=300, a_minute=2, busy=12)
    async with (
        FakeExchange("binance", market, step=0.02) as exchange,
        following("binance", exchange.url, pace=_PACE) as (_, client),
    ):
        await until(client, lambda state: state["status"] == "live")
        cut = [await _back(client, exchange, 0.0) for _ in range(_BREAKS)]
        gone = [await _back(client, exchange, 1.0) for _ in range(_BREAKS)]
    return [_again("live again after a cut", cut), _again("live again after the exchange was away for 1 s", gone)]


def _again(name: str, seconds: list[float]) -> Figure:
    typical = statistics.median(seconds)
    return Figure(f"{name}: median, most of {len(seconds)}", f"{typical:.2f}, {max(seconds):.2f} s",
                  f"<= {_BACK_SECONDS:g} s", typical <= _BACK_SECONDS)  # fmt: skip


async def _back(client: ClientConnection, exchange: FakeExchange, seconds: float) -> float:
    """Seconds between the return of the exchange and the moment at which all assets are followed."""
    if seconds:
        await exchange.stop()
        await asyncio.sleep(seconds)
        await exchange.start()
    else:
        exchange.cut()
    begin = time.perf_counter()
    await until(client, lambda state: state["feed_status"] != "connected")
    await until(client, lambda state: state["feed_status"] == "connected" and state["status"] == "live")
    return time.perf_counter() - begin


async def _start() -> list[Figure]:
    """Start with a history of 1,500 bars of fifteen minutes for each of ten markets."""
    market = _Quick(ASSETS, pace=1.0, past=60, ahead=10)
    async with FakeExchange("binance", market, rest_seconds=_REST_SECONDS, step=0.1) as exchange:
        begin = time.perf_counter()
        async with following("binance", exchange.url, pace=1.0, timeframe="15m") as (server, client):
            await until(client, lambda state: state["status"] == "live")
            seconds = time.perf_counter() - begin
    return [
        Figure(f"start of ten assets with {BARS:,} bars each, to the last live state", f"{seconds:.2f} s", "<= 5 s",
               seconds <= 5),
        Figure("the same, to the first answer of /health", f"{server.seconds:.2f} s"),
    ]  # fmt: skip
