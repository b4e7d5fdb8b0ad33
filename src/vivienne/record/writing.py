"""Writes decisions and the bars they were made from. It blocks: the thread of the record calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sqlalchemy import func, select, update

from vivienne.market.types import Bars, Candle
from vivienne.market.window import SOURCES
from vivienne.record.codes import SOURCES as CODES
from vivienne.record.interning import Interning
from vivienne.record.numbering import number, take_back
from vivienne.record.rows import DECISION_COLUMNS, RecordedBar, RecordedDecision, null_for_nan, written_bar
from vivienne.record.seals import as_sealed, bar_seal, row_seal, seal, seals_of
from vivienne.record.tables import bars, gaps, series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import Connection, RowMapping

    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import FloatArray, IntArray
    from vivienne.record.database import RecordDatabase
    from vivienne.record.waiting import Entry, Lost

_VALUES = tuple(bars.c[name] for name in Candle._fields)
_BAR = (*Candle._fields, "source")
_BARS_BETWEEN = 10
"""Bars between two holes of a market up to which these are one gap."""
_CODE_OF = np.array([CODES.number(source) for source in SOURCES])
"""By the index in `SOURCES` of the window, the number in the record."""


class Markets(NamedTuple):
    """What is recorded.

    Attributes:
        timeframe: of the bars.
        symbols: by asset, the symbol that the settings give; assets without one are left out.
    """

    timeframe: Timeframe
    symbols: Mapping[str, str]


@dataclass(slots=True)
class _Tail:
    """Where the recorded bars of an asset end.

    Attributes:
        series_id: of the segment.
        generation: of the window that they came from.
        last: open time of the newest bar.
    """

    series_id: int
    generation: int
    last: int


class Writing:
    """Writes into one record, for one session. Forget it after a transaction that failed.

    Args:
        database: opened to be written.
        run_id: the course of market time.
        session_id: this process.
        market: what is recorded.

    Attributes:
        begins: True if the last decisions brought the bars they were made from, and the next ones may too.
    """

    def __init__(self, database: RecordDatabase, run_id: int, session_id: int, market: Markets) -> None:
        self._database = database
        self._run_id = run_id
        self._session_id = session_id
        self._market = market
        self._length = market.timeframe.milliseconds
        self._interning = Interning(database)
        self._tails: dict[str, _Tail] = {}
        self.begins = True
        self._insert = database.insert(bars).on_conflict_do_nothing().execution_options(preserve_rowcount=True)

    def add(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Write decisions, in their order."""
        self._interning.confirm(connection, (entry.document for entry in entries))
        rows: list[dict[str, Any]] = []
        added: list[Entry] = []
        self.begins = False
        for entry in entries:
            if not self._continues(entry):
                self._add_all(connection, added, rows)
                added, rows = [], []
                self.begins = True
                self._tails[entry.asset] = self._basis(connection, entry)
            rows.append(self._row(connection, entry))
            added.append(entry)
        self._add_all(connection, added, rows)

    def add_gaps(self, connection: Connection, lost: Iterable[Lost], reason: str) -> None:
        """Note which decisions were lost."""
        for each in lost:
            tail = self._tails.get(each.asset) or self._newest(connection, each.asset)
            row = {"run_id": self._run_id, "reason": reason, "decisions": each.decisions}
            row |= {"from_time": each.first, "to_time": each.last, "series_id": tail.series_id if tail else None}
            connection.execute(gaps.insert(), row | {"seal": row_seal(gaps, row)})

    def _continues(self, entry: Entry) -> bool:
        """Tell whether a decision was made from the bars that are recorded, and the one it was made on."""
        tail = self._tails.get(entry.asset)
        return (
            tail is not None
            and tail.generation == entry.basis.held.generation
            and tail.last + self._length == entry.decision.open_time
        )

    def _row(self, connection: Connection, entry: Entry) -> dict[str, Any]:
        tail = self._tails[entry.asset]
        tail.last = entry.decision.open_time
        basis = entry.basis
        made = RecordedDecision(
            decision=entry.decision,
            config_version=entry.version,
            configuration_id=self._interning.configuration(connection, entry.document),
            status=entry.status,
            is_paused=entry.is_paused,
            used=basis.used,
            cap=basis.cap,
            readings=basis.readings,
            atr=basis.atr,
        )
        source = SOURCES[basis.held.sources[-1]]
        bar = RecordedBar(basis.held.bars.candle(-1), source, self._session_id, made)
        return written_bar(bar, tail.series_id, self._interning.blocks(connection, entry.decision.blocks))

    def _add_all(self, connection: Connection, entries: list[Entry], rows: list[dict[str, Any]]) -> None:
        """Write decisions at once; one by one if some of their bars are recorded already."""
        if not rows:
            return
        attempt = connection.begin_nested()
        # Not in a block: an error may have ended the transaction as a whole, and there is no savepoint to go back to.
        number(connection, rows)
        if connection.execute(self._insert, rows).rowcount == len(rows):
            attempt.commit()
            return
        attempt.rollback()
        for asset in {entry.asset for entry in entries}:
            del self._tails[asset]
        for entry in entries:
            self._add_one(connection, entry)

    def _add_one(self, connection: Connection, entry: Entry) -> None:
        """Write a decision whose bar may be recorded already, with a decision even."""
        # What the bars before it were costs too much to ask for each of them: a replay that begins again has them all.
        if not self._continues(entry):
            self._tails[entry.asset] = self._basis(connection, entry)
        row = self._row(connection, entry)
        found = self._found(connection, row)
        if found is not None and any(found[name] != row[name] for name in Candle._fields):
            # In the last bit even: what follows is decided from other bars than those that are recorded.
            self._tails[entry.asset] = self._basis(connection, entry)
            row, found = self._row(connection, entry), None
        if found is not None and found["config_version"] is not None:
            return
        number(connection, [row])
        if connection.execute(self._insert, [row]).rowcount == 0 and not self._decide(connection, row):
            take_back(connection, row)

    def _found(self, connection: Connection, row: dict[str, Any]) -> RowMapping | None:
        """The bar that is recorded at the time of a row."""
        at = bars.c.series_id == row["series_id"], bars.c.open_time == row["open_time"]
        return connection.execute(select(*_VALUES, bars.c.config_version).where(*at)).mappings().one_or_none()

    def _decide(self, connection: Connection, row: dict[str, Any]) -> bool:
        """Add a decision to a bar that is recorded. The first one counts: it is the one that was streamed."""
        of = [bars.c.series_id == row["series_id"], bars.c.open_time == row["open_time"]]
        of.append(bars.c.config_version.is_(None))
        found = connection.execute(select(bars).where(*of).with_for_update()).one_or_none()
        if found is None:
            return False
        known = dict(found._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
        values = {name: row[name] for name in ("session_id", *DECISION_COLUMNS)}
        if known["bar_seal"] in (None, bar_seal(known)):  # one that was altered keeps a seal that says so
            values["bar_seal"] = bar_seal({**known, "session_id": row["session_id"]})
        connection.execute(update(bars).where(*of).values(values))
        return True

    def _basis(self, connection: Connection, entry: Entry) -> _Tail:
        """Make sure that the bars a decision was made from are recorded as they were; say where it continues them."""
        held, open_time = entry.basis.held, entry.decision.open_time
        known = held.bars[len(held.bars) - entry.basis.used :]
        tail = self._newest(connection, entry.asset)
        stored = Bars.from_candles([]) if tail is None else self._stored(connection, tail, known)
        if tail is None or _differ(stored, known):
            tail, stored = self._begin(connection, entry.asset, open_time), Bars.from_candles([])
        else:
            self._note_hole(connection, tail, int(known.open_time[0]))
        self._add_missing(connection, tail, entry, stored)
        return _Tail(tail.series_id, held.generation, open_time - self._length)

    def _add_missing(self, connection: Connection, tail: _Tail, entry: Entry, stored: Bars) -> None:
        """Write the bars before a decision that are not recorded yet."""
        held, used = entry.basis.held, entry.basis.used
        before = held.bars[len(held.bars) - used : -1]
        is_missing = ~np.isin(before.open_time, stored.open_time)
        if not is_missing.any():
            return
        sources = _CODE_OF[held.sources[len(held.sources) - used : -1]]
        columns = [getattr(before, name)[is_missing].tolist() for name in Candle._fields]
        columns = [
            columns[0],
            *(list(map(null_for_nan, column)) for column in columns[1:]),
            sources[is_missing].tolist(),
            self._bar_seals(tail, before, sources)[is_missing].astype(np.int64).tolist(),
        ]
        common = {"series_id": tail.series_id, "session_id": self._session_id}
        # Only these columns: all others stay NULL, and passing them would take three times as long.
        rows = [common | dict(zip((*_BAR, "bar_seal"), values, strict=True)) for values in zip(*columns, strict=True)]
        connection.execute(self._insert, rows)

    def _bar_seals(self, tail: _Tail, known: Bars, sources: IntArray) -> FloatArray:
        """The seals of bars, as they are recorded in a segment."""
        values = [getattr(known, name).astype(np.float64) for name in Candle._fields]
        series_id, session_id = (np.full(len(known), each, np.float64) for each in (tail.series_id, self._session_id))
        return seals_of(as_sealed([series_id, *values, sources.astype(np.float64), session_id]))

    def _newest(self, connection: Connection, asset: str) -> _Tail | None:
        """The newest segment of an asset; None if nothing of it is recorded."""
        query = select(series.c.id).where(*self.segments_of(asset)).order_by(series.c.segment.desc()).limit(1)
        found = connection.execute(query).scalar_one_or_none()
        return None if found is None else _Tail(found, -1, 0)

    def _begin(self, connection: Connection, asset: str, begins_at: int) -> _Tail:
        """Begin a new segment."""
        newest = connection.execute(select(func.max(series.c.segment)).where(*self.segments_of(asset))).scalar_one()
        row = {"run_id": self._run_id, "asset": asset, "timeframe": self._market.timeframe.value}
        row |= {"market": self._market.symbols.get(asset, ""), "begins_at": begins_at}
        row["segment"] = 0 if newest is None else newest + 1
        begun = connection.execute(series.insert().returning(series.c.id), row).scalar_one()
        seal(connection, series, begun, row)
        return _Tail(begun, -1, 0)

    def segments_of(self, asset: str) -> tuple[Any, ...]:
        """Conditions for the segments of an asset in the table `series`."""
        return (
            series.c.run_id == self._run_id,
            series.c.asset == asset,
            series.c.timeframe == self._market.timeframe.value,
            series.c.market == self._market.symbols.get(asset, ""),
        )

    def _stored(self, connection: Connection, tail: _Tail, known: Bars) -> Bars:
        """The recorded bars at the times of those that are known."""
        times = bars.c.open_time.between(int(known.open_time[0]), int(known.open_time[-1]))
        query = select(*_VALUES).where(bars.c.series_id == tail.series_id, times).order_by(bars.c.open_time)
        columns = [*zip(*connection.execute(query).all(), strict=True)] or [()] * len(_VALUES)
        return Bars(
            np.array(columns[0], dtype=np.int64), *(np.array(column, dtype=np.float64) for column in columns[1:])
        )

    def _note_hole(self, connection: Connection, tail: _Tail, first: int) -> None:
        """Note that the market has no bars between the recorded ones and those that are known now."""
        query = select(func.max(bars.c.open_time)).where(bars.c.series_id == tail.series_id, bars.c.open_time < first)
        last = connection.execute(query).scalar_one()
        if last is None or last + self._length >= first or self._is_recorded(connection, tail, first):
            return
        row = {"run_id": self._run_id, "series_id": tail.series_id, "reason": "feed", "decisions": 0}
        # Otherwise a market with a bar now and then would have as many holes as bars.
        near = gaps.c.to_time.between(last - _BARS_BETWEEN * self._length, first - self._length)
        [known] = connection.execute(select(func.max(gaps.c.id)).filter_by(**row).where(near)).one()
        if known is None:
            times = {"from_time": last + self._length, "to_time": first - self._length}
            connection.execute(gaps.insert(), row | times | {"seal": row_seal(gaps, row | times)})
        else:
            self._extend(connection, known, first - self._length)

    def _extend(self, connection: Connection, gap: int, to_time: int) -> None:
        """Let a gap that is recorded end later."""
        known = dict(connection.execute(select(gaps).where(gaps.c.id == gap)).one()._mapping)  # noqa: SLF001  # as above
        values = {"to_time": to_time}
        if known["seal"] in (None, row_seal(gaps, known)):
            values["seal"] = row_seal(gaps, known | values)
        connection.execute(update(gaps).where(gaps.c.id == gap).values(values))

    def _is_recorded(self, connection: Connection, tail: _Tail, open_time: int) -> bool:
        query = select(bars.c.open_time).where(bars.c.series_id == tail.series_id, bars.c.open_time == open_time)
        return connection.execute(query).first() is not None


def _differ(stored: Bars, known: Bars) -> bool:
    """Tell whether a recorded bar has another value than the one that is known, in the last bit even."""
    rows = np.searchsorted(known.open_time, stored.open_time)
    if not np.array_equal(known.open_time[rows], stored.open_time):
        return True
    return not all(
        np.array_equal(getattr(stored, name), getattr(known, name)[rows], equal_nan=True) for name in Candle._fields[1:]
    )
