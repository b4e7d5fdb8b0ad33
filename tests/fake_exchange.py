"""An exchange on this machine that speaks the protocols of the real ones, from generated trades, with faults on demand.

Its clock is its own and may run fast: nothing that follows it may depend on another one.
"""

from __future__ import annotations

import asyncio
import copy
import json
import math
import random
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from vivienne.market.bars import joined
from vivienne.market.feeds.exchange.adapter import NumberedTrade
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request

BEGIN = 1_760_000_400_000
"""The exchange's time when it is started: a full hour."""
assert BEGIN % (60 * MINUTE_MS) == 0
_STEP_SECONDS = 0.001
_STEP_MS = 1_500
_INSTRUMENTS_A_PAGE = 5
Query = dict[str, str]


class FakeMarket:
    """Trades of some instruments, the same for the same seed.

    Args:
        bases: base currencies.
        seed: of the trades.
        pace: seconds of the exchange in a second; None for as many as there is time for: its clock moves with each
            of its steps, so that a busy machine makes it slower and nothing that is said of it wrong.
        past: minutes of history.
        ahead: minutes that can be played.
        a_minute: trades in a minute; every seventh minute has none.
        begin: its time when it is started: a full hour.
        busy: trades in a minute from the start on; None for as many as before.

    Attributes:
        states: of markets that are not traded: `halted` or `delisted`, by base currency.
        maintenance_until: the exchange is in maintenance until then, in ms.
        quotes: currencies of Coinbase's markets; those of `USDC` are those of `USD` under another name.
        wrong: REST says that so much more was traded in every candle.
        rest_ahead: the time that REST says is so much later, in ms.
        answers_ahead: so are its candles and trades; they are behind the stream where it is below 0.
    """

    def __init__(
        self, bases: tuple[str, ...] = ("BTC",), *, seed: int = 0, pace: float | None = None, past: int = 240,
        ahead: int = 60, a_minute: int = 12, begin: int = BEGIN, busy: int | None = None,
    ) -> None:  # fmt: skip
        self.bases = bases
        self.states: dict[str, str] = {}
        self.quotes: tuple[str, ...] = ("USD",)
        self.maintenance_until: int | None = None
        self._begin = begin
        self._pace = pace
        self._began = time.monotonic()
        self._moved = 0
        self.wrong = 0.0
        self.rest_ahead = self.answers_ahead = 0
        self._first = begin - past * MINUTE_MS
        self.trades = {
            base: _made(seed * 100 + place, self._first, past, ahead, a_minute, busy or a_minute)
            for place, base in enumerate(bases)
        }
        self._times = {base: [each.trade.time for each in trades] for base, trades in self.trades.items()}

    def leave_out(self, base: str, begin: int, end: int) -> None:
        """Have nobody trade from a time on and before another."""
        kept = [each for each in self.trades[base] if not begin <= each.trade.time < end]
        self.trades[base], self._times[base] = kept, [each.trade.time for each in kept]

    def restart(self) -> None:
        """The exchange's time is `BEGIN` now."""
        self._began = time.monotonic()
        self._moved = 0

    def ahead(self) -> FakeMarket:
        """The market as REST has it."""
        found = copy.copy(self)
        found._begin += self.answers_ahead
        return found

    def step(self) -> None:
        """Move the clock, where it does not move by itself."""
        self._moved += _STEP_MS

    def now(self) -> int:
        """The exchange's time, in ms."""
        if self._pace is None:
            return self._begin + self._moved
        return self._begin + int((time.monotonic() - self._began) * self._pace * 1_000)

    def between(self, base: str, begin: int, end: int) -> list[NumberedTrade]:
        """Trades from a time on and before another."""
        times = self._times[base]
        return self.trades[base][bisect_left(times, begin) : bisect_left(times, end)]

    def minutes(self, base: str, begin: int, end: int) -> list[Candle]:
        """The minutes from a time on and before another, with quiet ones; the last may be open."""
        found: list[Candle] = []
        before = self.trades[base][max(0, bisect_left(self._times[base], begin) - 1)]
        close = before.trade.price
        for minute in range(begin - begin % MINUTE_MS, end, MINUTE_MS):
            trades = self.between(base, minute, min(end, minute + MINUTE_MS))
            found.append(_candle(minute, [each.trade for each in trades], close))
            close = found[-1].close
        return found

    def candles(self, base: str, length: int, begin: int, end: int) -> list[Candle]:
        """Candles of `length` minutes that open from a time on and before another, as far as it knows them."""
        step, last = length * MINUTE_MS, min(end, self.now() + 1)
        begin = max(-(-begin // step) * step, -(-self._first // step) * step)
        minutes = self.minutes(base, begin, min(self.now() + 1, -(-last // step) * step)) if begin < last else []
        found: list[Candle] = []
        for place in range(0, len(minutes), length):
            bar = minutes[place]
            for part in minutes[place + 1 : place + length]:
                bar = joined(bar, part)
            found.append(bar._replace(volume=bar.volume + self.wrong))
        return found


def _candle(minute: int, trades: list[Trade], close: float) -> Candle:
    if not trades:
        return Candle(minute, close, close, close, close, 0.0, 0.0, 0.0, 0.0)
    volume = quote = taker = 0.0
    for trade in trades:
        volume += trade.quantity
        quote += trade.price * trade.quantity
        taker += 0.0 if trade.buyer_is_maker else trade.quantity
    prices = [trade.price for trade in trades]
    return Candle(minute, prices[0], max(prices), min(prices), prices[-1], volume, quote, float(len(trades)), taker)


@lru_cache(maxsize=16)
def _made(seed: int, first: int, past: int, ahead: int, a_minute: int, busy: int) -> list[NumberedTrade]:
    rng = random.Random(seed)  # noqa: S311
    found: list[NumberedTrade] = []
    price = 100.0
    for minute in range(past + ahead):
        count = a_minute if minute < past else busy
        begin = first + minute * MINUTE_MS
        times = sorted(begin + int(rng.random() * MINUTE_MS) for _ in range(count if minute % 7 else 0))
        for moment in times:
            price = round(price + int(rng.random() * 41 - 20) / 100, 2)
            trade = Trade(moment, price, (1 + int(rng.random() * 999)) / 1000, rng.random() < 0.5)
            found.append(NumberedTrade(str(1_000 + len(found)), 1_000 + len(found), 1, trade))
    return found


class Dialect(Protocol):
    """How an exchange says things.

    Attributes:
        snapshot: so many of the newest trades come with a subscription.
        refuses_whole: one market that is gone has the whole message refused; else only that market is.
    """

    snapshot: int
    refuses_whole: bool

    def rest(self, market: FakeMarket, path: str, query: Query) -> Any:
        """The answer to a request; None where there is no such path."""

    def asked(self, path: str, message: Any, now: int) -> tuple[list[str], list[Any]]:
        """Base currencies a path or a message subscribes, and what to answer."""

    def refusal(self, base: str) -> list[Any]:
        """What it answers to a subscription of a market that is gone."""

    def traded(self, base: str, trades: list[NumberedTrade], now: int) -> list[Any]:
        """Messages with trades."""

    def candle(self, base: str, candle: Candle, now: int, *, is_closed: bool) -> list[Any]:
        """Messages with a candle of a minute."""

    def beat(self, now: int) -> list[Any]:
        """Messages that say that the exchange is there."""


def _text(value: float) -> str:
    return repr(float(value))


_WORDS = {
    "binance": {"": "TRADING", "halted": "BREAK", "delisted": "CLOSE"},
    "bybit": {"": "Trading", "halted": "Settling", "delisted": "Closed"},
    "okx": {"": "live", "halted": "suspend", "delisted": "expired"},
    "kraken": {"": "online", "halted": "cancel_only", "delisted": "delisted"},
}
_COINBASE_STATES: dict[str, dict[str, Any]] = {
    "": {"status": "online"}, "halted": {"status": "online", "trading_disabled": True},
    "delisted": {"status": "delisted", "is_disabled": True},
}  # fmt: skip
NOTICE = '{"event": "notice", "code": "64008", "msg": "The connection will soon be closed for a service upgrade."}'
"""OKX announces the end of a connection."""


def _maintenance(market: FakeMarket, name: str) -> list[dict[str, str]]:
    if market.maintenance_until is None:
        return []
    return [{"state": "ongoing", "begin": "0", name: str(market.maintenance_until)}]


class BinanceDialect:
    """On the path of futures candles begin with the first trade of a minute, and a mark price always comes."""

    snapshot = 0
    refuses_whole = False

    def __init__(self) -> None:
        self._is_of_futures = False
        self._marked: list[str] = []

    def refusal(self, base: str) -> list[Any]:
        del base
        return []

    def rest(self, market: FakeMarket, path: str, query: Query) -> Any:
        kind = path.rpartition("/")[2]
        if kind == "time":
            return {"serverTime": market.now() + market.rest_ahead}
        if kind == "exchangeInfo":
            rule = {"filterType": "PRICE_FILTER", "tickSize": "0.01"}
            return {"symbols": [
                {"symbol": f"{base}USDT", "status": _WORDS["binance"][market.states.get(base, "")],
                 "baseAsset": base, "quoteAsset": "USDT",
                 "filters": [rule]} for base in market.bases
            ]}  # fmt: skip
        if kind == "klines":
            base, length = query["symbol"].removesuffix("USDT"), _minutes(query["interval"])
            found = market.candles(base, length, int(query["startTime"]), int(query["endTime"]) + 1)
            return [
                [c.open_time, *map(_text, c[1:6]), c.open_time + length * MINUTE_MS - 1, _text(c.quote_volume),
                 int(c.trade_count), _text(c.taker_buy_volume), "0", "0"]
                for c in found[: int(query["limit"])]
            ]  # fmt: skip
        return None

    def asked(self, path: str, message: Any, now: int) -> tuple[list[str], list[Any]]:
        del message, now
        streams = parse_qs(urlsplit(path).query).get("streams", [""])[0]
        bases = sorted({each.split("@")[0].removesuffix("usdt").upper() for each in streams.split("/") if each})
        self._is_of_futures |= path.startswith("/market/")
        if self._is_of_futures and "@markPrice" in streams:
            self._marked = bases
        return bases, []

    def traded(self, base: str, trades: list[NumberedTrade], now: int) -> list[Any]:
        return [
            {"stream": f"{base.lower()}usdt@aggTrade", "data": {
                "e": "aggTrade", "E": now, "s": f"{base}USDT", "a": each.number, "p": _text(each.trade.price),
                "q": _text(each.trade.quantity), "f": each.number, "l": each.number, "T": each.trade.time,
                "m": each.trade.buyer_is_maker,
            }}
            for each in trades
        ]  # fmt: skip

    def candle(self, base: str, candle: Candle, now: int, *, is_closed: bool) -> list[Any]:
        c = candle
        if self._is_of_futures and not c.trade_count:
            return []
        row = {
            "t": c.open_time, "T": c.open_time + MINUTE_MS - 1, "s": f"{base}USDT", "i": "1m", "o": _text(c.open),
            "c": _text(c.close), "h": _text(c.high), "l": _text(c.low), "v": _text(c.volume), "n": int(c.trade_count),
            "x": is_closed, "q": _text(c.quote_volume), "V": _text(c.taker_buy_volume),
        }  # fmt: skip
        return [
            {"stream": f"{base.lower()}usdt@kline_1m", "data": {"e": "kline", "E": now, "s": f"{base}USDT", "k": row}}
        ]

    def beat(self, now: int) -> list[Any]:
        return [
            {"stream": f"{base.lower()}usdt@markPrice", "data": {
                "e": "markPriceUpdate", "E": now, "s": f"{base}USDT", "p": "1.00", "i": "1.00", "P": "1.00",
                "r": "0.0001", "T": now + 28_800_000,
            }}
            for base in self._marked
        ]  # fmt: skip


class BybitDialect:
    snapshot = 0
    refuses_whole = True

    def refusal(self, base: str) -> list[Any]:
        said = f"error:handler not found,topic:publicTrade.{base}USDT"
        return [{"success": False, "ret_msg": said, "op": "subscribe"}]

    def rest(self, market: FakeMarket, path: str, query: Query) -> Any:
        found: list[Any]
        base = query.get("symbol", "").removesuffix("USDT")
        if path.endswith("/time"):
            return {"retCode": 0, "time": market.now() + market.rest_ahead, "result": {}}
        cursor = ""
        if path.endswith("/system/status"):
            found = _maintenance(market, "end")
        elif path.endswith("/instruments-info"):
            begin = int(query.get("cursor", "0"))
            end = begin + _INSTRUMENTS_A_PAGE
            found = [
                {"symbol": f"{each}USDT", "baseCoin": each, "quoteCoin": "USDT",
                 "status": _WORDS["bybit"][market.states.get(each, "")],
                 "priceFilter": {"tickSize": "0.01"}} for each in market.bases[begin:end]
            ]  # fmt: skip
            cursor = str(end) if end < len(market.bases) else ""
        elif path.endswith("/kline"):
            length = 1_440 if query["interval"] == "D" else int(query["interval"])
            rows = market.candles(base, length, int(query["start"]), int(query["end"]) + 1)
            found = [[str(c.open_time), *map(_text, c[1:7])] for c in rows[: int(query["limit"])]][::-1]
        elif path.endswith("/recent-trade"):
            newest = market.between(base, 0, market.now() + 1)[-int(query["limit"]) :][::-1]
            found = [
                {"execId": each.key, "symbol": f"{base}USDT", "price": _text(each.trade.price),
                 "size": _text(each.trade.quantity), "side": "Sell" if each.trade.buyer_is_maker else "Buy",
                 "time": str(each.trade.time)} for each in newest
            ]  # fmt: skip
        else:
            return None
        result = {"list": found, "nextPageCursor": cursor}
        return {"retCode": 0, "retMsg": "OK", "result": result, "time": market.now()}

    def asked(self, path: str, message: Any, now: int) -> tuple[list[str], list[Any]]:
        del path, now
        if not message or message["op"] != "subscribe":
            return [], [{"op": "pong"}] if message else []
        bases = sorted({each.rpartition(".")[2].removesuffix("USDT") for each in message["args"]})
        return bases, [{"success": True, "ret_msg": "", "op": "subscribe"}]

    def traded(self, base: str, trades: list[NumberedTrade], now: int) -> list[Any]:
        data = [
            {"T": each.trade.time, "s": f"{base}USDT", "S": "Sell" if each.trade.buyer_is_maker else "Buy",
             "v": _text(each.trade.quantity), "p": _text(each.trade.price), "i": each.key} for each in trades
        ]  # fmt: skip
        return [{"topic": f"publicTrade.{base}USDT", "type": "snapshot", "ts": now, "data": data}]

    def candle(self, base: str, candle: Candle, now: int, *, is_closed: bool) -> list[Any]:
        c = candle
        row = {
            "start": c.open_time, "end": c.open_time + MINUTE_MS - 1, "interval": "1", "open": _text(c.open),
            "close": _text(c.close), "high": _text(c.high), "low": _text(c.low), "volume": _text(c.volume),
            "turnover": _text(c.quote_volume), "confirm": is_closed, "timestamp": now,
        }  # fmt: skip
        return [{"topic": f"kline.1.{base}USDT", "data": [row], "ts": now, "type": "snapshot"}]

    def beat(self, now: int) -> list[Any]:
        del now
        return []


class OkxDialect:
    snapshot = 0
    refuses_whole = False

    def refusal(self, base: str) -> list[Any]:
        about = {"channel": "trades-all", "instId": f"{base}-USDT"}
        return [{"event": "error", "code": "60018", "msg": f"{base}-USDT does not exist", "arg": about}]

    def rest(self, market: FakeMarket, path: str, query: Query) -> Any:
        data: list[Any]
        base = query.get("instId", "").partition("-")[0]
        if path.endswith("/time"):
            data = [{"ts": str(market.now() + market.rest_ahead)}]
        elif path.endswith("/system/status"):
            data = [{**each, "serviceType": "1"} for each in _maintenance(market, "end")]
        elif path.endswith("/instruments"):
            data = [
                {"instId": f"{each}-USDT", "instType": "SPOT", "ctVal": "", "ctType": "", "tickSz": "0.01",
                 "state": _WORDS["okx"][market.states.get(each, "")]} for each in market.bases
            ]  # fmt: skip
        elif path.endswith("/history-candles"):
            length = _minutes(query["bar"].removesuffix("utc").lower())
            found = market.candles(base, length, int(query["before"]) + 1, int(query["after"]))
            # It has the newest ones of what was asked for, newest first.
            data = [self._row(c, c.open_time + length * MINUTE_MS <= market.now()) for c in found[-100:]][::-1]
        elif path.endswith("/history-trades"):
            trades = market.between(base, 0, market.now() + 1)
            if query.get("type", "1") != "1":  # by time it has no newer ones
                return {"code": "51000", "msg": "Parameter before error", "data": []}
            after, before = int(query.get("after", 10**18)), int(query.get("before", 0))
            trades = [each for each in trades if before < (each.number or 0) < after]
            data = [self._trade(base, each) for each in trades[-int(query["limit"]) :]][::-1]
        else:
            return None
        return {"code": "0", "msg": "", "data": data}

    @staticmethod
    def _row(c: Candle, is_closed: bool) -> list[str]:
        return [
            str(c.open_time), *map(_text, c[1:6]), _text(c.quote_volume), _text(c.quote_volume), str(int(is_closed)),
        ]  # fmt: skip

    @staticmethod
    def _trade(base: str, each: NumberedTrade) -> dict[str, str]:
        return {
            "instId": f"{base}-USDT", "tradeId": each.key, "px": _text(each.trade.price),
            "sz": _text(each.trade.quantity), "side": "sell" if each.trade.buyer_is_maker else "buy",
            "ts": str(each.trade.time),
        }  # fmt: skip

    def asked(self, path: str, message: Any, now: int) -> tuple[list[str], list[Any]]:
        del path, now
        if not message:
            return [], []
        answers = [{"event": "subscribe", "arg": each} for each in message["args"]]
        return sorted({each["instId"].partition("-")[0] for each in message["args"]}), answers

    def traded(self, base: str, trades: list[NumberedTrade], now: int) -> list[Any]:
        del now
        about = {"channel": "trades-all", "instId": f"{base}-USDT"}
        return [{"arg": about, "data": [self._trade(base, each)]} for each in trades]

    def candle(self, base: str, candle: Candle, now: int, *, is_closed: bool) -> list[Any]:
        del now
        return [{"arg": {"channel": "candle1m", "instId": f"{base}-USDT"}, "data": [self._row(candle, is_closed)]}]

    def beat(self, now: int) -> list[Any]:
        del now
        return []


class KrakenDialect:
    snapshot = 50
    refuses_whole = False

    def refusal(self, base: str) -> list[Any]:
        said = f"Currency pair not supported {base}/USD"
        return [{"method": "subscribe", "success": False, "symbol": f"{base}/USD", "error": said}]

    def rest(self, market: FakeMarket, path: str, query: Query) -> Any:
        pair = query.get("pair", "")
        base = "BTC" if pair.startswith("XBT") else pair.removesuffix("USD")
        if path.endswith("/Time"):
            return {"error": [], "result": {"unixtime": (market.now() + market.rest_ahead) // 1_000}}
        if path.endswith("/SystemStatus"):
            state = "online" if market.maintenance_until is None else "maintenance"
            return {"error": [], "result": {"status": state, "timestamp": _iso(market.now())}}
        if path.endswith("/AssetPairs"):
            return {"error": [], "result": {
                f"X{self._own(each)}ZUSD": {
                    "altname": f"{self._own(each)}USD", "wsname": f"{self._own(each)}/USD", "pair_decimals": 2,
                    "status": _WORDS["kraken"][market.states.get(each, "")],
                } for each in market.bases
            }}  # fmt: skip
        if path.endswith("/OHLC"):
            length = int(query["interval"])
            # Only the newest 720 can be had, and the last one is open.
            end = market.now() + 1
            begin = max(int(query["since"]) * 1_000 + 1, end - 720 * length * MINUTE_MS)
            rows = [
                [c.open_time // 1_000, *map(_text, c[1:5]), _text(c.quote_volume / c.volume if c.volume else 0.0),
                 _text(c.volume), int(c.trade_count)] for c in market.candles(base, length, begin, end)
            ]  # fmt: skip
            return {"error": [], "result": {f"X{pair}": rows, "last": end // 1_000}}
        if path.endswith("/Trades"):
            since = int(query["since"]) // 1_000_000
            found = market.between(base, since, market.now() + 1)[: int(query["count"])]
            rows = [
                [_text(each.trade.price), _text(each.trade.quantity), each.trade.time / 1_000,
                 "s" if each.trade.buyer_is_maker else "b", "l", "", each.number] for each in found
            ]  # fmt: skip
            return {"error": [], "result": {f"X{pair}": rows, "last": "0"}}
        return None

    @staticmethod
    def _own(base: str) -> str:
        return "XBT" if base == "BTC" else base

    def asked(self, path: str, message: Any, now: int) -> tuple[list[str], list[Any]]:
        del path
        if not message:
            return [], []
        if message["method"] == "ping":
            return [], [{"method": "pong", "time_out": _iso(now)}]
        symbols = message["params"]["symbol"]
        answers = [{"method": "subscribe", "success": True, "result": {"symbol": each}} for each in symbols]
        return sorted({each.partition("/")[0] for each in symbols}), answers

    def traded(self, base: str, trades: list[NumberedTrade], now: int) -> list[Any]:
        del now
        data = [
            {"symbol": f"{base}/USD", "side": "sell" if each.trade.buyer_is_maker else "buy", "price": each.trade.price,
             "qty": each.trade.quantity, "ord_type": "limit", "trade_id": each.number,
             "timestamp": _iso(each.trade.time)}
            for each in trades
        ]  # fmt: skip
        return [{"channel": "trade", "type": "update", "data": data}]

    def candle(self, base: str, candle: Candle, now: int, *, is_closed: bool) -> list[Any]:
        del now, is_closed
        c = candle
        row = {
            "symbol": f"{base}/USD", "interval": 1, "interval_begin": _iso(c.open_time), "open": c.open, "high": c.high,
            "low": c.low, "close": c.close, "volume": c.volume, "trades": int(c.trade_count),
            "vwap": c.quote_volume / c.volume if c.volume else 0.0,
        }  # fmt: skip
        return [{"channel": "ohlc", "type": "update", "data": [row]}]

    def beat(self, now: int) -> list[Any]:
        return [{"channel": "heartbeat"}, {"method": "pong", "time_out": _iso(now)}]


class CoinbaseDialect:
    snapshot = 50
    refuses_whole = True

    def __init__(self) -> None:
        self.sequence = 0

    def rest(self, market: FakeMarket, path: str, query: Query) -> Any:
        parts = path.split("/")
        if path.endswith("/time"):
            return {"epochMillis": str(market.now() + market.rest_ahead)}
        if path.endswith("/products"):
            return {"products": [
                {"product_id": f"{each}-{quote}", "base_currency_id": each, "quote_currency_id": quote,
                 "alias": "" if quote == "USD" else f"{each}-USD",
                 "price_increment": "0.01", **_COINBASE_STATES[market.states.get(each, "")]}
                for each in market.bases for quote in market.quotes
            ]}  # fmt: skip
        base = parts[-2].partition("-")[0]
        if path.endswith("/candles"):
            words = {"ONE_MINUTE": 1, "FIVE_MINUTE": 5, "FIFTEEN_MINUTE": 15, "THIRTY_MINUTE": 30, "ONE_HOUR": 60}
            found = market.candles(
                base, words[query["granularity"]], int(query["start"]) * 1_000, int(query["end"]) * 1_000 + 1
            )
            # Minutes without trades are not there.
            rows = [
                {"start": str(c.open_time // 1_000), "low": _text(c.low), "high": _text(c.high), "open": _text(c.open),
                 "close": _text(c.close), "volume": _text(c.volume)} for c in found if c.volume
            ]  # fmt: skip
            return {"candles": rows[::-1]}
        if path.endswith("/ticker"):
            end = int(query["end"]) * 1_000 if "end" in query else market.now() + 1
            trades = market.between(base, int(query["start"]) * 1_000, min(end, market.now() + 1))
            # There are no more in an answer, however many are asked for.
            return {"trades": [self._trade(base, each) for each in trades[-min(100, int(query["limit"])) :]][::-1]}
        return None

    @staticmethod
    def _trade(base: str, each: NumberedTrade) -> dict[str, str]:
        return {
            "trade_id": each.key, "product_id": f"{base}-USD", "price": _text(each.trade.price),
            "size": _text(each.trade.quantity), "side": "BUY" if each.trade.buyer_is_maker else "SELL",
            "time": _iso(each.trade.time),
        }  # fmt: skip

    def asked(self, path: str, message: Any, now: int) -> tuple[list[str], list[Any]]:
        del path, now
        return ([each.partition("-")[0] for each in message.get("product_ids", [])], []) if message else ([], [])

    def refusal(self, base: str) -> list[Any]:
        return [{"type": "error", "message": f"failed to subscribe: {base}-USD is not a valid product"}]

    def _message(self, channel: str, now: int, events: list[Any]) -> dict[str, Any]:
        self.sequence += 1
        return {"channel": channel, "timestamp": _iso(now), "sequence_num": self.sequence, "events": events}

    def traded(self, base: str, trades: list[NumberedTrade], now: int) -> list[Any]:
        rows = [self._trade(base, each) for each in trades][::-1]
        return [self._message("market_trades", now, [{"type": "update", "trades": rows}])]

    def candle(self, base: str, candle: Candle, now: int, *, is_closed: bool) -> list[Any]:
        del base, candle, now, is_closed
        return []

    def beat(self, now: int) -> list[Any]:
        return [self._message("heartbeats", now, [{"heartbeat_counter": self.sequence}])]


def _minutes(interval: str) -> int:
    return int(interval[:-1]) * {"m": 1, "h": 60, "d": 1_440}[interval[-1]]


def _iso(time_ms: int) -> str:
    seconds, rest = divmod(time_ms, 1_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03}000Z"


DIALECTS: dict[str, type[Dialect]] = {
    "binance": BinanceDialect, "bybit": BybitDialect, "okx": OkxDialect, "kraken": KrakenDialect,
    "coinbase": CoinbaseDialect,
}  # fmt: skip


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        status: answers and handshakes have this status.
        headers: with these.
        rest_status: only answers have this status.
        stream_status: only handshakes have this status.
        spoiled: what becomes of the next answers with candles or trades: `429`, `cut`, `truncated`, or nothing.
        is_silent: connections are open, and nothing is sent.
        repeats: the last message is sent again and again, and nothing new.
        lose: trades of the stream that are left out, of every base.
        doubles: everything is sent twice.
        shuffles: trades come in another order.
        late: trades of the stream come so much later than its clock says, in ms, in order and without a hole.
        garbage: messages that are sent in between.
        no_candles: base currencies of which the stream has no candles, though it accepts their subscription.
        no_trades: base currencies of which it has no trades.
        mute: base currencies of which the stream has nothing, though it accepts their subscription.
        gone: base currencies that the stream does not know: their subscription is refused.
        repeating: base currencies of which the last messages are sent again and again, and nothing new.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    rest_status: int = 0
    stream_status: int = 0
    spoiled: list[str] = field(default_factory=list)
    is_silent: bool = False
    repeats: bool = False
    lose: int = 0
    doubles: bool = False
    shuffles: bool = False
    late: int = 0
    garbage: list[str] = field(default_factory=list)
    no_candles: set[str] = field(default_factory=set)
    no_trades: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    repeating: set[str] = field(default_factory=set)


class FakeExchange:
    """Serves a market in a dialect, REST and WebSocket on one port. Use it as an async context manager.

    Args:
        name: of the exchange.
        market: what it has.
        tls: serve with this.
        step: seconds between messages.
        rest_seconds: so long a request takes.

    Attributes:
        faults: what goes wrong from now on.
        requests: paths of REST that were asked for.
        handshakes: number of connections that were asked for.
        asked: number of requests and handshakes.
        open: number of connections that are open, each time it changed.
    """

    def __init__(
        self,
        name: str,
        market: FakeMarket,
        tls: ssl.SSLContext | None = None,
        *,
        step: float = _STEP_SECONDS,
        rest_seconds: float = 0.0,
    ) -> None:
        self._step_seconds = step
        self._rest_seconds = rest_seconds
        self.market = market
        self.faults = Faults()
        self.requests: list[str] = []
        self.handshakes = self.asked = 0
        self.open: list[int] = []
        self._dialect = DIALECTS[name.partition("-")[0]]
        self._tls = tls
        self._server: Server | None = None
        self._open: set[ServerConnection] = set()
        self._port = 0
        self._stepping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        self.market.restart()
        self._stepping = asyncio.create_task(self._step())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stepping is not None:
            self._stepping.cancel()
        await self.stop()

    async def _step(self) -> None:
        while True:
            await asyncio.sleep(_STEP_SECONDS)
            self.market.step()

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await serve(
            self._serve, "127.0.0.1", self._port, process_request=self._answered_later, ssl=self._tls,
            close_timeout=0.1, compression=None,
        )  # fmt: skip
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            self.cut()
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def leave_for_a_minute(self) -> None:
        """Be gone until a minute of the market is over that nobody heard; its clock has to move by itself."""
        await self.stop()
        begin = self.market.now()
        while self.market.now() < begin + 2 * MINUTE_MS:  # noqa: ASYNC110  # a clock has no event
            await asyncio.sleep(0.05)
        await self.start()

    def cut(self) -> None:
        """Break every connection off."""
        for connection in list(self._open):
            connection.transport.abort()

    async def tell(self, message: str) -> None:
        """Send something on every connection."""
        for connection in list(self._open):
            await connection.send(message)

    async def end(self, code: int = 1001) -> None:
        """Close every connection in order."""
        await asyncio.gather(*(connection.close(code) for connection in list(self._open)))

    async def _answered_later(self, connection: ServerConnection, request: Request) -> Response | None:
        found = self._answered(connection, request)
        if self._rest_seconds:
            await asyncio.sleep(self._rest_seconds)
        return found

    def _answered(self, connection: ServerConnection, request: Request) -> Response | None:
        is_handshake = request.headers.get("Upgrade", "").lower() == "websocket"
        status = self.faults.status or (self.faults.stream_status if is_handshake else self.faults.rest_status)
        self.handshakes += is_handshake
        self.asked += 1
        if status:
            return _response(status, b"{}", self.faults.headers)
        if is_handshake:
            return None
        parts = urlsplit(request.path)
        self.requests.append(parts.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = self._dialect().rest(self.market.ahead(), parts.path, query)
        body = json.dumps(found).encode()
        is_history = any(word in parts.path for word in ("kline", "candles", "OHLC", "Trades"))
        spoiled = self.faults.spoiled.pop(0) if is_history and self.faults.spoiled else ""
        if spoiled == "429":
            return _response(429, b"{}", {"Retry-After": "1"})
        if spoiled == "cut":
            connection.transport.abort()
        return _response(404 if found is None else 200, body[: len(body) // 2] if spoiled else body, {}, len(body))

    async def _serve(self, connection: ServerConnection) -> None:
        dialect = self._dialect()
        self._open.add(connection)
        self.open.append(len(self._open))
        bases: set[str] = set(dialect.asked(connection.request.path if connection.request else "", None, 0)[0])
        playing = asyncio.create_task(self._play(connection, dialect, bases))
        try:
            async for message in connection:
                if message == "ping":
                    await connection.send("pong")
                    continue
                new, answers = self._subscribed(dialect, *dialect.asked("", json.loads(message), self.market.now()))
                for answer in answers:
                    await connection.send(json.dumps(answer))
                bases.update(new)
        except ConnectionClosed:
            pass
        finally:
            self._open.discard(connection)
            self.open.append(len(self._open))
            playing.cancel()

    def _subscribed(self, dialect: Dialect, bases: list[str], answers: list[Any]) -> tuple[list[str], list[Any]]:
        """The base currencies that are subscribed of those that were asked for, and what to answer."""
        gone = [base for base in bases if base in self.faults.gone]
        refusals = [each for base in gone for each in dialect.refusal(base)]
        if gone and dialect.refuses_whole:
            return [], refusals[:1]
        return [base for base in bases if base not in gone], answers + refusals

    async def _play(self, connection: ServerConnection, dialect: Dialect, bases: set[str]) -> None:
        """Send what happens, from now on."""
        now = self.market.now()
        sent = dict.fromkeys(bases, now)
        said: dict[str, list[Any]] = {}
        minute = now // MINUTE_MS
        rng = random.Random(0)  # noqa: S311
        last = "{}"
        while True:
            await asyncio.sleep(self._step_seconds)
            # Nothing of a minute is told after a time that is later than its end: exchanges tell in order.
            now = min(self.market.now(), (now // MINUTE_MS + 1) * MINUTE_MS)
            messages: list[Any] = []
            for base in sorted(bases - self.faults.mute - self.faults.gone):
                if base not in sent and dialect.snapshot:
                    newest = self.market.between(base, 0, now)[-dialect.snapshot :]
                    newest = [] if base in self.faults.no_trades else newest
                    messages += _as_snapshot(dialect.traded(base, newest, now))
                until = now - self.faults.late
                trades = self.market.between(base, sent.get(base, until), until)
                sent[base] = max(until, sent.get(base, until))
                if base not in self.faults.repeating:
                    is_mute = base in self.faults.no_trades
                    told = [] if is_mute else self._traded(dialect, base, trades, now, rng)
                    if base not in self.faults.no_candles:
                        told += self._candles(dialect, base, minute, now)
                    said[base], messages = told[-1:] or said.get(base, []), messages + told
                else:
                    messages += said.get(base, [])
            minute = now // MINUTE_MS
            messages += dialect.beat(now)
            if self.faults.is_silent:
                continue
            texts = [last] if self.faults.repeats else [*map(json.dumps, messages), *self.faults.garbage]
            for text in texts * (2 if self.faults.doubles else 1):
                self.sending(text)
                await connection.send(text)
                last = text

    def sending(self, text: str) -> None:
        """A message of the stream is sent now: for those that measure."""

    def _traded(
        self, dialect: Dialect, base: str, trades: list[NumberedTrade], now: int, rng: random.Random
    ) -> list[Any]:
        lost = min(self.faults.lose, len(trades))
        self.faults.lose -= lost
        if lost and isinstance(dialect, CoinbaseDialect):
            dialect.sequence += 1  # they had a message of their own
        trades = trades[lost:]
        if self.faults.shuffles:
            rng.shuffle(trades)
        return dialect.traded(base, trades, now) if trades else []

    def _candles(self, dialect: Dialect, base: str, minute: int, now: int) -> list[Any]:
        """Every minute that has closed since, and the one that is open."""
        opened = now // MINUTE_MS
        closed = self.market.minutes(base, minute * MINUTE_MS, opened * MINUTE_MS) if minute < opened else []
        messages = [text for each in closed for text in dialect.candle(base, each, now, is_closed=True)]
        return messages + self.forming(dialect, base, now)

    def forming(self, dialect: Dialect, base: str, now: int) -> list[Any]:
        """Messages with the candle that is open."""
        minute = self.market.minutes(base, now - now % MINUTE_MS, now + 1)[0]
        return dialect.candle(base, minute, now, is_closed=False)


def _as_snapshot(messages: list[Any]) -> list[Any]:
    for each in messages:
        for part in each.get("events", [each]):
            part["type"] = "snapshot"
    return messages


def _response(status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> Response:
    length = len(body) if length is None else length
    named = Headers({"Content-Type": "application/json", "Content-Length": str(length), **headers})
    named["Connection"] = "close"
    return Response(status, HTTPStatus(status).phrase, named, body)


def same(one: Candle, other: Candle) -> bool:
    """Whether two candles are equal in every field, unknown ones included."""
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True))
