"""The lease: of several processes its holder applies the messages that come over Redis.

The lease is a key that expires in Redis. Its holder measures on its own clock, from before it asked, so it stops
relying on the lease before Redis gives it to another process. It checks that clock before it applies a message. A
process that was suspended, or so busy that it renewed too late, waits until Redis says whether another one has held the
lease since: the name of the last holder stays under a key of its own.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from vivienne.redis.client import is_full
from vivienne.redis.link import LOST, start
from vivienne.times import elapsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.link import Part
    from vivienne.redis.stream_watch import StreamWatch

_log = logging.getLogger(__name__)

LEASE_SECONDS = 3.0
"""Time without a renewal after which the lease expires, and the first process that asks acquires it."""
SURE_SECONDS = 2.5
"""Time for which its holder relies on it; the rest allows for clocks of different speed."""
RENEW_SECONDS = 1.0
ASK_SECONDS = 0.5
"""Time between two attempts to acquire the lease while another process holds it."""
GIVE_UP_SECONDS = 0.5
"""Longest time of releasing it when the process stops."""

_KEEP = """
local holder = redis.call('get', KEYS[1])
if holder == ARGV[1] then
  redis.call('pexpire', KEYS[1], ARGV[2])
  return 1
end
if holder then return 0 end
local last = redis.call('get', KEYS[2])
if last == ARGV[1] then
  redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
if ARGV[3] == 'renew' then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('set', KEYS[2], ARGV[1])
return 2
"""
_GIVE_UP = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""

_STILL = 1
"""Answer to a process that holds the lease, and that no other one has followed."""


class Lease:
    """The lease as one process sees it.

    Args:
        key: its name in Redis.
        holder: name of this process.
        clock: seconds, never turned back.
    """

    def __init__(self, key: str, holder: str, clock: Callable[[], float] = elapsed) -> None:
        self._key = key
        self._holder = holder
        self._clock = clock
        self._until = float("-inf")
        self._kept = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def when_lost(self, listener: Callable[[], None]) -> None:
        """Call a listener each time another process has held it."""
        self._listeners.append(listener)

    def held(self) -> bool:
        """True if this process holds it at this moment."""
        return self._clock() < self._until

    async def wait(self) -> None:
        """Wait until this process holds it."""
        while not self.held():
            self._kept.clear()
            await self._kept.wait()

    async def keep(self, redis: Redis) -> bool:
        """Acquire or renew the lease; return whether this process holds it."""
        return await self._keep(redis, "acquire")

    async def renew(self, redis: Redis) -> bool:
        """Renew it, also after it has expired, unless another process has held it since; return whether it was."""
        return await self._keep(redis, "renew")

    async def _keep(self, redis: Redis, how: str) -> bool:
        asked, keys = self._clock(), (self._key, self._key + ":last")
        try:
            kept = await redis.eval(_KEEP, len(keys), *keys, self._holder, str(round(LEASE_SECONDS * 1000)), how)
        except ResponseError as refused:
            if not is_full(refused):
                raise
            # It is free, and nobody can acquire it. The last holder goes on once Redis keeps something again.
            self._until = float("-inf")
            return False
        if kept != _STILL:
            for listener in self._listeners:
                listener()
        self._until = asked + SURE_SECONDS if kept else float("-inf")
        if self.held():
            self._kept.set()
        return bool(kept)

    async def give_up(self, redis: Redis) -> None:
        """Release it, so that another process can acquire it at once."""
        self._until = float("-inf")
        await redis.eval(_GIVE_UP, 1, self._key, self._holder)


class Holder:
    """Runs parts while this process holds the lease; each new lease restarts them.

    One that was renewed too late stays the same lease, if no other process has held it since.

    Args:
        lease: to hold.
        parts: to run.
        what: this process does while it holds the lease, for the log.
        may: tells if this process may hold it; once it may not, it leaves the lease to others.
        watch: of the stream that they read; None without one.

    Attributes:
        watch: see above.
    """

    def __init__(
        self,
        lease: Lease,
        parts: list[Part],
        what: str = "applies control messages from Redis",
        may: Callable[[], bool] = lambda: True,
        *,
        watch: StreamWatch | None = None,
    ) -> None:
        self.watch = watch
        self._may = may
        self._lease = lease
        self._what = what
        self._parts = parts

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        try:
            while True:
                while not self._may() or not await self._lease.keep(redis):
                    ready()
                    await asyncio.sleep(ASK_SECONDS)
                _log.info("Acquired the lease: this process %s", self._what)
                await self._hold(redis, ready)
                _log.warning("Lost the lease: another process %s", self._what)
                if not self._may():
                    await self._lease.give_up(redis)
        finally:
            with suppress(*LOST):
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    await self._lease.give_up(redis)

    async def _hold(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Run the parts until another process has the lease."""
        async with asyncio.TaskGroup() as tasks:
            running = start([_WhileHeld(part, self._lease) for part in self._parts], redis, ready, tasks)
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                if not self._may() or not await self._lease.renew(redis):
                    break
            for task in running:
                task.cancel()


class _WhileHeld:
    """Runs a part again that has ended because the lease was renewed too late."""

    def __init__(self, part: Part, lease: Lease) -> None:
        self._part = part
        self._lease = lease

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        while True:
            await self._part.run(redis, ready)
            await self._lease.wait()
