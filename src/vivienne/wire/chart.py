"""Charts as they go out on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.decision import BarDecision

BarStatus = Literal["live", "paused", "warming_up", "undecidable"]


class ChartBar(BarDecision):
    """One closed bar. Indicators are those of the periods in force now, null before they have a value.

    The decision, with its support and resistance, is the one that was made when the bar closed; where the asset was
    paused then, with size 0. Bars from before the program started were not decided by it: theirs is what the
    configuration in force now makes of them, and `config_version` is null.

    `status` is `live` for a decision, `paused` for one that was made during a pause, `warming_up` where the bars before
    it are too few for one, and `undecidable` where bars that belong to its history are not kept any more. In the last
    two cases the bar is idle, without a side or a size.
    """

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    ema_fast: float | None
    ema_slow: float | None
    bollinger_upper: float | None
    bollinger_middle: float | None
    bollinger_lower: float | None
    vwap: float | None
    support: float | None
    resistance: float | None
    blocked: bool
    status: BarStatus
    config_version: int | None


class FormingBar(TypedDict):
    """The bar that is still open, as far as it has come. Nothing is decided on it; its volume is of closed minutes."""

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class ChangeMark(TypedDict):
    """The time, by the market's clock, at which a configuration version came into force for the asset."""

    version: int
    time: str


class Chart(TypedDict):
    """The last closed bars of an asset, oldest first; the open one; changes since the program started, oldest first."""

    asset: str
    timeframe: str
    feed: str
    bars: list[ChartBar]
    forming: FormingBar | None
    changes: list[ChangeMark]


class AssetCloses(TypedDict):
    """The last closes of an asset, oldest first."""

    asset: str
    closes: list[float]


class AssetList(TypedDict):
    """Every asset there is, in the order of the settings, with what an overview draws."""

    feed: str
    timeframe: str
    assets: list[AssetCloses]
