"""OKX v5: spot and linear swaps. Minutes are made from trades; its candle, which has a closed flag, is the check."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from vivienne.market.feeds.exchange.adapter import (
    Advice,
    CandleSeen,
    Ending,
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

_BUYER_IS_MAKER = {"buy": False, "sell": True}
_IS_CLOSED = {"0": False, "1": True}
_STATES: dict[str, InstrumentState] = {
    "live": "trading", "preopen": "halted", "suspend": "halted", "post_only": "halted", "expired": "delisted",
}  # fmt: skip
_TOO_MANY = ("50011", "50040", "50061")
_UNAVAILABLE = ("50001", "50004", "50013", "50026")
_NOT_SERVED = ("50027", "50035", "50119")
_UNKNOWN_INSTRUMENT = ("51000", "51001", "51014", "51015")
_SERVICES = {"SPOT": ("0", "1", "5"), "SWAP": ("0", "3", "5")}
"""Services that a kind of market needs, by their numbers: WebSocket, spot, perpetual, trading."""
_WAIT_SECONDS = 2.0


class Okx:
    """See `Adapter`, and https://www.okx.com/docs-v5 for the protocol.

    Args:
        kind: of instruments, ``SPOT`` or ``SWAP``.
    """

    rest = "https://www.okx.com"
    stream = "wss://ws.okx.com:8443"
    quote = "USDT"
    markets_at: tuple[str, ...] = ("data",)
    # Days begin at midnight UTC only in the intervals that say so.
    intervals: Mapping[int, str] = {
        1: "1m", 3: "3m", 5: "5m", 15: "15m", 30: "30m", 60: "1H", 240: "4H", 1440: "1Dutc",
    }  # fmt: skip
    history_rows = 100
    history_estimates: tuple[str, ...] = ()
    trades_rows = 100
    trades_newest_first = True
    history_depth: int | None = None
    lists_quiet = True
    candle_is_minute = False
    candle_is_flagged = True
    streams_candles = True
    # 20 requests in 2 s, 10 of past trades; the stream's address allows 3 connections a second.
    limits = Limits(weight_per_minute=500, connects_per_minute=30, subscriptions_at_once=100, burst=3)
    ping: tuple[str, float] | None = ("ping", 20.0)

    def __init__(self, kind: str = "SPOT") -> None:
        self._kind = kind
        self.name = "okx" if kind == "SPOT" else f"okx-{kind.lower()}"
        self.title = "OKX" if kind == "SPOT" else f"OKX {kind.capitalize()}"

    def time_request(self) -> Request:
        """See `Adapter`."""
        return Request("/api/v5/public/time", {})

    def time(self, answer: Any) -> int:
        """See `Adapter`."""
        return whole(field(rows(answer, "data"), 0), "ts")

    def instruments_request(self) -> Request:
        """See `Adapter`."""
        return Request("/api/v5/public/instruments", {"instType": self._kind})

    def more_instruments(self, answer: Any) -> Request | None:
        """See `Adapter`. One answer has them all."""
        del answer
        return None

    def instruments(self, answer: Any) -> list[Instrument]:
        """See `Adapter`."""
        return readable(rows(answer, "data"), _instrument)

    def status_request(self) -> Request | None:
        """See `Adapter`."""
        return Request("/api/v5/system/status", {"state": "ongoing"})

    def outage(self, answer: Any) -> str | None:
        """See `Adapter`. Maintenance of other services, such as trading in blocks, is of no concern."""
        going_on = [
            each for each in rows(answer, "data")
            if text(each, "state") == "ongoing" and str(each.get("serviceType", "0")) in _SERVICES[self._kind]
        ]  # fmt: skip
        return f"{self.title} is in maintenance{until(going_on[0], 'end')}" if going_on else None

    def history_request(self, instrument: Instrument, minutes: int, begin: int, end: int) -> Request:
        """See `Adapter`. Rows are those before `after` and after `before`, both left out."""
        query: dict[str, str | int] = {
            "instId": instrument.symbol, "bar": self.intervals[minutes], "after": end, "before": begin - 1,
            "limit": self.history_rows,
        }  # fmt: skip
        return Request("/api/v5/market/history-candles", query)

    def history(self, instrument: Instrument, minutes: int, answer: Any) -> Iterable[HistoryRow]:
        """See `Adapter`. They come newest first."""
        del minutes
        return (_history_row(instrument, row) for row in reversed(rows(answer, "data")))

    def trades_request(
        self, instrument: Instrument, after: NumberedTrade | None, begin: int, before: NumberedTrade | None = None
    ) -> Request | None:
        """See `Adapter`. Its `before` and `after` are numbers: newer than the one, older than the other.

        It has none since a time: without a number these are the newest.
        """
        del begin
        path = "/api/v5/market/history-trades"
        query: dict[str, str | int] = {"instId": instrument.symbol, "limit": self.trades_rows}
        if before is not None and before.number is not None:
            query |= {"type": 1, "after": before.number - before.combined + 1}
        elif after is not None and after.number is not None:
            query |= {"type": 1, "before": after.number}
        return Request(path, query, 2)

    def trades(self, instrument: Instrument, answer: Any) -> Iterable[NumberedTrade]:
        """See `Adapter`. They come newest first."""
        return (_trade(instrument, each) for each in reversed(rows(answer, "data")))

    def stream_path(self, instruments: Sequence[Instrument]) -> str:
        """See `Adapter`. Only the address for business has candles, and it has every trade by itself too."""
        del instruments
        return "/ws/v5/business"

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """See `Adapter`."""
        parts = self.limits.portions(instruments)
        return [
            json.dumps({
                "op": "subscribe",
                "args": [
                    {"channel": channel, "instId": each.stream_symbol}
                    for each in part for channel in ("trades-all", "candle1m")
                ],
            })
            for part in parts
        ]  # fmt: skip

    def events(self, message: Any, instruments: Mapping[str, Instrument]) -> list[StreamEvent]:
        """See `Adapter`."""
        if isinstance(message, dict) and "event" in message:
            return _of_event(message)
        about = field(message, "arg")
        symbol, channel = text(about, "instId"), text(about, "channel")
        if symbol not in instruments:
            raise UnknownMessage(f"instId is {symbol!r}, which was not asked for")
        instrument, data = instruments[symbol], rows(message, "data")
        if channel in ("trades", "trades-all"):
            trades = tuple(sorted((_trade(instrument, each) for each in data), key=lambda each: each.number or 0))
            return [Traded(symbol, trades), *(Heard(trade.trade.time, symbol=symbol) for trade in trades[-1:])]
        if channel == "candle1m":
            found = [_history_row(instrument, row) for row in data]
            return [CandleSeen(symbol, each.candle, each.is_closed) for each in found]
        raise UnknownMessage(f"channel is {channel!r}, neither of trades nor of candles of a minute")

    def advice(self, status: int, retry_after: float | None, body: Any) -> Advice | None:
        """See `Adapter`."""
        code = str(body.get("code", "0")) if isinstance(body, dict) else "0"
        said = shown(body.get("msg")) if isinstance(body, dict) else ""
        if code in _TOO_MANY:
            return Advice("wait", f"{self.title} got too many requests", retry_after or _WAIT_SECONDS)
        if code in _UNAVAILABLE:
            return Advice("retry", f"{self.title} is not available: {said}")
        if code in _NOT_SERVED:
            return by_status(self.title, 403, None)
        if code in _UNKNOWN_INSTRUMENT:
            return Advice("give_up", f"{self.title} refuses the request: {said}", concerns="instrument")
        if code != "0":
            return of_unknown(self.title, f"answers with code {code}: {said}", status, retry_after)
        return by_status(self.title, status, retry_after)


def _of_event(message: Any) -> list[StreamEvent]:
    """What an answer to a subscription or an announcement means."""
    if message["event"] == "error":
        about = message.get("arg")
        symbol = text(about, "instId") if isinstance(about, dict) and "instId" in about else None
        return [Refused(symbol, shown(message.get("msg")))]
    if message["event"] == "notice":
        return [Ending(shown(message.get("msg")))]
    return []


def _instrument(each: Any) -> Instrument:
    symbol = text(each, "instId")
    base, _, rest = symbol.partition("-")
    is_contract = text(each, "ctVal") != ""
    return Instrument(
        symbol=symbol,
        stream_symbol=symbol,
        base=base,
        quote=rest.partition("-")[0],
        tick_size=number(each, "tickSz"),
        contract_size=number(each, "ctVal") if is_contract else 1.0,
        is_inverse=is_contract and text(each, "ctType") == "inverse",
        state=_STATES.get(text(each, "state"), "halted"),
    )


def _history_row(instrument: Instrument, row: Any) -> HistoryRow:
    """Of contracts the sixth column counts contracts, and the seventh is in base currency; of spot both are amounts."""
    is_contract = instrument.contract_size != 1.0 or instrument.is_inverse or instrument.symbol.endswith("-SWAP")
    candle = Candle(
        open_time=whole(row, 0), open=number(row, 1), high=number(row, 2), low=number(row, 3), close=number(row, 4),
        volume=number(row, 6 if is_contract else 5), quote_volume=number(row, 7),
        trade_count=math.nan, taker_buy_volume=math.nan,
    )  # fmt: skip
    return HistoryRow(candle, one_of(row, 8, _IS_CLOSED))


def _trade(instrument: Instrument, each: Any) -> NumberedTrade:
    last, combined = whole(each, "tradeId"), whole(each, "count") if "count" in each else 1
    price = number(each, "px")
    quantity = instrument.quantity(number(each, "sz"), price)
    trade = Trade(whole(each, "ts"), price, quantity, one_of(each, "side", _BUYER_IS_MAKER), combined)
    return NumberedTrade(str(last), last, combined, trade)
