"""Setups: what came of entries, by level, side, asset and hour, and of those that filters held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.decision import Clarity
from vivienne.record.judging.outcomes import HORIZONS, Outcomes, outcomes
from vivienne.record.judging.positions import begins, held_by, positions
from vivienne.record.judging.summary import chosen, joined, known_of, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vivienne.market.types import BoolArray, IntArray
    from vivienne.record.columns import DecidedBars
    from vivienne.slices import Pieces
    from vivienne.wire.setups import HeldGroup, SetupGroup, Setups

HOUR_MS = 3_600_000
_HELD_ROW = HORIZONS.index(16)


class _Entries(NamedTuple):
    """Entries of one asset or of several, with their outcomes; one value for each entry."""

    found: Outcomes
    level: IntArray
    side: IntArray
    asset: IntArray
    hour: IntArray


class Span(NamedTuple):
    """Bars whose entries count.

    Attributes:
        begin: first open time, ms since the epoch; None for no limit.
        end: the bars open before it; None for no limit.
    """

    begin: int | None = None
    end: int | None = None

    def has(self, open_time: IntArray) -> BoolArray:
        """True for each open time within."""
        begin, end = -np.inf if self.begin is None else self.begin, np.inf if self.end is None else self.end
        is_within: BoolArray = (open_time >= begin) & (open_time < end)
        return is_within


EVERYTHING = Span()


def setups(assets: Mapping[str, DecidedBars], length_ms: int, span: Span = EVERYTHING) -> Pieces[Setups]:
    """Sort the entries on some bars by their kinds.

    Args:
        assets: bars with decisions, by the name of the asset, looked up one after the other. They should begin one bar
            before the span, because a position on the first bar never counts as an entry, and end `outcomes.MOVE_BARS`
            after the span.
        length_ms: length of a bar.
        span: of the bars whose entries count.
    """
    entries: list[_Entries] = []
    held: dict[str, list[Outcomes]] = {}
    for number, decided in enumerate(assets.values()):
        found = yield from outcomes(decided, length_ms)
        counts = span.has(decided.bars.open_time)
        entries.append(_entries(decided, found, number, counts & begins(positions(decided), decided, length_ms)))
        yield
        for name, side in held_by(decided).items():
            if counts[side != 0].any():
                held.setdefault(name, []).append(chosen(found, counts & begins(side, decided, length_ms)))
            yield
    return (yield from _sorted(entries, held, list(assets)))


def _entries(decided: DecidedBars, found: Outcomes, asset: int, rows: BoolArray) -> _Entries:
    return _Entries(
        found=chosen(found, rows),
        level=decided.level[rows],
        side=np.sign(decided.side[rows]).astype(np.int64),
        asset=np.full(np.count_nonzero(rows), asset),
        hour=decided.bars.open_time[rows] // HOUR_MS % 24,
    )


def _sorted(
    entries: Sequence[_Entries], held: Mapping[str, Sequence[Outcomes]], assets: Sequence[str]
) -> Pieces[Setups]:
    """All entries by each of their kinds."""
    found = joined([each.found for each in entries])
    kinds: dict[str, dict[str, int]] = {
        "level": {str(level.word): int(level) for level in (Clarity.LOADED, Clarity.AIM, Clarity.BANG)},
        "side": {"long": 1, "short": -1},
        "asset": {name: number for number, name in enumerate(assets)},
        "hour": {f"{hour:02}": hour for hour in range(24)},
    }
    groups: dict[str, list[SetupGroup]] = {}
    for kind, names in kinds.items():
        keys = np.concatenate([np.empty(0, np.int64), *(getattr(each, kind) for each in entries)])
        groups[kind] = []
        for name, key in names.items():
            groups[kind].append({"name": name, "outcomes": summary(chosen(found, keys == key))})
            yield
    held_groups: list[HeldGroup] = []
    for name, parts in sorted(held.items()):
        held_groups.append(_held(name, joined(parts)))
        yield
    return {
        "by_level": groups["level"],
        "by_side": groups["side"],
        "by_asset": groups["asset"],
        "by_hour": groups["hour"],
        "held_by": held_groups,
    }


def _held(name: str, found: Outcomes) -> HeldGroup:
    known = known_of(found.returns[_HELD_ROW])
    right = int(np.count_nonzero(known < 0)) / len(known) if len(known) else None
    return {"filter": name, "outcomes": summary(found), "held_right": right}
