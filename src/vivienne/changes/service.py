"""The only door for change: merge -> validate -> persist -> swap -> tell -> acknowledge.

Changes are made one after the other (see `vivienne.changes.writer`). What is in force is swapped whole, so an
evaluation sees one version, and only after the revision is on disk. A change that is under way is finished even when
its caller has gone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from vivienne.agent.schema import Configuration
from vivienne.alerts.names import Names
from vivienne.changes.ahead import Ahead
from vivienne.changes.alerts.changing import AlertChanging
from vivienne.changes.alerts.planning import no_seal
from vivienne.changes.counting import ChangeCounts
from vivienne.changes.following import Following
from vivienne.changes.importing import Importing
from vivienne.changes.in_force import LayersInForce
from vivienne.changes.ledger import Ledger
from vivienne.changes.looking_back import EVERYTHING, LookingBack
from vivienne.changes.page_reads import PageReads
from vivienne.changes.pause.adopting import Adopting
from vivienne.changes.pause.hearing import Hearing
from vivienne.changes.pause.restoring import Restoring
from vivienne.changes.pause.service import Pausing
from vivienne.changes.pause.shared_entries import SharedEntries
from vivienne.changes.planning import Planning
from vivienne.changes.several import check_version, plan_several, write_up_several
from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.changes.undoing import Undoing
from vivienne.changes.writer import STORE_TIMEOUT, Writer
from vivienne.config.layers import GLOBAL, asset_of
from vivienne.errors import ChangeRefused, StoreUnavailable
from vivienne.metrics.registry import Metrics
from vivienne.slices import in_slices, whole
from vivienne.store.revision import AppliedRevision
from vivienne.store.thread import StoreThread
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from vivienne.access.budget import TimeBudgets
    from vivienne.access.caller import Caller
    from vivienne.changes.alerts.in_force import AlertRules
    from vivienne.changes.alerts.planning import Seal
    from vivienne.changes.alerts.requests import AlertRequest
    from vivienne.changes.import_plan import ReplacementPlan
    from vivienne.changes.in_force import Active
    from vivienne.changes.looking_back import Page, RevisionFilter
    from vivienne.changes.pause.state import PauseInForce, PausesInForce
    from vivienne.changes.plan import Plan, Prepared
    from vivienne.changes.requests import ChangeRequest, Replacement, SeveralRequest, SwitchRequest, UndoRequest
    from vivienne.changes.telling import Listener
    from vivienne.changes.undoing import UndoPlan
    from vivienne.errors import Problem
    from vivienne.slices import Pieces
    from vivienne.store.alert import AlertStore
    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.alert import AlertChanged
    from vivienne.wire.answers import (
        Acknowledgement,
        ConfigurationPage,
        HistoryPage,
        Preview,
        Replaced,
        RevisionEntry,
        Switched,
    )
    from vivienne.wire.pause import PauseClaim

_PlanT = TypeVar("_PlanT")

CLOSE_SECONDS = 1.0
"""Seconds that what is under way gets to finish when the service is closed, and then the store."""


class ConfigService:
    """Holds what is in force and makes changes.

    Args:
        store: where revisions live; used from one thread of this service only.
        assets: the assets that are decided, upper case.
        clock: the wall clock, for the times of revisions.
        thread: in which the store is used, where others use it in there too.
        metrics: where what happens is counted; others who work with this service count there too.
        seal: encrypts secrets of alert rules.
    """

    def __init__(
        self,
        store: RevisionStore,
        assets: Iterable[str],
        clock: Callable[[], datetime] = now,
        thread: StoreThread | None = None,
        metrics: Metrics | None = None,
        seal: Seal = no_seal,
    ) -> None:
        self.assets = tuple(assets)
        self.asset_names = Names(self.assets)
        """The same, to be compared with patterns."""
        self.metrics = metrics or Metrics()
        self.counts = ChangeCounts(self.metrics)
        """Counts of changes; channels count there what they refuse themselves."""
        self._store = store
        self._clock = clock
        self._thread = thread or StoreThread(STORE_TIMEOUT, self.metrics)
        self._in_force = LayersInForce(
            self.assets, store.heads(), store.active_ids(), store.switches(), store.alerts_begun()
        )
        self._planning = Planning(self._in_force, store, self._thread)
        self._trials = Planning(self._in_force, store, self._thread.pages)
        self._ledger = Ledger(store, self._thread, self._in_force, self.metrics, self._now)
        self._writer = Writer(store, self._thread, self._ledger, self.counts)
        self.pages = PageReads(self._thread.pages)
        """Reads what callers ask to see."""
        self._looking_back = LookingBack(store, self.pages)
        self._trial_turns = Turns(most_waiting=MOST_WAITING)
        entries = SharedEntries(self._in_force, store, self._thread, self._now)
        self._pausing = Pausing(self._in_force, store, self._thread, self._writer, self._now, entries)
        self.listen(self._pausing.followed)
        self._importing = Importing(self._in_force, self._writer, seal, self._now)
        self._alert_changing = AlertChanging(self._in_force, self._writer, seal, self._now)
        self._hearing = Hearing(self._in_force, self._pausing.tell, self._now)
        adopting = Adopting(self._in_force, self._hearing, store, self._thread, self._writer, clock)
        self._following = Following(
            self._writer, self._in_force, adopting, Restoring(self._in_force, store, self._thread), entries
        )
        self.confirm: Callable[[Switched], Awaitable[Switched]] | None = None
        """Finds out who has stopped after a pause, where others decide; adds it to the answer."""
        self._count_pause: Callable[[Caller], None] | None = None
        self.metrics.gauge("vivienne_config_version", lambda: self._in_force.version)

    # What is in force

    def active(self, asset: str | None = None) -> Active:
        """The configuration in force.

        Args:
            asset: in any case; None for the global layer.

        Raises:
            UnknownTarget: no such asset.
        """
        return self._in_force.active(self._in_force.layer(asset))

    def version(self, asset: str) -> int:
        """The newest version that bears on an asset, by its name as in `assets`; 0 while everything is default."""
        return self._in_force.version_of(asset)

    @property
    def newest(self) -> tuple[int, str | None]:
        """The newest version that was followed, and the config_id of its revision, which stands for all before it."""
        return self._in_force.newest

    async def name_of(self, version: int) -> str | None:
        """The config_id of the revision of a version; None if the store has none.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return await self._thread.reads.look_up(self._store.name_of, version)

    def decides(self, asset: str) -> bool:
        """Whether an asset is decided, in upper case."""
        return self._in_force.decides(asset)

    def asset(self, name: str) -> str:
        """The asset of this name, in any case.

        Raises:
            UnknownTarget: there is none.
        """
        return self._in_force.layer(name)

    @property
    def is_shared(self) -> bool:
        """True when other processes may change the configuration too; then `follow` must run."""
        return self._store.is_shared

    @property
    def ignored(self) -> dict[str, tuple[Problem, ...]]:
        """Layers whose stored configuration is left out, and why."""
        return dict(self._in_force.layers.ignored)

    def listen(self, listener: Listener) -> None:
        """Call a listener with every change once it is in force, before it is acknowledged, and in order.

        The listener must not block or raise. What takes long it yields, step by step: the steps are done before the
        change is acknowledged too, and others have their turn between them.
        """
        self._ledger.telling.listeners.append(listener)

    @property
    def alerts(self) -> AlertRules:
        """The rules of alerts in force, of this moment."""
        return self._in_force.alerts

    @property
    def alert_store(self) -> AlertStore:
        """The store of alerts; call it with `store_reads`, or with `pages` for a caller."""
        return self._store.alerts

    @property
    def store_reads(self) -> StoreCalls:
        """Calls of the store that no change waits for."""
        return self._thread.reads

    async def applied_since(self, version: int, limit: int) -> list[AppliedRevision]:
        """Revisions newer than a version that are in force, oldest first, at most so many.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        found = await self._thread.reads.look_up(self._store.after, version, limit)
        followed = [each for each in found if each.version <= self._in_force.version]
        return [AppliedRevision(each, self._in_force.under(each.layer), made_here=False) for each in followed]

    def under(self, layer: str) -> list[str]:
        """The assets that a layer bears on."""
        return self._in_force.under(layer)

    def pauses(self) -> PausesInForce:
        """The pauses in force."""
        return self._in_force.pauses

    def paused(self) -> dict[str, PauseInForce]:
        """By asset, the pause that keeps it idle."""
        return whole(self.find_paused())

    def find_paused(self) -> Pieces[dict[str, PauseInForce]]:
        """The same, one asset after the other; of one moment."""
        found, pauses = dict[str, "PauseInForce"](), self._in_force.pauses
        for asset in self.assets:
            if (pause := pauses.of(asset)) is not None:
                found[asset] = pause
            yield
        return found

    def charge_with(
        self, charge: Callable[[Caller, int], None], budgets: TimeBudgets, count_pause: Callable[[Caller], None]
    ) -> None:
        """Charge callers for what they ask for.

        Args:
            charge: called with the bytes that each change made here took in the store, and who asked for it.
            budgets: where the time that a change takes is charged to its caller.
            count_pause: called with who pauses what is paused already; it may refuse that.
        """
        self._writer.charge = charge
        self._writer.budgets = budgets
        self._count_pause = count_pause

    def listen_to_held(self, listener: Callable[[Sequence[str]], None]) -> None:
        """Call a listener when a pause that is held or heard comes into force, or ends: no change tells of it.

        It gets the assets that the pause bears on, and must not block.
        """
        self._pausing.listeners.append(listener)

    # Asking for change

    async def change(self, request: ChangeRequest) -> Acknowledgement:
        """Make a change.

        Returns:
            The acknowledgement as it goes to the caller. When it is returned, the revision is on disk and in force.

        Raises:
            ChangeRefused: nothing was stored and nothing is different. `NotStored` may leave open whether it was.
        """
        plan = self._ahead(partial(self._planning.plan, request))
        return await self._writer.write_once(request, partial(self._prepare, plan), plan.work_out)

    async def switch(self, request: SwitchRequest) -> Switched:
        """Pause or resume.

        Returns:
            The acknowledgement. With the status ``success`` it is on disk and in force. A pause that the store does not
            take is in force in this process all the same, with the status ``not_stored_yet``; storing it is retried.

        Raises:
            ChangeRefused: nothing is different; `NotStored` only for a resumption.
        """
        if self._count_pause is not None and request.caller.via is None and self._pausing.repeats(request):
            with self.counts.refusals(request.channel):
                self._count_pause(request.caller)
        answer = await self._pausing.switch(request)
        return answer if self.confirm is None or request.switch != "pause" else await self.confirm(answer)

    async def change_alert(self, request: AlertRequest) -> AlertChanged:
        """Make, replace, switch off or delete a rule of alerts.

        Returns:
            The answer as it goes to the caller; when it is returned, the revision is on disk and in force. Signing
            secrets that were made are in no other answer, also not in that to a repetition of the request.

        Raises:
            ChangeRefused: as `change`.
        """
        return await self._alert_changing.change(request)

    async def replace(self, asked: Replacement) -> Replaced:
        """Replace what several layers set, as one change: all of it is in force afterwards, or nothing.

        Raises:
            ChangeRefused: as `change`; each problem has the asset of its layer.
        """
        return await self._importing.make(asked)

    async def try_replacement(self, asked: Replacement) -> Replaced:
        """Try a replacement: tell what it would do, without doing it.

        Raises:
            ChangeRefused: what `replace` would raise.
        """
        if self._store.is_shared:
            with suppress(StoreUnavailable):  # then the revisions known here have to do
                await self.catch_up()
        return await self._importing.attempt(asked)

    async def change_several(self, request: SeveralRequest) -> Replaced:
        """Change several assets as one change: it is in force for all of them afterwards, or for none.

        Raises:
            ChangeRefused: as `change`; each problem has its asset.
        """
        plan = self._ahead(lambda: in_slices(plan_several(self._in_force, request)))
        prepare = partial(self._prepare_several, plan)
        return await self._writer.write_once(request, prepare, plan.work_out, layers=len(request.assets))

    async def undo(self, request: UndoRequest) -> Replaced:
        """Undo a change in every layer that it changed, as one change.

        Raises:
            ChangeRefused: as `change`; each problem has its asset.
        """
        undoing = Undoing(self._in_force, self._store, self._thread.reads, request)
        plan = self._ahead(undoing.plan)
        return await self._writer.write_once(request, partial(self._prepare_undo, plan), plan.work_out)

    async def try_several(self, request: SeveralRequest) -> Replaced:
        """Try a change of several assets: tell what it would do, without doing it.

        Raises:
            ChangeRefused: what `change_several` would raise.
        """
        async with self._trial_turns.turn(request.caller.key):
            plan = await in_slices(plan_several(self._in_force, request))
        return plan.outcome(self._in_force.version, made=False)

    async def validate(self, request: ChangeRequest) -> Preview:
        """Try an update: tell what it would do, without doing it.

        Raises:
            ChangeRefused: what `change` would raise.
        """
        return self._preview(await self._try_out(request))

    async def candidate(self, asset: str, request: ChangeRequest) -> tuple[Configuration, Preview]:
        """The configuration an asset would have after an update, and what the update would do; nothing is done.

        Raises:
            ChangeRefused: what `change` would raise.
        """
        plan = await self._try_out(request)
        configuration = Configuration.model_validate(plan.layers.effective(self._in_force.layer(asset)))
        return configuration, self._preview(plan)

    # Looking back

    async def configurations(
        self, asset: str | None, limit: int, before: int | None, *, whose: str = ""
    ) -> ConfigurationPage:
        """Configurations of a layer, or of all with `asset` None, newest first, without deleted ones; see `history`."""
        layers = None if asset is None else [self._in_force.layer(asset)]
        page = await self._looking_back.page(layers, limit, before, configurations_only=True, whose=whose)
        return {"configurations": self._entries(page), "next": page.following}

    async def history(
        self,
        asset: str | None,
        limit: int,
        before: int | None,
        wanted: RevisionFilter = EVERYTHING,
        *,
        own: bool = False,
        whose: str = "",
    ) -> HistoryPage:
        """Everything that happened and is wanted, newest first; with an asset, all that bears on it.

        Args:
            asset: in any case; None for every layer.
            limit: at most so many.
            before: only versions below it.
            wanted: which ones.
            own: only what happened to one layer itself: that of the asset, without one the global layer.
            whose: key of the caller; the callers take turns.

        Raises:
            TooManyRequests: the caller waits for too many pages already.
        """
        layers = None if asset is None else [GLOBAL, self._in_force.layer(asset)]
        if own:
            layers = [self._in_force.layer(asset)]
        page = await self._looking_back.page(layers, limit, before, wanted, whose=whose)
        return {"history": self._entries(page), "next": page.following}

    # Following other processes

    async def catch_up(self) -> bool:
        """Put in force what other processes have appended; whether there was anything.

        Raises:
            StoreUnavailable: not all of it could be read.
        """
        return await self._writer.catch_up()

    def hear(self, *claims: PauseClaim) -> None:
        """Take pauses that another process announced, and look into the store."""
        if self._hearing.take(claims):
            self.hint()

    def hint(self) -> None:
        """Say that there may be something to catch up with; `follow` looks at once."""
        self._following.hint()

    async def look_if_late(self, seconds: float, most: float) -> bool:
        """Catch up, if the last look at a shared store was begun longer ago; wait for it no longer than `most` seconds.

        A process that stood still for a while goes on with what it knew before.

        Returns:
            Whether what others changed is known, as far as can be told.
        """
        if not self._store.is_shared:
            return True
        await self._following.look_if_late(seconds, most)
        return self._following.is_up

    async def look(self) -> None:
        """Catch up once, as `follow` does again and again; a failure is kept for `check`."""
        await self._following.look()

    async def follow(self) -> None:
        """Catch up again and again, until cancelled."""
        await self._following.run()

    # Its health

    async def check(self) -> None:
        """Raise `StoreUnavailable` when the store does not answer, cannot take a change, or is not followed."""
        await self._thread.reads.look_up(self._store.check)
        await self._ledger.check()
        if (trouble := self._pausing.trouble()) is not None:
            raise StoreUnavailable(trouble)
        self._following.check()

    def unstored(self) -> dict[str, str]:
        """By asset, or ``all``, the announced pauses that nobody has stored, in words."""
        return {
            asset_of(pause.layer) or "all": f"{pause.sentence()}; until it is stored, a restart may lose it"
            for pause in self._in_force.pauses.unstored()
        }

    async def close(self) -> None:
        """Finish what is under way and let go of the store."""
        self._pausing.close()
        await self._writer.close(CLOSE_SECONDS)
        await self._thread.close(self._store.close, CLOSE_SECONDS)

    # Making a change

    def _ahead(self, plan: Callable[[], Awaitable[_PlanT]]) -> Ahead[_PlanT]:
        return Ahead(lambda: self._in_force.layers, plan)

    async def _prepare(self, ahead: Ahead[Plan], request: ChangeRequest) -> Prepared[Acknowledgement]:
        plan = await ahead.result()
        self._in_force.expect(request.expected_version, plan.layer)
        return self._planning.write_up(plan, request, self._now())

    async def _prepare_several(self, ahead: Ahead[ReplacementPlan], request: SeveralRequest) -> Prepared[Replaced]:
        plan = await ahead.result()
        check_version(self._in_force, request)
        return await in_slices(write_up_several(plan, request, self._in_force.version, self._now()), is_awaited=True)

    async def _prepare_undo(self, ahead: Ahead[UndoPlan], request: UndoRequest) -> Prepared[Replaced]:
        plan, layers = await ahead.result()
        self._in_force.expect(request.expected_version, max(layers, key=self._in_force.version_of))
        return await in_slices(write_up_several(plan, request, self._in_force.version, self._now()), is_awaited=True)

    async def _try_out(self, request: ChangeRequest) -> Plan:
        try:
            return await self._tried_out(request)
        except ChangeRefused:
            if not self._store.is_shared:
                raise
            with suppress(StoreUnavailable, TimeoutError):  # then the revisions known here have to do
                async with asyncio.timeout(STORE_TIMEOUT), self._trial_turns.turn(request.caller.key):
                    await self.catch_up()
        return await self._tried_out(request)

    async def _tried_out(self, request: ChangeRequest) -> Plan:
        async with self._trial_turns.turn(request.caller.key):
            return await self._trials.plan(request)

    def _preview(self, plan: Plan) -> Preview:
        outcome = plan.outcome(self._in_force.version_of(plan.layer), made=False)
        return {**outcome, "status": "valid", "warnings": plan.warnings}

    def _now(self) -> str:
        return written(self._clock())

    def _entries(self, page: Page) -> list[RevisionEntry]:
        if page.revisions and page.revisions[0].version > self._in_force.version:
            self.hint()
        active = self._in_force.ids()
        return [revision.as_document(is_active=revision.config_id in active) for revision in page.revisions]
