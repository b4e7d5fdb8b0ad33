"""What earlier processes knew and decided, for one that starts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from vivienne.agent.evaluate import BLOCKS
from vivienne.errors import RecordUnavailable
from vivienne.live.made import Made
from vivienne.live.memory import Recalled
from vivienne.market.checks import last_unusable
from vivienne.market.types import Bars, Candle
from vivienne.market.window import SOURCES
from vivienne.record.codes import SOURCES as CODES
from vivienne.record.database import open_record
from vivienne.record.reader import Range, RecordReader
from vivienne.record.rows import read_decision
from vivienne.record.tables import bars

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vivienne.agent.decision import Block
    from vivienne.market.types import IntArray
    from vivienne.record.database import RecordDatabase
    from vivienne.record.reader import Series
    from vivienne.record.recorder import Recording
    from vivienne.store.address import PostgresUrl

_log = logging.getLogger(__name__)
_SOURCE_OF = np.array([CODES.number(source) for source in SOURCES]).argsort().astype(np.uint8)
"""By the number in the record, the index in `SOURCES` of the window."""

_BAR = tuple(bars.c[name] for name in (*Candle._fields, "source"))
_KNOWN = frozenset(BLOCKS)
_MOST_DECISIONS = 1_000
"""Decisions that are read: those of the longest chart."""


class Recalling:
    """Reads the newest bars of each asset; see `vivienne.live.memory.Memory`. It blocks.

    Args:
        recording: what is recorded, where.
    """

    def __init__(self, recording: Recording) -> None:
        self._market = recording.market
        self._reader: RecordReader | None = None
        self._run_id: int | None = None
        try:
            self._reader = RecordReader(_opened(recording.where))
            found = [run.id for run in self._reader.runs() if run.key == recording.run.key]
            self._run_id = found[0] if found else None
        except RecordUnavailable as error:
            if not error.is_new:
                self._give_up(error)

    def recall(self, asset: str, most: int) -> Recalled | None:
        """See `vivienne.live.memory.Memory`."""
        if self._reader is None or self._run_id is None:
            return None
        market = self._market
        try:
            series = self._reader.one_series(
                self._run_id, asset, market.timeframe.value, market.symbols.get(asset, "")
            )  # fmt: skip
            return None if series is None else _recalled(self._reader, series, market.timeframe.milliseconds, most)
        except RecordUnavailable as error:
            self._give_up(error)
        except Exception:  # noqa: BLE001  # whatever a record has in it, decisions are made of what the market says
            _log.exception("Earlier decisions of %s are not known: the record has what cannot be read", asset)
        return None

    def close(self) -> None:
        """Close the record."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _give_up(self, error: RecordUnavailable) -> None:
        _log.warning("Earlier decisions are not known: %s", error)
        self.close()


def _opened(where: Path | PostgresUrl) -> RecordDatabase:
    """Open a record to be read; one of an earlier version is brought up to date before."""
    try:
        return open_record(where, "to read")
    except RecordUnavailable as error:
        if not error.is_old:
            raise
        open_record(where, "to write").close()
        return open_record(where, "to read")


def _made(rows: Sequence[Any], blocks: dict[int, tuple[Block, ...]]) -> list[Made]:
    """Decisions from rows. Those that this version of the program could not make are left out."""
    found: list[Made] = []
    for row in rows:
        if row.is_ready and _KNOWN.issuperset(blocks[row.blocks_id]):
            made = read_decision(row, blocks)
            found.append(Made(made.decision, made.config_version, made.is_paused, made.readings))
    return found


def _recalled(reader: RecordReader, series: Series, length: int, most: int) -> Recalled | None:
    """The newest bars of a series that follow each other, as a process has to know them that goes on with it."""
    rows = _newest(reader, series, most)
    if not rows:
        return None
    columns = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    times: IntArray = np.array(columns["open_time"], dtype=np.int64)
    values = [np.array(columns[name], dtype=np.float64) for name in Candle._fields[1:]]
    sources = _SOURCE_OF[np.array(columns["source"], dtype=np.int64)]
    holes = np.flatnonzero(np.diff(times) != length)
    start = int(holes[-1]) + 1 if len(holes) else 0
    found = Bars(times, *values)[start:]
    if wrong := last_unusable(found, length):
        _log.warning("%d recorded bars are invalid, or before an invalid one, and not used", wrong)
        start, found = start + wrong, found[wrong:]
    decided = reader.counted(series, select(bars), Range(limit=_MOST_DECISIONS))
    return Recalled(found, sources[start:], _made(decided, reader.blocks_of(decided))) if len(found) else None


def _newest(reader: RecordReader, series: Series, most: int) -> list[Any]:
    """Rows of the newest bars, oldest first.

    Those of the newest segment count for all times that it has, because its decisions are made from them.
    """
    rows: list[Any] = []
    for segment in reversed(series.segments):
        page = select(*_BAR).where(bars.c.series_id == segment.id).order_by(bars.c.open_time.desc())
        if rows:
            page = page.where(bars.c.open_time < rows[-1].open_time)
        rows += reader.rows(page.limit(most - len(rows)))
        if len(rows) >= most:
            break
    rows.reverse()
    return rows
