"""Binance: spot and USD-M futures. Its candle has all nine columns and says when it is closed: it is the minute."""

from __future__ import annotations

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
from vivienne.market.feeds.exchange.fields import field, number, readable, rows, shown, text, whole
from vivienne.market.feeds.exchange.refusals import by_status, of_unknown
from vivienne.market.types import Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vivienne.market.feeds.exchange.adapter import InstrumentState

_STATES: dict[str, InstrumentState] = {
    "TRADING": "trading",
    "PENDING_TRADING": "halted",
    "BREAK": "halted",
    "HALT": "halted",
    "AUCTION_MATCH": "halted",
    "END_OF_DAY": "halted",
    "PRE_DELIVERING": "halted",
    "PRE_SETTLE": "halted",
    "DELIVERING": "delisted",
    "DELIVERED": "delisted",
    "SETTLING": "delisted",
    "CLOSE": "delisted",
}
_ENDS = "PERPETUAL_DELIVERING"
"""A perpetual future that is taken off; those of shares and metals are `TRADIFI_PERPETUAL`."""
_INVALID_SYMBOL, _TOO_MANY, _TOO_MANY_ORDERS = -1121, -1003, -1015
_UNAVAILABLE = (-1000, -1001, -1004, -1006, -1007, -1008, -1016)
"""Internal errors, overload and the end of a service, which pass."""
_BAN_SECONDS = 120.0


class Binance:
    """See `Adapter`, and https://developers.binance.com/docs for the protocol.

    Args:
        is_futures: the USD-M futures instead of the spot market.
    """

    quote = "USDT"
    markets_at: tuple[str, ...] = ("symbols",)
    intervals: Mapping[int, str] = {
        1: "1m", 3: "3m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d",
    }  # fmt: skip
    history_rows = 1_000
    history_estimates: tuple[str, ...] = ()
    trades_rows = 0
    trades_newest_first = False
    history_depth: int | None = None
    lists_quiet = True
    candle_is_minute = True
    candle_is_flagged = True
    streams_candles = True
    ping: tuple[str, float] | None = None

    def __init__(self, *, is_futures: bool = False) -> None:
        self.name = "binance-futures" if is_futures else "binance"
        self.title = "Binance USD-M Futures" if is_futures else "Binance"
        self.rest = "https://fapi.binance.com" if is_futures else "https://api.binance.com"
        self.stream = "wss://fstream.binance.com" if is_futures else "wss://stream.binance.com:9443"
        self._api = "/fapi/v1" if is_futures else "/api/v3"
        # Candles and trades of futures come only on the path for the market, since April 2026.
        self._path = "/market/stream" if is_futures else "/stream"
        # The candles of a future begin with the first trade of a minute; its mark price comes every three seconds.
        self._kinds = ("kline_1m", "aggTrade", *(("markPrice",) if is_futures else ()))
        # A request of 1,000 candles weighs 5 there, 2 here.
        self._weight = 5 if is_futures else 2
        self.limits = Limits(
            weight_per_minute=1_200 if is_futures else 3_000,
            connects_per_minute=30,
            subscriptions_at_once=50,
            connection_seconds=24 * 3_600.0,
        )

    def time_request(self) -> Request:
        """See `Adapter`."""
        return Request(f"{self._api}/time", {})

    def time(self, answer: Any) -> int:
        """See `Adapter`."""
        return whole(answer, "serverTime")

    def instruments_request(self) -> Request:
        """See `Adapter`."""
        return Request(f"{self._api}/exchangeInfo", {}, weight=20)

    def more_instruments(self, answer: Any) -> Request | None:
        """See `Adapter`. One answer has them all."""
        del answer
        return None

    def instruments(self, answer: Any) -> list[Instrument]:
        """See `Adapter`."""
        return readable(filter(_has_no_end, rows(answer, "symbols")), _instrument)

    def status_request(self) -> Request | None:
        """See `Adapter`. The state of its markets says it: `BREAK`."""
        return None

    def outage(self, answer: Any) -> str | None:
        """See `Adapter`."""
        del answer
        return None

    def history_request(self, instrument: Instrument, minutes: int, begin: int, end: int) -> Request:
        """See `Adapter`."""
        query: dict[str, str | int] = {
            "symbol": instrument.symbol,
            "interval": self.intervals[minutes],
            "startTime": begin,
            "endTime": end - 1,
            "limit": self.history_rows,
        }
        return Request(f"{self._api}/klines", query, self._weight)

    def history(self, instrument: Instrument, minutes: int, answer: Any) -> Iterable[HistoryRow]:
        """See `Adapter`. Whether the last row is closed is for the exchange's time to say."""
        del instrument, minutes
        if not isinstance(answer, list):
            raise UnknownMessage(f"{shown(answer)} is not a list of candles")
        return (HistoryRow(_history_candle(row), None) for row in answer)

    def trades_request(
        self, instrument: Instrument, after: NumberedTrade | None, begin: int, before: NumberedTrade | None = None
    ) -> Request | None:
        """See `Adapter`. Minutes are not made from trades."""
        del instrument, after, begin, before
        return None

    def trades(self, instrument: Instrument, answer: Any) -> Iterable[NumberedTrade]:
        """See `Adapter`."""
        raise NotImplementedError

    def stream_path(self, instruments: Sequence[Instrument]) -> str:
        """See `Adapter`. The streams are in the address, so that there is nothing to acknowledge."""
        names = [f"{each.stream_symbol.lower()}@{kind}" for each in instruments for kind in self._kinds]
        return f"{self._path}?streams={'/'.join(names)}"

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """See `Adapter`."""
        del instruments
        return []

    def events(self, message: Any, instruments: Mapping[str, Instrument]) -> list[StreamEvent]:
        """See `Adapter`."""
        del instruments
        if isinstance(message, dict) and "error" in message:
            return [Refused(None, shown(message["error"]))]
        if isinstance(message, dict) and "result" in message:
            return []
        data = message["data"] if isinstance(message, dict) and "data" in message else message
        kind = text(data, "e")
        if kind == "serverShutdown":
            return [Ending(f"{self.title} is about to end the connection")]
        heard = Heard(whole(data, "E"), symbol=text(data, "s"), shows_market=kind == "markPriceUpdate")
        if heard.shows_market:
            return [heard]
        if kind == "kline":
            return [_candle_seen(data), heard]
        if kind == "aggTrade":
            return [_traded(data), heard]
        raise UnknownMessage(f"e is {kind!r}, none of 'kline', 'aggTrade', 'markPriceUpdate' and 'serverShutdown'")

    def advice(self, status: int, retry_after: float | None, body: Any) -> Advice | None:
        """See `Adapter`."""
        code = body.get("code") if isinstance(body, dict) else None
        if code == _INVALID_SYMBOL:
            return Advice("give_up", f"{self.title} does not know this symbol", concerns="instrument")
        if code in (_TOO_MANY, _TOO_MANY_ORDERS):
            return Advice("wait", f"{self.title} got too many requests", retry_after or _BAN_SECONDS)
        if code in _UNAVAILABLE:
            return of_unknown(self.title, f"is not available ({code})", status, retry_after)
        return by_status(self.title, status, retry_after)


