"""The control stream: messages that are applied once each and in order, as soon as an agent runs.

It is read by a consumer group, and only by the process that holds the lease. An entry is acknowledged after its change
is in force; one that is read a second time - the process died in between - has the same request_id, so the change is
made once and answered as the first time. Entries that a dead process left unfinished are taken over before new ones.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from vivienne.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.control.messages import ControlMessages, Outcome
    from vivienne.redis.control.names import ControlNames

_log = logging.getLogger(__name__)

GROUP = "vivienne"
FIELD = b"message"
"""Field of an entry with the message; an entry with a single field may use any name."""
READ_SECONDS = 1.0
MOST_AT_ONCE = 16
"""Entries read at once; each may be as large as Redis allows."""
IDLE_SECONDS = 0.5
"""Time for which an entry of another consumer must be idle before it is taken over."""
LOOK_SECONDS = 5.0
"""Time between two searches for entries of others; after the first there should be none."""
FORGET_SECONDS = 3_600.0
"""Time after which a consumer without entries is removed."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 5.0
"""Delays before an entry that the store did not take is retried, in seconds."""
LEAST_TRIES = 8
"""Attempts before an entry can be given up."""

Entry = tuple[bytes, dict[bytes, bytes]]


class ControlStream:
    """Reads the control stream as one consumer of the group.

    Args:
        messages: applies them.
        names: of stream and channels.
        consumer: name of this process.
        held: tells if this process holds the lease at this moment.
    """

    def __init__(self, messages: ControlMessages, names: ControlNames, consumer: str, held: Callable[[], bool]) -> None:
        self._messages = messages
        self._names = names
        self._consumer = consumer
        self._held = held

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        while True:
            try:
                await self._join(redis)
                await self._follow(redis, ready)
            except ResponseError as refused:
                # The stream, or the whole database, was deleted: create the group again.
                if not str(refused).startswith(("NOGROUP", "UNBLOCKED")):
                    raise
            else:
                return

    async def _join(self, redis: Redis) -> None:
        try:
            await redis.xgroup_create(self._names.stream, GROUP, id="0", mkstream=True)
        except ResponseError as refused:
            if not str(refused).startswith("BUSYGROUP"):
                raise

    async def _follow(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Apply entries until the lease is lost: unfinished ones first, then new ones as they come."""
        clock = asyncio.get_running_loop().time
        while self._held():
            await self._take_over(redis)
            looked = clock()
            entries = await self._read(redis, "0")
            ready()
            while entries:
                if not await self._take_all(redis, entries):
                    return
                entries = await self._read(redis, "0")
            while clock() - looked < LOOK_SECONDS and self._held():
                if not await self._take_all(redis, await self._read(redis, ">")):
                    return

    async def _take_over(self, redis: Redis) -> None:
        """Take over the unfinished entries of other consumers; they are older than any new one."""
        while self._held():
            await self._claim(redis)
            consumers = await redis.xinfo_consumers(self._names.stream, GROUP)
            others = [consumer for consumer in consumers if consumer["name"] != self._consumer.encode()]
            if not any(consumer["pending"] for consumer in others):
                for consumer in others:
                    if consumer["idle"] > FORGET_SECONDS * 1000:
                        await redis.xgroup_delconsumer(self._names.stream, GROUP, consumer["name"])
                return
            await asyncio.sleep(IDLE_SECONDS / 2)

    async def _claim(self, redis: Redis) -> None:
        position, idle = b"0-0", round(IDLE_SECONDS * 1000)
        while True:
            # Next position, entries (they are read again later, in order), and deleted ones.
            position, *_ = await redis.xautoclaim(
                self._names.stream, GROUP, self._consumer, idle, start_id=position, count=MOST_AT_ONCE
            )
            if position == b"0-0":
                return

    async def _read(self, redis: Redis, position: str) -> list[Entry]:
        """Unfinished entries of this consumer (``0``), or new ones (``>``), for which it waits a moment."""
        block = round(READ_SECONDS * 1000) if position == ">" else None
        # In RESP2, which the link uses: [[stream, [(id, {field: value}), ...]]], or nothing.
        answer: Any = await redis.xreadgroup(
            GROUP, self._consumer, {self._names.stream: position}, count=MOST_AT_ONCE, block=block
        )
        return answer[0][1] if answer else []

    async def _take_all(self, redis: Redis, entries: list[Entry]) -> bool:
        """Apply entries; return whether the lease was held all the time."""
        for entry_id, fields in entries:
            outcome = await self._take(f"{self._names.stream}:{entry_id.decode()}", fields) if fields else None
            if fields and outcome is None:
                return False
            async with redis.pipeline(transaction=False) as batch:
                if outcome is not None:
                    batch.publish(self._names.results, outcome.text)
                # One without fields was deleted from the stream after it was read: nothing to do.
                batch.xack(self._names.stream, GROUP, entry_id)
                await batch.execute()
        return True

    async def _take(self, name: str, fields: dict[bytes, bytes]) -> Outcome | None:
        """The outcome of an entry; None if the lease was lost before it could be applied."""
        if FIELD not in fields and len(fields) > 1:
            refused = Malformed(
                f"The entry has {len(fields)} fields, none of them named 'message'; put the message, as JSON, into it"
            )
            return self._messages.refuse(refused, name)
        raw = fields[FIELD] if FIELD in fields else next(iter(fields.values()))
        tries, made, delay = 0, self._messages.made, FIRST_DELAY
        while self._held():
            outcome = await self._messages.carry_out(raw, name)
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
