"""The whole explanation of a recorded decision, decided anew from the bars it was made from."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import ValidationError

from vivienne.agent.explain import explain
from vivienne.agent.nearest import alternatives, as_document
from vivienne.agent.newest import evaluate_newest
from vivienne.agent.schema import Configuration
from vivienne.errors import UnknownDecision
from vivienne.live.entries import readings_of
from vivienne.market.timeframe import Timeframe
from vivienne.record.judging.outcomes import MOVE_BARS, outcomes
from vivienne.record.judging.positions import positions
from vivienne.record.judging.summary import outcome_entry
from vivienne.record.reader import Range
from vivienne.record.reading.entries import export_row
from vivienne.record.reading.undecided import why_undecided
from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.agent.decided import Decided
    from vivienne.record.reader import RecordReader, Segment, Series
    from vivienne.record.rows import RecordedBar, RecordedDecision
    from vivienne.wire.document import Document
    from vivienne.wire.explanation import Explanation, NearestChange
    from vivienne.wire.outcome import DecisionOutcome
    from vivienne.wire.record import DecisionRecord

MOST_CHANGES = 5
"""Changes that would have altered a decision, at most."""
_POSITION_BARS = 3_000
"""Bars before a decision in which the paper account must have been without a position, for its position to be known."""


class _Reasons(NamedTuple):
    """What is found by deciding a bar anew."""

    explanation: Explanation
    nearest: list[NearestChange]
    is_reproduced: bool


def explained(reader: RecordReader, series: Series, time: int) -> DecisionRecord:
    """The explanation of the decision on the bar in which a time is.

    Args:
        reader: of the record.
        series: of the asset.
        time: ms since the epoch.

    Raises:
        UnknownDecision: there is no decision on this bar.
    """
    timeframe = Timeframe(series.timeframe)
    time -= time % timeframe.milliseconds
    bar, made = _decided(reader, series, time)
    document = _document(reader, made.configuration_id)
    versions = {session.id: session.program_version for session in reader.sessions(series.run_id)}
    found = _reasons(reader, _segment(series, time), made, document, timeframe)
    reasons, unexplained = (None, found) if isinstance(found, str) else (found, None)
    return {
        "asset": series.asset,
        "timeframe": series.timeframe,
        "decision": export_row(series.asset, series.timeframe, bar, versions.get(bar.session_id, "")),
        "outcome": _outcome(reader, series, time, timeframe.milliseconds),
        "config": document,
        "explanation": None if reasons is None else reasons.explanation,
        "nearest_changes": [] if reasons is None else reasons.nearest,
        "is_reproduced": None if reasons is None else reasons.is_reproduced,
        "unexplained": unexplained,
    }


def _decided(reader: RecordReader, series: Series, time: int) -> tuple[RecordedBar, RecordedDecision]:
    """The bar that opens at a time, and the decision on it."""
    found = reader.bars(series, Range(first=time, last=time))
    if found and found[0].made is not None:
        return found[0], found[0].made
    raise UnknownDecision(why_undecided(reader, series, time, has_bar=bool(found)))


def _document(reader: RecordReader, number: int) -> Document | None:
    try:
        return reader.configuration(number)
    except LookupError:
        return None


def _outcome(reader: RecordReader, series: Series, time: int, length_ms: int) -> DecisionOutcome:
    """What came of the decision on a bar."""
    around = Range(first=time - _POSITION_BARS * length_ms, last=time + (MOVE_BARS + 1) * length_ms)
    decided = reader.decided_bars(series, around)
    row = int(np.searchsorted(decided.bars.open_time, time))
    found = outcome_entry(whole(outcomes(decided, length_ms)), row)
    if row >= _POSITION_BARS and positions(decided)[: row + 1].all():
        found["paper_position"] = None
    return found


def _segment(series: Series, time: int) -> Segment:
    """The segment whose bars a decision was made from."""
    return next(each for each in series.segments if each.ends_at is None or time < each.ends_at)


def _reasons(
    reader: RecordReader, segment: Segment, made: RecordedDecision, document: Document | None, timeframe: Timeframe
) -> _Reasons | str:
    """Decide a bar anew, or say why that is not possible."""
    if document is None:
        return "its configuration is not in the record"
    time = made.decision.open_time
    first = time - (made.used - 1) * timeframe.milliseconds
    bars = reader.segment_candles(segment, first, time)
    if len(bars) != made.used:
        return f"{made.used - len(bars)} of the {made.used} bars that it was made from are no longer kept"
    try:
        config = Configuration.model_validate(document)
    except ValidationError:
        return "its configuration is not valid in this version of the program"
    cut = not made.decision.is_whole
    decided = evaluate_newest(bars, config, timeframe.minutes, cap=made.cap, is_cut=cut)
    decision = decided.decision
    changes = alternatives(decision, decided.filters, bars, config) if decision.ready else iter(())
    return _Reasons(
        explain(decided, bars, config),
        [as_document(each) for each in islice(changes, MOST_CHANGES)],
        _is_equal(decided, made),
    )


def _is_equal(decided: Decided, made: RecordedDecision) -> bool:
    """Compare to the last bit; NaN equals itself."""
    found = (*decided.decision, *readings_of(decided.now), decided.now.atr)
    recorded = (*made.decision, *made.readings, made.atr)
    return all(one == other or _are_nan(one, other) for one, other in zip(found, recorded, strict=True))


def _are_nan(one: object, other: object) -> bool:
    return isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
