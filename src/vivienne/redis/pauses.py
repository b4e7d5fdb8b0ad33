"""Pauses over Redis: each process announces those in force, so that they reach processes that cannot read the database.

An announcement is repeated while somebody may not have heard it. Who connects asks the others for theirs. Whoever may
publish here can pause, and nothing else; a pause ends in the database only.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from time import monotonic
from typing import TYPE_CHECKING, NotRequired

import orjson
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from vivienne.config.layers import GLOBAL
from vivienne.redis.listening import heard
from vivienne.wire.pause import PauseClaim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redis.asyncio import Redis

    from vivienne.changes.pause.state import PauseInForce
    from vivienne.changes.service import ConfigService
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


class PauseAnnouncer:
    """Announces the pauses in force here.

    Args:
        service: has them.
        process: name of this process.
        unconfirmed: assets whose agent has not stopped yet, as far as is known.
    """

    def __init__(self, service: ConfigService, process: str, unconfirmed: Callable[[], Iterable[str]] = tuple) -> None:
        self._service = service
        self._process = process
        self._unconfirmed = unconfirmed
        self._new = asyncio.Event()
        self._announced: set[tuple[str, int | None]] = set()
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
        self.announce_all()
        while True:
            self._new.clear()
            for pauses in _portions(self._due()):
                await redis.publish(PAUSES, orjson.dumps({"sender": self._process, "pauses": pauses}))
            ready()
            with suppress(TimeoutError):
                async with asyncio.timeout(REPEAT_SECONDS):
                    await self._new.wait()

    def _due(self) -> list[PauseInForce]:
        """Pauses that were not announced yet, that are not stored, or that somebody may not have heard."""
        pauses = self._service.pauses()
        if self._is_asked:
            self._is_asked, self._answered_at = False, monotonic()
            self._announced = {(pause.config_id, pause.version) for pause in pauses.all()}
            return pauses.all()
        own = [pause for pause in pauses.all() if pause not in pauses.heard]
        unconfirmed = set(self._unconfirmed())
        layers = {GLOBAL, *unconfirmed} if unconfirmed else set()
        due = [
            pause
            for pause in own
            if pause.version is None or pause.layer in layers or (pause.config_id, pause.version) not in self._announced
        ]
        self._announced = {(pause.config_id, pause.version) for pause in own}
        return due

    def _changed(self, change: AppliedRevision) -> None:
        if change.revision.action == "pause":
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


def _portions(pauses: list[PauseInForce]) -> Iterable[list[PauseClaim]]:
    claims = [pause.claim() for pause in pauses]
    return (claims[start : start + MOST_AT_ONCE] for start in range(0, len(claims), MOST_AT_ONCE))
