"""The state of an asset as it goes out on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.chart import ChartBar
from vivienne.wire.decision import DecisionEntry
from vivienne.wire.pause import PauseEntry

Status = Literal["live", "warming_up", "stale", "paused", "ended"]
ReasonId = Literal[
    "paused",
    "no_data",
    "minutes_missing",
    "bad_price",
    "bad_minute",
    "no_minute_closed",
    "clock_jumped",
    "behind",
    "feed_failed",
    "decision_failed",
    "agent_lost",
    "warming_up",
    "short_history",
    "replay_over",
]
"""Reasons for a status, for programs; `status_reason` says the same to people."""


class History(TypedDict):
    """Number of bars the newest decision was made from.

    With fewer than `needed` nothing is decided; with `of` the history is full.
    """

    bars: int
    needed: int
    of: int


class TroubleEntry(TypedDict):
    """The reason why the data or the decision of an asset cannot be relied on."""

    id: ReasonId
    message: str


class AssetState(DecisionEntry):
    """The decision on an asset, and how far it can be relied on.

    `data_age`: seconds from the arrival of the newest market data to this state; what comes twice or late by its own
    time makes it no younger. Beyond `data_age_limit`, which follows from the pace of the feed, the asset is `stale`.
    The age is null before there is data, and once a replay is over.

    `pause` is the pause in force: set exactly while the status is `paused`.

    `trouble` is there while the asset is `stale`, and also during a pause in which it would be.

    `bar` is the bar that was decided just before, as a chart draws it; null in every other state. A client that misses
    one sees it in `bar_time`.
    """

    status: Status
    status_reason: str | None
    status_reason_id: ReasonId | None
    pause: PauseEntry | None
    trouble: TroubleEntry | None
    history: History
    price: float | None
    price_time: str | None
    data_age: float | None
    data_age_limit: float | None
    bar_time: str | None
    bar_closed: bool
    bar: ChartBar | None
    timeframe: str
    feed: str
