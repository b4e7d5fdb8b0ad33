"""Reads a stream as one consumer of a group, so that its position is kept in Redis.

An entry that is read stays unfinished until it is acknowledged. Those that a dead process left unfinished are taken
over before new ones.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError, ResponseError

from vivienne.errors import TooLarge
from vivienne.redis.answers import MOST_BYTES, MOST_PARTS, AnswerTooLarge
from vivienne.redis.client import is_full
from vivienne.redis.stream_watch import StreamWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

READ_SECONDS = 1.0
_CLAIMED_AT_ONCE = 1_000
"""Entries taken over at once; they are not read by that."""
IDLE_SECONDS = 0.5
"""Time for which an entry of another consumer must be idle before it is taken over."""
_FULL_REST_SECONDS = 0.5
"""Time until a Redis that is full is asked again."""
FORGET_SECONDS = 3_600.0
"""Time after which a consumer without entries is removed."""

Fields = dict[bytes, bytes] | TooLarge
"""Of an entry, or the reason why they were not read."""
Entry = tuple[bytes, Fields]


async def goes_on(refused: ResponseError) -> bool:
    """Whether to `join` again after Redis refused: the stream was deleted, or Redis is full, which is waited for.

    A read by a group is a write, too: it keeps the position.
    """
    if is_full(refused):
        await asyncio.sleep(_FULL_REST_SECONDS)
        return True
    return str(refused).startswith(("NOGROUP", "UNBLOCKED"))


class StreamGroup:
    """One consumer of a group.

    Args:
        stream: name of the stream.
        group: name of the group.
        consumer: name of this process.
        held: tells if this process may read at this moment.
        id_key: key of a name that is made with the stream, and gone when Redis has lost its data.

    Attributes:
        watch: notices what others do to the stream.
        stream_id: that name, once joined; empty without a key for it, and of a stream that is older than the name.
    """

    def __init__(
        self, stream: str, group: str, consumer: str, held: Callable[[], bool], id_key: str | None = None
    ) -> None:
        self._stream = stream
        self._group = group
        self._consumer = consumer
        self._held = held
        self._id_key = id_key
        self.watch = StreamWatch(stream, group)
        self.stream_id = ""

    async def join(self, redis: Redis) -> None:
        """Create the group, unless it is there.

        Raises:
            ResponseError: Redis refuses, such as because it is full; see `goes_on`.
        """
        groups = await self._groups(redis)
        if groups is None or self._group.encode() not in groups:
            await self._create(redis, is_empty=groups is None)
        if self._id_key is not None:
            kept = await redis.get(self._id_key)
            self.stream_id = kept.decode() if isinstance(kept, bytes) else ""

    async def _create(self, redis: Redis, *, is_empty: bool) -> None:
        if self._id_key is not None:  # entries that are there may have been read under the name that is there
            await redis.set(self._id_key, uuid.uuid4().hex, nx=not is_empty)
        try:
            await redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as refused:
            if not str(refused).startswith("BUSYGROUP"):
                raise

    async def _groups(self, redis: Redis) -> set[bytes] | None:
        """Names of the groups of the stream; None if it does not exist. None are known if this user may not ask."""
        try:
            return {each["name"] for each in await redis.xinfo_groups(self._stream)}
        except NoPermissionError:
            return set()
        except ResponseError as refused:
            if not str(refused).startswith("no such key"):
                raise
            return None

    async def take_over(self, redis: Redis) -> None:
        """Take over the unfinished entries of other consumers; they are older than any new one."""
        while self._held():
            await self._claim(redis)
            consumers = await redis.xinfo_consumers(self._stream, self._group)
            others = [consumer for consumer in consumers if consumer["name"] != self._consumer.encode()]
            if not any(consumer["pending"] for consumer in others):
                for consumer in others:
                    if consumer["idle"] > FORGET_SECONDS * 1000:
                        await redis.xgroup_delconsumer(self._stream, self._group, consumer["name"])
                return
            await asyncio.sleep(IDLE_SECONDS / 2)

    async def _claim(self, redis: Redis) -> None:
        idle = round(IDLE_SECONDS * 1000)
        # Their numbers are enough: they are read later, in order. Those that are claimed are idle no more.
        while await redis.xautoclaim(
            self._stream, self._group, self._consumer, idle, start_id="0-0", count=_CLAIMED_AT_ONCE, justid=True
        ):
            pass

    async def read(self, redis: Redis, position: str) -> list[Entry]:
        """The first unfinished entry of this consumer (``0``), or a new one (``>``), for which it waits a moment.

        It is one at a time: each may be as large as Redis allows.
        """
        block = round(READ_SECONDS * 1000) if position == ">" else None
        # In RESP2, which the link uses: [[stream, [(id, {field: value}), ...]]], or nothing.
        try:
            answer: Any = await redis.xreadgroup(
                self._group, self._consumer, {self._stream: position}, count=1, block=block
            )
            entries: list[Entry] = answer[0][1] if answer else []
        except AnswerTooLarge as refused:
            entries = [too_large(refused)]
        if position == ">":
            self.watch.got(len(entries))
        return entries


def too_large(refused: AnswerTooLarge) -> Entry:
    """The entry that was to be read, if an answer was refused for it. It would be in the way of all others for ever.

    Raises:
        AnswerTooLarge: the answer has no entry.
    """
    if refused.entry_id is None:
        raise refused
    limits = f"{MOST_BYTES // 1024**2} MB and {MOST_PARTS // 2:,} fields"
    return refused.entry_id, TooLarge(f"The entry was not read: it is too large; the limits are {limits}")
