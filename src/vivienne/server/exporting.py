"""Exports over HTTP: written by a thread, and sent in pieces as fast as the client takes them."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import CancelledError
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import StreamingResponse

from vivienne.changes.turns import Turns
from vivienne.errors import TooManyRequests, VivienneError
from vivienne.rates import Quota
from vivienne.record.reading.exporting import write_export

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence

    from starlette.types import Receive, Scope, Send

    from vivienne.record.reading.exporting import ExportFormat
    from vivienne.record.reading.query import DecisionQuery
    from vivienne.record.reading.view import RecordView
    from vivienne.wire.record import ExportPiece, ExportRow

_broken_off = Quota(logging.getLogger(__name__), logging.WARNING)
_R = TypeVar("_R")
MEDIA_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_AT_ONCE, _MOST_WAITING = 2, 8
"""Exports that are written at once, of one caller one; and those of one caller that may wait."""
_WAIT_SECONDS = 60.0
"""Longest time for an export to wait for its turn."""
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
        self._turns = Turns(at_once=_AT_ONCE)
        self._own: dict[str, Turns] = {}
        """By caller, while it has an export."""

    async def answer(self, form: ExportFormat, query: DecisionQuery, name: str, *, whose: str) -> StreamingResponse:
        """The answer with an export; nothing is sent before its first part is there.

        Args:
            form: its format.
            query: what is wanted.
            name: of the file, without its ending.
            whose: key of the caller.

        Raises:
            TooManyRequests: the caller waits for too many, or waited for too long.
            VivienneError: see `RecordView`; of the first piece.
        """
        opened = AsyncExitStack()
        try:
            await self._wait(opened, whose)
            writing = _Writing(self._record, query, await self._record.rows(query, whose=whose), whose)
            opened.callback(writing.end)
            writing.begin(form)
            first = await writing.part()
        except BaseException:
            await opened.aclose()
            raise
        headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
        return _Export(writing, first, opened, headers, MEDIA_TYPES[form])

    async def _wait(self, opened: AsyncExitStack, whose: str) -> None:
        """Wait for the turn of an export, which ends with the stack."""
        own = self._own.setdefault(whose, Turns(most_waiting=_MOST_WAITING))
        opened.callback(self._forget, whose)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await opened.enter_async_context(own.turn(whose))
                await opened.enter_async_context(self._turns.turn(whose))
        except TimeoutError:
            raise TooManyRequests(
                f"Other exports were written for {_WAIT_SECONDS:g} s; retry in a minute", retry_after=60.0
            ) from None

    def _forget(self, whose: str) -> None:
        own = self._own.get(whose)
        if own is not None and own.are_free:
            del self._own[whose]


class _Export(StreamingResponse):
    """The answer. Its turn ends with it, whether it is sent or not."""

    def __init__(
        self, writing: _Writing, first: bytes | None, opened: AsyncExitStack, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(self._parts(writing, first), headers=headers, media_type=media_type)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. If the record cannot be read to its end, it breaks off, so the client sees that."""
        try:
            async with self._opened:
                await super().__call__(scope, receive, send)
        except VivienneError as error:
            _broken_off.log("An export broke off: %s", error)

    @staticmethod
    async def _parts(writing: _Writing, part: bytes | None) -> AsyncIterator[bytes]:
        while part is not None:
            yield part
            part = await writing.part()


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
            with suppress(_GivenUp):
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
        try:
            running = asyncio.run_coroutine_threadsafe(wanted, self._loop)
        except RuntimeError:  # the program ends
            wanted.close()
            raise _GivenUp from None
        try:
            return running.result(_STALLED_SECONDS)
        except (TimeoutError, CancelledError):
            running.cancel()
            raise _GivenUp from None
