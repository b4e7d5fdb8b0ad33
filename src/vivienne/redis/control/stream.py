"""The control stream: messages that are carried out once each and in order, whenever an agent is there to do it.

It is read by a consumer group, and only by the process that holds the lease. An entry is acknowledged after its change
is in force; one that is read a second time - the process died in between - has the same request_id, so it is answered
as the first time and made once. What a process left behind when it died is taken over before anything new is read.
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
"""Field of an entry that has the message; an entry with one field may call it anything."""
READ_SECONDS = 1.0
MOST_AT_ONCE = 16
"""Entries read at once; each may be as large as Redis lets it be."""
IDLE_SECONDS = 0.5
"""So long an entry of another consumer must have been untouched before it is taken over."""
LOOK_SECONDS = 5.0
"""Between two looks for entries of others; beyond the first there should be none."""
FORGET_SECONDS = 3_600.0
"""A consumer that has nothing and did nothing for so long is removed."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 5.0
"""Before an entry is tried again that the store did not take, in seconds."""
LEAST_TRIES = 8
"""Before an entry can be given up."""

Entry = tuple[bytes, dict[bytes, bytes]]


class ControlStream:
    """Reads the control stream as one consumer of the group.

    Args:
        messages: carries out what comes.
        names: of stream and channels.
        consumer: name of this process.
        held: whether this process holds the lease at this moment.
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
                # Somebody deleted the stream, or all of the database. Then the group has to be made again.
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
        """Carry out entries until the lease is lost: what is left over first, then new ones as they come."""
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
        """Make the unfinished entries of other consumers ours; they are older than whatever is new."""
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
            # Next position, entries (they are read again later, in order), and those that are gone.
            position, *_ = await redis.xautoclaim(
                self._names.stream, GROUP, self._consumer, idle, start_id=position, count=MOST_AT_ONCE
            )
            if position == b"0-0":
                return

    async def _read(self, redis: Redis, position: str) -> list[Entry]:
        """Entries of ours that are unfinished (``0``), or new ones (``>``), for which it waits a moment."""
        block = round(READ_SECONDS * 1000) if position == ">" else None
        # With RESP2, which the link speaks: [[stream, [(id, {field: value}), ...]]], or nothing.
        answer: Any = await redis.xreadgroup(
            GROUP, self._consumer, {self._names.stream: position}, count=MOST_AT_ONCE, block=block
        )
        return answer[0][1] if answer else []

    async def _take_all(self, redis: Redis, entries: list[Entry]) -> bool:
        """Carry out entries; gives whether the lease was held all the time."""
        for entry_id, fields in entries:
            outcome = await self._take(f"{self._names.stream}:{entry_id.decode()}", fields) if fields else None
            if fields and outcome is None:
                return False
            async with redis.pipeline(transaction=False) as batch:
                if outcome is not None:
                    batch.publish(self._names.results, outcome.text)
                # One without fields was deleted from the stream after it was read, and is as good as done.
                batch.xack(self._names.stream, GROUP, entry_id)
                await batch.execute()
        return True

    async def _take(self, name: str, fields: dict[bytes, bytes]) -> Outcome | None:
        """What came of an entry; None when the lease was lost before it could be carried out."""
        if FIELD not in fields and len(fields) > 1:
            refused = Malformed(
                f"The entry has {len(fields)} fields; put the message, as JSON, into one named 'message'"
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
                _log.warning("%s waits, and all after it: %s", name, reason)
            # Only when the store has taken other changes in the meantime it is this one that it cannot take.
            if tries >= LEAST_TRIES and self._messages.made > made:
                _log.error("%s is given up after %d attempts: %s", name, tries, reason)
                return outcome
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)
        return None
