"""Kraken spot, v2. Minutes are made from trades, which are numbered without a hole; its candle is the check."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from vivienne.market.feeds.exchange.adapter import (
    Advice,
    CandleSeen,
    Heard,
    HistoryRow,
    Instrument,
    Limits,
    NumberedTrade,
    Outage,
    Refused,
    Request,
    StreamEvent,
    Traded,
    UnknownMessage,
)
from vivienne.market.feeds.exchange.fields import field, moment, number, one_of, readable, rows, shown, text, whole
from vivienne.market.feeds.exchange.refusals import by_status, of_unknown
from vivienne.market.types import Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vivienne.market.feeds.exchange.adapter import InstrumentState

_BUYER_IS_MAKER = {"buy": False, "sell": True, "b": False, "s": True}
_USUAL_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
_STATES: dict[str, InstrumentState] = {
    "online": "trading", "cancel_only": "halted", "post_only": "halted", "limit_only": "trading",
    "reduce_only": "halted", "delisted": "delisted",
}  # fmt: skip
_SYSTEM_STATES = {"maintenance": "is in maintenance", "cancel_only": "takes no orders", "post_only": "does not match"}
_TOO_MANY = ("EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EGeneral:Temporary lockout")
_UNKNOWN_INSTRUMENT = ("EQuery:Unknown asset pair", "EGeneral:Invalid arguments")
_WAIT_SECONDS = 10.0
_LOCKOUT_SECONDS = 900.0
_THROTTLED_SECONDS = 60.0
"""It says until when, by its own clock; each request before makes it longer."""


class Kraken:
    """See `Adapter`, and https://docs.kraken.com/api for the protocol."""

    name = "kraken"
    title = "Kraken"
    rest = "https://api.kraken.com"
    stream = "wss://ws.kraken.com"
    quote = "USD"
    markets_at: tuple[str, ...] = ("result",)
    intervals: Mapping[int, str] = {1: "1", 5: "5", 15: "15", 30: "30", 60: "60", 240: "240", 1440: "1440"}
    history_rows = 720
    history_estimates: tuple[str, ...] = ()
    trades_rows = 1_000
    trades_newest_first = False
    history_depth: int | None = 720
    lists_quiet = True
    candle_is_minute = False
    candle_is_flagged = False
    streams_candles = True
    # One public request a second; 150 connections in 10 minutes.
    limits = Limits(weight_per_minute=60, connects_per_minute=15, subscriptions_at_once=100, burst=3)
    # Its answer has the time, by which minutes without trades close.
    ping: tuple[str, float] | None = ('{"method":"ping"}', 5.0)

    def time_request(self) -> Request:
        """See `Adapter`."""
        return Request("/0/public/Time", {})

    def time(self, answer: Any) -> int:
        """See `Adapter`."""
        return 1_000 * whole(field(answer, "result"), "unixtime")

    def instruments_request(self) -> Request:
        """See `Adapter`."""
        return Request("/0/public/AssetPairs", {})

    def more_instruments(self, answer: Any) -> Request | None:
        """See `Adapter`. One answer has them all."""
        del answer
        return None

    def instruments(self, answer: Any) -> list[Instrument]:
        """See `Adapter`. They are an object, of whose names none is needed."""
        found = field(answer, "result")
        listed = [*found.values()] if isinstance(found, dict) else rows(answer, "result")
        return readable((each for each in listed if "wsname" in each), _instrument)

    def status_request(self) -> Request | None:
        """See `Adapter`."""
        return Request("/0/public/SystemStatus", {})

    def outage(self, answer: Any) -> str | None:
        """See `Adapter`."""
        return _outage(text(field(answer, "result"), "status"))

    def history_request(self, instrument: Instrument, minutes: int, begin: int, end: int) -> Request:
        """See `Adapter`. Only the newest 720 can be had; `since` leaves out the row at that second."""
        del end
        query: dict[str, str | int] = {
            "pair": instrument.symbol,
            "interval": self.intervals[minutes],
            "since": begin // 1_000 - 1,
        }
        return Request("/0/public/OHLC", query)

    def history(self, instrument: Instrument, minutes: int, answer: Any) -> Iterable[HistoryRow]:
        """See `Adapter`. The last row is the one that is open."""
        del minutes
        found = _of_pair(instrument, answer)
        return (HistoryRow(_history_candle(row), place < len(found) - 1) for place, row in enumerate(found))

    def trades_request(
        self, instrument: Instrument, after: NumberedTrade | None, begin: int, before: NumberedTrade | None = None
    ) -> Request | None:
        """See `Adapter`. From a time on; those that are known already are told by their numbers."""
        del before
        since = begin if after is None else after.trade.time
        query: dict[str, str | int] = {
            "pair": instrument.symbol,
            "since": str((since - 1) * 1_000_000),
            "count": self.trades_rows,
        }
        return Request("/0/public/Trades", query)

    def trades(self, instrument: Instrument, answer: Any) -> Iterable[NumberedTrade]:
        """See `Adapter`."""
        return (_past_trade(row) for row in _of_pair(instrument, answer))

    def stream_path(self, instruments: Sequence[Instrument]) -> str:
        """See `Adapter`."""
        del instruments
        return "/v2"

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """See `Adapter`."""
        parts = self.limits.portions(instruments)
        return [
            json.dumps({"method": "subscribe", "params": {
                "channel": channel, "symbol": [each.stream_symbol for each in part], "snapshot": True, **more,
            }})
            for part in parts for channel, more in (("trade", {}), ("ohlc", {"interval": 1}))
        ]  # fmt: skip

    def events(self, message: Any, instruments: Mapping[str, Instrument]) -> list[StreamEvent]:
        """See `Adapter`."""
        del instruments
        if isinstance(message, dict) and "method" in message:
            return _of_method(message)
        channel = text(message, "channel")
        if channel == "heartbeat":
            return []
        if channel == "status":
            return _of_status(rows(message, "data"))
        is_snapshot, data = text(message, "type") == "snapshot", rows(message, "data")
        if channel == "trade":
            return _traded(data, is_snapshot=is_snapshot)
        if channel == "ohlc":
            return [_candle_seen(row) for row in data]
        raise UnknownMessage(f"channel is {channel!r}, neither of trades nor of candles")

    def advice(self, status: int, retry_after: float | None, body: Any) -> Advice | None:
        """See `Adapter`. Most errors come with status 200."""
        errors = body.get("error") if isinstance(body, dict) else None
        said = str(errors[0]) if isinstance(errors, list) and errors else ""
        if said.replace(" ", "").startswith("EService:Throttled"):
            return Advice("wait", f"{self.title} got too many requests", retry_after or _THROTTLED_SECONDS)
        if said.startswith("EGeneral:Temporary lockout"):
            return Advice("wait", f"{self.title} shut this address out for a while", retry_after or _LOCKOUT_SECONDS)
        if said.startswith(_TOO_MANY):
            return Advice("wait", f"{self.title} got too many requests", retry_after or _WAIT_SECONDS)
        if said.startswith(_UNKNOWN_INSTRUMENT):
            return Advice("give_up", f"{self.title} refuses the request: {shown(said)}", concerns="instrument")
        if said.startswith("E"):
            return of_unknown(self.title, f"answers: {shown(said)}", status, retry_after)
        return by_status(self.title, status, retry_after)


