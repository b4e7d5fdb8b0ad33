"""The only door for change: merge -> validate -> persist -> swap -> tell -> acknowledge.

Changes are made one after the other. What is in force is swapped whole, so an evaluation sees one version, and only
after the revision is on disk. A change that is under way is finished even when its caller has gone.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from vivienne.config.active import Active
from vivienne.config.documents import differences, leaves
from vivienne.config.editing import edit
from vivienne.config.layers import GLOBAL, Layers
from vivienne.config.plan import Plan
from vivienne.config.requests import Activate, Delete
from vivienne.config.revision import Revision
from vivienne.config.schema import Configuration
from vivienne.config.store.thread import StoreThread
from vivienne.errors import (
    ChangeRefused,
    InvalidConfiguration,
    NotStored,
    Problem,
    RequestIdReused,
    StoreUnavailable,
    UnknownRevision,
    UnknownTarget,
    VersionConflict,
)
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from vivienne.config.answers import (
        Acknowledgement,
        Action,
        ConfigurationPage,
        HistoryPage,
        Preview,
        RevisionEntry,
    )
    from vivienne.config.documents import Document
    from vivienne.config.requests import Request
    from vivienne.config.store.base import RevisionStore

_log = logging.getLogger(__name__)

MOST_WAITING = 256
"""Changes that may wait for their turn; more are refused at once."""
STORE_TIMEOUT = 10.0
"""Seconds a caller waits for the store."""
CLOSE_SECONDS = 1.0
"""Seconds that what is under way gets to finish when the service is closed, and then the store."""
DOUBT_SECONDS = 1.0
"""Between two questions to a store of which it is not known whether it took a change."""


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
        self._in_doubt: tuple[Plan, Revision] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._last_failure: str | None = None
        self._listeners: list[Callable[[Revision, list[str]], None]] = []
        heads = {revision.layer: revision for revision in store.heads()}
        self._versions = {layer: revision.version for layer, revision in heads.items()}
        self._active_ids: dict[str, str | None] = {**store.active_ids()}
        self._layers = Layers.load(self.assets, {layer: revision.document for layer, revision in heads.items()})
        self._active: dict[str, Active] = {}
        for layer, problems in self._layers.ignored.items():
            _log.error(
                "The stored configuration of %s does not hold any more and is left out: %s",
                layer,
                "; ".join(problem.message for problem in problems),
            )
        self._swap((GLOBAL, *self.assets))

    # What is in force

    def active(self, asset: str | None = None) -> Active:
        """What is in force.

        Args:
            asset: in any case; None for the global layer.

        Raises:
            UnknownTarget: no such asset.
        """
        return self._active[self._layer(asset)]

    def asset(self, name: str) -> str:
        """The asset of this name, in any case.

        Raises:
            UnknownTarget: there is none.
        """
        return self._layer(name)

    @property
    def ignored(self) -> dict[str, tuple[Problem, ...]]:
        """Layers whose stored configuration is left out, and why."""
        return dict(self._layers.ignored)

    def listen(self, listener: Callable[[Revision, list[str]], None]) -> None:
        """Be told of every change once it is in force, before it is acknowledged.

        The listener gets the revision and the assets under the changed layer. It must not block or raise.
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
        task = asyncio.create_task(self._make(request))
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
        return self._preview(await self._plan(request))

    async def candidate(self, asset: str, request: Request) -> tuple[Configuration, Preview]:
        """What an asset would be decided with after an update, and what the update would do; nothing is done.

        Raises:
            ChangeRefused: what `change` would raise.
        """
        plan = await self._plan(request)
        configuration = Configuration.model_validate(plan.layers.effective(self._layer(asset)))
        return configuration, self._preview(plan)

    # Looking back

    async def configurations(self, asset: str | None, limit: int, before: int | None) -> ConfigurationPage:
        """Configurations of a layer, or of all with `asset` None, newest first, without deleted ones."""
        layers = None if asset is None else [self._layer(asset)]
        entries, following = await self._page(layers, limit, before, configurations_only=True)
        return {"configurations": entries, "next": following}

    async def history(self, asset: str | None, limit: int, before: int | None) -> HistoryPage:
        """Everything that happened, newest first; with an asset, all that bears on it, global changes too."""
        layers = None if asset is None else [GLOBAL, self._layer(asset)]
        entries, following = await self._page(layers, limit, before, configurations_only=False)
        return {"history": entries, "next": following}

    async def check(self) -> None:
        """Raise `StoreUnavailable` when the store does not answer, or did not take the last change."""
        await self._thread.look_up(self._store.check)
        if self._last_failure is not None:
            raise StoreUnavailable(f"the last change could not be stored: {self._last_failure}")

    async def close(self) -> None:
        """Finish what is under way and let go of the store."""
        if self._settling is not None:
            self._settling.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSE_SECONDS)
        await self._thread.close(self._store.close, CLOSE_SECONDS)

    # Making a change

    async def _make(self, request: Request) -> Acknowledgement:
        async with self._turn:
            try:
                await self._settle_doubt()
                earlier = await self._answered_before(request)
                if earlier is not None:
                    return earlier
                plan = await self._plan(request)
                revision, answer = self._write_up(plan, request)
            except StoreUnavailable as error:
                raise NotStored(f"Nothing was changed: {error}") from error
            await self._append(plan, revision)
            self._put_in_force(plan, revision)
            return answer

    async def _append(self, plan: Plan, revision: Revision) -> None:
        """Store a revision. A write that failed may have reached the disk all the same; then it counts."""
        try:
            await self._thread.run(self._store.append, revision)
        except StoreUnavailable as error:
            self._last_failure = str(error)
            try:
                stored = await self._thread.run(self._store.by_config_id, revision.config_id)
            except StoreUnavailable:
                self._in_doubt = plan, revision
                self._settling = asyncio.create_task(self._settle_later(), name="settle doubt")
                raise NotStored(
                    f"It is not known whether the change was stored: {error}. If it was, it is in force once the store "
                    "answers again"
                ) from error
            if stored is None:
                raise NotStored(f"Nothing was changed: {error}") from error
        self._last_failure = None

    async def _settle_doubt(self) -> None:
        """After a write of which it is not known whether it reached the disk: if it did, it counts."""
        if self._in_doubt is None:
            return
        plan, revision = self._in_doubt
        if await self._thread.run(self._store.by_config_id, revision.config_id) is not None:
            _log.warning("Version %d was stored although the store reported an error; it is in force", revision.version)
            self._put_in_force(plan, revision)
            self._last_failure = None
        self._in_doubt = None

    async def _settle_later(self) -> None:
        """Ask the store until it answers, so that nobody has to send another change to learn."""
        while self._in_doubt is not None:
            await asyncio.sleep(DOUBT_SECONDS)
            async with self._turn:
                with suppress(StoreUnavailable):
                    await self._settle_doubt()

    def _put_in_force(self, plan: Plan, revision: Revision) -> None:
        self._layers = plan.layers
        self._versions[plan.layer] = revision.version
        self._active_ids[plan.layer] = plan.active_id if plan.action == "delete" else revision.config_id
        under = self._under(plan.layer)
        self._swap({plan.layer, *under})
        for listener in self._listeners:
            try:
                listener(revision, under)
            except Exception:  # noqa: BLE001  # the change is in force and must be acknowledged all the same
                _log.exception("A listener failed at version %d", revision.version)
        summary = plan.summary()
        _log.info("%s (version %d, by %s, %s)", summary, revision.version, revision.author, revision.channel)

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
        return earlier.answer

    async def _plan(self, request: Request) -> Plan:
        """Work out what a request would do; raise everything that speaks against it."""
        target: str | None = None
        active_id: str | None = None
        touched: frozenset[str] = frozenset()
        action: Action
        if isinstance(request.intent, (Activate, Delete)):
            revision = await self._find(request.intent.config_id)
            layer, target = revision.layer, revision.config_id
            if revision.action == "delete":
                raise UnknownRevision(f"{target!r} records a deletion, it is no configuration", path="config_id")
            if isinstance(request.intent, Activate):
                action, document = "activate", revision.document
            else:
                action, (document, active_id) = "delete", await self._after_deletion(revision)
        else:
            layer = self._layer(request.asset)
            action, document, touched = edit(self._layers, layer, request.intent)
        self._expect(request.expected_version, layer)
        if layer != GLOBAL and layer not in self.assets and action == "activate":
            raise UnknownTarget(self._unknown_asset(layer))
        layers, problems = self._layers.changed(layer, document, touched or frozenset(leaves(document)))
        if problems:
            raise InvalidConfiguration(problems)
        changed = differences(self._layers.effective(layer), layers.effective(layer))
        assets = [asset for asset in self._under(layer) if layers.effective(asset) != self._layers.effective(asset)]
        return Plan(layer, action, document, layers, changed, assets, target, active_id)

    def _preview(self, plan: Plan) -> Preview:
        return {**plan.outcome(self._active_version(plan.layer), made=False), "status": "valid"}

    async def _find(self, config_id: str) -> Revision:
        revision = await self._thread.run(self._store.by_config_id, config_id)
        if revision is None:
            raise UnknownRevision(f"There is no configuration {config_id!r}; see `all` or `history`", path="config_id")
        return revision

    async def _after_deletion(self, revision: Revision) -> tuple[Document, str | None]:
        """The document and the config_id in force in the layer after a deletion."""
        if await self._thread.run(self._store.is_deleted, revision.config_id):
            raise UnknownRevision(f"The configuration {revision.config_id!r} is deleted already", path="config_id")
        active_id = self._active_ids.get(revision.layer)
        if active_id != revision.config_id:
            return self._layers.document(revision.layer), active_id
        earlier = await self._thread.run(self._store.before, revision)
        return ({}, None) if earlier is None else (earlier.document, earlier.config_id)

    def _expect(self, expected: int | None, layer: str) -> None:
        present = self._active_version(layer)
        if expected is not None and expected != present:
            raise VersionConflict(
                f"The configuration is at version {present}, not {expected}; read it again and repeat the change",
                path="expected_version",
            )

    def _write_up(self, plan: Plan, request: Request) -> tuple[Revision, Acknowledgement]:
        """The revision to store and the acknowledgement to send."""
        version = max(self._versions.values(), default=0) + 1
        config_id = str(uuid.uuid4())
        answer: Acknowledgement = {
            **plan.outcome(version, made=True),
            "status": "success",
            "config_id": config_id,
            "previous_version": self._active_version(plan.layer),
        }
        repeatable = request.request_id is not None
        revision = Revision(
            version=version,
            config_id=config_id,
            layer=plan.layer,
            action=plan.action,
            document=plan.document,
            changed=plan.changed,
            author=request.author,
            channel=request.channel,
            created_at=written(self._clock()),
            target=plan.target,
            address=request.address,
            reason=request.reason,
            request_id=request.request_id,
            request_digest=request.digest() if repeatable else None,
            answer=answer if repeatable else None,
        )
        return revision, answer

    # Bookkeeping

    def _swap(self, changed: Iterable[str]) -> None:
        """Put the layers in force, all at once."""
        active = dict(self._active)
        for layer in changed:
            document = self._layers.effective(layer)
            active[layer] = Active(
                layer=layer,
                version=self._active_version(layer),
                config_id=self._id_in_force(layer) or self._id_in_force(GLOBAL),
                document=document,
                configuration=Configuration.model_validate(document),
                layers=self._layers,
            )
        self._active = active

    def _id_in_force(self, layer: str) -> str | None:
        """The config_id in force in a layer itself; none while its configuration is left out."""
        return None if layer in self._layers.ignored else self._active_ids.get(layer)

    def _under(self, layer: str) -> list[str]:
        """The assets a layer bears on; none for one of an asset that is not decided any more."""
        return [asset for asset in self.assets if layer in (GLOBAL, asset)]

    def _active_version(self, layer: str) -> int:
        return max(self._versions.get(GLOBAL, 0), self._versions.get(layer, 0))

    def _layer(self, asset: str | None) -> str:
        if asset is None:
            return GLOBAL
        if asset.upper() not in self.assets:
            raise UnknownTarget(self._unknown_asset(asset))
        return asset.upper()

    def _unknown_asset(self, asset: str) -> Problem:
        return Problem("asset_symbol", f"Unknown asset {asset!r}; known are {', '.join(self.assets)}")

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
        active = {self._id_in_force(layer) for layer in self._active_ids}
        shown = [revision.as_document(is_active=revision.config_id in active) for revision in revisions[:limit]]
        return shown, shown[-1]["version"] if len(revisions) > limit else None
