"""Records every decision, off the event loop, and says when it cannot."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.errors import RecordUnavailable
from vivienne.metrics.registry import Sample
from vivienne.record import sessions
from vivienne.record.database import open_record
from vivienne.record.forgetting import Forgetting
from vivienne.record.pruning import Pruning
from vivienne.record.waiting import MOST_WAITING, Entry, Waiting
from vivienne.record.writing import Writing
from vivienne.record.written import Written
from vivienne.times import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from vivienne.live.asset import DecisionMade
    from vivienne.metrics.registry import Metrics
    from vivienne.record.database import RecordDatabase
    from vivienne.record.sessions import Process, RunKey, Session
    from vivienne.record.waiting import Lost
    from vivienne.record.writing import Markets
    from vivienne.store.address import PostgresUrl

_log = logging.getLogger(__name__)

TOGETHER_SECONDS = 0.25
"""Time for which decisions are collected before they are written together."""
MOST_TOGETHER, MOST_AT_FIRST = 500, 20
"""Decisions that are written in one transaction. The first one of an asset may bring 1,500 bars."""
_FIRST_PRUNE_SECONDS, PRUNE_SECONDS, _STEP_SECONDS = 60.0, 600.0, 0.02
"""Time until the first look for rows that are too old, between two looks, and between two slices of them."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_SLOW_SECONDS = 10.0
"""Time after which a write that has not ended is a trouble."""
_END_SECONDS = 5.0
"""Longest time that a stop waits for the record."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What is recorded, where.

    Attributes:
        where: a file, or the PostgreSQL database of the configuration.
        run: the course of market time.
        process: this one.
        market: the bars.
        keep: how long decisions are kept.
    """

    where: Path | PostgresUrl
    run: RunKey
    process: Process
    market: Markets
    keep: timedelta = timedelta(days=365)


