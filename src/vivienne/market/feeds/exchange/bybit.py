"""Bybit v5: spot and linear perpetuals. Minutes are made from trades; its candle, without counts, is the check."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from vivienne.market.feeds.exchange.adapter import (
    Advice,
    CandleSeen,
    Heard,
    HistoryRow,
    Instrument,
    Limits,
    NumberedTrade,
    Refused,
    Request,
    StreamEvent,
    Traded,
    UnknownMessage,
)
from vivienne.market.feeds.exchange.fields import field, number, one_of, readable, rows, shown, text, until, whole
from vivienne.market.feeds.exchange.refusals import by_status, of_unknown
from vivienne.market.types import Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vivienne.market.feeds.exchange.adapter import InstrumentState

_BUYER_IS_MAKER = {"Buy": False, "Sell": True}
_STATES: dict[str, InstrumentState] = {
    "Trading": "trading", "PreLaunch": "halted", "Settling": "halted", "Delivering": "delisted", "Closed": "delisted",
}  # fmt: skip
_NOT_SERVED = (10009, 10024)
_UNAVAILABLE = (10000, 10016)
_WRONG_PARAMETER = 10001
_TOO_FREQUENT, _BAN_SECONDS = "too frequent", 600.0
"""Who asked too often gets this with the status for addresses that are not served, for ten minutes."""
_TOO_MANY = {10006: 5.0, 10018: _BAN_SECONDS}
"""Refusals of one kind of request, and of all of an address; and how long they last, in seconds."""
_INSTRUMENTS = "/v5/market/instruments-info"
_LONGEST_CURSOR = 1_000
_UNDER_WAY = ("ongoing", "in_progress")
_RECENT_TRADES = {"spot": 60, "linear": 1_000}


class Bybit:
    """See `Adapter`, and https://bybit-exchange.github.io/docs/v5 for the protocol.

    Args:
        category: the kind of market.
    """

    rest = "https://api.bybit.com"
    stream = "wss://stream.bybit.com"
    quote = "USDT"
    markets_at: tuple[str, ...] = ("result", "list")
    intervals: Mapping[int, str] = {1: "1", 3: "3", 5: "5", 15: "15", 30: "30", 60: "60", 240: "240", 1440: "D"}
    history_rows = 1_000
    history_estimates: tuple[str, ...] = ()
    trades_newest_first = True
    history_depth: int | None = None
    lists_quiet = True
    candle_is_minute = False
    candle_is_flagged = True
    streams_candles = True
    limits = Limits(weight_per_minute=3_000, connects_per_minute=60, subscriptions_at_once=5)
    ping: tuple[str, float] | None = ('{"op":"ping"}', 20.0)

    def __init__(self, category: str = "spot") -> None:
        self._category = category
        self.trades_rows = _RECENT_TRADES[category]
        self.name = "bybit" if category == "spot" else f"bybit-{category}"
        self.title = "Bybit" if category == "spot" else f"Bybit {category.capitalize()}"

    def time_request(self) -> Request:
        """See `Adapter`."""
        return Request("/v5/market/time", {})

    def time(self, answer: Any) -> int:
        """See `Adapter`."""
        return whole(answer, "time")

    def instruments_request(self) -> Request:
        """See `Adapter`."""
        return Request(_INSTRUMENTS, {"category": self._category, "limit": 1_000})

    def more_instruments(self, answer: Any) -> Request | None:
        """See `Adapter`. The spot market has them in one answer. A cursor comes as it is written in an address."""
        cursor = field(answer, "result").get("nextPageCursor")
        if not cursor:
            return None
        if len(str(cursor)) > _LONGEST_CURSOR:
            raise UnknownMessage(f"nextPageCursor is {shown(cursor)}, longer than {_LONGEST_CURSOR:,} characters")
        query: dict[str, str | int] = {"category": self._category, "limit": 1_000, "cursor": unquote(str(cursor))}
        return Request(_INSTRUMENTS, query)

    def instruments(self, answer: Any) -> list[Instrument]:
        """See `Adapter`."""
        return readable(filter(_is_perpetual, rows(field(answer, "result"), "list")), _instrument)

    def status_request(self) -> Request | None:
        """See `Adapter`."""
        return Request("/v5/system/status", {})

    def outage(self, answer: Any) -> str | None:
        """See `Adapter`."""
        going_on = [each for each in rows(field(answer, "result"), "list") if text(each, "state") in _UNDER_WAY]
        return f"{self.title} is in maintenance{until(going_on[0], 'end')}" if going_on else None

    def history_request(self, instrument: Instrument, minutes: int, begin: int, end: int) -> Request:
        """See `Adapter`."""
        query: dict[str, str | int] = {
            "category": self._category, "symbol": instrument.symbol, "interval": self.intervals[minutes],
            "start": begin, "end": end - 1, "limit": self.history_rows,
        }  # fmt: skip
        return Request("/v5/market/kline", query)

    def history(self, instrument: Instrument, minutes: int, answer: Any) -> Iterable[HistoryRow]:
        """See `Adapter`. They come newest first, and without counts."""
        del instrument, minutes
        found = reversed(rows(field(answer, "result"), "list"))
        return (HistoryRow(_history_candle(row), None) for row in found)

    def trades_request(
        self, instrument: Instrument, after: NumberedTrade | None, begin: int, before: NumberedTrade | None = None
    ) -> Request | None:
        """See `Adapter`. There is only a request for the newest ones."""
        del after, begin, before
        query: dict[str, str | int] = {
            "category": self._category,
            "symbol": instrument.symbol,
            "limit": self.trades_rows,
        }
        return Request("/v5/market/recent-trade", query)

    def trades(self, instrument: Instrument, answer: Any) -> Iterable[NumberedTrade]:
        """See `Adapter`. They come newest first."""
        found = reversed(rows(field(answer, "result"), "list"))
        return (_trade(each, "execId", "time", "price", "size", "side") for each in found if _is_of(instrument, each))

    def stream_path(self, instruments: Sequence[Instrument]) -> str:
        """See `Adapter`."""
        del instruments
        return f"/v5/public/{self._category}"

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """See `Adapter`. At most ten topics in a message."""
        parts = self.limits.portions(instruments)
        return [
            json.dumps({
                "op": "subscribe",
                "args": [f"{topic}.{each.stream_symbol}" for each in part for topic in ("publicTrade", "kline.1")],
            })
            for part in parts
        ]  # fmt: skip

    def events(self, message: Any, instruments: Mapping[str, Instrument]) -> list[StreamEvent]:
        """See `Adapter`."""
        del instruments
        if isinstance(message, dict) and "op" in message:
            refused = message["op"] == "subscribe" and message.get("success") is False
            return [Refused(None, str(message.get("ret_msg")))] if refused else []
        kind, _, rest = text(message, "topic").partition(".")
        symbol = rest.rpartition(".")[2]
        heard = Heard(whole(message, "ts"), symbol=symbol)
        data = rows(message, "data")
        if kind in ("publicTrade", "trade"):
            return [Traded(symbol, tuple(_trade(each, "i", "T", "p", "v", "S") for each in data)), heard]
        if kind == "kline":
            return [*(_candle_seen(symbol, row) for row in data), heard]
        raise UnknownMessage(f"topic is {shown(message['topic'])}, neither of trades nor of candles")

    def advice(self, status: int, retry_after: float | None, body: Any) -> Advice | None:
        """See `Adapter`."""
        code = body.get("retCode") if isinstance(body, dict) else None
        if code in _TOO_MANY:
            return Advice("wait", f"{self.title} got too many requests", retry_after or _TOO_MANY[code])
        if code in _NOT_SERVED:
            return by_status(self.title, 403, None)
        if code in _UNAVAILABLE:
            return Advice("retry", f"{self.title} has an internal error ({code})")
        if code == _WRONG_PARAMETER:
            reason = f"{self.title} refuses the request: {shown(body.get('retMsg'))}"
            return Advice("give_up", reason, concerns="instrument")
        if code:
            return self._of_unknown(f"answers with code {code}: {shown(body.get('retMsg'))}", status, retry_after)
        return by_status(self.title, status, retry_after)

    def _of_unknown(self, said: str, status: int, retry_after: float | None) -> Advice:
        if status == HTTPStatus.FORBIDDEN and _TOO_FREQUENT in said:
            return Advice("wait", f"{self.title} got too many requests", retry_after or _BAN_SECONDS)
        return of_unknown(self.title, said, status, retry_after)


def _is_perpetual(each: Any) -> bool:
    """Whether it is a market without an end: spot, or a perpetual future."""
    return str(each.get("contractType", "LinearPerpetual")).endswith("Perpetual")


def _is_of(instrument: Instrument, each: Any) -> bool:
    return text(each, "symbol") == instrument.symbol


def _instrument(each: Any) -> Instrument:
    symbol = text(each, "symbol")
    return Instrument(
        symbol=symbol,
        stream_symbol=symbol,
        base=text(each, "baseCoin"),
        quote=text(each, "quoteCoin"),
        tick_size=number(field(each, "priceFilter"), "tickSize"),
        state=_STATES.get(text(each, "status"), "halted"),
    )


def _history_candle(row: Any) -> Candle:
    return Candle(
        open_time=whole(row, 0), open=number(row, 1), high=number(row, 2), low=number(row, 3), close=number(row, 4),
        volume=number(row, 5), quote_volume=number(row, 6), trade_count=math.nan, taker_buy_volume=math.nan,
    )  # fmt: skip


def _candle_seen(symbol: str, row: Any) -> CandleSeen:
    if text(row, "interval") != "1":
        raise UnknownMessage(f"interval is {shown(row['interval'])}, not '1'")
    candle = Candle(
        open_time=whole(row, "start"), open=number(row, "open"), high=number(row, "high"), low=number(row, "low"),
        close=number(row, "close"), volume=number(row, "volume"), quote_volume=number(row, "turnover"),
        trade_count=math.nan, taker_buy_volume=math.nan,
    )  # fmt: skip
    return CandleSeen(symbol, candle, field(row, "confirm") is True)


def _trade(each: Any, key: str, time: str, price: str, size: str, side: str) -> NumberedTrade:
    trade = Trade(whole(each, time), number(each, price), number(each, size), one_of(each, side, _BUYER_IS_MAKER))
    return NumberedTrade(text(each, key), None, 1, trade)
