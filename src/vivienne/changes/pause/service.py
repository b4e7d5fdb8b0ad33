"""Pauses and resumptions. While the store fails, a pause is in force at once, and is stored when it works again."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from vivienne.access.caller import no_longer_valid
from vivienne.changes.pause.adopting import as_request, free_name
from vivienne.changes.pause.held import Held
from vivienne.changes.pause.plan import not_stored_yet, paused_already, stored_already, write_up_switch
from vivienne.changes.pause.repeats import Repeats
from vivienne.changes.pause.seen import AT_ONCE_SECONDS, Seen
from vivienne.changes.pause.state import PauseInForce
from vivienne.changes.plan import Prepared
from vivienne.errors import ChangeRefused, NotStored, StoreUnavailable, TokenRefused, UnknownTarget, VersionConflict
from vivienne.listeners import tell
from vivienne.slices import URGENCY
from vivienne.times import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.pause.shared_entries import SharedEntries
    from vivienne.changes.requests import SwitchRequest
    from vivienne.changes.writer import Writer
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import AppliedRevision
    from vivienne.store.thread import StoreThread
    from vivienne.wire.answers import Switched

_log = logging.getLogger(__name__)

HOLD_SECONDS = 0.5
"""Seconds the store may take for a pause; after that the pause is in force without being stored."""
ANSWER_SECONDS = 3.0
"""Seconds a caller waits for the store."""
RETRY_SECONDS = 1.0
"""Seconds between two attempts to store a pause that is in force."""
MOST_HELD = 256
"""Pauses that wait for the store at most; a further one of the same layer is covered by those."""

_PAUSED_SINCE = "Somebody paused after this resumption was asked for; resume again to end that"


class Pausing:
    """Pauses and resumes.

    Args:
        in_force: what is paused.
        store: where switches become revisions.
        thread: in which.
        writer: appends them, in its turn.
        clock: the time, ISO 8601 UTC.
        entries: reads the times of pauses in force again.
    """

    def __init__(
        self,
        in_force: LayersInForce,
        store: RevisionStore,
        thread: StoreThread,
        writer: Writer,
        clock: Callable[[], str],
        entries: SharedEntries,
    ) -> None:
        self._in_force = in_force
        self._store = store
        self._thread = thread
        self._writer = writer
        self._clock = clock
        self._entries = entries
        self._held: dict[str, Held] = {}
        self._numbers = count()
        self._newest: dict[str, int] = {}
        """By layer, the number of the newest pause."""
        self._repeats = Repeats()
        self._under_way: set[str] = set()
        """Pauses that are not answered yet, by config_id."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._storing: asyncio.Task[None] | None = None
        self.listeners: list[Callable[[Sequence[str]], None]] = []
        """Called when a pause that is not stored yet comes into force, or ends, with the assets it bears on."""

    async def switch(self, request: SwitchRequest) -> Switched:
        """Pause or resume. It goes on when the caller has gone.

        Raises:
            ChangeRefused: nothing is different.
        """
        task = asyncio.create_task(self._switch(request))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        try:
            return await asyncio.shield(task)
        finally:
            del task  # it refers to what it raised, and the traceback of that to this frame

    def repeats(self, request: SwitchRequest) -> bool:
        """Tell whether a request pauses what is paused already."""
        with suppress(UnknownTarget):
            is_paused = self._in_force.pauses.own(self._in_force.layer(request.asset)) is not None
            return request.switch == "pause" and is_paused
        return False

    def trouble(self) -> str | None:
        """A warning about pauses that are in force without being stored; None if there are none."""
        if not self._in_force.pauses.held:
            return None
        return "a pause is in force and not stored yet; a restart would lose it"

    def close(self) -> None:
        """Stop retrying."""
        if self._storing is not None:
            self._storing.cancel()
        for task in self._tasks:
            task.cancel()
        if self._in_force.pauses.held:
            _log.critical("A pause was not stored and is lost at the next start")

    async def _switch(self, request: SwitchRequest) -> Switched:
        with URGENCY.under_way():
            answer = await (self._resume(request) if request.switch == "resume" else self._pause(request))
            await self._writer.told(is_urgent=True)
        return answer

    async def _resume(self, request: SwitchRequest) -> Switched:
        asked_at, number = self._clock() if request.asked is None else request.asked.resumption, next(self._numbers)
        version, pauses = self._in_force.version, self._in_force.pauses
        under_way = frozenset(self._under_way)
        stored = await self._newest_stored()  # others may pause until it is known
        place = None if request.asked is None else request.asked.place
        seen = Seen(version, pauses, under_way, asked_at, stored, looked_up_at=self._clock(), place=place)
        prepare = partial(self._prepare_resumption, request, number, seen)
        return await self._writer.write(prepare, request.channel, request.caller.key, is_urgent=True)

    async def _newest_stored(self) -> int:
        """The newest version in the database; where it does not answer, the newest one that was followed."""
        if self._store.is_shared:
            with suppress(StoreUnavailable):
                found = await self._thread.look_up(self._store.outlines, layers=None, limit=1, before=None)
                return max((each.version for each in found), default=0)
        return self._in_force.version

    async def _pause(self, request: SwitchRequest) -> Switched:
        created_at = self._clock() if request.asked is None else request.asked.pause
        held = self._asked_before(request)
        is_held = held is not None
        if held is None:
            layer = self._in_force.layer(request.asset)
            pause = PauseInForce.asked(request, layer, str(uuid.uuid4()), created_at)
            held = Held(pause, request, next(self._numbers))
        else:  # it is asked for now, as far as resumptions are concerned
            held.pause, held.number = replace(held.pause, created_at=created_at), next(self._numbers)
        self._under_way.add(held.pause.config_id)
        try:
            return await self._store_or_hold(request, held, is_held=is_held)
        finally:
            self._under_way.discard(held.pause.config_id)

    async def _store_or_hold(self, request: SwitchRequest, held: Held, *, is_held: bool) -> Switched:
        pause = held.pause
        prepare = partial(self._prepare_pause, request, held)
        why = "the store is slow"
        try:
            making = self._writer.begin(prepare, request.channel, request.caller.key, is_urgent=True)
            # What may have been made elsewhere, and have ended since, would be announced, and come back for everybody.
            hold = ANSWER_SECONDS if self._may_be_made_elsewhere(request) else HOLD_SECONDS
            done, _ = await asyncio.wait({making}, timeout=hold)
            if not done:
                request.caller.check()
                self._hold(held)
                done, _ = await asyncio.wait({making}, timeout=ANSWER_SECONDS - hold)
            if done:
                answer = making.result()
                self._release(pause.config_id)
                return answer
        except NotStored as error:
            why = str(error).removeprefix("Nothing was changed: ")
        except ChangeRefused as error:
            if not is_held:
                self._release(pause.config_id)
                raise
            why = str(error)  # what was in force before it was asked for again stays so
        if not is_held:
            request.caller.check()
        self._hold(held)
        return not_stored_yet(self._in_force, pause, why)

    def _asked_before(self, request: SwitchRequest) -> Held | None:
        """The pause that waits for the store and was asked for by the same request."""
        if request.request_id is None:
            return None
        named, digest = (request.requester, request.request_id), request.digest()
        held = (each for each in self._held.values() if (each.request.requester, each.request.request_id) == named)
        return next((each for each in held if each.request.digest() == digest), None)

    async def _prepare_resumption(self, request: SwitchRequest, number: int, seen: Seen) -> Prepared[Switched]:
        if (earlier := await self._answered(request)) is not None:
            return earlier
        layer = self._in_force.layer(request.asset)
        await self._entries.look_at([layer])
        waiting, created_at = await self._before(layer, number, seen)
        prepared = write_up_switch(self._in_force, request, str(uuid.uuid4()), created_at, waiting)
        self._in_force.expect(request.expected_version, layer)
        self._expect_known(request, layer)
        ended = self._in_force.pauses.stored.get(layer)
        if ended is not None and ended.version is not None and self._store.is_shared:
            prepared = replace(prepared, ends=(ended.version, ended.created_at))
        return replace(prepared, caller=request.caller)

    def _expect_known(self, request: SwitchRequest, layer: str) -> None:
        """Refuse to end a pause that the caller does not know, where it says which one it knows.

        Raises:
            VersionConflict: there is one.
        """
        if request.ends is not None and (pause := self._in_force.pauses.unknown(layer, request.ends)) is not None:
            raise VersionConflict(f"It is {pause.sentence()}; that is not the pause to end. Look again", path="pause")

    async def _prepare_pause(self, request: SwitchRequest, held: Held) -> Prepared[Switched]:
        name, layer = held.pause.config_id, self._in_force.layer(request.asset)
        if held.was_held:  # an attempt before may have done it
            stored = await self._thread.run(self._store.by_config_id, name)
            if stored is not None and stored.layer == layer:
                await self._writer.follow()  # by whomever it was stored: it is in force here before it is let go
                return Prepared(answer=stored_already(self._in_force, stored))
            if stored is not None:  # somebody announced its name for another layer, and that was stored
                name = held.pause.names[1][0]
        if (earlier := await self._answered(request) or await self._made_elsewhere(request, layer)) is not None:
            return earlier
        created_at = self._no_earlier(held.pause.created_at, layer)
        self._newest[layer] = max(held.number, self._newest.get(layer, held.number))
        asked = replace(held.pause, created_at=created_at, config_id=name)
        is_held = held.pause.config_id in self._held
        if not is_held:  # else it is in force already, and is stored on top of whatever there is by now
            self._in_force.expect(request.expected_version, layer)
            if await self._is_repeated(request, layer) and (shared := await self._share_entry(request, asked)):
                return Prepared(answer=paused_already(self._in_force, shared), caller=request.caller)
        self._in_force.ask(asked)
        prepared = write_up_switch(self._in_force, request, name, created_at)
        return prepared if is_held else replace(prepared, caller=request.caller)

    async def _answered(self, request: SwitchRequest) -> Prepared[Switched] | None:
        """The answer to a request that is repeated, if it is answered as the first time."""
        earlier = await self._writer.answered_before(request) if request.is_once else None
        return None if earlier is None else Prepared(answer=earlier)

    async def _made_elsewhere(self, request: SwitchRequest, layer: str) -> Prepared[Switched] | None:
        """The answer to a pause that waited so long that a load balancer had another process make it.

        It may have been ended since; to make it once more would bring it back.
        """
        asked = request.asked
        if asked is None or asked.sent_as is None or not self._may_be_made_elsewhere(request):
            return None
        made = await self._thread.run(self._store.pause_of, asked.sent_as, layer, asked.resumption)
        if made is None:
            return None
        await self._writer.follow()
        return Prepared(answer=stored_already(self._in_force, made))

    def _may_be_made_elsewhere(self, request: SwitchRequest) -> bool:
        """Tell whether a pause waited so long that a load balancer may have sent it to another process, too."""
        asked = request.asked
        if not self._store.is_shared or asked is None or asked.sent_as is None:
            return False
        return asked.pause > later(asked.resumption, AT_ONCE_SECONDS)

    def _no_earlier(self, created_at: str, layer: str) -> str:
        """The time of a pause that is stored on top of another one, which may have been asked for after it.

        A resumption that was asked for between the two would else end both.
        """
        stored, now = self._in_force.pauses.stored.get(layer), self._clock()
        others = [] if stored is None else [each.known_at for each in (stored, *stored.others)]
        return max([created_at, *(each for each in others if each <= now)])

    async def _before(
        self, layer: str, number: int, seen: Seen
    ) -> tuple[list[tuple[PauseInForce, str, SwitchRequest]], str]:
        """Pauses that are not stored yet, and are before a resumption: they cannot end before they are stored.

        Returns:
            These, and the time of the resumption: no earlier than that of what came the same way before it.

        Raises:
            VersionConflict: a pause came after it was asked for, here or in another process.
        """
        waiting = await self._announced(layer, seen)
        if self._newest.get(layer, number) > number:  # callers take turns, so that one may have gone before
            raise VersionConflict(_PAUSED_SINCE)
        now = self._clock()
        covered = self._repeats.of(layer)
        alike = [self._in_force.pauses.stored.get(layer), None if covered is None else covered.pause]
        for pause in alike:
            seen.expect(pause, now)
        # Of those that are held, one that was asked for later stays.
        all_held = (self._held.get(pause.config_id) for pause in self._in_force.pauses.held)
        before = (each for each in all_held if each is not None and each.number < number)
        ended = (each for each in before if each.pause.layer == layer and not seen.precedes(each.pause, now))
        held = [(each.pause, each.pause.config_id, each.request) for each in ended]
        ends = (pause for pause in (*alike, *(pause for pause, _, _ in held)) if pause is not None)
        return [*waiting, *held], max([seen.asked_at, *map(seen.no_earlier, ends)])

    async def _announced(self, layer: str, seen: Seen) -> list[tuple[PauseInForce, str, SwitchRequest]]:
        """Announced pauses of a layer that a resumption has to store before it, each with a name.

        Every other process sees by that order which of them it ended, whatever their clocks say.
        """
        found = []
        for pause in self._in_force.pauses.waiting(layer):
            if seen.precedes(pause, self._clock()):
                continue
            name = await free_name(pause, self._store, self._thread)
            if name is None:  # it was stored already; by somebody who was faster, or it ended
                await self._writer.follow()
                self._in_force.take_back([pause])
                self.tell([pause.layer])
            else:
                found.append((replace(pause, created_at=self._clock()), name, as_request(pause)))
        return found

    async def _is_repeated(self, request: SwitchRequest, layer: str) -> bool:
        """Tell whether a caller pauses again and again what is paused, and the last entry is not that of the first."""
        pauses = self._in_force.pauses
        if request.is_once or pauses.held or layer not in pauses.stored or self._repeats.allow(request.caller.key):
            return False
        await self._writer.follow()
        known = self._in_force.pauses.stored.get(layer)
        return known is not None and bool(known.others)

    async def _share_entry(self, request: SwitchRequest, asked: PauseInForce) -> PauseInForce | None:
        """Let the last entry of a layer be that of a later pause too; None if another one is the last by now.

        It gets the time of that, if it is later, and says as before who asked, and why.

        Raises:
            Forbidden: the token of who asks was revoked.
            StoreUnavailable: the store does not answer, or is gone.
        """
        known, caller = self._in_force.pauses.stored[asked.layer], request.caller
        entry = known.version or 0, known.config_id, asked.created_at
        try:
            time = await self._thread.run(self._store.repeat_pause, *entry, under=caller.digest)
        except TokenRefused as error:
            raise no_longer_valid(caller) from error
        if time is None:
            return None
        pause = replace(known, created_at=time, place=asked.place, heard_at=None)
        self._in_force.repeat(pause)
        return pause

    def followed(self, change: AppliedRevision) -> None:
        """Have a pause in force that was answered without being stored, if a resumption from before it is followed."""
        if (ended := self._repeats.followed(change)) is not None:
            self._hold(ended)

    def _hold(self, held: Held) -> None:
        """Put a pause in force without the store, and see to it that it gets there."""
        pauses = self._in_force.pauses
        if held.pause.config_id in self._held:
            return
        if len(pauses.held) >= MOST_HELD and self._is_held(held.pause.layer):
            self._repeats.add(held)  # by another one, which waits as well
            return
        _log.critical("%s: in force, but not stored; retrying", held.pause.sentence())
        self._held[held.pause.config_id] = held
        held.was_held = True
        is_new = not self._is_held(held.pause.layer)
        self._in_force.hold(held.pause)
        if is_new:  # otherwise nothing is paused by it that was not, however many pauses wait for the store
            self.tell([held.pause.layer])
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_held(), name="store pauses")
            self._storing.add_done_callback(self._finished)

    def _release(self, config_id: str) -> None:
        if (held := self._held.pop(config_id, None)) is None:
            return
        if any(pause.config_id == config_id for pause in self._in_force.pauses.held):
            self._in_force.release(config_id)
            if not self._is_held(held.pause.layer):
                self.tell([held.pause.layer])

    def _is_held(self, layer: str) -> bool:
        """Tell whether a pause of a layer is in force without being stored."""
        return layer in self._in_force.pauses.held.layers

    async def _store_held(self) -> None:
        """Try until everything that is held is stored. None that the store never takes keeps the others waiting."""
        while self._held:
            await asyncio.sleep(RETRY_SECONDS)
            for held in list(self._held.values()):
                if not await self._store_one(held):
                    if held.pause.config_id in self._held:  # the next time it comes after the others
                        self._held[held.pause.config_id] = self._held.pop(held.pause.config_id)
                    break

    async def _store_one(self, held: Held) -> bool:
        pause, request = held.pause, held.request
        try:
            prepare = partial(self._prepare_pause, request, held)
            await self._writer.write(prepare, request.channel, request.caller.key, is_urgent=True)
        except NotStored:
            return False
        except Exception:  # noqa: BLE001  # the caller was promised that storing is retried until it succeeds
            _log.exception("Failed to store a pause that is in force; retrying")
            return False
        _log.info("Stored a pause that was in force: %s", pause.sentence())
        self._release(pause.config_id)
        return True

    def tell(self, layers: Iterable[str]) -> None:
        """Call the listeners: of these layers a pause came into force, or ended."""
        assets = list(dict.fromkeys(asset for layer in layers for asset in self._in_force.under(layer)))
        tell(self.listeners, assets, _log, "a pause")

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, ChangeRefused):
            _log.error("A pause or resumption failed", exc_info=error)
