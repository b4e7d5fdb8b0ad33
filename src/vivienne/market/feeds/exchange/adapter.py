"""What an adapter of an exchange is: pure functions between an exchange's protocol and the events of a feed.

An adapter opens nothing, waits for nothing and has no clock. It turns symbols into requests and subscriptions, answers
and messages into candles, trades and events, and errors into advice. One connection drives all adapters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vivienne.market.types import Candle, Trade

InstrumentState = Literal["trading", "halted", "maintenance", "delisted"]


_MOST_LETTERS = 200


def cut(reason: str) -> str:
    """What an exchange wrote, at a length that fits a log line and the state of an asset."""
    return reason if len(reason) <= _MOST_LETTERS else f"{reason[:_MOST_LETTERS]}..."


class UnknownMessage(Exception):
    """A message or an answer has a shape that the adapter does not know. The text says what was wrong."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A market of an exchange.

    Attributes:
        symbol: its name in REST requests and in answers to them.
        stream_symbol: its name in the WebSocket stream.
        base, quote: the currencies, by their usual names: BTC, whatever the exchange calls it.
        tick_size: the smallest step of the price.
        contract_size: base currency per unit of the exchange's amounts; 1 where they are in base currency.
        is_inverse: a contract is worth `contract_size` in quote currency, not in base currency.
        state: whether it can be traded.
    """

    symbol: str
    stream_symbol: str
    base: str
    quote: str
    tick_size: float
    contract_size: float = 1.0
    is_inverse: bool = False
    state: InstrumentState = "trading"

    def quantity(self, amount: float, price: float) -> float:
        """An amount of the exchange in base currency."""
        worth = amount * self.contract_size
        return worth / price if self.is_inverse else worth


class Request(NamedTuple):
    """A GET request.

    Attributes:
        path: without the host.
        query: parameters.
        weight: how much of the exchange's budget it takes; see `Limits`.
    """

    path: str
    query: Mapping[str, str | int]
    weight: int = 1


class HistoryRow(NamedTuple):
    """A candle of the exchange's history.

    Attributes:
        candle: what the exchange does not tell is NaN.
        is_closed: None where the exchange does not say.
    """

    candle: Candle
    is_closed: bool | None


class NumberedTrade(NamedTuple):
    """A trade with the exchange's name for it.

    Attributes:
        key: the same trade has the same key, however often it comes.
        number: trades of an instrument are numbered without a hole; None where the exchange does not number them. Of
            an aggregated trade the last of those it combines.
        combined: how many numbers the trade takes.
        trade: in base currency.
    """

    key: str
    number: int | None
    combined: int
    trade: Trade


@dataclass(frozen=True, slots=True)
class Traded:
    """Trades of an instrument, in the order in which they were made.

    Attributes:
        symbol: its name in the stream.
        is_snapshot: the newest trades before the subscription, not new ones.
    """

    symbol: str
    trades: tuple[NumberedTrade, ...]
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class CandleSeen:
    """The exchange's own candle of a minute.

    Attributes:
        symbol: its name in the stream.
        is_closed: None where the exchange does not say.
    """

    symbol: str
    candle: Candle
    is_closed: bool | None


@dataclass(frozen=True, slots=True)
class Heard:
    """The exchange's clock, as far as a message tells it.

    Attributes:
        time: ms since the epoch.
        sequence: number of the message on this connection, where messages are numbered without a hole.
        symbol: the instrument it is about, in the stream's name; others may be behind. None for all.
        is_answer: to a ping, of an exchange that sends something by itself every few seconds. Without that an answer
            shows that the connection is there, and not that anything still comes on it.
        shows_market: the subscription of the instrument is there, though nobody may trade.
    """

    time: int
    sequence: int | None = None
    symbol: str | None = None
    is_answer: bool = False
    shows_market: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A subscription was refused.

    Attributes:
        symbol: whose; None where the exchange does not say.
    """

    symbol: str | None
    reason: str

    def __post_init__(self) -> None:
        """Cut the reason, which the exchange may have written."""
        object.__setattr__(self, "reason", cut(self.reason))


@dataclass(frozen=True, slots=True)
class Ending:
    """The exchange announces that it will end the connection."""

    reason: str

    def __post_init__(self) -> None:
        """Cut the reason, which the exchange may have written."""
        object.__setattr__(self, "reason", cut(self.reason))


@dataclass(frozen=True, slots=True)
class Outage:
    """The exchange does not serve its markets for a while; it serves them again where the reason is None."""

    reason: str | None

    def __post_init__(self) -> None:
        """Cut the reason, which the exchange may have written."""
        object.__setattr__(self, "reason", None if self.reason is None else cut(self.reason))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a message cannot be read; the rest of it can."""

    reason: str


StreamEvent = Outage | Traded | CandleSeen | Heard | Refused | Ending | LeftOut


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do after an error.

    Attributes:
        then: `retry` with growing waits; `wait` for `seconds`; `give_up`, which is tried again at a slow pace only.
        reason: what happened, and for `give_up` what a person can do.
        seconds: how long to wait at least.
        concerns: `host` where every request would fail, `instrument` where only this one does.
    """

    then: Literal["retry", "wait", "give_up"]
    reason: str
    seconds: float = 0.0
    concerns: Literal["host", "instrument"] = "host"

    def __post_init__(self) -> None:
        """Cut the reason, which the exchange may have written."""
        object.__setattr__(self, "reason", cut(self.reason))


