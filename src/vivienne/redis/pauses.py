"""Pauses over Redis: each process announces those in force, so that they reach processes that cannot read the database.

An announcement is repeated while somebody may not have heard it. Who connects asks the others for theirs. Whoever may
publish here can pause, and nothing else; a pause ends in the database only.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, NotRequired

import orjson
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from vivienne.config.layers import GLOBAL
from vivienne.redis.listening import heard
from vivienne.slices import slices_of_loop
from vivienne.wire.pause import PauseClaim

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from redis.asyncio import Redis

    from vivienne.changes.pause.state import PauseInForce, PausesInForce
    from vivienne.changes.service import ConfigService
    from vivienne.slices import Pieces
    from vivienne.store.revision import AppliedRevision

PAUSES = "vivienne:pauses"
"""Channel of the announcements."""
REPEAT_SECONDS = 1.0
"""Time between two announcements of a pause that somebody may not have heard."""
MOST_AT_ONCE = 200
"""Pauses in a message."""
MOST_BYTES = 128 * 1024
"""Length of a message that is read; one with `MOST_AT_ONCE` pauses has a third of it."""


class Announcement(TypedDict):
    """Pauses in force at a process, or with `asks` the question for those of others."""

    sender: str
    pauses: list[PauseClaim]
    asks: NotRequired[bool]


_adapter = TypeAdapter(Announcement)


def nobody() -> Pieces[Collection[str]]:
    """No asset."""
    yield
    return ()


class PauseAnnouncer:
    """Announces the pauses in force here: a new one at once, and what somebody may not have heard again and again.

    Thousands of assets may be paused one by one, so a new pause has nobody look at the others.

    Args:
        service: has them.
        process: name of this process.
        unconfirmed: finds assets whose agent has not stopped yet, as far as is known.
    """

    def __init__(
        self, service: ConfigService, process: str, unconfirmed: Callable[[], Pieces[Collection[str]]] = nobody
    ) -> None:
        self._service = service
        self._process = process
        self._unconfirmed = unconfirmed
        self._new = asyncio.Event()
        self._paused: set[str] = set()
        """Layers with a stored pause that was not announced yet."""
        self._held: set[str] = set()
        """By config_id, those that are not stored yet and were announced."""
        self._is_asked = False
        self._answered_at = float("-inf")
        service.listen(self._changed)
        service.listen_to_held(lambda _assets: self._new.set())

    def announce_all(self) -> None:
        """Announce every pause in force; those of others too, who may be gone.

        It is done at once, because who asks may decide assets meanwhile; but no more often than announcements repeat.
        """
        self._is_asked = True
        if monotonic() - self._answered_at >= REPEAT_SECONDS:
            self._new.set()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        self._answered_at = float("-inf")  # whatever was announced over another connection
        self.announce_all()
        repeated_at = monotonic()
        while True:
            await self._announce_new(redis)
            if self._is_asked and monotonic() - self._answered_at >= REPEAT_SECONDS:
                await self._answer(redis)
            ready()
            if monotonic() - repeated_at >= REPEAT_SECONDS:
                await self._repeat(redis)
                repeated_at = monotonic()
            due = min(repeated_at, self._answered_at) if self._is_asked else repeated_at
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due + REPEAT_SECONDS - monotonic())):
                    await self._new.wait()

    async def _announce_new(self, redis: Redis) -> None:
        """Announce what was not announced yet."""
        self._new.clear()
        pauses = self._service.pauses()
        held = [pause for pause in pauses.held if pause.config_id not in self._held]
        layers = {*self._paused, *(pause.layer for pause in held)}
        self._paused.clear()
        self._held = {pause.config_id for pause in pauses.held}
        for claims in _portions(_own(pauses, sorted(layers))):
            await self._publish(redis, claims)

    async def _answer(self, redis: Redis) -> None:
        """Announce every pause in force, because somebody asked."""
        self._is_asked, self._answered_at = False, monotonic()
        pauses = self._service.pauses()
        for claims in _portions(_all(pauses)):
            await self._publish(redis, claims)
            await self._let_new_ones_pass(redis)

    async def _repeat(self, redis: Redis) -> None:
        """Announce again what is not stored, or what somebody may not have heard."""
        unconfirmed = await self._find_unconfirmed(redis)
        pauses = self._service.pauses()
        layers = {*pauses.held.layers, *unconfirmed, *((GLOBAL,) if unconfirmed else ())}
        for claims in _portions(_own(pauses, sorted(layers))):
            await self._publish(redis, claims)
            await self._let_new_ones_pass(redis)

    async def _find_unconfirmed(self, redis: Redis) -> Collection[str]:
        """Look at the assets, a slice at a time; new pauses are announced between."""
        work, slices = self._unconfirmed(), slices_of_loop(gives_way=True)
        while True:
            try:
                next(work)
            except StopIteration as done:
                found: Collection[str] = done.value
                return found
            await slices.rest()
            await self._let_new_ones_pass(redis)

    async def _let_new_ones_pass(self, redis: Redis) -> None:
        if self._new.is_set():
            await self._announce_new(redis)

    async def _publish(self, redis: Redis, claims: list[PauseClaim]) -> None:
        await redis.publish(PAUSES, orjson.dumps({"sender": self._process, "pauses": claims}))

    def _changed(self, change: AppliedRevision) -> None:
        if change.revision.action == "pause":
            self._paused.add(change.revision.layer)
            self._new.set()


class PauseListener:
    """Puts pauses in force that other processes announce.

    Args:
        service: takes them.
        process: name of this process.
        announcer: is told when somebody asks.
    """

    def __init__(self, service: ConfigService, process: str, announcer: PauseAnnouncer) -> None:
        self._service = service
        self._process = process
        self._announcer = announcer

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        subscribed = asyncio.Event()
        async with aclosing(heard(redis, subscribed.set, PAUSES)) as messages:
            async for raw in messages:
                if subscribed.is_set():
                    subscribed.clear()
                    await redis.publish(PAUSES, orjson.dumps({"sender": self._process, "pauses": [], "asks": True}))
                    ready()
                if raw is not None and len(raw) <= MOST_BYTES:
                    with suppress(ValidationError):  # not an announcement
                        self._take(_adapter.validate_json(raw))

    def _take(self, announcement: Announcement) -> None:
        if announcement["sender"] == self._process:
            return
        if announcement.get("asks"):
            self._announcer.announce_all()
        self._service.hear(*announcement["pauses"])


def _own(pauses: PausesInForce, layers: Iterable[str]) -> Iterator[PauseInForce]:
    """The pauses of layers that are known from the store, or were asked for here."""
    for layer in layers:
        pause = pauses.held.latest(layer) or pauses.stored.get(layer)
        if pause is not None:
            yield pause


def _all(pauses: PausesInForce) -> Iterator[PauseInForce]:
    """The pause of each layer, and the one that was announced and that nobody stored, which may be a later one."""
    for layer in pauses.layers():
        own = pauses.own(layer)
        yield from dict.fromkeys(each for each in (own, *pauses.waiting(layer)) if each is not None)


def _portions(pauses: Iterator[PauseInForce]) -> Iterator[list[PauseClaim]]:
    """Their claims, as many as a message has; they are made when the message is."""
    while claims := [pause.claim() for pause in islice(pauses, MOST_AT_ONCE)]:
        yield claims
