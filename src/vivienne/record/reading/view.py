"""The view of the record that the web application uses; this process keeps it, or agents elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from vivienne.agent.decision import NO_CAP
from vivienne.agent.schema import Configuration
from vivienne.errors import NotRecorded
from vivienne.record.reading import answers
from vivienne.record.reading import judged as judging
from vivienne.record.reading.changed import Answers
from vivienne.record.reading.older_bars import InForce
from vivienne.record.reading.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.record.reader import RecordReader
    from vivienne.record.reading.judged import Judged
    from vivienne.record.reading.judging_query import JudgingQuery
    from vivienne.record.reading.query import DecisionQuery
    from vivienne.record.reading.thread import ReadingThread
    from vivienne.wire.chart import ChartBar
    from vivienne.wire.record import DecisionPage, DecisionRecord, ExportPiece, SignalPage

_R = TypeVar("_R")
_OFF = "Nothing is recorded here, because the program runs with --record off"
DEFAULTS = InForce(Configuration(), NO_CAP)


class RecordView(Protocol):
    """What was recorded of the market that is decided now.

    Every method may raise `NotRecorded` without a record, `RecordUnavailable` if it cannot be read, `AgentUnavailable`
    if the agent that has it does not answer, and `TooManyRequests` if the caller waits for too many answers already.
    `whose` is the key of the caller: the callers take turns.
    """

    async def decisions(self, asset: str, query: DecisionQuery, *, whose: str = "") -> DecisionPage:
        """A page of the decisions on one asset, newest first."""

    async def signals(self, query: DecisionQuery, *, whose: str = "") -> SignalPage:
        """A page of the decisions on all assets, newest first; entries only, unless the query names a level."""

    async def explained(self, asset: str, time: int, *, whose: str = "") -> DecisionRecord:
        """The whole explanation of the decision on the bar in which a time is, ms since the epoch.

        Raises:
            UnknownDecision: there is none.
        """

    async def rows(self, query: DecisionQuery, *, whose: str = "") -> ExportPiece:
        """Decisions with all columns, oldest first: a part of them, from `begin` of the query on."""

    async def bars(self, asset: str, before: int, limit: int, *, whose: str = "") -> list[ChartBar]:
        """The newest recorded bars that open before a time, at most `limit`, oldest first."""

    async def judged(self, query: JudgingQuery, *, whose: str = "") -> Judged:
        """What came of decisions.

        Raises:
            UnknownDecision: nothing of that was recorded.
        """


class LocalRecord:
    """The record of this process; see `RecordView`.

    Args:
        thread: reads it, and another one judges; None without a record.
        scope: what of it is meant.
        in_force: by asset, what decides it now.
    """

    def __init__(
        self, thread: ReadingThread | None, scope: Scope, in_force: Callable[[str], InForce] = lambda _: DEFAULTS
    ) -> None:
        self._thread = thread
        # Nothing else waits for judging, which may take seconds, nor for the rest after it.
        self._judging = None if thread is None else thread.another()
        self._answers = Answers()
        self._scope = scope
        self._in_force = in_force

    async def decisions(self, asset: str, query: DecisionQuery, *, whose: str = "") -> DecisionPage:
        """See `RecordView`."""
        return await self._read(partial(answers.decisions, scope=self._scope, asset=asset, query=query), whose)

    async def signals(self, query: DecisionQuery, *, whose: str = "") -> SignalPage:
        """See `RecordView`."""
        return await self._read(partial(answers.signals, scope=self._scope, query=query), whose)

    async def explained(self, asset: str, time: int, *, whose: str = "") -> DecisionRecord:
        """See `RecordView`."""
        return await self._read(partial(answers.explanation, scope=self._scope, asset=asset, time=time), whose)

    async def rows(self, query: DecisionQuery, *, whose: str = "") -> ExportPiece:
        """See `RecordView`."""
        return await self._read(partial(answers.rows, scope=self._scope, query=query), whose)

    async def bars(self, asset: str, before: int, limit: int, *, whose: str = "") -> list[ChartBar]:
        """See `RecordView`."""
        call = partial(
            answers.bars, scope=self._scope, asset=asset, before=before, limit=limit, now=self._in_force(asset)
        )
        return await self._read(call, whose)

    async def judged(self, query: JudgingQuery, *, whose: str = "") -> Judged:
        """See `RecordView`."""
        call = partial(judging.judged, scope=self._scope, query=query, answers=self._answers)
        if self._judging is None:
            raise NotRecorded(_OFF)
        return await self._judging.compute(call, whose)

    async def _read(self, call: Callable[[RecordReader], _R], whose: str) -> _R:
        if self._thread is None:
            raise NotRecorded(_OFF)
        return await self._thread.read(call, whose)


NO_RECORD = LocalRecord(None, Scope("", ""))
"""The view of a process that records nothing."""