class Recorder:
    """Takes decisions on the event loop, and writes them in a thread of its own.

    Nothing waits for it: while the record cannot be written, decisions wait here, and those that find no room are
    counted and leave a gap.

    Args:
        recording: what is recorded, where.
        metrics: show what is counted.
        is_silent: tells that decisions are not to be recorded, because this process was replaced.

    Attributes:
        recording: what is recorded, where.
        waiting: decisions that are not written yet.
        written: number of decisions that were written.
        failures: number of times that something could not be written.
    """

    def __init__(self, recording: Recording, metrics: Metrics, is_silent: Callable[[], bool] = lambda: False) -> None:
        self.recording = recording
        self._is_silent = is_silent
        self._duration = metrics.histogram("vivienne_record_write_duration_seconds")
        self._database: RecordDatabase | None = None
        self._session: Session | None = None
        self._watch = sessions.Watch()
        self._known = Written(recording.market.timeframe.milliseconds)
        self._writing: Writing | None = None
        self._is_to_end = Event()
        self._reason: str | None = None
        self._begun: float | None = None
        self._said_alive = 0.0
        self._steps: Iterator[int] | None = None
        self._forgetting = Forgetting()
        self._taken_out = 0
        self._prune_at = monotonic() + _FIRST_PRUNE_SECONDS
        self.waiting = Waiting()
        self.written = self.failures = 0
        metrics.source(self._samples)

    def take(self, made: DecisionMade) -> None:
        """Take a decision that is to be recorded; a listener of the market."""
        if self._is_silent():
            return
        active = made.active
        self.waiting.put(
            Entry(
                made.asset, made.decision, active.version, active.document, active.pause is not None, made.status,
                made.basis, _now(),
            )
        )  # fmt: skip

    @property
    def trouble(self) -> str | None:
        """Why decisions are not recorded; None while they are."""
        if self._reason is not None:
            return f"{self._reason}; {len(self.waiting)} decisions wait, {self.waiting.lost} are lost"
        begun, waiting = self._begun, len(self.waiting)
        if begun is not None and monotonic() - begun > _SLOW_SECONDS:
            return f"The record is slow: a write lasts for {monotonic() - begun:.0f} s, and {waiting} decisions wait"
        if waiting > MOST_WAITING / 2:
            return f"The record is slow: {waiting} decisions wait"
        return None

    async def run(self) -> None:
        """Record until cancelled; then write what is left."""
        self._is_to_end.clear()
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            try:
                self._work()
            finally:
                with suppress(RuntimeError):  # the loop is closed: nobody waited for as long
                    loop.call_soon_threadsafe(ended.set)

        # Not one that the end of the program waits for: a disk that hangs would hold it up for ever.
        Thread(target=work, name="record", daemon=True).start()
        try:
            await ended.wait()
            raise RuntimeError("the thread of the record has ended")
        finally:
            self._is_to_end.set()
            self.waiting.there.set()
            try:
                async with asyncio.timeout(_END_SECONDS):
                    await ended.wait()
            except TimeoutError:
                _log.warning(
                    "The record was not written within %g s; %d decisions are left out, and the next start marks them",
                    _END_SECONDS, len(self.waiting),
                )  # fmt: skip

    def _work(self) -> None:
        """Write what comes, until the end; the thread of the record."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            is_last = self._is_to_end.is_set()
            try:
                self.write_all(is_last=is_last)
                self._prune()
                pause = _FIRST_PAUSE_SECONDS
            except RecordUnavailable as error:
                self._fail(error)
                self._is_to_end.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                self._wait()
            if is_last:
                self.let_go()
                return

    def _wait(self) -> None:
        """Wait for decisions, and for more that come with them; at most until it is time to say that all is well."""
        if not self.waiting and not self._is_to_end.is_set():
            self.waiting.there.clear()
            if not self.waiting and self.waiting.there.wait(sessions.ALIVE_SECONDS):
                self._is_to_end.wait(TOGETHER_SECONDS)

    def write_all(self, *, is_last: bool = False) -> None:
        """Write everything that waits; the thread of the record calls it.

        Args:
            is_last: whether the process ends.

        Raises:
            RecordUnavailable: something cannot be written. It waits again.
        """
        self._open()
        while self.waiting:
            self._write_some()
        if self._is_to_say_alive() or self.waiting.has_lost:
            self._write_some()
        if self._reason is not None:  # only now: on a disk that is nearly full a few of them fit
            self._reason = None
            _log.info("Decisions are recorded again; %d of them were lost", self.waiting.lost)
        if is_last and self._database is not None and self._session is not None:
            with self._database.transaction() as connection:
                sessions.end(connection, self._session, _now())

    def _is_to_say_alive(self) -> bool:
        """Tell whether it is time to write that this process is alive."""
        return monotonic() - self._said_alive > sessions.ALIVE_SECONDS

    def _prune(self) -> None:
        """Take out what is too old, as long as no decision waits."""
        if monotonic() < self._prune_at or self._database is None or self._session is None:
            return
        pruning = Pruning(self._database, self._session.run_id, self.recording.keep, self._forgetting)
        self._steps = steps = self._steps or pruning.steps()
        try:
            for rows in steps:
                self._taken_out += rows
                if self.waiting or self._is_to_end.wait(_STEP_SECONDS):
                    return
                if self._is_to_say_alive():
                    self._write_some()
        except RecordUnavailable:
            self._steps = None
            raise
        except Exception:  # noqa: BLE001  # whatever a record has in it, decisions are recorded
            _log.exception("What is too old stays in the record: it has what cannot be read")
        if self._taken_out:
            _log.info(
                "%d old rows were taken out of the record: of before --keep, or of earlier replays and simulations",
                self._taken_out,
            )
        self._steps, self._taken_out, self._prune_at = None, 0, monotonic() + PRUNE_SECONDS

    def _open(self) -> None:
        """Open the record, unless it is open."""
        if self._database is not None:
            return
        recording = self.recording
        self._database = database = open_record(recording.where, "to write")
        with database.transaction() as connection:
            self._session = sessions.begin(
                connection, database, recording.run, recording.process, _now(), self._watch
            )  # fmt: skip
            self._writing = Writing(database, self._session.run_id, self._session.id, recording.market)
            self._look_for_what_was_written(connection, self._writing)
        _log.info("Decisions are recorded in %s", database.name)

    def _look_for_what_was_written(self, connection: Connection, writing: Writing) -> None:
        """Let decisions wait again that were written and are not in the record any more, or count them as lost."""
        again, lost, gaps = self._known.take_missing(connection, writing.segments_of)
        self.waiting.put_back(again)
        self.waiting.lose_written(lost)
        self.waiting.put_back_lost(gaps)
        if again or lost:
            _log.warning(
                "The record has lost decisions that were written, as in a failover: %d are written again, %d are lost",
                len(again),
                sum(each.decisions for each in lost),
            )

    def _write_some(self) -> None:
        """Write the oldest decisions that wait, and gaps for those that were lost, in one transaction."""
        database, session, writing = self._database, self._session, self._writing
        if database is None or session is None or writing is None:
            return
        until = _now()
        entries = self.waiting.take(MOST_AT_FIRST if writing.begins else MOST_TOGETHER)
        # What came after it is not written yet. If the process is killed, it is missing from then on.
        until = min(until, self.waiting.oldest() or until)
        lost, begin = self.waiting.take_lost(), monotonic()
        self._begun = begin
        try:
            with database.transaction() as connection:
                writing.add(connection, entries)
                writing.add_gaps(connection, lost, "lost")
                sessions.say_alive(connection, database, session, _now(), self._watch, until)
        except RecordUnavailable:
            self._take_back(entries, lost)
            raise
        except Exception:  # noqa: BLE001  # a defect, which would come again with the same decisions
            _log.critical("%d decisions cannot be recorded", len(entries), exc_info=True)
            for entry in entries:
                self.waiting.lose(entry)
            self._take_back([], lost)
            self._forget()
        else:
            self._succeed(entries, lost, begin)
        finally:
            self._begun = None

    def _take_back(self, entries: list[Entry], lost: list[Lost]) -> None:
        self.waiting.put_back(entries)
        self.waiting.put_back_lost(lost)

    def _succeed(self, entries: list[Entry], lost: list[Lost], begin: float) -> None:
        self.written += len(entries)
        self._known.add(entries, lost)
        self._said_alive = monotonic()
        if entries:
            self._duration.observe(monotonic() - begin)

    def _fail(self, error: RecordUnavailable) -> None:
        """Say why nothing is recorded, once for each reason, and open the record anew next time."""
        self.failures += 1
        if str(error) != self._reason:
            self._reason = str(error)
            _log.error("Decisions are not recorded: %s. It is tried again; decisions go on", error)
        self._said_alive = 0.0
        self.let_go()

    def _forget(self) -> None:
        """Read from the record again what is in it."""
        if self._database is not None and self._session is not None:
            self._writing = Writing(
                self._database, self._session.run_id, self._session.id, self.recording.market
            )  # fmt: skip

    def let_go(self) -> None:
        """Close the record; it is opened again when there is something to write."""
        if self._database is not None:
            self._database.close()
        self._database = self._session = self._writing = self._steps = None

    def _samples(self) -> Iterator[Sample]:
        yield Sample("vivienne_record_decisions_total", (), self.written)
        yield Sample("vivienne_record_decisions_lost_total", (), self.waiting.lost)
        yield Sample("vivienne_record_failures_total", (), self.failures)
        yield Sample("vivienne_record_waiting", (), len(self.waiting))


def _now() -> int:
    return int(now().timestamp() * 1000)
