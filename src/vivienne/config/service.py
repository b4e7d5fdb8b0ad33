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
from contextlib import suppress
from typing import TYPE_CHECKING

from vivienne.config.in_force import InForce
from vivienne.config.layers import GLOBAL
from vivienne.config.plan import done
from vivienne.config.planning import Planning
from vivienne.config.revision import Change
from vivienne.config.schema import Configuration
from vivienne.config.store.thread import StoreThread
from vivienne.errors import ChangeRefused, NotStored, RequestIdReused, StoreUnavailable, VersionTaken
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from vivienne.config.active import Active
    from vivienne.config.answers import (
        Acknowledgement,
        ConfigurationPage,
        HistoryPage,
        Preview,
        RevisionEntry,
    )
    from vivienne.config.plan import Plan
    from vivienne.config.requests import Request
    from vivienne.config.revision import Revision
    from vivienne.config.store.base import RevisionStore
    from vivienne.errors import Problem

_log = logging.getLogger(__name__)

MOST_WAITING = 256
"""Changes that may wait for their turn; more are refused at once."""
STORE_TIMEOUT = 10.0
"""Seconds a caller waits for the store."""
CONTENTION_SECONDS = 8.0
"""Of them, those in which a change is planned again when others were faster."""
CLOSE_SECONDS = 1.0
"""Seconds that what is under way gets to finish when the service is closed, and then the store."""
DOUBT_SECONDS = 1.0
"""Between two questions to a store of which it is not known whether it took a change."""
FOLLOW_SECONDS = 0.5
"""Between two looks for what others changed, without a hint."""
_BATCH = 200
"""Revisions that are followed at a time."""


