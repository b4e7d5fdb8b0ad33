"""Charts on the wire."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from vivienne.wire.decision import BarDecision

BarStatus = Literal["live", "paused", "warming_up", "undecidable"]
BarSource = Literal["streamed", "pushed", "filled", "incomplete"]
"""Where the minutes of a bar came from, weakest last: the stream of the exchange; another program; the exchange, asked
for it afterwards or for its history; or nowhere: some trades or minutes could not be had.
"""


class ChartBar(BarDecision):
    """One closed bar. Indicators use the periods in force now, and are null until they have a value.

    The decision, with its support and resistance, is the one made when the bar closed. If the asset was paused then,
    its size is 0. Bars from before the start of the program were decided by nobody: they are `recomputed` with the
    configuration in force now, and their `config_version` is null.

    `rsi`, `macd_atr` and `macd_histogram_atr` are values that signals read, the last two in ATR. Like support and
    resistance, they are those that the decision used.

    `status` is `live` for a decision, `paused` for a decision made during a pause, `warming_up` if there are too few
    bars before this one, and `undecidable` if bars of its history are no longer kept. In the last two cases the bar is
    idle, without a side or a size.

    `volume` is in base currency, `quote_volume` in quote currency. `source` is that of the weakest of its minutes, and
    null in a simulated or replayed market.
    """

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    quote_volume: float | None
    source: BarSource | None
    ema_fast: float | None
    ema_slow: float | None
    bollinger_upper: float | None
    bollinger_middle: float | None
    bollinger_lower: float | None
    vwap: float | None
    support: float | None
    resistance: float | None
    rsi: float | None
    macd_atr: float | None
    macd_histogram_atr: float | None
    blocked: bool
    status: BarStatus
    config_version: int | None
    recomputed: bool


class FormingBar(TypedDict):
    """The bar that is still open, without a decision. Its volumes and its source are those of its closed minutes."""

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    quote_volume: float | None
    source: BarSource | None


class ChangeMark(TypedDict):
    """The time, by the market's clock, at which a configuration version came into force for the asset."""

    version: int
    time: str


class Chart(TypedDict):
    """The last closed bars of an asset, the open bar, and the changes since the program started; oldest first.

    Older bars, those before a time, have no open bar. Their changes are at the first bar of this page that each version
    decided. `next` is the `before` of the bars before them; null at the beginning of the record. It is theirs alone.
    """

    asset: str
    timeframe: str
    feed: str
    bars: list[ChartBar]
    forming: FormingBar | None
    changes: list[ChangeMark]
    next: NotRequired[str | None]


class Listed(TypedDict):
    """The market of an asset, as its exchange lists it; all null for a simulated or replayed one.

    `exchange` is the name of the exchange, `symbol` its name of the market. Prices are in `quote_currency`, and are
    multiples of `tick_size`. What is not known is null.
    """

    exchange: str | None
    symbol: str | None
    quote_currency: str | None
    tick_size: float | None


UNLISTED: Listed = {"exchange": None, "symbol": None, "quote_currency": None, "tick_size": None}
"""A market of which nothing is known."""


class AssetCloses(Listed):
    """The last closes of an asset, oldest first."""

    asset: str
    closes: list[float]


class AssetList(TypedDict):
    """All assets, in the order of the settings, each with its last closes."""

    feed: str
    timeframe: str
    assets: list[AssetCloses]
