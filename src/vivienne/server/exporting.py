"""Exports over HTTP: written by a thread, and sent in pieces as fast as the client takes them."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import CancelledError
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import StreamingResponse

from vivienne.changes.turns import Turns
from vivienne.errors import AgentUnavailable, TooManyRequests, VivienneError
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
_AT_ONCE, _MOST_OPEN, _MOST_WAITING = 2, 8, 8
"""Exports of which a piece is made at once; those that are sent, of one caller one; and those of one that may wait."""
_WAIT_SECONDS = 60.0
"""Longest time for an export to wait for its turn."""
_PATIENCE_SECONDS, _SAFE_SECONDS = 5.0, 30.0
"""If one has waited for so long, the slowest of those that were sent for so long is broken off."""
_PARTS_AHEAD = 1
"""Parts that are written before the client has taken them. With its rows, an export has a few megabytes."""
_STALLED_SECONDS = 60.0
"""Longest time for the record to give a piece. The connection sees to it that its client reads."""


class Exports:
    """Answers with exports. A few are made at once, a piece of each in turn; while a client reads, others have theirs.

    Args:
        record: has the decisions.
    """

    def __init__(self, record: RecordView) -> None:
        self._record = record
        self._making = Turns(at_once=_AT_ONCE)
        self._open = Turns(at_once=_MOST_OPEN)
        self._own: dict[str, Turns] = {}
        """By caller, while it has an export."""
        self._sent: set[_Export] = set()

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
            place = _Place(self._making, whose)
            opened.callback(place.leave)
            await self._wait(opened, place, whose)
            writing = _Writing(self._record, query, await self._record.rows(query, whose=whose), whose, place)
            opened.callback(writing.end)
            writing.begin(form)
            first = await writing.part()
        except BaseException:
            await opened.aclose()
            raise
        headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
        export = _Export(writing, first, opened, headers, MEDIA_TYPES[form])
        self._sent.add(export)
        opened.callback(self._sent.discard, export)
        return export

    async def _wait(self, opened: AsyncExitStack, place: _Place, whose: str) -> None:
        """Wait for the turn of an export, which ends with the stack."""
        own = self._own.setdefault(whose, Turns(most_waiting=_MOST_WAITING))
        opened.callback(self._forget, whose)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await opened.enter_async_context(own.turn(whose))
                await self._opens(opened, whose)
                await place.take()
        except TimeoutError:
            raise TooManyRequests(
                f"Other exports were written for {_WAIT_SECONDS:g} s; retry in a minute", retry_after=60.0
            ) from None

    async def _opens(self, opened: AsyncExitStack, whose: str) -> None:
        """Wait until another one may be sent. Who reads slowly does not keep others waiting."""
        patience = asyncio.create_task(self._lose_patience(), name="patience with slow exports")
        try:
            await opened.enter_async_context(self._open.turn(whose))
        finally:
            patience.cancel()

    async def _lose_patience(self) -> None:
        await asyncio.sleep(_PATIENCE_SECONDS)
        while not self._break_off_slowest():  # noqa: ASYNC110  # none is old enough yet
            await asyncio.sleep(1.0)

    def _break_off_slowest(self) -> bool:
        now = monotonic()
        slow = [each for each in self._sent if now - each.begun >= _SAFE_SECONDS]
        if slow:
            min(slow, key=lambda each: each.taken / (now - each.begun + 1e-9)).break_off()
        return bool(slow)

    def _forget(self, whose: str) -> None:
        own = self._own.get(whose)
        if own is not None and own.are_free:
            del self._own[whose]


class _Place:
    """The place among the exports of which a piece is made. It is left while a client reads.

    Args:
        turns: for it.
        whose: key of the caller.
    """

    def __init__(self, turns: Turns, whose: str) -> None:
        self._turns = turns
        self._whose = whose
        self._is_held = self._is_left = False

    async def take(self) -> None:
        """Wait for it."""
        await self._turns.take(self._whose)
        if self._is_left:
            self._turns.hand_on()
        else:
            self._is_held = True

    def give_back(self) -> None:
        """Let others have it."""
        if self._is_held:
            self._is_held = False
            self._turns.hand_on()

    def leave(self) -> None:
        """Give it back for good."""
        self._is_left = True
        self.give_back()


class _Export(StreamingResponse):
    """The answer. Its turn ends with it, whether it is sent or not.

    Attributes:
        begun: the `monotonic` moment at which it begins.
        taken: bytes that the client has taken.
    """

    def __init__(
        self, writing: _Writing, first: bytes | None, opened: AsyncExitStack, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(self._parts(writing, first), headers=headers, media_type=media_type)
        self._opened = opened
        self._limit = asyncio.timeout(None)
        self.begun, self.taken = monotonic(), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. If the record cannot be read to its end, it breaks off, so the client sees that."""
        try:
            async with self._opened, self._limit:
                await super().__call__(scope, receive, send)
        except TimeoutError:
            if not self._limit.expired():
                raise
            _broken_off.log("An export was read more slowly than others, which waited; it broke off")
        except VivienneError as error:
            _broken_off.log("An export broke off: %s", error)

    def break_off(self) -> None:
        """End it before all of it is sent."""
        if self._limit.when() is None:
            with suppress(RuntimeError):  # it has not begun to be sent
                self._limit.reschedule(0.0)

    async def _parts(self, writing: _Writing, part: bytes | None) -> AsyncIterator[bytes]:
        while part is not None:
            yield part
            self.taken += len(part)
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
        place: held while a piece is made.
    """

    def __init__(self, record: RecordView, query: DecisionQuery, first: ExportPiece, whose: str, place: _Place) -> None:
        self._place = place
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
        self._place.leave()
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
            piece = self._awaited(following, _STALLED_SECONDS)

    def _put(self, part: bytes | BaseException | None) -> None:
        self._awaited(self._offered(part))
        if isinstance(part, bytes):
            self._awaited(self._place.take())

    async def _offered(self, part: bytes | BaseException | None) -> None:
        """Wait until the client takes a part. Others have the place until then."""
        self._place.give_back()
        await self._parts.put(part)

    def _awaited(self, wanted: Coroutine[Any, Any, _R], seconds: float | None = None) -> _R:
        """The outcome of a coroutine that the event loop runs.

        Raises:
            VivienneError: what it raises, or it takes too long.
        """
        if self._is_given_up:
            wanted.close()
            raise _GivenUp
        try:
            running = asyncio.run_coroutine_threadsafe(wanted, self._loop)
        except RuntimeError:  # the program ends
            wanted.close()
            raise _GivenUp from None
        try:
            return running.result(seconds)
        except TimeoutError:
            running.cancel()
            raise AgentUnavailable(f"The record gave no further decisions within {_STALLED_SECONDS:g} s") from None
        except CancelledError:
            raise _GivenUp from None
