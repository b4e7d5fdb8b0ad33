"""The ledger: appends revisions and puts them in force, in the order of the store, those of other processes too."""

from __future__ import annotations

import logging
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from vivienne.access.caller import no_longer_valid
from vivienne.changes.plan import done
from vivienne.changes.telling import Telling
from vivienne.errors import NotStored, StoreUnavailable, TokenRefused, VersionTaken
from vivienne.slices import in_slices
from vivienne.store.revision import AppliedRevision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.plan import Prepared
    from vivienne.config.layers import Layers
    from vivienne.metrics.registry import Metrics
    from vivienne.slices import Pieces
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import Revision
    from vivienne.store.thread import StoreThread

_log = logging.getLogger(__name__)

_BATCH = 200
"""Revisions that are followed at a time."""
_MOST_NOTED = 10
"""Versions of one change of which the log has a line each."""


class Ledger:
    """Keeps what is in force and what is stored the same. One caller at a time: see `vivienne.changes.writer.Writer`.

    Args:
        store: where revisions live.
        thread: in which it is used.
        in_force: what is kept the same.
        metrics: are told when a change is in force.
        clock: the time, ISO 8601 UTC.
    """

    def __init__(
        self,
        store: RevisionStore,
        thread: StoreThread,
        in_force: LayersInForce,
        metrics: Metrics,
        clock: Callable[[], str],
    ) -> None:
        self._store = store
        self._thread = thread
        self._in_force = in_force
        self._metrics = metrics
        self._clock = clock
        self._in_doubt: tuple[Revision, ...] = ()
        self.failure: str | None = None
        """The reason the last change could not be stored; None when it was."""
        self.telling = Telling()
        """Of every change, once it is in force."""

    @property
    def version(self) -> int:
        """The newest version that was followed."""
        return self._in_force.version

    @property
    def is_in_doubt(self) -> bool:
        """True while it is unknown whether a write that failed reached the disk."""
        return bool(self._in_doubt)

    async def append(self, prepared: Prepared[Any], asked_at: float) -> bool:
        """Store the revisions of a change, all or none, and put them in force; False if another process was first.

        A write that failed may have reached the disk nevertheless; then the change is made.

        Args:
            prepared: the change.
            asked_at: the `monotonic` moment when it was asked for.

        Raises:
            NotStored: the store did not take them, or it is not known.
            Forbidden: the token of who asks was revoked; nothing was stored.
        """
        try:
            caller = prepared.caller
            under = None if caller is None else caller.digest
            await self._thread.run(self._store.append, *prepared.revisions, under=under, ends=prepared.ends)
        except VersionTaken:
            return False
        except TokenRefused as error:  # another process has revoked it, and this one did not notice yet
            raise no_longer_valid(caller) from error
        except StoreUnavailable as error:
            if not error.is_lost:  # a lost store is found by the next health check
                self.failure = str(error)
            self._in_doubt = prepared.revisions
            try:
                stored = await self.settle_doubt()
            except StoreUnavailable:
                raise NotStored(
                    f"It is unknown whether the change was stored: {error}. If it was, it comes into force when the "
                    "store answers again"
                ) from error
            if not stored:
                raise NotStored(f"Nothing was changed: {error}") from error
        else:
            await self._put(prepared.revisions, prepared.active_ids, prepared.layers)
            await in_slices(self._tell_of(prepared, asked_at), is_awaited=True)
        self.failure = None
        return True

    async def _put(
        self,
        revisions: Sequence[Revision],
        active_ids: Mapping[str, str | None],
        layers: Layers | None = None,
        heard_at: str | None = None,
    ) -> None:
        """Put revisions in force, all at once."""
        if layers is None and not self._in_force.leave_values(revisions):
            documents = {revision.layer: revision.document for revision in revisions if not revision.is_alert}
            layers = await in_slices(self._in_force.layers.followed(documents), is_awaited=True)
        self._in_force.put(revisions, active_ids, layers, heard_at)

    def _tell_of(self, prepared: Prepared[Any], asked_at: float) -> Pieces[None]:
        for revision in prepared.revisions:
            yield from self._metrics.in_force(self._in_force.under(revision.layer), revision.version, asked_at)
            self._tell(revision, made_here=True)
            yield
        self._note(prepared.revisions, prepared.summaries)

    async def settle_doubt(self) -> bool:
        """After a write of which it is not known whether it reached the disk: ask. If it did, it is put in force.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if not self._in_doubt:
            return False
        newest = self._in_doubt[-1]  # all of them are stored, or none
        stored = await self._thread.run(self._store.was_appended, newest)
        if stored:
            # It may be there to be read and not be on disk: then the next power cut would take it back.
            await self._thread.run(self._store.prove)
            await self.catch_up()
            _log.warning("Version %d was stored although the store reported an error; it is in force", newest.version)
            self.failure = None
        self._in_doubt = ()
        return stored

    async def check(self) -> None:
        """After a change that could not be stored: see whether one could be by now.

        Raises:
            StoreUnavailable: it could not.
        """
        if self.failure is None:
            return
        failure = self.failure
        with suppress(StoreUnavailable):
            await self._thread.look_up(self._store.prove)
            if not self._in_doubt:
                _log.info("The database can be written again")
                self.failure = None
                return
        raise StoreUnavailable(f"the last change could not be stored: {failure}")

    async def catch_up(self) -> bool:
        """Put in force what other processes have appended; tell whether there was anything.

        Raises:
            StoreUnavailable: not all of it could be read.
        """
        found = False
        doubtful = {revision.config_id for revision in self._in_doubt}
        while revisions := await self._newer():
            found = True
            # Revisions of one change are put in force together, as they were made; two changes at once do no harm.
            for _, group in groupby(revisions, lambda each: each.occasion):
                together = tuple(group)
                active_ids = {
                    each.layer: await self._active_id(each)
                    for each in together
                    if not each.is_switch and not each.is_alert
                }
                made_here = together[0].config_id in doubtful
                await self._put(together, active_ids, heard_at=None if made_here else self._clock())
                for revision in together:
                    self._tell(revision, made_here=made_here)
                summaries = (done(each.action, each.changed, each.layer) for each in together[:_MOST_NOTED])
                self._note(together, summaries, "" if made_here else ", in another process")
        return found

    async def _newer(self) -> list[Revision]:
        """The next revisions that were not followed yet, never a part of a change of several layers."""
        found = batch = await self._after(self._in_force.version)
        while len(batch) == _BATCH:
            whole = len(found)
            while whole > 0 and found[whole - 1].occasion == found[-1].occasion:
                whole -= 1
            if whole > 0:
                return found[:whole]
            batch = await self._after(found[-1].version)
            found = found + batch
        return found

    async def _after(self, version: int) -> list[Revision]:
        return await self._thread.look_up(self._store.after, version, _BATCH)

    async def _active_id(self, revision: Revision) -> str | None:
        """The config_id in force in the layer of a revision, right after it."""
        if revision.action != "delete":
            return revision.config_id
        return await self._thread.look_up(self._store.active_id, revision.layer, revision.version)

    def _tell(self, revision: Revision, *, made_here: bool) -> None:
        self.telling.tell(AppliedRevision(revision, self._in_force.under(revision.layer), made_here))

    def _note(self, revisions: Sequence[Revision], summaries: Iterable[str], where: str = "") -> None:
        """Write the revisions of a change into the log; of many the first ones, and how many more there are."""
        for revision, summary in zip(revisions[:_MOST_NOTED], summaries, strict=False):
            _log.info(
                "%s (version %d, by %s, %s%s)", summary, revision.version, revision.author, revision.channel, where
            )
        if (more := len(revisions) - _MOST_NOTED) > 0:
            _log.info("The same change has %d more versions, up to %d", more, revisions[-1].version)