def _of_pair(instrument: Instrument, answer: Any) -> list[Any]:
    """The rows of an answer. They are named by a name of the pair, which need not be the one it was asked with."""
    found = field(answer, "result")
    named = [name for name in found if name != "last"] if isinstance(found, dict) else []
    if len(named) != 1:
        raise UnknownMessage(f"result has {len(named)} lists of rows, not that of {instrument.symbol} alone")
    return rows(found, named[0])


def _of_method(message: Any) -> list[StreamEvent]:
    """What an answer to a subscription means."""
    if message["method"] == "subscribe" and message.get("success") is False:
        symbol = text(message, "symbol") if isinstance(message.get("symbol"), str) else None
        return [Refused(symbol, shown(message.get("error")))]
    is_answer = message["method"] == "pong"
    return [Heard(moment(message, "time_out"), is_answer=is_answer)] if "time_out" in message else []


def _of_status(data: list[Any]) -> list[StreamEvent]:
    return [Outage(_outage(text(each, "system"))) for each in data]


def _outage(state: str) -> str | None:
    return f"Kraken {_SYSTEM_STATES[state]}" if state in _SYSTEM_STATES else None


def _instrument(each: Any) -> Instrument:
    base, _, quote = text(each, "wsname").partition("/")
    base, quote = _USUAL_NAMES.get(base, base), _USUAL_NAMES.get(quote, quote)
    return Instrument(
        symbol=text(each, "altname"),
        stream_symbol=f"{base}/{quote}",
        base=base,
        quote=quote,
        tick_size=number(each, "tick_size") if "tick_size" in each else 10.0 ** -whole(each, "pair_decimals"),
        state=_STATES.get(str(each.get("status", "online")), "halted"),
    )


