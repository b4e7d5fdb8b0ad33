"""Takes out of a record what is older than it is to be kept, a little at a time.

A decision that is too old goes first. Its bar stays for a while, because later decisions were made from it, and goes
once none of them is kept. So every decision that is kept can be made again.
"""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, select, update

from vivienne.agent.evaluate import MOST_HISTORY
from vivienne.market.timeframe import Timeframe
from vivienne.record.forgetting import Forgetting
from vivienne.record.numbering import note_all_taken_out, note_taken_out
from vivienne.record.rows import DECISION_COLUMNS
from vivienne.record.tables import bars, gaps, runs, series, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from sqlalchemy.engine import Connection

    from vivienne.record.database import RecordDatabase

_NEVER = 2**53
SLICE = 500
"""Rows that one transaction takes."""
MOST_RUNS = 5
"""Courses of market time of replays and simulations that are kept, the newest ones."""

_TIMEFRAMES = frozenset(each.value for each in Timeframe)


class Pruning:
    """Takes old rows out of one record.

    Args:
        database: opened to be written.
        run_id: the course of market time that is recorded.
        keep: how long decisions are kept, in market time before the newest bar of their run.
        forgetting: looks for configurations without decisions, if it has not done so lately.
        now: the clock of this machine, in ms since the epoch. A bar of a real market that is later is none of now: a
            wrong clock must not take out what was recorded.
    """

    def __init__(
        self,
        database: RecordDatabase,
        run_id: int,
        keep: timedelta,
        forgetting: Forgetting | None = None,
        now: Callable[[], int] = lambda: round(time() * 1000),
    ) -> None:
        self._now = now
        self._database = database
        self._run_id = run_id
        self._forgetting = forgetting or Forgetting()
        self._keep = int(keep.total_seconds() * 1000)

    def steps(self) -> Iterator[int]:
        """Take out everything that is too old, in transactions of their own; the number of rows of each."""
        total = 0
        for taken in self._rows():
            total += taken
            yield taken
        yield from self._forgetting.steps(self._database, is_likely=total > 0)

    def _rows(self) -> Iterator[int]:
        """Take out bars and decisions, and what is empty without them."""
        for series_id in self._of_old_runs():
            yield from self._emptied(series_id)
        for row, cutoff in self._too_old():
            if row.timeframe not in _TIMEFRAMES:
                continue  # of a later version
            length = Timeframe(row.timeframe).milliseconds
            yield from self._sliced(row.id, cutoff, length)
        yield self._forget_what_is_empty()

    def _sliced(self, series_id: int, cutoff: int, length: int) -> Iterator[int]:
        taken = SLICE
        while taken == SLICE:
            with self._database.transaction() as connection:
                if not self._database.is_alone(connection):
                    return
                undecided = self._undecide(connection, series_id, cutoff)
                taken = max(undecided, self._delete(connection, series_id, cutoff - MOST_HISTORY * length))
            yield taken

    def _emptied(self, series_id: int) -> Iterator[int]:
        taken = SLICE
        while taken == SLICE:
            with self._database.transaction() as connection:
                if not self._database.is_alone(connection):
                    return
                taken = self._delete(connection, series_id, None)
                note_all_taken_out(connection, series_id)
            yield taken

    def _undecide(self, connection: Connection, series_id: int, cutoff: int) -> int:
        """Forget the oldest decisions before a time, and keep their bars."""
        chosen = [bars.c.series_id == series_id, bars.c.open_time < cutoff, bars.c.config_version.is_not(None)]
        times = self._oldest(connection, chosen)
        if times:
            chosen.append(bars.c.open_time.between(times[0], times[-1]))
            note_taken_out(connection, series_id, chosen)
            connection.execute(update(bars).where(*chosen).values(dict.fromkeys(DECISION_COLUMNS)))
        return len(times)

    def _delete(self, connection: Connection, series_id: int, before: int | None) -> int:
        """Delete the oldest bars, of before a time."""
        chosen = [bars.c.series_id == series_id]
        if before is not None:
            chosen.append(bars.c.open_time < before)
        times = self._oldest(connection, chosen)
        if times:
            chosen = [bars.c.series_id == series_id, bars.c.open_time <= times[-1]]
            note_taken_out(connection, series_id, chosen)
            connection.execute(delete(bars).where(*chosen))
        return len(times)

    def _oldest(self, connection: Connection, chosen: list[Any]) -> list[int]:
        query = select(bars.c.open_time).where(*chosen).order_by(bars.c.open_time).limit(SLICE)
        return [*connection.execute(query).scalars()]

    def _too_old(self) -> list[tuple[Any, int]]:
        """All series, each with the time before which its decisions are too old: by the newest bar of its run."""
        latest = case((runs.c.is_real, self._now()), else_=_NEVER)
        of_series = select(func.max(bars.c.open_time)).where(
            bars.c.series_id == series.c.id, bars.c.open_time <= latest
        )
        newest = of_series.correlate(series, runs).scalar_subquery()
        with self._database.transaction() as connection:
            query = select(series, newest.label("newest")).join(runs, runs.c.id == series.c.run_id)
            found = connection.execute(query).all()
        of_run: dict[int, int] = {}
        for row in found:
            of_run[row.run_id] = max(of_run.get(row.run_id, 0), row.newest or 0)
        return [(row, of_run[row.run_id] - self._keep) for row in found if row.newest is not None]

    def _of_old_runs(self) -> list[int]:
        """Series of replays and simulations that are over, but for the newest ones."""
        last = select(func.max(sessions.c.id)).where(sessions.c.run_id == runs.c.id).scalar_subquery()
        query = select(runs.c.id).where(runs.c.is_real.is_(False), runs.c.id != self._run_id)
        with self._database.transaction() as connection:
            old = [*connection.execute(query.order_by(last.desc())).scalars()][MOST_RUNS - 1 :]
            return [*connection.execute(select(series.c.id).where(series.c.run_id.in_(old))).scalars()] if old else []

    def _forget_what_is_empty(self) -> int:
        """Delete segments without bars, and gaps of before what is kept."""
        any_bar = select(bars.c.open_time).where(bars.c.series_id == series.c.id).limit(1).exists()
        # Otherwise decisions that should be there were removed, which a verification says.
        is_over = series.c.kept_from > series.c.numbered
        with self._database.transaction() as connection:
            if not self._database.is_alone(connection):
                return 0
            empty = [*connection.execute(select(series.c.id).where(~any_bar, is_over)).scalars()]
            if empty:
                connection.execute(delete(gaps).where(gaps.c.series_id.in_(empty)))
                connection.execute(delete(series).where(series.c.id.in_(empty)))
            oldest = select(func.min(bars.c.open_time)).where(bars.c.series_id == gaps.c.series_id).scalar_subquery()
            connection.execute(delete(gaps).where(gaps.c.series_id.is_not(None), gaps.c.to_time < oldest))
        return len(empty)
