"""Recorded decisions on the wire: what was decided when a bar closed, and why."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from vivienne.wire.chart import BarSource, ChartBar
from vivienne.wire.decision import BarDecision
from vivienne.wire.document import EffectiveDocument
from vivienne.wire.explanation import Explanation, LevelsStatus, NearestChange, Trend, VolatilityStatus
from vivienne.wire.outcome import DecisionOutcome
from vivienne.wire.state import Status


class DecisionRow(BarDecision):
    """A decision as it was made and streamed when its bar closed.

    `time` is the open time of the bar, and `price` its close, at which the decision was made. `status` is that of the
    asset at that moment. Unless it is `live` or `ended`, the decision had no effect, and `position_size` is 0; the
    levels and the side are those that were decided nevertheless. `blocked_by` has the ids of the filters that blocked
    an entry.
    """

    asset: str
    time: str
    status: Status
    blocked_by: list[str]
    trend_direction: Trend
    volatility_status: VolatilityStatus
    levels_status: LevelsStatus
    config_version: int
    price: float


GapReason = Literal["lost", "killed", "feed"]
"""Reasons for a gap of the record: it could not be written for too long; the process was killed; the market itself has
no bars there, and its history began anew."""


class RecordGap(TypedDict):
    """A span of time in which decisions may be missing in the record.

    `begin` and `end` are open times of bars; for `killed` they are the last sign of life of the process, and the start
    of the next one. `decisions` is the number of decisions that are missing; null if nobody knows it.
    """

    begin: str
    end: str
    reason: GapReason
    decisions: int | None


class DecisionPage(TypedDict):
    """Recorded decisions of one asset, newest first, and gaps of the record in the time of this page, oldest first.

    The gaps are the newest 200.

    `next` is the `before` of the next, older page; null after the last one. A page may have fewer decisions than asked
    for, even none, while `next` is set: one request looks through a limited part of the record.
    """

    asset: str
    timeframe: str
    decisions: list[DecisionRow]
    gaps: list[RecordGap]
    next: str | None


class SignalPage(TypedDict):
    """Recorded decisions of all assets, newest first; those of one time in the order of their names.

    `next` is that of a `DecisionPage`. `unanswered` has the assets whose agent did not answer: their decisions are
    missing on this page.
    """

    timeframe: str
    decisions: list[DecisionRow]
    next: str | None
    unanswered: list[str]


class ExportRow(BarDecision):
    """A recorded bar with its decision, whole: a row of an export.

    Numbers that are not known are null. `position_size` is 0 unless the decision had an effect; `size_decided` is the
    size that was decided, `size_wanted` the one without the cap, and `size_cap` the cap that applied. `blocks` has the
    scenarios of the filters in `blocked_by`, as `filter/scenario`. `history` is the number of bars the decision was
    made from, at most 1,000.
    """

    time: str
    asset: str
    timeframe: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    quote_volume: float | None
    trade_count: int | None
    taker_buy_volume: float | None
    source: BarSource | None
    status: Status
    size_decided: float
    size_wanted: float
    size_cap: float
    blocked_by: list[str]
    blocks: list[str]
    trend_direction: Trend
    volatility_status: VolatilityStatus
    levels_status: LevelsStatus
    support: float | None
    resistance: float | None
    rsi: float | None
    macd_atr: float | None
    macd_histogram_atr: float | None
    atr: float | None
    history: int
    config_version: int
    program_version: str


class DecisionRecord(TypedDict):
    """The whole explanation of a recorded decision.

    It is decided anew from the recorded bars, with the configuration that was in force, `config`. `is_reproduced` says
    whether that gives what was recorded, to the last bit; null if it cannot be decided anew. The reason is then
    `unexplained`, and `explanation` is null. `config` is null if it is not in the record any more.

    `nearest_changes` are the smallest changes that would have altered the decision, the smallest first; each of them by
    itself. `outcome` is what came of the decision so far, whether it had an effect or not.
    """

    asset: str
    timeframe: str
    decision: ExportRow
    outcome: DecisionOutcome
    config: EffectiveDocument | None
    explanation: Explanation | None
    nearest_changes: list[NearestChange]
    is_reproduced: bool | None
    unexplained: str | None


class BarRecord(TypedDict):
    """What is known of the bar in which a time is: its decision, or why there is none.

    `undecided` is the reason for which no decision is known; null if `decision` is there. Without a decision `bar` is
    the bar itself, if it is known, or the newest one before it; otherwise null.
    """

    asset: str
    timeframe: str
    decision: DecisionRecord | None
    undecided: str | None
    bar: ChartBar | None


class ExportPiece(TypedDict):
    """A part of an export, oldest first. `next` is the time from which on there is more, in ms; null at its end."""

    rows: list[ExportRow]
    next: int | None


class DecisionDifference(TypedDict):
    """A value of a recorded bar that is not as it was decided or recorded; null if there is none or it is not known.

    `found_by` says how it was found. ``decision``: `decided` is the value when the bar is decided anew. ``seal``: the
    row was altered after it was recorded, and `decided` is the value it had; if it is not known which value was
    altered, `field` is `bar` or `decision`, and the values are checksums. ``value``: nothing writes this value.
    """

    asset: str
    timeframe: str
    time: str
    field: str
    recorded: Any
    decided: Any
    found_by: Literal["decision", "seal", "value"]


class MissingDecisions(TypedDict):
    """Bars or decisions that should be recorded, between two open times of bars; null if the time is not known."""

    asset: str
    timeframe: str
    after: str | None
    before: str | None
    count: int
    reason: str


class AlteredRow(TypedDict):
    """A row of another table than that of the bars that was altered or removed after it was recorded."""

    table: str
    id: int
    is_removed: bool


class Verified(TypedDict):
    """The outcome of a verification.

    `decisions` is the number of recorded decisions that were decided anew, and `different` how many recorded decisions
    had another value, by the version of the program that recorded them in `different_by_program`. `altered` is the
    number of bars, decided or not, that are not as they were recorded. `missing` is the number of decisions that cannot
    be decided anew, or are gone, by reason in `missing_reasons`. `differences` has the first 100 different values,
    `missing_at` the first 100 places where something is missing. `unsealed` counts bars that were recorded without a
    checksum.
    """

    decisions: int
    different: int
    different_by_program: dict[str, int]
    missing: int
    missing_reasons: dict[str, int]
    missing_at: list[MissingDecisions]
    altered: int
    altered_rows: list[AlteredRow]
    unsealed: int
    differences: list[DecisionDifference]


class AssetVersion(TypedDict):
    """A version of the configuration, as it was in force for an asset."""

    asset: str
    version: int


class ComparedConfigurations(TypedDict):
    """Recorded configurations beside those of the same version in the database of the configuration.

    `unknown` is the number of versions that the database does not have.
    """

    compared: int
    different: list[AssetVersion]
    unknown: int
