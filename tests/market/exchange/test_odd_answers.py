"""Whatever an exchange says, it is understood, or refused in words; it is never an error of another kind."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from fake_exchange import BEGIN
from vivienne.market.checks import LARGEST
from vivienne.market.feeds.exchange.adapter import Instrument, UnknownMessage
from vivienne.market.feeds.exchange.asking import trades_since
from vivienne.market.feeds.exchange.fields import understood, whole
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.plausible import check_row, check_trade
from vivienne.market.feeds.exchange.rest import LONGEST_OBEYED_SECONDS, Refused, seconds_of
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.market.feeds.exchange.adapter import Request

_NINES = "9" * 5_000
_MANY = "9" * 400
_A = Instrument("A", "A", "A", "USDT", 0.1)
_INVERSE = Instrument("A", "A", "A", "USDT", 0.1, is_inverse=True)
_MESSAGES: list[Any] = [
    {"op": []}, {"method": 1}, {"method": []}, {"event": []}, {"event": "error", "arg": {"instId": []}},
    {"topic": "publicTrade.A", "ts": _NINES, "data": []}, {"topic": "kline.1.A", "ts": 1, "data": [1]},
    {"channel": "trade", "type": "x", "data": [1]}, {"channel": "ohlc", "type": "x", "data": [1]},
    {"channel": "market_trades", "timestamp": "2026-01-01T00:00:00Z", "sequence_num": 1, "events": [{"trades": 1}]},
    {"channel": "market_trades", "timestamp": "0001-01-01T00:00:00+23:59", "sequence_num": 1, "events": []},
    {"channel": "status", "data": [1]}, {"method": "pong", "time_out": "9999-12-31T23:59:59.999999Z"},
    {"arg": {"instId": "A", "channel": "trades-all"}, "data": [{"tradeId": _NINES}]},
    {"e": "kline", "E": _NINES, "s": "A"}, {"e": "aggTrade", "E": 1, "s": []},
    {"arg": {"instId": "A", "channel": "trades-all"},
     "data": [{"tradeId": "1", "px": "0", "sz": "1", "side": "buy", "ts": "1"}]},
]  # fmt: skip
_LISTS: list[Any] = [
    [], 1, None, {"symbols": [1]}, {"symbols": [{"symbol": "a", "filters": [1]}]}, {"data": [1]}, {"products": [1]},
    {"symbols": [{"symbol": "a", "baseAsset": "a", "quoteAsset": "b", "status": "x", "filters": [],
                  "quotePrecision": -9999}]},
    {"result": {"list": [1]}}, {"result": 1}, {"result": {"a": 1}}, {"result": {"a": {"wsname": 1}}},
    {"result": {"a": {"wsname": "a/b", "altname": "x", "pair_decimals": -9999}}},
]  # fmt: skip
_HISTORIES = [
    f'[[1,"{_NINES}"]]', f"[[1,{_MANY},1,1,1,1,1,1,1,1]]", f'{{"data":[[1,{_MANY},1,1,1,1,1,1,"1"]]}}',
    f'{{"result":{{"list":[["{_NINES}",1,1,1,1,1,1]]}}}}', f'{{"result":{{"x":[[1,{_MANY},1,1,1,1,1,1]]}}}}',
    f'{{"candles":[{{"start":1,"open":{_MANY},"high":1,"low":1,"close":1,"volume":1}}]}}',
]  # fmt: skip
_BODIES: list[Any] = [1, [], {"code": []}, {"retCode": {}}, {"error": [1]}, {"error": {}}, {"error": "E"}, {"msg": 9}]


def _is_understood(parse: Callable[..., Any], *about: Any) -> None:
    with suppress(UnknownMessage):
        understood(parse, *about)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_whatever_an_exchange_says_it_is_understood_or_refused_in_words(exchange: str) -> None:
    adapter = EXCHANGES[exchange]
    for message in _MESSAGES:
        _is_understood(adapter.events, message, {"A": _INVERSE})
    for answer in _LISTS:
        _is_understood(adapter.instruments, answer)
        _is_understood(adapter.more_instruments, answer)
        _is_understood(adapter.time, answer)
    for text in _HISTORIES:
        with suppress(orjson.JSONDecodeError):
            _is_understood(adapter.history, _A, 1, orjson.loads(text))
    for body in _BODIES:
        for status in (99, 200, 404, 999):
            _is_understood(adapter.advice, status, None, body)


@pytest.mark.parametrize("value", [_NINES, "9" * 20, 2**70, "1.5", "", "-", True, None, "\u0661"])
def test_a_whole_number_has_a_bound(value: Any) -> None:
    with pytest.raises(UnknownMessage, match="not a whole number"):
        whole({"time": value}, "time")


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("999999999", LONGEST_OBEYED_SECONDS), (_MANY, 3_600.0)])
def test_a_wait_the_exchange_asks_for_has_a_bound(said: str, seconds: float) -> None:
    assert seconds_of(said) == seconds


@pytest.mark.parametrize("amount", [1e18, 1e308, float("inf"), float("nan"), -1.0])
def test_an_amount_has_the_bound_that_it_has_where_it_is_pushed(amount: float) -> None:
    largest = 0.9 * LARGEST
    check_trade(Trade(BEGIN, largest, largest, buyer_is_maker=False))
    check_row(whole_candle := Candle(BEGIN, 1.0, largest, 1.0, 1.0, largest, largest, 1.0, largest))
    with pytest.raises(UnknownMessage):
        check_trade(Trade(BEGIN, 1.0, amount, buyer_is_maker=False))
    for name in ("high", "volume", "quote_volume"):
        with pytest.raises(UnknownMessage):
            check_row(Candle(**whole_candle._asdict() | {name: amount}))


NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("Wed, 21 Oct 2026 12:00:20 GMT", NOON, 20.0),
        ("Wed, 21 Oct 2026 12:00:20 +0000", "Wed, 21 Oct 2026 14:00:00 +0200", 20.0),
        ("Fri, 21 Oct 2033 12:00:00 GMT", NOON, LONGEST_OBEYED_SECONDS),
        (NOON, NOON, None),
        ("Wed, 21 Oct 2026 11:00:00 GMT", NOON, None),
        ("Wed, 21 Oct 2026 12:00:20 GMT", "", None),
        ("Wed, 21 Oct 2026 12:00:20 -0000", NOON, None),
        ("Wed, 99 Oct 2026 12:00:20 GMT", NOON, None),
        ("tomorrow", NOON, None),
        ("-7", NOON, None),
        (_MANY[:5_000] + " GMT", NOON, None),
    ],
)
def test_a_wait_until_a_time_counts_from_the_time_of_the_answer(said: str, date: str, seconds: float | None) -> None:
    assert seconds_of(said, date) == seconds


async def test_an_answer_with_a_trade_later_than_the_exchanges_clock_is_refused() -> None:
    class Answering:
        async def get(self, request: Request) -> Any:
            del request
            times = (BEGIN, BEGIN + 365 * 24 * 60 * MINUTE_MS)
            rows = [
                {"execId": str(time), "symbol": "A", "price": "1", "size": "1", "side": "Buy", "time": str(time)}
                for time in times
            ]
            return {"result": {"list": rows}}

    rest: Any = Answering()
    with pytest.raises(Refused, match="later than its clock"):
        await trades_since(rest, EXCHANGES["bybit"], _A, None, BEGIN, latest=BEGIN + 10 * MINUTE_MS)
