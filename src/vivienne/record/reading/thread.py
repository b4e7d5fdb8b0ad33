"""A record that is read off the event loop."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from functools import partial
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.errors import RecordUnavailable
from vivienne.rates import Quota
from vivienne.record.database import open_record
from vivienne.record.reader import RecordReader
from vivienne.record.reading.pace import GivenUp, SharedTurn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vivienne.record.database import RecordDatabase
    from vivienne.record.reading.pace import Pace
    from vivienne.store.address import PostgresUrl

_R = TypeVar("_R")
ANSWER_SECONDS = 15.0
"""Longest time for the record to answer, without that in which others have their turn."""
_GRACE_SECONDS = 0.5
"""Time for a call that has taken all of its time to end at its next slice."""
_MOST_BEGUN = 8
"""Calls that are begun and go on in turn; each keeps what it has computed."""
_damaged = Quota(logging.getLogger(__name__), logging.WARNING, most=6)
_MOST_LEFT = 3
"""Calls that may go on although nobody waits for them any longer, because a disk or a database hangs."""


class _Opened:
    """A record that is opened when it is read first, and again after it failed. One thread at a time may use it."""

    def __init__(self, where: Path | PostgresUrl) -> None:
        self._where = where
        self._database: RecordDatabase | None = None
        self._reader: RecordReader | None = None
        self._lock = Lock()
        self._users = 0
        self._is_left = False

    def read(self, call: Callable[[RecordReader], _R]) -> _R:
        with self._lock:
            self._users += 1
        try:
            return self._read(call)
        finally:
            with self._lock:
                self._users -= 1
                is_over = self._is_left and not self._users
            if is_over:
                self._close(self._reader)

    def leave(self) -> None:
        """Close at the end of the calls that are under way what they have open: it is used no more."""
        with self._lock:
            self._is_left = True

    def _read(self, call: Callable[[RecordReader], _R]) -> _R:
        reader = self._reader
        try:
            if reader is None:
                self._database = open_record(self._where, "to read")
                reader = self._reader = RecordReader(self._database)
            return call(reader)
        except RecordUnavailable:
            self._close(reader)
            raise
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            # Whoever may write in the database can write what no column has.
            _damaged.log("The record %s has what cannot be read", self._where, exc_info=error)
            reason = f"has what cannot be read ({type(error).__name__}: {error}); see the log"
            raise RecordUnavailable(str(self._where), reason) from error

    def _close(self, reader: RecordReader | None) -> None:
        if reader is self._reader:  # otherwise it was opened again since
            database, self._database, self._reader = self._database, None, None
            if database is not None:
                database.close()


class _Caller:
    """A caller who reads: one call at a time, and after each a rest as long as it took."""

    def __init__(self) -> None:
        self.turns = Turns(most_waiting=MOST_WAITING)
        self.rested = 0.0


class ReadingThread:
    """Reads a record in threads, of which one at a time goes on. The callers take turns, also within a long call.

    After a call its caller rests for as long as it took; others do not wait for that.

    Args:
        where: the record.
    """

    def __init__(self, where: Path | PostgresUrl) -> None:
        self._where = where
        self._opened = _Opened(where)
        self._turns = Turns()
        self._begun = Turns(at_once=_MOST_BEGUN)
        self._callers: dict[str, _Caller] = {}
        self._under_way: set[SharedTurn] = set()
        self._left: set[asyncio.Future[Any]] = set()

    def another(self) -> ReadingThread:
        """Another one that reads the same record; neither waits for the other."""
        return ReadingThread(self._where)

    async def read(self, call: Callable[[RecordReader], _R], whose: str = "") -> _R:
        """The outcome of a call that reads; see `compute`."""
        return await self.compute(lambda reader, _pace: call(reader), whose)

    async def compute(self, call: Callable[[RecordReader, Pace], _R], whose: str = "") -> _R:
        """The outcome of a call that reads and computes.

        Args:
            call: to make. Others have their turn whenever it says that it goes on.
            whose: key of the caller.

        Raises:
            RecordUnavailable: the record cannot be read, or does not answer in time.
            TooManyRequests: the caller waits for too many calls already.
        """
        caller = self._callers.setdefault(whose, _Caller())
        try:
            async with caller.turns.turn(whose):
                await asyncio.sleep(max(0.0, caller.rested - monotonic()))
                async with self._begun.turn(whose):
                    turn = SharedTurn(self._turns, whose, ANSWER_SECONDS)
                    await turn.take()
                    self._under_way.add(turn)
                    try:
                        return await self._computed(call, turn)
                    finally:
                        self._under_way.discard(turn)
                        turn.hand_on()
                        caller.rested = monotonic() + turn.used
        finally:
            self._forget(whose)

    async def _computed(self, call: Callable[[RecordReader, Pace], _R], turn: SharedTurn) -> _R:
        if len(self._left) >= _MOST_LEFT:
            reason = f"{len(self._left)} calls have not ended within {ANSWER_SECONDS:g} s and hang"
            raise RecordUnavailable(str(self._where), reason)
        answer: Future[_R] = Future()
        # Not one that the end of the program waits for: a disk that hangs would hold it up for ever.
        at_pace = partial(_at_pace, call, turn.pace())
        Thread(target=_run, args=(self._opened, at_pace, answer), name="record-reader", daemon=True).start()
        running = asyncio.wrap_future(answer)
        running.add_done_callback(_retrieved)
        try:
            async with turn.limit:
                turn.watch()
                return await asyncio.shield(running)
        except TimeoutError:
            turn.leave()
            await asyncio.wait([running], timeout=_GRACE_SECONDS)
            self._leave(running, turn)
            reason = f"did not answer within {ANSWER_SECONDS:g} s"
            raise RecordUnavailable(str(self._where), reason) from None
        except GivenUp:  # because of a call that hangs
            raise RecordUnavailable(str(self._where), "does not answer") from None
        except asyncio.CancelledError:
            turn.leave()
            await self._end(running, turn)
            raise

    async def _end(self, running: asyncio.Future[_R], turn: SharedTurn) -> None:
        """Wait for a call that nobody wants any longer: the next one may not go on before."""
        await asyncio.wait([running], timeout=ANSWER_SECONDS)
        self._leave(running, turn)

    def _leave(self, running: asyncio.Future[Any], turn: SharedTurn) -> None:
        """Let a call that has not ended go on, with all that it has open. Those that have the same open end."""
        turn.leave()
        if not running.done():
            self._opened.leave()
            self._opened = _Opened(self._where)
            for each in self._under_way:
                each.leave()
            self._left.add(running)
            running.add_done_callback(self._left.discard)

    def _forget(self, whose: str) -> None:
        """Forget callers who have rested and wait for nothing."""
        caller = self._callers.get(whose)
        if caller is None or not caller.turns.are_free:
            return
        rest = caller.rested - monotonic()
        if rest > 0:
            asyncio.get_running_loop().call_later(rest + 0.01, self._forget, whose)
        else:
            del self._callers[whose]


def _retrieved(running: asyncio.Future[_R]) -> None:
    """Do not complain of errors of a call that nobody wants any longer; others get them."""
    if not running.cancelled():
        running.exception()


def _at_pace(call: Callable[[RecordReader, Pace], _R], pace: Pace, reader: RecordReader) -> _R:
    return call(reader, pace)


def _run(opened: _Opened, call: Callable[[RecordReader], _R], answer: Future[_R]) -> None:
    try:
        answer.set_result(opened.read(call))
    except (GivenUp, TimeoutError) as ended:
        # A new one: its own traceback has all that was computed, and would keep it until garbage is collected.
        answer.set_exception(type(ended)(*ended.args))
    except BaseException as error:  # noqa: BLE001  # the caller gets it
        answer.set_exception(error)
