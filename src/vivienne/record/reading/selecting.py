"""Finds recorded decisions: pages, newest first, and pieces of all of them, oldest first.

The record has no index but the key of its bars. A search goes through spans of time, each longer than the one before,
until it has enough. It ends after a number of bars, so that no request takes long; the next one goes on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, not_, select

from vivienne.agent.filters import FILTERS
from vivienne.market.timeframe import Timeframe
from vivienne.record.codes import LEVELS, SIDES, WITH_EFFECT
from vivienne.record.reading.query import Place
from vivienne.record.rows import read_blocks
from vivienne.record.tables import bars, blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vivienne.record.reader import RecordReader, Series
    from vivienne.record.reading.query import DecisionQuery
    from vivienne.record.rows import RecordedBar

MOST_SEARCHED = 200_000
"""Bars of all series that one search goes through, about."""
_FILTERS = frozenset(each.name for each in FILTERS)
_FIRST_SPAN, _LONGEST_SPAN = 512, 65_536
"""Bars of all series in a span, about."""
PIECE = 1_000
"""Decisions in a piece, about."""


class Found(NamedTuple):
    """A decision that was found, with the asset it is of."""

    asset: str
    bar: RecordedBar

    @property
    def place(self) -> Place:
        """Its place in the order."""
        return Place(self.bar.bar.open_time, self.asset)


class Page(NamedTuple):
    """Decisions, newest first, and the place behind which the search goes on; None at the end."""

    found: list[Found]
    next: Place | None


class Piece(NamedTuple):
    """Decisions, oldest first, and the time from which on there are more, ms since the epoch; None at the end."""

    found: list[Found]
    next: int | None


class _Search:
    """Looks for decisions of series in spans of time."""

    def __init__(self, reader: RecordReader, series: Sequence[Series], query: DecisionQuery) -> None:
        self._reader = reader
        self._conditions = [*_conditions(reader, query)]
        self._assets = {segment.id: each.asset for each in series for segment in each.segments}
        self._counts = {segment.id: segment for each in series for segment in each.segments}
        self._span = Timeframe(series[0].timeframe).milliseconds if series else 1
        self._series = max(1, len(series))
        newest = self.newest()
        begin = min((segment.begins_at for segment in self._counts.values()), default=0)
        self.begin = begin if query.begin is None else max(begin, query.begin)
        end = 0 if newest is None else newest + 1
        self.end = end if query.end is None else min(end, query.end)

    def newest(self, before: int | None = None) -> int | None:
        """The open time of the newest bar, of those before a time; None without any."""
        end = [] if before is None else [bars.c.open_time < before]
        return max(self._of_each(func.max(bars.c.open_time), *end), default=None)

    def oldest(self, since: int) -> int | None:
        """The open time of the oldest bar from a time on; None without any."""
        return min(self._of_each(func.min(bars.c.open_time), bars.c.open_time >= since), default=None)

    def _of_each(self, time: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Iterator[int]:
        # One by one, the database looks at one bar of each; with a list of them it would look at all their bars.
        for number in self._assets:
            [(found,)] = self._reader.rows(select(time).where(bars.c.series_id == number, *conditions))
            if found is not None:
                yield found

    def length(self, bars_of_all: int) -> int:
        """The length of a span with so many bars of all series, in ms."""
        return max(1, bars_of_all // self._series) * self._span

    def span(self, begin: int, end: int, most: int | None = None) -> tuple[list[Found], int]:
        """Decisions on bars that open from `begin` on and before `end`, newest first.

        Args:
            begin: ms since the epoch.
            end: likewise.
            most: number of decisions that are enough; there may be more.

        Returns:
            The decisions, and the time from which on all of them are among these: `begin`, or a later one.
        """
        time = bars.c.open_time
        query = select(bars).where(bars.c.series_id.in_(self._assets), time >= begin, time < end, *self._conditions)
        query = query.order_by(time.desc())
        # Those of one time are taken whole or not at all, because the database does not know their order.
        limit = None if most is None else most + len(self._assets) + 1
        rows = self._reader.found(query if limit is None else query.limit(limit))
        if len(rows) == limit:
            begin = rows[-1][1].bar.open_time + 1
            rows = [row for row in rows if row[1].bar.open_time >= begin]
        found = [Found(self._assets[number], bar) for number, bar in rows if self._does_count(number, bar)]
        return sorted(found, key=lambda each: (-each.bar.bar.open_time, each.asset)), begin

    def _does_count(self, number: int, bar: RecordedBar) -> bool:
        ends_at = self._counts[number].ends_at
        return ends_at is None or bar.bar.open_time < ends_at


def page(reader: RecordReader, series: Sequence[Series], query: DecisionQuery, limit: int) -> Page:
    """The newest decisions that meet a query.

    Args:
        reader: of the record.
        series: those that are looked through, all of one timeframe.
        query: what is wanted.
        limit: largest number of decisions.
    """
    search, before = _Search(reader, series, query), query.before
    # The place itself is of this time too.
    end = search.end if before is None else min(search.end, before.time + (1 if before.asset else 0))
    found: list[Found] = []
    bars_of_all, searched = _FIRST_SPAN, 0
    while end > search.begin and searched < MOST_SEARCHED:
        begin = max(search.begin, end - search.length(bars_of_all))
        some, begin = search.span(begin, end, limit + 1 - len(found))
        found += [each for each in some if before is None or _is_behind(each, before)]
        if len(found) > limit:
            return Page(found[:limit], found[limit - 1].place)
        end, searched = begin, searched + bars_of_all
        if not some:  # there may be no bars for long
            end = min(end, (search.newest(end) or 0) + 1)
        bars_of_all = min(2 * bars_of_all, _LONGEST_SPAN)
    return Page(found, Place(end) if end > search.begin else None)


def piece(reader: RecordReader, series: Sequence[Series], query: DecisionQuery) -> Piece:
    """The oldest decisions that meet a query, about `PIECE` of them; from `begin` of the query on."""
    search = _Search(reader, series, query)
    begin, found = search.begin, list[Found]()
    bars_of_all, searched = PIECE, 0
    while begin < search.end and searched < MOST_SEARCHED and len(found) < PIECE:
        end = min(search.end, begin + search.length(bars_of_all))
        some, _ = search.span(begin, end)
        found += sorted(some, key=lambda each: each.place)
        begin, searched = end, searched + bars_of_all
        if not some:
            begin = max(begin, search.oldest(begin) or search.end)
        if 4 * len(some) < PIECE:
            bars_of_all = min(2 * bars_of_all, 16 * PIECE)
    return Piece(found, begin if begin < search.end else None)


def _is_behind(found: Found, before: Place) -> bool:
    time = found.bar.bar.open_time
    return time < before.time or (time == before.time and bool(before.asset) and found.asset > before.asset)


def _conditions(reader: RecordReader, query: DecisionQuery) -> Iterator[ColumnElement[bool]]:
    """What the rows of a query have in common, but for their time."""
    yield bars.c.config_version.is_not(None)
    if query.version is not None:
        yield bars.c.config_version == query.version
    if query.levels:
        yield bars.c.level.in_([LEVELS.number(each) for each in query.levels])
    if query.raw_levels:
        yield bars.c.raw_level.in_([LEVELS.number(each) for each in query.raw_levels])
    if query.sides:
        yield bars.c.side.in_([SIDES.number(each) for each in query.sides])
    if query.blocked_by:
        yield bars.c.blocks_id.in_(_sets_with(reader, query.blocked_by))
    if query.held is not None:
        is_held = and_(bars.c.blocks_id.in_(_sets_with(reader, _FILTERS)), bars.c.raw_level > 0)
        # Nobody was to act on what was decided in a pause, or on stale data.
        is_in_force = and_(bars.c.status.in_(WITH_EFFECT), not_(bars.c.is_paused))
        yield is_held if query.held else and_(is_in_force, not_(is_held))


def _sets_with(reader: RecordReader, filters: Collection[str]) -> list[int]:
    """Ids of the sets of blocks that have a scenario of one of these filters."""
    found = reader.rows(select(blocks))
    return [number for number, text in found if any(block.filter in filters for block in read_blocks(text))]