class Limits(NamedTuple):
    """What the exchange allows.

    Attributes:
        weight_per_minute: of requests; see `Request`.
        connects_per_minute: connections that are opened.
        subscriptions_at_once: instruments in one subscription message.
        connection_seconds: the exchange ends every connection after so long; None if it says nothing.
        burst: weight that may be used at once; None for a tenth of that of a minute.
    """

    weight_per_minute: int
    connects_per_minute: int
    subscriptions_at_once: int
    connection_seconds: float | None = None
    burst: int | None = None

    def portions(self, instruments: Sequence[Instrument]) -> list[Sequence[Instrument]]:
        """The instruments of one subscription message each."""
        step = self.subscriptions_at_once
        return [instruments[begin : begin + step] for begin in range(0, len(instruments), step)]


class Adapter(Protocol):
    """Speaks the protocol of one exchange. All methods are pure.

    Attributes:
        name: as given on the command line.
        title: as shown to people.
        rest, stream: the hosts, with scheme.
        quote: the usual quote currency.
        markets_at: names of the fields of an answer that lead to its markets.
        intervals: minutes of the candles it has history of, and its names for them.
        history_rows: largest number of rows in an answer of history.
        trades_rows: largest number of trades in an answer.
        trades_newest_first: whether an answer that is full lacks older trades, not newer ones.
        history_estimates: columns of the history that are estimates.
        history_depth: largest number of rows of an interval that can be had at all; None without a limit.
        lists_quiet: the history has candles of times without trades.
        candle_is_minute: the exchange's candle has all columns and says when it is closed: it is the minute. Otherwise
            minutes are made from trades, and the candle is a check.
        candle_is_flagged: the candle of the stream says when it is closed.
        streams_candles: the stream has candles.
        limits: what the exchange allows.
        ping: message that keeps a connection open, and after how many seconds; None where the protocol's pings do.
    """

    name: str
    title: str
    rest: str
    stream: str
    quote: str
    markets_at: tuple[str, ...]
    intervals: Mapping[int, str]
    history_rows: int
    history_estimates: tuple[str, ...]
    history_depth: int | None
    lists_quiet: bool
    trades_rows: int
    trades_newest_first: bool
    candle_is_minute: bool
    candle_is_flagged: bool
    streams_candles: bool
    limits: Limits
    ping: tuple[str, float] | None

    def time_request(self) -> Request:
        """Asks for the exchange's time."""

    def time(self, answer: Any) -> int:
        """The time of an answer, in ms since the epoch.

        Raises:
            UnknownMessage: the answer has another shape.
        """

    def instruments_request(self) -> Request:
        """Asks for all instruments, or for the first of them."""

    def more_instruments(self, answer: Any) -> Request | None:
        """Asks for the instruments after those of an answer; None where they were the last."""

    def instruments(self, answer: Any) -> list[Instrument]:
        """The instruments of an answer.

        Raises:
            UnknownMessage: the answer has another shape.
        """

    def status_request(self) -> Request | None:
        """Asks whether the exchange serves its markets; None where that cannot be asked."""

    def outage(self, answer: Any) -> str | None:
        """Why the exchange does not serve its markets, and until when; None while it does.

        Raises:
            UnknownMessage: the answer has another shape.
        """

    def history_request(self, instrument: Instrument, minutes: int, begin: int, end: int) -> Request:
        """Asks for candles of so many minutes, at most `history_rows` of them.

        Args:
            instrument: the market.
            minutes: length of a candle, one of `intervals`.
            begin: the first may open at it, in ms.
            end: all open before it, in ms.
        """

    def history(self, instrument: Instrument, minutes: int, answer: Any) -> Iterable[HistoryRow]:
        """The candles of an answer, oldest first. Each is read when it is taken: there may be a thousand.

        Raises:
            UnknownMessage: the answer has another shape.
        """

    def trades_request(
        self, instrument: Instrument, after: NumberedTrade | None, begin: int, before: NumberedTrade | None = None
    ) -> Request | None:
        """Asks for past trades; None where the exchange has no such request.

        Args:
            instrument: the market.
            after: the last that is known.
            begin: they are from this time on where none is known, in ms.
            before: the oldest of those that came already, where an exchange gives the newest first.
        """

    def trades(self, instrument: Instrument, answer: Any) -> Iterable[NumberedTrade]:
        """The trades of an answer, oldest first; see `history`.

        Raises:
            UnknownMessage: the answer has another shape.
        """

    def stream_path(self, instruments: Sequence[Instrument]) -> str:
        """Path and query of the stream of these instruments."""

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """Messages to send once the connection is open."""

    def events(self, message: Any, instruments: Mapping[str, Instrument]) -> list[StreamEvent]:
        """The events in a message of the stream, decoded from JSON.

        The clock comes last: a message may be later than a minute whose trades are in it.

        Args:
            message: the message.
            instruments: those that were subscribed, by their name in the stream.

        Raises:
            UnknownMessage: the message has a shape that is not known.
        """

    def advice(self, status: int, retry_after: float | None, body: Any) -> Advice | None:
        """What to do after an answer; None where it is a good one.

        Args:
            status: of HTTP.
            retry_after: seconds the exchange asked to wait.
            body: decoded from JSON; None if it is not JSON.
        """
