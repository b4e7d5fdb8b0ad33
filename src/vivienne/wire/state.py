"""The state of an asset on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.chart import ChartBar, Listed
from vivienne.wire.decision import DecisionEntry
from vivienne.wire.pause import PauseEntry

FeedStatus = Literal["connecting", "connected", "reconnecting", "catching_up", "blocked"]
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
    "exchange",
    "push",
    "decision_failed",
    "agent_lost",
    "warming_up",
    "short_history",
    "replay_over",
]
"""Reasons for a status, for programs; `status_reason` is the sentence for people."""


class History(TypedDict):
    """Number of bars that the newest decision was made from.

    With fewer than `needed` bars no decision is made; with `of` bars the history is full.
    """

    bars: int
    needed: int
    of: int


class TroubleEntry(TypedDict):
    """The reason why the data or the decision of an asset is unreliable."""

    id: ReasonId
    message: str


class ContactEntry(TypedDict):
    """How the feed of an asset stands with its exchange, with a reason if it is not `connected`.

    Both are null for a feed without a connection to an exchange. `data_delay` is the number of seconds by which the
    newest message of the exchange came later than the quickest; it is null while none is heard.
    """

    feed_status: FeedStatus | None
    feed_status_reason: str | None
    data_delay: float | None


class AssetState(DecisionEntry, Listed, ContactEntry):
    """The decision on an asset, and its status.

    `data_age` is the number of seconds from the arrival of the newest market data to this state. Repeated or late data
    does not reduce it. Beyond `data_age_limit`, which depends on the pace of the feed, the asset is `stale`. The age is
    null before the first data and after the end of a replay.

    `pause` is the pause in force; it is set only while the status is `paused`.

    `trouble` is the reason for `stale`. During a pause it is set if the asset would otherwise be `stale`.

    `bar` is the bar that was just decided, as a chart draws it; it is null in all other states. A client that misses a
    bar can tell from `bar_time`.
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
