"""What is kept of an exchange's messages and answers has a bound: no text of any length is kept whole."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest

from fake_exchange import BEGIN, DIALECTS, NOTICE, FakeMarket
from vivienne.market.feeds.exchange.adapter import Instrument, UnknownMessage
from vivienne.market.feeds.exchange.fields import LONGEST_TEXT, moment, understood
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = "x" * 100_000
LONGEST_REASON = 2_500
"""Of a request: its cursor, as it is written in an address; all else is shorter."""
SYMBOLS = ("BTCUSDT", "BTC-USDT", "BTC/USD", "BTC-USD")
REFUSALS: list[Any] = [
    {"op": "subscribe", "success": False, "ret_msg": "no"}, {"event": "error", "msg": "no", "arg": {"instId": "BTC"}},
    {"method": "subscribe", "success": False, "symbol": "BTC/USD", "error": "no"}, {"type": "error", "message": "no"},
    {"error": "no"}, {"channel": "status", "data": [{"system": "maintenance"}]}, json.loads(NOTICE),
]  # fmt: skip
BODIES: list[Any] = [
    {"code": "1", "msg": "no"}, {"retCode": 1, "retMsg": "no"}, {"error": ["EGeneral:no"]}, {"code": -1, "msg": "no"},
    {"error": "NOT_FOUND", "message": "no"},
]  # fmt: skip


def with_long_text(content: Any) -> Iterator[Any]:
    """A message with each of its texts in turn made long: another one, and the same with more behind it."""
    if isinstance(content, str):
        yield LONG
        yield content + LONG
        yield content + "0" * 100_000
    elif isinstance(content, dict):
        for name, value in content.items():
            yield from ({**content, name: each} for each in with_long_text(value))
    elif isinstance(content, list):
        for place, value in enumerate(content):
            yield from ([*content[:place], each, *content[place + 1 :]] for each in with_long_text(value))


def longest(found: Any) -> int:
    """Length of the longest text that is somewhere in a result."""
    if isinstance(found, str):
        return len(found)
    if is_dataclass(found):
        return longest([getattr(found, each.name) for each in fields(found)])
    if isinstance(found, dict):
        return longest([*found, *found.values()])
    if isinstance(found, (list, tuple)):
        return max(map(longest, found), default=0)
    return 0


def check(parse: Callable[..., Any], content: Any, *about: Any) -> None:
    for each in with_long_text(content):
        with suppress(UnknownMessage):
            assert longest(understood(parse, each, *about)) <= LONGEST_REASON


@pytest.mark.parametrize("exchange", DIALECTS)
def test_no_long_text_of_a_message_or_an_answer_is_kept(exchange: str) -> None:
    adapter, dialect, market = EXCHANGES[exchange], DIALECTS[exchange](), FakeMarket(past=2, ahead=1)
    trades = market.between("BTC", 0, BEGIN)[:2]
    (candle, *_) = market.candles("BTC", 1, BEGIN - 2 * MINUTE_MS, BEGIN)
    instruments = {each: Instrument(each, each, "BTC", "USDT", 0.1) for each in SYMBOLS}
    messages = [*dialect.traded("BTC", trades, BEGIN), *dialect.candle("BTC", candle, BEGIN, is_closed=True)]
    for message in [*messages, *dialect.beat(BEGIN), *REFUSALS]:
        check(adapter.events, message, instruments)
    listed = dialect.rest(market, adapter.instruments_request().path, {})
    (instrument,) = adapter.instruments(listed)
    check(adapter.instruments, listed)
    check(adapter.more_instruments, {"result": {"nextPageCursor": "next"}})
    for body in BODIES:
        check(lambda each: adapter.advice(200, None, each), body)
    for request in (adapter.trades_request(instrument, None, BEGIN - MINUTE_MS), adapter.status_request()):
        answer = (
            None
            if request is None
            else dialect.rest(market, request.path, {k: str(v) for k, v in request.query.items()})
        )
        if answer is not None:
            check(lambda each: adapter.trades(instrument, each), answer)
            check(adapter.outage, answer)


def test_the_name_of_a_trade_is_as_long_as_names_are() -> None:
    bybit, market = EXCHANGES["bybit"], FakeMarket(past=2, ahead=1)
    (message,) = DIALECTS["bybit"]().traded("BTC", market.between("BTC", 0, BEGIN)[:1], BEGIN)
    message["data"][0]["i"] = "i" * LONGEST_TEXT
    assert bybit.events(message, {})
    message["data"][0]["i"] = "i" * (LONGEST_TEXT + 1)
    with pytest.raises(UnknownMessage, match="longer than 100 characters") as error:
        bybit.events(message, {})
    assert len(str(error.value)) < 200


def test_a_time_is_as_long_as_times_are() -> None:
    """The second of a time is remembered."""
    assert moment({"time": "2026-01-01T00:00:00.123456789Z"}, "time") == 1_767_225_600_123
    with pytest.raises(UnknownMessage, match="longer than 100 characters"):
        moment({"time": f"2026-01-01T00:00:00,{'0' * 100_000}Z"}, "time")
