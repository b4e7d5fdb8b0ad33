"""Exports over HTTP: written by a thread, and sent in pieces as fast as the client takes them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import StreamingResponse

from vivienne.changes.turns import Turns
from vivienne.record.reading.exporting import write_export

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence

    from vivienne.record.reading.exporting import ExportFormat
    from vivienne.record.reading.query import DecisionQuery
    from vivienne.record.reading.view import RecordView
    from vivienne.wire.record import ExportPiece, ExportRow

_R = TypeVar("_R")
_MEDIA_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_AT_ONCE, _MOST_WAITING = 2, 8
"""Exports that are written at once, and those of one caller that may wait."""
_PARTS_AHEAD = 4
"""Parts that are written before the client has taken them."""
_STALLED_SECONDS = 60.0
"""Longest time for a client to take a part, and for the record to give a piece."""


class Exports:
    """Answers with exports, a few at once; the callers take turns.

    Args:
        record: has the decisions.
    """

    def __init__(self, record: RecordView) -> None:
        self._record = record
        self._turns = Turns(at_once=_AT_ONCE, most_waiting=_MOST_WAITING)

    async def answer(self, form: ExportFormat, query: DecisionQuery, name: str, *, whose: str) -> StreamingResponse:
        """The answer with an export.

        Args:
            form: its format.
            query: what is wanted.
            name: of the file, without its ending.
            whose: key of the caller.

        Raises:
            VivienneError: see `RecordView`; of the first piece, before anything is sent.
        """
        first = await self._record.rows(query, whose=whose)
        headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
        parts = self._parts(form, query, first, whose)
        return StreamingResponse(parts, headers=headers, media_type=_MEDIA_TYPES[form])

    async def _parts(
        self, form: ExportFormat, query: DecisionQuery, first: ExportPiece, whose: str
    ) -> AsyncIterator[bytes]:
        async with self._turns.turn(whose):
            writing = _Writing(self._record, query, first, whose)
            try:
                writing.begin(form)
                while (part := await writing.part()) is not None:
                    yield part
            finally:
                writing.end()


class _GivenUp(Exception):  # nothing is wrong
    """Nobody takes the export any longer."""


class _Writing:
    """One export, written by a thread of its own.

    Args:
        record: has the decisions.
        query: what is wanted.
        first: the first piece.
        whose: key of the caller.
    """

    def __init__(self, record: RecordView, query: DecisionQuery, first: ExportPiece, whose: str) -> None:
        self._record = record
        self._query = query
        self._first = first
        self._whose = whose
        self._loop = asyncio.get_running_loop()
        self._parts: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(_PARTS_AHEAD)
        self._is_given_up = False

    def begin(self, form: ExportFormat) -> None:
        """Begin to write."""
        Thread(target=self._write, args=(form,), name="export", daemon=True).start()

    async def part(self) -> bytes | None:
        """The next part; None at the end.

        Raises:
            VivienneError: the record cannot be read any longer. The answer breaks off, so the client sees that.
        """
        part = await self._parts.get()
        if isinstance(part, BaseException):
            raise part
        return part

    def end(self) -> None:
        """Let the thread end, whatever it is at."""
        self._is_given_up = True
        while not self._parts.empty():
            self._parts.get_nowait()

    def _write(self, form: ExportFormat) -> None:
        """Run in the thread."""
        try:
            write_export(form, self._pieces(), self._put)
            self._put(None)
        except _GivenUp:
            pass
        except BaseException as error:  # noqa: BLE001  # who waits for the next part gets it
            self._put(error)

    def _pieces(self) -> Iterator[Sequence[ExportRow]]:
        piece, left = self._first, self._query.limit
        while True:
            rows = piece["rows"] if left is None else piece["rows"][:left]
            left = None if left is None else left - len(rows)
            yield rows
            if piece["next"] is None or left == 0:
                return
            following = self._record.rows(replace(self._query, begin=piece["next"]), whose=self._whose)
            piece = self._awaited(following)

    def _put(self, part: bytes | BaseException | None) -> None:
        self._awaited(self._parts.put(part))

    def _awaited(self, wanted: Coroutine[Any, Any, _R]) -> _R:
        """The outcome of a coroutine that the event loop runs."""
        if self._is_given_up:
            wanted.close()
            raise _GivenUp
        running = asyncio.run_coroutine_threadsafe(wanted, self._loop)
        try:
            return running.result(_STALLED_SECONDS)
        except TimeoutError:
            running.cancel()
            raise _GivenUp from None
