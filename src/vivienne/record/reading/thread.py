"""A record that is read off the event loop."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from vivienne.errors import RecordUnavailable
from vivienne.live.resting import RestingTurns
from vivienne.rates import Quota
from vivienne.record.database import open_record
from vivienne.record.reader import RecordReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vivienne.record.database import RecordDatabase
    from vivienne.store.address import PostgresUrl

_R = TypeVar("_R")
ANSWER_SECONDS = 15.0
"""Longest time for the record to answer."""
_damaged = Quota(logging.getLogger(__name__), logging.WARNING, most=6)
_MOST_LEFT = 3
"""Calls that may go on although nobody waits for them any longer, because a disk or a database hangs."""


class _Opened:
    """A record that is opened when it is read first, and again after it failed. One thread at a time may use it."""

    def __init__(self, where: Path | PostgresUrl) -> None:
        self._where = where
        self._database: RecordDatabase | None = None
        self._reader: RecordReader | None = None
        self.is_left = False
        """Set once nobody waits for the call that is under way: what it has open is closed at its end."""

    def read(self, call: Callable[[RecordReader], _R]) -> _R:
        try:
            if self._reader is None:
                self._database = open_record(self._where, "to read")
                self._reader = RecordReader(self._database)
            return call(self._reader)
        except RecordUnavailable:
            self.close()
            raise
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            # Whoever may write in the database can write what no column has.
            _damaged.log("The record %s has what cannot be read", self._where, exc_info=error)
            reason = f"has what cannot be read ({type(error).__name__}: {error}); see the log"
            raise RecordUnavailable(str(self._where), reason) from error

    def close(self) -> None:
        database, self._database, self._reader = self._database, None, None
        if database is not None:
            database.close()


class ReadingThread:
    """Reads a record in a thread, one call at a time. The callers take turns, and after each others have as much time.

    Args:
        where: the record.
    """

    def __init__(self, where: Path | PostgresUrl) -> None:
        self._where = where
        self._opened = _Opened(where)
        self._turns = RestingTurns()
        self._left: set[asyncio.Future[Any]] = set()

    def another(self) -> ReadingThread:
        """Another thread that reads the same record; neither waits for the other."""
        return ReadingThread(self._where)

    async def read(self, call: Callable[[RecordReader], _R], whose: str = "") -> _R:
        """The outcome of a call that reads.

        Args:
            call: to make.
            whose: key of the caller.

        Raises:
            RecordUnavailable: the record cannot be read, or does not answer in time.
            TooManyRequests: the caller waits for too many calls already.
        """
        async with self._turns.one(whose):
            if len(self._left) >= _MOST_LEFT:
                reason = f"{len(self._left)} calls have not ended within {ANSWER_SECONDS:g} s and hang"
                raise RecordUnavailable(str(self._where), reason)
            answer: Future[_R] = Future()
            # Not one that the end of the program waits for: a disk that hangs would hold it up for ever.
            Thread(target=_run, args=(self._opened, call, answer), name="record-reader", daemon=True).start()
            running = asyncio.wrap_future(answer)
            running.add_done_callback(_retrieved)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await asyncio.shield(running)
            except TimeoutError:
                self._leave(running)
                reason = f"did not answer within {ANSWER_SECONDS:g} s"
                raise RecordUnavailable(str(self._where), reason) from None
            except asyncio.CancelledError:
                await self._end(running)
                raise

    async def _end(self, running: asyncio.Future[_R]) -> None:
        """Wait for a call that nobody wants any longer: the next one may not begin before."""
        await asyncio.wait([running], timeout=ANSWER_SECONDS)
        self._leave(running)

    def _leave(self, running: asyncio.Future[Any]) -> None:
        """Let a call that has not ended go on, with all that it has open."""
        if not running.done():
            self._opened.is_left = True
            self._opened = _Opened(self._where)
            self._left.add(running)
            running.add_done_callback(self._left.discard)


def _retrieved(running: asyncio.Future[_R]) -> None:
    """Do not complain of errors of a call that nobody wants any longer; others get them."""
    if not running.cancelled():
        running.exception()


def _run(opened: _Opened, call: Callable[[RecordReader], _R], answer: Future[_R]) -> None:
    try:
        answer.set_result(opened.read(call))
    except BaseException as error:  # noqa: BLE001  # the caller gets it
        answer.set_exception(error)
    if opened.is_left:
        opened.close()
