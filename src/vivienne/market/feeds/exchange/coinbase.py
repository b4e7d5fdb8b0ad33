"""Coinbase Advanced Trade. Minutes are made from trades; messages of a connection are numbered without a hole."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from vivienne.market.feeds.exchange.adapter import (
    Advice,
    Heard,
    HistoryRow,
    Instrument,
    LeftOut,
    Limits,
    NumberedTrade,
    Refused,
    Request,
    StreamEvent,
    Traded,
    UnknownMessage,
)
from vivienne.market.feeds.exchange.fields import moment, number, one_of, readable, rows, shown, text, whole
from vivienne.market.feeds.exchange.refusals import by_status
from vivienne.market.types import Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# `side` is that of the maker: its order rested in the book.
_BUYER_IS_MAKER = {"BUY": True, "SELL": False, "UNKNOWN_ORDER_SIDE": None}
_QUIET_CHANNELS = ("subscriptions", "heartbeats", "status")
_UNKNOWN_INSTRUMENT = ("NOT_FOUND", "INVALID_ARGUMENT")
_WAIT_SECONDS = 5.0


class Coinbase:
    """See `Adapter`, and https://docs.cdp.coinbase.com/advanced-trade for the protocol."""

    name = "coinbase"
    title = "Coinbase"
    rest = "https://api.coinbase.com"
    stream = "wss://advanced-trade-ws.coinbase.com"
    quote = "USD"
    markets_at: tuple[str, ...] = ("products",)
    intervals: Mapping[int, str] = {
        1: "ONE_MINUTE", 5: "FIVE_MINUTE", 15: "FIFTEEN_MINUTE", 30: "THIRTY_MINUTE", 60: "ONE_HOUR",
        1440: "ONE_DAY",
    }  # fmt: skip
    history_rows = 350
    history_estimates: tuple[str, ...] = ("quote_volume",)
    trades_rows = 100  # more are asked for in vain
    trades_newest_first = True
    history_depth: int | None = None
    lists_quiet = False
    candle_is_minute = False
    candle_is_flagged = False
    streams_candles = False
    # Ten public requests and eight messages a second.
    limits = Limits(weight_per_minute=300, connects_per_minute=30, subscriptions_at_once=50, burst=5)
    ping: tuple[str, float] | None = None

    def time_request(self) -> Request:
        """See `Adapter`."""
        return Request("/api/v3/brokerage/time", {})

    def time(self, answer: Any) -> int:
        """See `Adapter`."""
        return whole(answer, "epochMillis")

    def instruments_request(self) -> Request:
        """See `Adapter`."""
        return Request("/api/v3/brokerage/market/products", {"product_type": "SPOT"})

    def more_instruments(self, answer: Any) -> Request | None:
        """See `Adapter`. One answer has them all."""
        del answer
        return None

    def instruments(self, answer: Any) -> list[Instrument]:
        """See `Adapter`."""
        return readable(rows(answer, "products"), _instrument)

    def status_request(self) -> Request | None:
        """See `Adapter`. It has none without a key."""
        return None

    def outage(self, answer: Any) -> str | None:
        """See `Adapter`."""
        del answer
        return None

    def history_request(self, instrument: Instrument, minutes: int, begin: int, end: int) -> Request:
        """See `Adapter`."""
        path = f"/api/v3/brokerage/market/products/{instrument.symbol}/candles"
        query: dict[str, str | int] = {
            "start": begin // 1_000, "end": end // 1_000 - 1, "granularity": self.intervals[minutes],
            "limit": self.history_rows,
        }  # fmt: skip
        return Request(path, query)

    def history(self, instrument: Instrument, minutes: int, answer: Any) -> Iterable[HistoryRow]:
        """See `Adapter`. They come newest first, without quote volume and without minutes that had no trades."""
        del instrument, minutes
        return (HistoryRow(_history_candle(row), None) for row in reversed(rows(answer, "candles")))

    def trades_request(
        self, instrument: Instrument, after: NumberedTrade | None, begin: int, before: NumberedTrade | None = None
    ) -> Request | None:
        """See `Adapter`. From a second on; those that are known already are told by their numbers."""
        since = begin if after is None else after.trade.time
        path = f"/api/v3/brokerage/market/products/{instrument.symbol}/ticker"
        query: dict[str, str | int] = {"limit": self.trades_rows, "start": since // 1_000}
        # Seconds are the finest it takes: those of the last second come twice.
        return Request(path, query if before is None else {**query, "end": before.trade.time // 1_000 + 1})

    def trades(self, instrument: Instrument, answer: Any) -> Iterable[NumberedTrade]:
        """See `Adapter`. They come newest first."""
        del instrument
        return (_trade(each) for each in reversed(rows(answer, "trades")))

    def stream_path(self, instruments: Sequence[Instrument]) -> str:
        """See `Adapter`."""
        del instruments
        return "/"

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """See `Adapter`. Heartbeats keep quiet channels open, and tell the time."""
        names = list(dict.fromkeys(each.stream_symbol for each in instruments))
        return [
            json.dumps({"type": "subscribe", "channel": "heartbeats"}),
            json.dumps({"type": "subscribe", "channel": "market_trades", "product_ids": names}),
        ]

    def events(self, message: Any, instruments: Mapping[str, Instrument]) -> list[StreamEvent]:
        """See `Adapter`."""
        if isinstance(message, dict) and message.get("type") == "error":
            return [Refused(None, shown(message.get("message")))]
        channel = text(message, "channel")
        heard = Heard(moment(message, "timestamp"), whole(message, "sequence_num"))
        if channel in _QUIET_CHANNELS:
            return [heard]
        if channel != "market_trades":
            raise UnknownMessage(f"channel is {channel!r}, not of trades")
        found = [each for event in rows(message, "events") for each in _traded(event)]
        symbols = [each.symbol for each in found if isinstance(each, Traded)]
        if symbols and not any(each in instruments for each in symbols):
            raise UnknownMessage(f"product_id is {symbols[0]!r}, which was not asked for")
        return [*found, heard]

    def advice(self, status: int, retry_after: float | None, body: Any) -> Advice | None:
        """See `Adapter`."""
        error = body.get("error") if isinstance(body, dict) else None
        if error in _UNKNOWN_INSTRUMENT:
            said = shown(body.get("message") or body.get("error_details") or error)
            return Advice("give_up", f"{self.title} refuses the request: {said}", concerns="instrument")
        if status == HTTPStatus.TOO_MANY_REQUESTS:  # it counts by the second
            retry_after = retry_after or _WAIT_SECONDS
        return by_status(self.title, status, retry_after)


def _instrument(each: Any) -> Instrument:
    """Markets in USDC are those in USD under another name, and the stream has that name only, as `alias`."""
    symbol = text(each, "product_id")
    is_off = each.get("is_disabled") is True or each.get("status") == "delisted"
    is_halted = each.get("trading_disabled") is True or each.get("cancel_only") is True
    return Instrument(
        symbol=symbol,
        stream_symbol=text(each, "alias") if each.get("alias") else symbol,
        base=text(each, "base_currency_id"),
        quote=text(each, "quote_currency_id"),
        tick_size=number(each, "price_increment" if "price_increment" in each else "quote_increment"),
        state="delisted" if is_off else "halted" if is_halted else "trading",
    )


def _history_candle(row: Any) -> Candle:
    """A row has no quote volume, which is estimated from the mean of the prices; an estimate is not zero."""
    opened, high, low, close = (number(row, name) for name in ("open", "high", "low", "close"))
    volume = number(row, "volume")
    return Candle(
        open_time=1_000 * whole(row, "start"), open=opened, high=high, low=low, close=close, volume=volume,
        quote_volume=volume * (opened + high + low + close) / 4,
        trade_count=0.0 if volume == 0 else math.nan, taker_buy_volume=0.0 if volume == 0 else math.nan,
    )  # fmt: skip


def _traded(event: Any) -> list[Traded | LeftOut]:
    """Trades of an event, by instrument. They come newest first, and are put in order by their numbers.

    One that cannot be read is missing in the numbers of its instrument, and of no other.
    """
    is_snapshot = text(event, "type") == "snapshot"
    found: dict[str, list[NumberedTrade]] = {}
    left_out: list[LeftOut] = []
    for each in rows(event, "trades"):
        try:
            found.setdefault(text(each, "product_id"), []).append(_trade(each))
        except UnknownMessage as error:
            left_out.append(LeftOut(str(error)))
    traded = [
        Traded(symbol, tuple(sorted(trades, key=lambda each: each.number or 0)), is_snapshot)
        for symbol, trades in found.items() if trades
    ]  # fmt: skip
    return [*traded, *left_out]


def _trade(each: Any) -> NumberedTrade:
    own = whole(each, "trade_id")
    is_maker = one_of(each, "side", _BUYER_IS_MAKER)
    trade = Trade(moment(each, "time"), number(each, "price"), number(each, "size"), is_maker)
    return NumberedTrade(str(own), own, 1, trade)