class ConfigService:
    """Holds what is in force and makes changes.

    Args:
        store: where revisions live; used from one thread of this service only.
        assets: the assets that are decided, upper case.
        clock: the wall clock, for the times of revisions.
    """

    def __init__(
        self,
        store: RevisionStore,
        assets: Iterable[str],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.assets = tuple(assets)
        self._store = store
        self._clock = clock
        self._thread = StoreThread(STORE_TIMEOUT)
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[Acknowledgement]] = set()
        self._in_doubt: Revision | None = None
        self._settling: asyncio.Task[None] | None = None
        self._last_failure: str | None = None
        self._deaf: str | None = None
        self._hint = asyncio.Event()
        self._listeners: list[Callable[[Change], None]] = []
        self._in_force = InForce(self.assets, store.heads(), store.active_ids())
        self._planning = Planning(self._in_force, store, self._thread)

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
        self._listeners.append(listener)

    # Asking for change

    async def change(self, request: Request) -> Acknowledgement:
        """Make a change.

        Returns:
            The acknowledgement as it goes to the caller. When it is returned, the revision is on disk and in force.

        Raises:
            ChangeRefused: nothing was stored and nothing is different. `NotStored` may leave open whether it was.
        """
        if len(self._under_way) >= MOST_WAITING:
            raise NotStored(f"{MOST_WAITING} changes are waiting for their turn already; try again in a moment")
        task = asyncio.create_task(self._make(request, asyncio.get_running_loop().time() + CONTENTION_SECONDS))
        self._under_way.add(task)
        task.add_done_callback(self._finished)
        try:
            return await asyncio.wait_for(asyncio.shield(task), STORE_TIMEOUT)
        except TimeoutError:
            raise NotStored(
                f"The store did not answer within {STORE_TIMEOUT:g} s; the change may still be made. Send it again "
                "with the same request_id to learn, or look at the history"
            ) from None

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
            return await self._catch_up()

    def hint(self) -> None:
        """Say that there may be something to catch up with; `follow` looks at once."""
        self._hint.set()

    async def follow(self) -> None:
        """Catch up at every hint and every `FOLLOW_SECONDS`, until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), FOLLOW_SECONDS)
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
        """Raise `StoreUnavailable` when the store does not answer, did not take the last change, or is not followed."""
        await self._thread.look_up(self._store.check)
        if self._last_failure is not None:
            raise StoreUnavailable(f"the last change could not be stored: {self._last_failure}")
        if self._deaf is not None:
            raise StoreUnavailable(f"changes of other processes cannot be followed: {self._deaf}")

    async def close(self) -> None:
        """Finish what is under way and let go of the store."""
        if self._settling is not None:
            self._settling.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSE_SECONDS)
        await self._thread.close(self._store.close, CLOSE_SECONDS)

    # Making a change

    async def _make(self, request: Request, until: float) -> Acknowledgement:
        async with self._turn:
            try:
                await self._settle_doubt()
                return await self._make_on_the_newest(request, until)
            except StoreUnavailable as error:
                raise NotStored(f"Nothing was changed: {error}") from error

    async def _make_on_the_newest(self, request: Request, until: float) -> Acknowledgement:
        """Plan and append, again after each time that another process was first."""
        is_fresh = not self._store.is_shared
        while True:
            try:
                earlier = await self._answered_before(request)
                if earlier is not None:
                    return earlier
                plan = await self._planning.plan(request)
            except ChangeRefused:
                if is_fresh or not await self._catch_up():
                    raise
            else:
                revision, answer = self._planning.write_up(plan, request, written(self._clock()))
                if await self._append(plan, revision):
                    return answer
                await self._catch_up()
            is_fresh = True
            if asyncio.get_running_loop().time() > until:
                raise NotStored(
                    f"Nothing was changed: other processes were faster for {CONTENTION_SECONDS:g} s; try again"
                )

    async def _append(self, plan: Plan, revision: Revision) -> bool:
        """Store a revision and put it in force; whether no other process was first.

        A write that failed may have reached the disk all the same; then it counts.
        """
        try:
            await self._thread.run(self._store.append, revision)
        except VersionTaken:
            return False
        except StoreUnavailable as error:
            if not error.is_lost:  # otherwise whoever asks how it is finds out
                self._last_failure = str(error)
            self._in_doubt = revision
            try:
                stored = await self._settle_doubt()
            except StoreUnavailable:
                self._settling = asyncio.create_task(self._settle_later(), name="settle doubt")
                raise NotStored(
                    f"It is not known whether the change was stored: {error}. If it was, it is in force once the store "
                    "answers again"
                ) from error
            if not stored:
                raise NotStored(f"Nothing was changed: {error}") from error
        else:
            active_id = plan.active_id if plan.action == "delete" else revision.config_id
            self._in_force.put(revision, active_id, plan.layers)
            self._tell(revision, plan.summary(), made_here=True)
        self._last_failure = None
        return True

    async def _settle_doubt(self) -> bool:
        """After a write of which it is not known whether it reached the disk: ask. If it did, it is put in force."""
        revision = self._in_doubt
        if revision is None:
            return False
        stored = await self._thread.run(self._store.was_appended, revision)
        if stored:
            await self._catch_up()
            _log.warning("Version %d was stored although the store reported an error; it is in force", revision.version)
            self._last_failure = None
        self._in_doubt = None
        return stored

    async def _settle_later(self) -> None:
        """Ask the store until it answers, so that nobody has to send another change to learn."""
        while self._in_doubt is not None:
            await asyncio.sleep(DOUBT_SECONDS)
            async with self._turn:
                with suppress(StoreUnavailable):
                    await self._settle_doubt()

    async def _catch_up(self) -> bool:
        """See `catch_up`; within a turn."""
        found = False
        while revisions := await self._thread.look_up(self._store.after, self._in_force.version, _BATCH):
            found = True
            for revision in revisions:
                active_id: str | None = revision.config_id
                if revision.action == "delete":
                    active_id = await self._thread.look_up(self._store.active_id, revision.layer, revision.version)
                made_here = self._in_doubt is not None and self._in_doubt.config_id == revision.config_id
                self._in_force.put(revision, active_id)
                self._tell(revision, done(revision.action, revision.changed, revision.layer), made_here=made_here)
        return found

    def _tell(self, revision: Revision, summary: str, *, made_here: bool) -> None:
        change = Change(revision, self._in_force.under(revision.layer), made_here)
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:  # noqa: BLE001  # the change is in force and must be acknowledged all the same
                _log.exception("A listener failed at version %d", revision.version)
        where = "" if made_here else ", in another process"
        _log.info("%s (version %d, by %s, %s%s)", summary, revision.version, revision.author, revision.channel, where)

    async def _answered_before(self, request: Request) -> Acknowledgement | None:
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
            await self._catch_up()
        return earlier.answer

    async def _try_out(self, request: Request) -> Plan:
        try:
            return await self._planning.plan(request)
        except ChangeRefused:
            if not self._store.is_shared:
                raise
            with suppress(StoreUnavailable, TimeoutError):  # then what is known here has to do
                await asyncio.wait_for(self.catch_up(), STORE_TIMEOUT)
        return await self._planning.plan(request)

    def _preview(self, plan: Plan) -> Preview:
        return {**plan.outcome(self._in_force.version_of(plan.layer), made=False), "status": "valid"}

    def _finished(self, task: asyncio.Task[Acknowledgement]) -> None:
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
