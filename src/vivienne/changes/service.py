"""The only door for change: merge -> validate -> persist -> swap -> tell -> acknowledge.

Changes are made one after the other. What is in force is swapped whole, so an evaluation sees one version, and only
after the revision is on disk. A change that is under way is finished even when its caller has gone.

Several processes may share a store. Each plans on what it has followed and appends the next version; if another one was
first, it catches up and plans again, so every version is planned on the one before it. For the same reason nobody is
refused before the store was asked for newer revisions.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from vivienne.changes.import_plan import plan_replacement, write_up_replacement
from vivienne.changes.in_force import InForce
from vivienne.changes.pause.service import Pausing
from vivienne.changes.plan import Prepared
from vivienne.changes.planning import Planning
from vivienne.changes.writer import Recorder
from vivienne.config.layers import GLOBAL
from vivienne.config.schema import Configuration
from vivienne.errors import ChangeRefused, NotStored, RequestIdReused, StoreUnavailable
from vivienne.metrics.registry import Metrics
from vivienne.store.revision import IMPORT
from vivienne.store.thread import StoreThread
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from datetime import datetime

    from vivienne.changes.active import Active
    from vivienne.changes.pause.state import PauseInForce, Pauses
    from vivienne.changes.plan import Answer, Plan
    from vivienne.changes.requests import Replacement, Request
    from vivienne.errors import Problem
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Change
    from vivienne.wire.answers import (
        Acknowledgement,
        ConfigurationPage,
        HistoryPage,
        Preview,
        Replaced,
        RevisionEntry,
        Switched,
    )

_log = logging.getLogger(__name__)

MOST_WAITING = 256
"""Changes that may wait for their turn; more are refused at once."""
STORE_TIMEOUT = 10.0
"""Seconds a caller waits for the store."""
CONTENTION_SECONDS = 8.0
"""Of them, those in which a change is planned again when others were faster."""
CLOSE_SECONDS = 1.0
"""Seconds that what is under way gets to finish when the service is closed, and then the store."""
FOLLOW_SECONDS = 0.5
"""Between two looks for what others changed, without a hint."""
CHANGES = "vivienne_changes_total"


class ConfigService:
    """Holds what is in force and makes changes.

    Args:
        store: where revisions live; used from one thread of this service only.
        assets: the assets that are decided, upper case.
        clock: the wall clock, for the times of revisions.
        thread: in which the store is used, where others use it in there too.
        metrics: where what happens is counted; others who work with this service count there too.
    """

    def __init__(
        self,
        store: RevisionStore,
        assets: Iterable[str],
        clock: Callable[[], datetime] = now,
        thread: StoreThread | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.assets = tuple(assets)
        self.metrics = metrics or Metrics()
        self._store = store
        self._clock = clock
        self._thread = thread or StoreThread(STORE_TIMEOUT, self.metrics)
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._deaf: str | None = None
        self._hint = asyncio.Event()
        self._in_force = InForce(self.assets, store.heads(), store.active_ids(), store.switches())
        self._planning = Planning(self._in_force, store, self._thread)
        self._recorder = Recorder(store, self._thread, self._in_force, self._turn, self.metrics)
        self._pausing = Pausing(
            self._in_force,
            self._planning,
            store,
            self._thread,
            make=self._ask,
            answered=self._answered_before,
            clock=lambda: written(clock()),
        )
        self.metrics.gauge("vivienne_config_version", lambda: self._in_force.version)

    # What is in force

    def active(self, asset: str | None = None) -> Active:
        """What is in force.

        Args:
            asset: in any case; None for the global layer.

        Raises:
            UnknownTarget: no such asset.
        """
        return self._in_force.active(self._in_force.layer(asset))

    def asset(self, name: str) -> str:
        """The asset of this name, in any case.

        Raises:
            UnknownTarget: there is none.
        """
        return self._in_force.layer(name)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may change what is in force too; then somebody must run `follow`."""
        return self._store.is_shared

    @property
    def ignored(self) -> dict[str, tuple[Problem, ...]]:
        """Layers whose stored configuration is left out, and why."""
        return dict(self._in_force.layers.ignored)

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Be told of every change once it is in force, before it is acknowledged, and in order.

        The listener must not block or raise.
        """
        self._recorder.listeners.append(listener)

    def pauses(self) -> Pauses:
        """What is paused at this moment."""
        return self._in_force.pauses

    def paused(self) -> dict[str, PauseInForce]:
        """By asset, what keeps it idle."""
        found = {asset: self._in_force.active(asset).pause for asset in self.assets}
        return {asset: pause for asset, pause in found.items() if pause is not None}

    def listen_to_held(self, listener: Callable[[], None]) -> None:
        """Be told when a pause comes into force that the store did not take yet, or goes: no change tells of it.

        The listener must not block.
        """
        self._pausing.listeners.append(listener)

    # Asking for change

    async def change(self, request: Request) -> Acknowledgement:
        """Make a change.

        Returns:
            The acknowledgement as it goes to the caller. When it is returned, the revision is on disk and in force.

        Raises:
            ChangeRefused: nothing was stored and nothing is different. `NotStored` may leave open whether it was.
        """
        return await self._ask(partial(self._prepare, request), request.channel)

    async def switch(self, request: Request) -> Switched:
        """Pause or resume.

        Returns:
            The acknowledgement. With the status ``success`` it is on disk and in force. A pause that the store does not
            take is in force in this process all the same, with the status ``not_stored_yet``, and tried again.

        Raises:
            ChangeRefused: nothing is different; `NotStored` only for a resumption.
        """
        return await self._pausing.switch(request)

    async def replace(self, asked: Replacement) -> Replaced:
        """Replace what several layers set, as one change: all of it is in force afterwards, or nothing.

        Raises:
            ChangeRefused: as `change`; each problem has the asset of its layer.
        """
        return await self._ask(partial(self._prepare_replacement, asked), IMPORT)

    async def try_replacement(self, asked: Replacement) -> Replaced:
        """What a replacement would do, without doing it.

        Raises:
            ChangeRefused: what `replace` would raise.
        """
        if self._store.is_shared:
            with suppress(StoreUnavailable):  # then what is known here has to do
                await self.catch_up()
        return plan_replacement(self._in_force.layers, asked).outcome(self._in_force.version, made=False)

    async def validate(self, request: Request) -> Preview:
        """What an update would do, without doing it.

        Raises:
            ChangeRefused: what `change` would raise.
        """
        return self._preview(await self._try_out(request))

    async def candidate(self, asset: str, request: Request) -> tuple[Configuration, Preview]:
        """What an asset would be decided with after an update, and what the update would do; nothing is done.

        Raises:
            ChangeRefused: what `change` would raise.
        """
        plan = await self._try_out(request)
        configuration = Configuration.model_validate(plan.layers.effective(self._in_force.layer(asset)))
        return configuration, self._preview(plan)

    # Looking back

    async def configurations(self, asset: str | None, limit: int, before: int | None) -> ConfigurationPage:
        """Configurations of a layer, or of all with `asset` None, newest first, without deleted ones."""
        layers = None if asset is None else [self._in_force.layer(asset)]
        entries, following = await self._page(layers, limit, before, configurations_only=True)
        return {"configurations": entries, "next": following}

    async def history(self, asset: str | None, limit: int, before: int | None) -> HistoryPage:
        """Everything that happened, newest first; with an asset, all that bears on it, global changes too."""
        layers = None if asset is None else [GLOBAL, self._in_force.layer(asset)]
        entries, following = await self._page(layers, limit, before, configurations_only=False)
        return {"history": entries, "next": following}

    # Following other processes

    async def catch_up(self) -> bool:
        """Put in force what other processes have appended; whether there was anything.

        Raises:
            StoreUnavailable: not all of it could be read.
        """
        async with self._turn:
            return await self._recorder.catch_up()

    def hint(self) -> None:
        """Say that there may be something to catch up with; `follow` looks at once."""
        self._hint.set()

    async def follow(self) -> None:
        """Catch up at every hint and every `FOLLOW_SECONDS`, until cancelled."""
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`, which before Python 3.12 may lose a cancellation that comes with a hint.
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await self._hint.wait()
            self._hint.clear()
            try:
                await self.catch_up()
            except StoreUnavailable as error:
                if self._deaf is None:
                    _log.error("Changes of other processes cannot be followed: %s", error)
                self._deaf = str(error)
            except Exception as error:  # noqa: BLE001  # the next look may succeed, and /ready tells meanwhile
                if self._deaf is None:
                    _log.exception("Changes of other processes cannot be followed")
                self._deaf = repr(error)
            else:
                if self._deaf is not None:
                    _log.info("Changes of other processes are followed again, up to version %d", self._in_force.version)
                self._deaf = None

    # Its health

    async def check(self) -> None:
        """Raise `StoreUnavailable` when the store does not answer, cannot take a change, or is not followed."""
        await self._thread.look_up(self._store.check)
        await self._recorder.check()
        if (trouble := self._pausing.trouble()) is not None:
            raise StoreUnavailable(trouble)
        if self._deaf is not None:
            raise StoreUnavailable(f"changes of other processes cannot be followed: {self._deaf}")

    async def close(self) -> None:
        """Finish what is under way and let go of the store."""
        self._recorder.close()
        self._pausing.close()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSE_SECONDS)
        await self._thread.close(self._store.close, CLOSE_SECONDS)

    # Making a change

    def expect_changes(self, *channels: str) -> None:
        """Changes may come over these; so the first one shows as an increase of what is counted."""
        for channel in channels:
            for result in ("accepted", NotStored.code):
                self.metrics.expect(CHANGES, channel, result)

    @contextmanager
    def counting_refusals(self, channel: str) -> Iterator[None]:
        """Count a change that is refused in here, by the channel it came over."""
        try:
            yield
        except ChangeRefused as refused:
            self.metrics.count(CHANGES, channel, refused.code)
            raise

    async def _ask(self, prepare: Callable[[], Awaitable[Prepared[Answer]]], channel: str) -> Answer:
        """Make a change in its turn, in a task of its own; wait for it no longer than `STORE_TIMEOUT`."""
        with self.counting_refusals(channel):
            if len(self._under_way) >= MOST_WAITING:
                raise NotStored(f"{MOST_WAITING} changes are waiting for their turn already; try again in a moment")
        task = asyncio.create_task(self._make(prepare, channel, monotonic()))
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        try:
            async with asyncio.timeout(STORE_TIMEOUT):
                return await asyncio.shield(task)
        except TimeoutError:
            raise NotStored(
                f"The store did not answer within {STORE_TIMEOUT:g} s; the change may still be made. Send it again "
                "with the same request_id to learn, or look at the history"
            ) from None

    async def _make(self, prepare: Callable[[], Awaitable[Prepared[Answer]]], channel: str, asked_at: float) -> Answer:
        with self.counting_refusals(channel):
            prepared = await self._make_in_turn(prepare, asked_at)
        self.metrics.count(CHANGES, channel, "accepted" if prepared.revisions else "repeated")
        return prepared.answer

    async def _make_in_turn(
        self, prepare: Callable[[], Awaitable[Prepared[Answer]]], asked_at: float
    ) -> Prepared[Answer]:
        async with self._turn:
            try:
                await self._recorder.settle_doubt()
                return await self._make_on_the_newest(prepare, asked_at)
            except StoreUnavailable as error:
                raise NotStored(f"Nothing was changed: {error}") from error

    async def _make_on_the_newest(
        self, prepare: Callable[[], Awaitable[Prepared[Answer]]], asked_at: float
    ) -> Prepared[Answer]:
        """Plan and append, again after each time that another process was first."""
        is_fresh = not self._store.is_shared
        while True:
            try:
                prepared = await prepare()
            except ChangeRefused:
                if is_fresh or not await self._recorder.catch_up():
                    raise
            else:
                if not prepared.revisions or await self._recorder.append(prepared, asked_at):
                    return prepared
                await self._recorder.catch_up()
            is_fresh = True
            if monotonic() > asked_at + CONTENTION_SECONDS:
                raise NotStored(
                    f"Nothing was changed: other processes were faster for {CONTENTION_SECONDS:g} s; try again"
                )

    async def _prepare(self, request: Request) -> Prepared[Acknowledgement]:
        earlier = await self._answered_before(request)
        if earlier is not None:
            return Prepared(answer=earlier)  # type: ignore[arg-type]  # the same request was a change then too
        plan = await self._planning.plan(request)
        return self._planning.write_up(plan, request, written(self._clock()))

    async def _prepare_replacement(self, asked: Replacement) -> Prepared[Replaced]:
        if self._store.is_shared:  # "nothing to change" must not be said of what was in force before
            await self._recorder.catch_up()
        plan = plan_replacement(self._in_force.layers, asked)
        return write_up_replacement(plan, asked, self._in_force.version, written(self._clock()))

    async def _answered_before(self, request: Request) -> Acknowledgement | Switched | None:
        if request.request_id is None:
            return None
        earlier = await self._thread.run(self._store.by_request_id, request.request_id)
        if earlier is None:
            return None
        if earlier.request_digest != request.digest():
            raise RequestIdReused(
                f"The request_id {request.request_id!r} was used for another change (version {earlier.version}); "
                "give every change its own",
                path="request_id",
            )
        if earlier.version > self._in_force.version:  # made by another process; whoever is answered finds it in force
            await self._recorder.catch_up()
        return earlier.answer

    async def _try_out(self, request: Request) -> Plan:
        try:
            return await self._planning.plan(request)
        except ChangeRefused:
            if not self._store.is_shared:
                raise
            with suppress(StoreUnavailable, TimeoutError):  # then what is known here has to do
                async with asyncio.timeout(STORE_TIMEOUT):
                    await self.catch_up()
        return await self._planning.plan(request)

    def _preview(self, plan: Plan) -> Preview:
        return {**plan.outcome(self._in_force.version_of(plan.layer), made=False), "status": "valid"}

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, ChangeRefused):
            _log.error("A change failed", exc_info=error)

    async def _page(
        self, layers: list[str] | None, limit: int, before: int | None, *, configurations_only: bool
    ) -> tuple[list[RevisionEntry], int | None]:
        """A page of revisions, and where the next one begins."""
        revisions = await self._thread.look_up(
            self._store.page, layers=layers, limit=limit + 1, before=before, configurations_only=configurations_only
        )
        if revisions and revisions[0].version > self._in_force.version:
            self.hint()
        active = self._in_force.ids()
        shown = [revision.as_document(is_active=revision.config_id in active) for revision in revisions[:limit]]
        return shown, shown[-1]["version"] if len(revisions) > limit else None
