"""What a configuration decided on some bars: entries by level and side, what filters held back, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vivienne.agent.decision import Clarity
from vivienne.record.judging.positions import begins, held_by, positions
from vivienne.record.judging.summary import chosen, summary

if TYPE_CHECKING:
    from vivienne.market.types import BoolArray
    from vivienne.record.columns import DecidedBars
    from vivienne.record.judging.outcomes import Outcomes
    from vivienne.wire.version_outcome import HeldCount, LevelEntries, SideEntries, VersionDecisions


def version_decisions(decided: DecidedBars, found: Outcomes, rows: BoolArray, length_ms: int) -> VersionDecisions:
    """Count the decisions on some bars.

    Args:
        decided: bars with decisions. It should begin at least one bar before the first that counts, because a position
            on the first bar of all may have begun earlier.
        found: their outcomes.
        rows: True on the bars that count.
        length_ms: length of a bar.
    """
    entries = begins(positions(decided), decided, length_ms) & rows
    return {
        "bars": int(np.count_nonzero(rows)),
        "decided": int(np.count_nonzero(rows & decided.is_decided & decided.has_effect)),
        "entries": _levels(decided, entries),
        "held": _held(decided, rows, length_ms),
        "outcomes": summary(chosen(found, entries)),
    }


def _levels(decided: DecidedBars, entries: BoolArray) -> LevelEntries:
    level, side = decided.level[entries], decided.side[entries]

    def counts(one: Clarity) -> SideEntries:
        is_level = level == one
        return {
            "long": int(np.count_nonzero(is_level & (side > 0))),
            "short": int(np.count_nonzero(is_level & (side < 0))),
        }

    return {"loaded": counts(Clarity.LOADED), "aim": counts(Clarity.AIM), "bang": counts(Clarity.BANG)}


def _held(decided: DecidedBars, rows: BoolArray, length_ms: int) -> list[HeldCount]:
    return [
        {
            "filter": name,
            "bars": int(np.count_nonzero(rows & (side != 0))),
            "entries": int(np.count_nonzero(rows & begins(side, decided, length_ms))),
        }
        for name, side in held_by(decided).items()
    ]