def _history_candle(row: Any) -> Candle:
    """A row: time in s, open, high, low, close, VWAP, volume, count. A minute without trades has no VWAP."""
    volume = number(row, 6)
    return Candle(
        open_time=1_000 * whole(row, 0), open=number(row, 1), high=number(row, 2), low=number(row, 3),
        close=number(row, 4), volume=volume, quote_volume=number(row, 5) * volume, trade_count=number(row, 7),
        taker_buy_volume=0.0 if volume == 0 else math.nan,
    )  # fmt: skip


def _candle_seen(row: Any) -> CandleSeen:
    if whole(row, "interval") != 1:
        raise UnknownMessage(f"interval is {shown(row['interval'])}, not 1")
    volume = number(row, "volume")
    candle = Candle(
        open_time=moment(row, "interval_begin"), open=number(row, "open"), high=number(row, "high"),
        low=number(row, "low"), close=number(row, "close"), volume=volume,
        quote_volume=number(row, "vwap") * volume, trade_count=number(row, "trades"),
        taker_buy_volume=0.0 if volume == 0 else math.nan,
    )  # fmt: skip
    return CandleSeen(text(row, "symbol"), candle, None)


def _traded(data: list[Any], *, is_snapshot: bool) -> list[StreamEvent]:
    """Trades of a message, by instrument; they are in order of their numbers."""
    found: dict[str, list[NumberedTrade]] = {}
    for each in data:
        found.setdefault(text(each, "symbol"), []).append(_trade(each))
    in_order = {symbol: tuple(sorted(trades, key=_number)) for symbol, trades in found.items()}
    # The newest trade of before the subscription may be old: it tells no time.
    heard = [] if is_snapshot else [Heard(trades[-1].trade.time, symbol=each) for each, trades in in_order.items()]
    return [*(Traded(symbol, trades, is_snapshot) for symbol, trades in in_order.items()), *heard]


def _number(trade: NumberedTrade) -> int:
    return trade.number or 0


def _trade(each: Any) -> NumberedTrade:
    own = whole(each, "trade_id")
    is_maker = one_of(each, "side", _BUYER_IS_MAKER)
    trade = Trade(moment(each, "timestamp"), number(each, "price"), number(each, "qty"), is_maker)
    return NumberedTrade(str(own), own, 1, trade)


def _past_trade(row: Any) -> NumberedTrade:
    """A row: price, volume, time in s with a fraction, side, order type, miscellaneous, number."""
    own = whole(row, 6)
    time = math.floor(number(row, 2) * 1_000_000 + 0.5) // 1_000
    return NumberedTrade(str(own), own, 1, Trade(time, number(row, 0), number(row, 1), one_of(row, 3, _BUYER_IS_MAKER)))
