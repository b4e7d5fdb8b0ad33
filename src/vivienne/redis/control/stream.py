"""The control stream: messages that are applied once each and in order, as soon as an agent runs.

It is read by a consumer group, and only by the process that holds the lease. An entry is acknowledged after its change
is in force; one that is read a second time - the process died in between - has the same request_id, so the change is
made once and answered as the first time. Entries that a dead process left unfinished are taken over before new ones.

Redis gives a number out again after it lost its data, or its last entries. So a request_id that is the number of an
entry belongs to the stream, which has a name of its own, and to what the entry says.
"""

from __future__ import annotations

import asyncio
import logging
from time import time
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from vivienne.changes.asked import Asked, Way
from vivienne.errors import Malformed, TooLarge
from vivienne.rates import Quota
from vivienne.redis.client import sent_since
from vivienne.redis.group import StreamGroup, goes_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.control.messages import ControlMessages, Outcome
    from vivienne.redis.control.names import ControlNames
    from vivienne.redis.group import Entry, Fields

_log = logging.getLogger(__name__)
_untold = Quota(_log, logging.WARNING)

GROUP = "vivienne"
FIELD = b"message"
"""Field of an entry with the message; an entry with a single field may use any name."""
LOOK_SECONDS = 5.0
"""Time between two searches for entries of others; after the first there should be none."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 5.0
"""Delays before an entry that the store did not take is retried, in seconds."""
_OLDEST_SECONDS = 365 * 86_400.0
"""Age that an entry has at most: numbers up to 2**64 may be given to one."""
LEAST_TRIES = 8
"""Attempts before an entry can be given up."""


class ControlStream:
    """Reads the control stream as one consumer of the group.

    Args:
        messages: applies them.
        names: of stream and channels.
        consumer: name of this process.
        held: tells if this process holds the lease at this moment.

    Attributes:
        watch: notices what others do to the stream.
    """

    def __init__(self, messages: ControlMessages, names: ControlNames, consumer: str, held: Callable[[], bool]) -> None:
        self._messages = messages
        self._names = names
        self._reading = StreamGroup(names.stream, GROUP, consumer, held, names.stream_id)
        self.watch = self._reading.watch
        self._held = held
        self._way = Way()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        while self._held():
            try:
                await self._reading.join(redis)
                await self._follow(redis, ready)
            except ResponseError as refused:
                if not await goes_on(refused):
                    raise
            else:
                return

    async def _follow(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Apply entries until the lease is lost: unfinished ones first, then new ones as they come."""
        clock = asyncio.get_running_loop().time
        self.watch.begin()
        while self._held():
            await self._reading.take_over(redis)
            await self.watch.look(redis)
            looked = clock()
            entries = await self._reading.read(redis, "0")
            ready()
            while entries:
                if not await self._take_all(redis, entries):
                    return
                entries = await self._reading.read(redis, "0")
            while clock() - looked < LOOK_SECONDS and self._held():
                if not await self._take_all(redis, await self._reading.read(redis, ">")):
                    return

    async def _take_all(self, redis: Redis, entries: list[Entry]) -> bool:
        """Apply entries; return whether the lease was held all the time."""
        for entry_id, fields in entries:
            outcome = await self._take(redis, entry_id, fields) if fields else None
            if fields and outcome is None:
                return False
            async with redis.pipeline(transaction=False) as batch:
                if outcome is not None:
                    batch.publish(self._names.results, outcome.text)
                # One without fields was deleted from the stream after it was read: nothing to do.
                batch.xack(self._names.stream, GROUP, entry_id)
                await batch.execute()
        return True

    async def _take(self, redis: Redis, entry_id: bytes, fields: Fields) -> Outcome | None:
        """The outcome of an entry; None if the lease was lost before it could be applied."""
        name = f"{self._names.stream}:{entry_id.decode()}"
        if isinstance(fields, TooLarge):
            return self._messages.refuse(fields, name)
        if FIELD not in fields and len(fields) > 1:
            refused = Malformed(
                f"The entry has {len(fields)} fields, none of them named 'message'; put the message, as JSON, into it"
            )
            return self._messages.refuse(refused, name)
        raw = fields[FIELD] if FIELD in fields else next(iter(fields.values()))
        asked = None if self._messages.switched(raw) is None else await self._added(redis, entry_id)
        tries, made, delay = 0, self._messages.made, FIRST_DELAY
        while self._held():
            outcome = await self._messages.carry_out(raw, name, asked, self._reading.stream_id)
            if not outcome.unstored:
                return outcome
            tries += 1
            reason = outcome.document["message"]
            if tries == 1:
                _log.warning("%s is not stored yet; retrying, later entries wait: %s", name, reason)
            # If the store has taken other changes since, the fault is in this one.
            if tries >= LEAST_TRIES and self._messages.made > made:
                _log.error("Gave up %s after %d attempts: %s", name, tries, reason)
                return outcome
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)
        return None

    async def _added(self, redis: Redis, entry_id: bytes) -> Asked | None:
        """When an entry was added. Its number has the time by the clock of Redis, which tells its age.

        The answer of Redis falls between two readings of the local clock. A client may add an entry under any number;
        one from the future counts as new. What Redis took in after it stood still may have been sent before. None if
        Redis does not tell its time.
        """
        before = time()
        try:
            seconds, microseconds = await redis.time()
        except ResponseError:  # it has other names for its commands, or the user may not
            _untold.log(
                "Redis refuses TIME, so a resumption of the control stream may end a later pause; allow it "
                "(docs/redis.md)"
            )
            return None
        age = seconds + microseconds / 1e6 - int(entry_id.partition(b"-")[0]) / 1_000
        age = min(max(0.0, age), _OLDEST_SECONDS)
        added = time() - age
        return Asked.at(before - age, min(sent_since(redis, added), added), self._way.next())