def _has_no_end(each: Any) -> bool:
    """Whether it is a market without an end: spot, or a perpetual future, of which those that end are said to."""
    return "contractType" not in each or "PERPETUAL" in text(each, "contractType")


def _instrument(each: Any) -> Instrument:
    symbol = text(each, "symbol")
    steps = [number(rule, "tickSize") for rule in rows(each, "filters") if rule.get("filterType") == "PRICE_FILTER"]
    return Instrument(
        symbol=symbol,
        stream_symbol=symbol,
        base=text(each, "baseAsset"),
        quote=text(each, "quoteAsset"),
        tick_size=steps[0] if steps else 10.0 ** -whole(each, "quotePrecision"),
        state="delisted" if each.get("contractType") == _ENDS else _STATES.get(text(each, "status"), "halted"),
    )


def _history_candle(row: Any) -> Candle:
    return Candle(
        open_time=whole(row, 0), open=number(row, 1), high=number(row, 2), low=number(row, 3), close=number(row, 4),
        volume=number(row, 5), quote_volume=number(row, 7), trade_count=number(row, 8),
        taker_buy_volume=number(row, 9),
    )  # fmt: skip


def _candle_seen(data: Any) -> CandleSeen:
    row = field(data, "k")
    is_closed = field(row, "x")
    if not isinstance(is_closed, bool):
        raise UnknownMessage(f"x is {shown(is_closed)}, neither true nor false")
    candle = Candle(
        open_time=whole(row, "t"), open=number(row, "o"), high=number(row, "h"), low=number(row, "l"),
        close=number(row, "c"), volume=number(row, "v"), quote_volume=number(row, "q"), trade_count=number(row, "n"),
        taker_buy_volume=number(row, "V"),
    )  # fmt: skip
    return CandleSeen(text(data, "s"), candle, is_closed)


def _traded(data: Any) -> Traded:
    is_maker = field(data, "m")
    if not isinstance(is_maker, bool):
        raise UnknownMessage(f"m is {shown(is_maker)}, neither true nor false")
    aggregate = whole(data, "a")
    combined = whole(data, "l") - whole(data, "f") + 1
    trade = Trade(whole(data, "T"), number(data, "p"), number(data, "q"), is_maker, combined)
    return Traded(text(data, "s"), (NumberedTrade(str(aggregate), aggregate, 1, trade),))
