"""The writer: makes changes one after the other, each on top of the newest revision.

Several processes may share a store. Each plans on what it has followed and appends the next version; if another one was
first, it catches up and plans again, so every version is planned on the one before it. For the same reason a change is
not refused before the store was asked for newer revisions.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from vivienne.changes.plan import Prepared
from vivienne.changes.turns import Turns
from vivienne.errors import ChangeRefused, NotStored, RequestIdReused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vivienne.access.budget import TimeBudgets
    from vivienne.access.caller import Caller
    from vivienne.changes.alerts.requests import AlertRequest
    from vivienne.changes.counting import ChangeCounts
    from vivienne.changes.ledger import Ledger
    from vivienne.changes.plan import AnswerT
    from vivienne.changes.requests import ChangeRequest, SeveralRequest, SwitchRequest, UndoRequest
    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreThread
    from vivienne.wire.alert import AlertChanged
    from vivienne.wire.answers import Acknowledgement, Replaced, Switched

_log = logging.getLogger(__name__)
_RequestT = TypeVar("_RequestT", "ChangeRequest", "SeveralRequest", "UndoRequest", "AlertRequest")

MOST_WAITING, _MOST_IN_ALL = 256, 1024
"""Changes of one caller, and of all, that may wait for their turn; more are refused at once."""
_MOST_COUNTED = MOST_WAITING // 2
"""A change of several assets counts as so many changes, at most."""
STORE_TIMEOUT = 10.0
"""Seconds a caller waits for the store."""
CONTENTION_SECONDS = 8.0
"""Of them, those in which a change is planned again when other processes were first."""
DOUBT_SECONDS = 1.0
"""Seconds between two questions to a store of which it is not known whether it took a change."""


class Writer:
    """Makes changes in turns. Nothing else appends revisions.

    Args:
        store: where former answers are looked up.
        thread: in which the store is used.
        ledger: appends and follows; used within a turn only.
        counts: of what became of changes.
    """

    def __init__(self, store: RevisionStore, thread: StoreThread, ledger: Ledger, counts: ChangeCounts) -> None:
        self._store = store
        self._thread = thread
        self._ledger = ledger
        self._counts = counts
        self.charge: Callable[[Caller, int], None] | None = None
        """Called with the bytes that a change took in the store, and who asked for it."""
        self.budgets: TimeBudgets | None = None
        """Of the time of callers; changes are charged to them, and wait for it where they come in."""
        self._planning, self._turns = Turns(), Turns()
        self._waiting: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._settling: asyncio.Task[None] | None = None
        self._tells: asyncio.Task[None] | None = None

    async def write(
        self,
        prepare: Callable[[], Awaitable[Prepared[AnswerT]]],
        channel: str,
        whose: str,
        *,
        ahead: Callable[[], Awaitable[None]] | None = None,
        layers: int = 1,
        is_urgent: bool = False,
    ) -> AnswerT:
        """Make a change in its turn, in a task of its own; wait for the store no longer than `STORE_TIMEOUT`.

        With `is_urgent`, `told` is not waited for.

        Args:
            prepare: plans the change on top of what is in force; called again when another process was first.
            channel: how the change came in.
            whose: the caller who asks for it: the callers take turns, and its time is charged.
            ahead: what of the planning is done before, so that the turn is short: pauses wait for it.
            layers: how many it changes; as so many changes it counts while it waits.
            is_urgent: it goes before changes that wait, as many as they are.

        Raises:
            ChangeRefused: what `prepare` raises. `NotStored` may leave open whether the change was made.
        """
        task = self.begin(prepare, channel, whose, ahead=ahead, layers=layers, is_urgent=is_urgent)
        try:
            async with asyncio.timeout(STORE_TIMEOUT):
                answer = await asyncio.shield(task)
        except TimeoutError:
            raise NotStored(
                f"The store did not answer within {STORE_TIMEOUT:g} s; the change may still be made. Send it again "
                "with the same request_id to find out, or look at the history"
            ) from None
        finally:
            del task  # it refers to what it raised, and the traceback of that to this frame
        if not is_urgent:
            await self.told()
        return answer

    def begin(
        self,
        prepare: Callable[[], Awaitable[Prepared[AnswerT]]],
        channel: str,
        whose: str,
        *,
        ahead: Callable[[], Awaitable[None]] | None = None,
        layers: int = 1,
        is_urgent: bool = False,
    ) -> asyncio.Task[AnswerT]:
        """Begin a change as `write` does. The returned task makes the change even if nobody waits for it.

        Raises:
            NotStored: too many changes wait.
        """
        layers = min(layers, _MOST_COUNTED)
        with self._counts.refusals(channel):
            more = 2 if is_urgent else 1
            if self._waiting[whose] + layers > more * MOST_WAITING or len(self._under_way) >= more * _MOST_IN_ALL:
                raise NotStored(f"The limit of {MOST_WAITING} waiting changes is reached; retry in a moment")
        self._waiting[whose] += layers
        task = asyncio.create_task(self._charged(whose, prepare, channel, ahead, is_urgent=is_urgent))
        self._under_way.add(task)
        task.add_done_callback(partial(self._finished, whose, layers))
        return task

    async def catch_up(self) -> bool:
        """Put in force what other processes have appended; tell whether there was anything.

        Raises:
            StoreUnavailable: not all of it could be read.
        """
        try:
            async with self._turns.turn(is_urgent=True):  # pauses of other processes come this way
                return await self._ledger.catch_up()
        finally:
            await self.told()

    async def told(self, *, is_urgent: bool = False) -> None:
        """See `Telling.told`. Not called within a turn, because pauses would wait for it."""
        await self._ledger.telling.told(is_urgent=is_urgent)

    async def follow(self) -> None:
        """Put in force what is in the store. Called within a turn.

        Raises:
            StoreUnavailable: not all of it could be read.
        """
        await self._ledger.catch_up()

    async def write_once(
        self,
        request: _RequestT,
        prepare: Callable[[_RequestT], Awaitable[Prepared[AnswerT]]],
        ahead: Callable[[], Awaitable[None]],
        *,
        layers: int = 1,
    ) -> AnswerT:
        """Make the change of a request, unless the same request was answered before. See `write`."""

        async def once() -> Prepared[AnswerT]:
            earlier = await self.answered_before(request)
            if earlier is not None:
                return Prepared(answer=cast("AnswerT", earlier))  # an earlier request was of the same type
            return await prepare(request)

        return await self.write(once, request.channel, request.caller.key, ahead=ahead, layers=layers)

    @overload
    async def answered_before(self, request: ChangeRequest) -> Acknowledgement | None: ...
    @overload
    async def answered_before(self, request: SwitchRequest) -> Switched | None: ...
    @overload
    async def answered_before(self, request: SeveralRequest | UndoRequest) -> Replaced | None: ...
    @overload
    async def answered_before(self, request: AlertRequest) -> AlertChanged | None: ...
    async def answered_before(
        self, request: ChangeRequest | SwitchRequest | SeveralRequest | UndoRequest | AlertRequest
    ) -> Acknowledgement | Switched | Replaced | AlertChanged | None:
        """The answer to an earlier request with the same `request_id`, None if there was none. Called within a turn.

        The digest has the type of the request, so the earlier one was of the same type.

        Raises:
            RequestIdReused: the earlier request asked for something else, or its answer was removed.
            StoreUnavailable: it could not be looked up.
        """
        if request.request_id is None:
            return None
        earlier = await self._thread.run(self._store.by_request_id, request.requester, request.request_id)
        if earlier is None:
            return None
        if earlier.request_digest != request.digest():
            raise RequestIdReused(
                f"The request_id {request.request_id!r} was used for another change (version {earlier.version}); "
                "give every change its own",
                path="request_id",
            )
        if earlier.answer is None:
            raise RequestIdReused(
                f"The request_id {request.request_id!r} was used for this change (version {earlier.version}, of "
                f"{earlier.created_at}). Its answer is no longer kept, and it is not made again; give every change its "
                "own",
                path="request_id",
            )
        if earlier.version > self._ledger.version:  # made by another process, and in force here before it is answered
            await self._ledger.catch_up()
        return earlier.answer

    async def close(self, seconds: float) -> None:
        """Give the changes under way so many seconds to finish."""
        for task in (self._settling, self._tells):
            if task is not None:
                task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    async def _charged(
        self,
        whose: str,
        prepare: Callable[[], Awaitable[Prepared[AnswerT]]],
        channel: str,
        ahead: Callable[[], Awaitable[None]] | None,
        *,
        is_urgent: bool,
    ) -> AnswerT:
        with self._counts.refusals(channel):
            if is_urgent:
                return await self._write(whose, prepare, channel, monotonic(), is_urgent=True)
            writing = self._planned(whose, prepare, channel, ahead)
            return await (writing if self.budgets is None else self.budgets.charging(whose, writing))

    async def _planned(
        self,
        whose: str,
        prepare: Callable[[], Awaitable[Prepared[AnswerT]]],
        channel: str,
        ahead: Callable[[], Awaitable[None]] | None,
    ) -> AnswerT:
        """Plan and write a change, one at a time; a pause may come between, for the turn is taken after the plan."""
        asked_at = monotonic()
        async with self._planning.turn(whose):
            if ahead is not None:
                await ahead()
            return await self._write(whose, prepare, channel, asked_at, is_urgent=False)

    async def _write(
        self,
        whose: str,
        prepare: Callable[[], Awaitable[Prepared[AnswerT]]],
        channel: str,
        asked_at: float,
        *,
        is_urgent: bool,
    ) -> AnswerT:
        async with self._turns.turn(whose, is_urgent=is_urgent):
            try:
                await self._ledger.settle_doubt()
                prepared = await self._write_on_the_newest(prepare, asked_at)
            except StoreUnavailable as error:
                raise NotStored(f"Nothing was changed: {error}") from error
        self._counts.answered(channel, made=bool(prepared.revisions))
        if self.charge is not None and prepared.caller is not None:
            self.charge(prepared.caller, sum(revision.size() for revision in prepared.revisions))
        return prepared.answer

    async def _write_on_the_newest(
        self, prepare: Callable[[], Awaitable[Prepared[AnswerT]]], asked_at: float
    ) -> Prepared[AnswerT]:
        """Plan and append, again after each time that another process was first."""
        is_fresh = not self._store.is_shared
        while True:
            try:
                prepared = await prepare()
            except ChangeRefused:
                if is_fresh or not await self._ledger.catch_up():
                    raise
            else:
                if prepared.caller is not None:  # the last moment before it is stored
                    prepared.caller.check()
                if not prepared.revisions:  # "nothing to change" is said of the newest revision only
                    if is_fresh or not await self._ledger.catch_up():
                        return prepared
                else:
                    if await self._append(prepared, asked_at):
                        return prepared
                    await self._ledger.catch_up()
            is_fresh = True
            if monotonic() > asked_at + CONTENTION_SECONDS:
                raise NotStored(f"Nothing was changed: other processes were first for {CONTENTION_SECONDS:g} s; retry")

    async def _append(self, prepared: Prepared[Any], asked_at: float) -> bool:
        try:
            return await self._ledger.append(prepared, asked_at)
        finally:
            if self._ledger.is_in_doubt and (self._settling is None or self._settling.done()):
                self._settling = asyncio.create_task(self._settle_later(), name="settle doubt")

    async def _settle_later(self) -> None:
        """Ask the store until it answers, so that the outcome is known without another change."""
        while self._ledger.is_in_doubt:
            await asyncio.sleep(DOUBT_SECONDS)
            async with self._turns.turn():
                try:
                    await self._ledger.settle_doubt()
                except StoreUnavailable:
                    continue
                except Exception:  # noqa: BLE001  # it is asked again as long as there is doubt
                    _log.exception("Failed to find out whether a change was stored; trying again")
            await self.told()

    def _finished(self, whose: str, layers: int, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        self._waiting[whose] -= layers
        if not self._waiting[whose]:
            del self._waiting[whose]
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, ChangeRefused):
            _log.error("A change failed", exc_info=error)
        if self._tells is None or self._tells.done():  # also when whoever asked has gone
            telling = self.told()
            charged = telling if self.budgets is None else self.budgets.charging(whose, telling)
            self._tells = asyncio.create_task(charged, name="tell of changes")
