"""The market stream: candles and trades that other programs add to Redis.

It is read by a consumer group, and only by the process that holds its lease. An entry is acknowledged once the market
has taken its rows. A process that starts has no bars: it reads the entries that were acknowledged before again, as
history.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson
from redis.exceptions import ResponseError

from vivienne.access.budget import TimeBudgets
from vivienne.channels.json import USUAL, read_object
from vivienne.channels.replies import error_reply
from vivienne.errors import ChangeRefused, Defect, Malformed, TooLarge, TooManyRequests
from vivienne.live.pushed import pushed
from vivienne.logs.defects import DEFECTS
from vivienne.market.feeds.pushed.rows import KINDS, MOST_NAMES, MOST_VALUES
from vivienne.redis.answers import AnswerTooLarge
from vivienne.redis.group import StreamGroup, goes_on, too_large
from vivienne.redis.lease import Holder, Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from redis.asyncio import Redis

    from vivienne.access.limits import MessageLimits
    from vivienne.market.feeds.pushed.feed import PushedFeed
    from vivienne.market.feeds.pushed.rows import Kind
    from vivienne.redis.group import Entry, Fields
    from vivienne.wire.pushed import Pushed

_log = logging.getLogger(__name__)

STREAM = "vivienne:market"
RESULTS = f"{STREAM}:results"
"""Channel of what became of the rows of each entry."""
LEASE = f"{STREAM}:lease"
GROUP = "vivienne"
FIELD = b"message"
"""Field of an entry with the push; an entry with a single field may use any name."""
MOST_FIELDS = 16
"""Fields of an entry; one has the push, and others may be of use to somebody else."""
_SHARE = 0.4
"""Part of the time of the event loop that entries may take, as the requests of a caller may."""
_WHOSE = "stream"
_WAIT_SECONDS = 1.0
"""Time after which it is looked whether the lease is still held."""
_LOOK_SECONDS = 5.0
"""Time between two searches for unfinished entries of others."""


def market_stream(
    feed: PushedFeed,
    process: str,
    share: str | None,
    limits: MessageLimits = USUAL,
    may: Callable[[], bool] = lambda: True,
) -> Holder:
    """The part of a process that reads the stream.

    Args:
        feed: takes the rows.
        process: name of the process.
        share: of an agent, as in ``1/2``; None for a process that decides all assets.
        limits: of an entry.
        may: tells if the process may read it; not so an agent that was replaced, whose successor needs the data.
    """
    suffix = "" if share is None else f":{share}"
    lease = Lease(LEASE + suffix, process)
    stream = MarketStream(feed, GROUP + suffix, process, lease.held, limits=limits)
    return Holder(lease, [stream], "takes market data from Redis", may, watch=stream.watch)


class MarketStream:
    """Reads the stream as one consumer of a group.

    Args:
        feed: takes the rows.
        group: name of the group.
        consumer: name of this process.
        held: tells if this process holds the lease at this moment.
        limits: of an entry.

    Attributes:
        watch: notices what others do to the stream.
    """

    def __init__(
        self,
        feed: PushedFeed,
        group: str,
        consumer: str,
        held: Callable[[], bool],
        *,
        limits: MessageLimits = USUAL,
    ) -> None:
        self._feed = feed
        self._group = group
        self._reading = StreamGroup(STREAM, group, consumer, held)
        self.watch = self._reading.watch
        self._budgets = TimeBudgets(monotonic, _SHARE)
        self._held = held
        self._limits = limits
        self._has_history = False

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        while self._held():
            try:
                await self._reading.join(redis)
                await self._recall(redis)
                await self._follow(redis, ready)
            except ResponseError as refused:
                if not await goes_on(refused):
                    raise
            else:
                return

    async def _recall(self, redis: Redis) -> None:
        """Read the entries again that were acknowledged before this process started."""
        if self._has_history:
            return
        until, begin = await self._acknowledged(redis), "-"
        while True:
            try:
                entries: Any = await redis.xrange(STREAM, begin, until, count=1)
            except AnswerTooLarge as refused:
                entries = [too_large(refused)]
            if not entries:
                break
            for _, fields in entries:
                await self._take(fields, is_history=True)
            begin = f"({entries[-1][0].decode()}"
        self._has_history = True

    async def _acknowledged(self, redis: Redis) -> str:
        """The last entry up to which all were acknowledged, as the end of a range."""
        pending = await redis.xpending(STREAM, self._group)
        if pending["pending"]:
            return f"({pending['min'].decode()}"
        groups = await redis.xinfo_groups(STREAM)
        last: bytes = next(group["last-delivered-id"] for group in groups if group["name"] == self._group.encode())
        return last.decode()

    async def _follow(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Take entries until the lease is lost: unfinished ones first, then new ones as they come."""
        clock = asyncio.get_running_loop().time
        self.watch.begin()
        while self._held():
            await self._reading.take_over(redis)
            await self.watch.look(redis)
            looked = clock()
            ready()
            while entries := await self._reading.read(redis, "0"):
                if not await self._take_all(redis, entries):
                    return
            while clock() - looked < _LOOK_SECONDS and self._held():
                if not await self._take_all(redis, await self._reading.read(redis, ">")):
                    return

    async def _take_all(self, redis: Redis, entries: list[Entry]) -> bool:
        """Take entries; return whether the lease was held all the time."""
        for entry_id, fields in entries:
            if not self._held():
                return False
            # One without fields was deleted from the stream after it was read.
            outcome = await self._take(fields) if fields else None
            if fields and not await self._is_taken():
                return False
            async with redis.pipeline(transaction=False) as batch:
                if outcome is not None:
                    batch.publish(RESULTS, orjson.dumps({**outcome, "entry": entry_id.decode()}))
                batch.xack(STREAM, self._group, entry_id)
                await batch.execute()
        return True

    async def _take(self, fields: Fields, *, is_history: bool | None = None) -> Mapping[str, Any]:
        """What became of an entry; waits until the market has room for it, and others have had their time."""
        await self._budgets.due(_WHOSE)
        try:
            outcome = await self._budgets.charging(_WHOSE, self._pushed(fields, is_history))
        except ChangeRefused as refused:
            self._feed.refuse()
            return error_reply(refused, in_reply_to=None, request_id=None)
        except Exception as error:  # noqa: BLE001  # a defect must not cost the stream its reader
            DEFECTS.tell(_log, "market", "An entry of %s failed", STREAM, error=error)
            return error_reply(Defect(), in_reply_to=None, request_id=None)
        return {"type": "market_data_response", **outcome}

    async def _pushed(self, fields: Fields, is_history: bool | None) -> Pushed:
        kind, body = self._read(fields)
        while True:
            try:
                return await pushed(self._feed, kind, body, is_history=is_history)
            except TooManyRequests:
                if not await self._is_taken():
                    raise

    async def _is_taken(self) -> bool:
        """Wait until the market has taken what was pushed; False if the lease is lost before."""
        while self._held():
            with suppress(TimeoutError):
                async with asyncio.timeout(_WAIT_SECONDS):
                    await self._feed.taken()
                    return True
        return False

    def _read(self, fields: Fields) -> tuple[Kind, dict[str, Any]]:
        if isinstance(fields, TooLarge):
            raise fields
        if len(fields) > MOST_FIELDS:
            raise TooLarge(f"The entry has {len(fields):,} fields; the limit is {MOST_FIELDS}")
        if FIELD not in fields and len(fields) > 1:
            raise Malformed(
                f"The entry has {len(fields)} fields, none of them named 'message'; put the push, as JSON, into it"
            )
        raw = fields[FIELD] if FIELD in fields else next(iter(fields.values()))
        body = read_object(raw, self._limits, most_names=MOST_NAMES, most_values=MOST_VALUES)
        named = body.pop("type", None)
        kind = next((kind for kind in KINDS if kind == named or (named is None and kind in body)), None)
        if kind is None:
            raise Malformed(f'The type must be one of {", ".join(KINDS)}, as in {{"type": "candles"}}', path="type")
        return kind, body
