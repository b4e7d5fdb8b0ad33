"""Recorded bars and decisions, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.agent.decision import Block, Clarity, Decision
from vivienne.live.entries import Readings
from vivienne.market.types import Candle
from vivienne.record.codes import (
    LEVELS_STATUSES,
    SIDES,
    SOURCES,
    STATUSES,
    TRENDS,
    VOLATILITIES,
)
from vivienne.record.seals import bar_seal
from vivienne.record.tables import bars

if TYPE_CHECKING:
    from sqlalchemy.engine import Row

    from vivienne.market.feeds.base import MinuteSource
    from vivienne.wire.state import Status

_READINGS = ("rsi", "macd_atr", "macd_histogram_atr")
_OF_BAR = frozenset((*Candle._fields, "bar_seal"))
DECISION_COLUMNS = tuple(each.name for each in bars.columns if each.nullable and each.name not in _OF_BAR)
"""Columns of the table `bars` that are NULL without a decision."""


class RecordedDecision(NamedTuple):
    """A decision as it was made when its bar closed.

    Attributes:
        decision: the decision itself, equal to the last bit.
        config_version: version of the configuration in force.
        configuration_id: of the effective configuration in the record.
        status: status of the asset at that moment.
        is_paused: True if the asset was paused, so that the decision had no effect.
        used: number of bars it was computed from, ending with its own, which follow each other: those from the anchor.
        cap: the largest position size of the asset, in percent of equity.
        readings: values that its signals read.
        atr: average true range that it read, in quote currency.
    """

    decision: Decision
    config_version: int
    configuration_id: int
    status: Status
    is_paused: bool
    used: int
    cap: float
    readings: Readings
    atr: float


class RecordedBar(NamedTuple):
    """A closed bar.

    Attributes:
        bar: the bar itself, equal to the last bit.
        source: where it came from.
        session_id: the session that recorded it.
        made: the decision on it; None if none was made, or if it is no longer kept.
    """

    bar: Candle
    source: MinuteSource | None
    session_id: int
    made: RecordedDecision | None


def written_blocks(blocks: tuple[Block, ...]) -> str:
    """Scenarios that block, as the record has them."""
    return ",".join(map("/".join, blocks))


def read_blocks(text: str) -> tuple[Block, ...]:
    """Scenarios that block, from the text of the record."""
    return tuple(Block(*each.split("/", 1)) for each in text.split(",")) if text else ()


def written_bar(bar: RecordedBar, series_id: int, blocks_id: int | None) -> dict[str, Any]:
    """A bar as a row of the table `bars`. Its decision has neither a number nor a seal yet.

    Args:
        bar: what is to be recorded.
        series_id: of the segment.
        blocks_id: of the scenarios that block; None for a bar without a decision.
    """
    row: dict[str, Any] = dict.fromkeys(DECISION_COLUMNS)
    row |= zip(Candle._fields, map(null_for_nan, bar.bar), strict=True)
    row |= {"series_id": series_id, "source": SOURCES.number(bar.source), "session_id": bar.session_id}
    row["bar_seal"] = bar_seal(row)
    if bar.made is None:
        return row
    decision = bar.made.decision
    row |= {name: getattr(decision, name) for name in ("is_whole", "history", "confidence", "size", "wanted")}
    row |= {
        name: getattr(bar.made, name) for name in ("config_version", "configuration_id", "is_paused", "used", "cap")
    }
    row |= zip(_READINGS, map(null_for_nan, bar.made.readings), strict=True)
    return row | {
        "status": STATUSES.number(bar.made.status),
        "is_ready": decision.ready,
        "level": decision.level.value,
        "raw_level": decision.raw_level.value,
        "side": SIDES.number(decision.side),
        "blocks_id": blocks_id,
        "trend": TRENDS.number(decision.trend),
        "volatility": VOLATILITIES.number(decision.volatility),
        "levels": LEVELS_STATUSES.number(decision.levels),
        "support": null_for_nan(decision.support),
        "resistance": null_for_nan(decision.resistance),
        "atr": null_for_nan(bar.made.atr),
    }


def read_bar(row: Row[tuple[object, ...]], blocks: dict[int, tuple[Block, ...]]) -> RecordedBar:
    """A row of the table `bars`.

    Args:
        row: with all columns.
        blocks: by the id of their row.
    """
    found = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for it
    bar = Candle(found["open_time"], *(_number(found[name]) for name in Candle._fields[1:]))
    made = None if found["config_version"] is None else read_decision(row, blocks)
    return RecordedBar(bar, SOURCES.word(found["source"]), found["session_id"], made)


def read_decision(row: Row[tuple[object, ...]], blocks: dict[int, tuple[Block, ...]]) -> RecordedDecision:
    """The decision of a row of the table `bars` that has one; see `read_bar`."""
    found = row._mapping  # noqa: SLF001  # as above
    decision = Decision(
        open_time=found["open_time"],
        ready=found["is_ready"],
        history=found["history"],
        is_whole=found["is_whole"],
        level=Clarity(found["level"]),
        raw_level=Clarity(found["raw_level"]),
        side=SIDES.word(found["side"]),
        confidence=_number(found["confidence"]),
        size=_number(found["size"]),
        wanted=_number(found["wanted"]),
        blocks=blocks[found["blocks_id"]],
        trend=TRENDS.word(found["trend"]),
        volatility=VOLATILITIES.word(found["volatility"]),
        levels=LEVELS_STATUSES.word(found["levels"]),
        support=_number(found["support"]),
        resistance=_number(found["resistance"]),
    )
    return RecordedDecision(
        decision=decision,
        config_version=found["config_version"],
        configuration_id=found["configuration_id"],
        status=STATUSES.word(found["status"]),
        is_paused=found["is_paused"],
        used=found["used"],
        cap=_number(found["cap"]),
        readings=Readings(*(_number(found[name]) for name in _READINGS)),
        atr=_number(found["atr"]),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def null_for_nan(value: float) -> float | None:
    """A number as the record has it."""
    return None if math.isnan(value) else value
