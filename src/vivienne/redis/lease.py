"""The lease: of several processes its holder applies the messages that come over Redis.

The lease is a key that expires in Redis. Its holder measures on its own clock, from before it asked, so it stops
relying on the lease before Redis gives it to another process. It checks that clock before it applies a message, so a
process that was suspended ignores what it finds in its buffers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from vivienne.redis.link import LOST, start

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
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pexpire', KEYS[1], ARGV[2])
"""
_GIVE_UP = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""

# If available, a clock that runs while the machine sleeps: Redis may be on another machine.
_clock: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class Lease:
    """The lease as one process sees it.

    Args:
        key: its name in Redis.
        holder: name of this process.
        clock: seconds, never turned back.
    """

    def __init__(self, key: str, holder: str, clock: Callable[[], float] = _clock) -> None:
        self._key = key
        self._holder = holder
        self._clock = clock
        self._until = float("-inf")

    def held(self) -> bool:
        """True if this process holds it at this moment."""
        return self._clock() < self._until

    async def keep(self, redis: Redis) -> bool:
        """Acquire or renew the lease; return whether this process holds it."""
        asked = self._clock()
        kept = await redis.eval(_KEEP, 1, self._key, self._holder, str(round(LEASE_SECONDS * 1000)))
        self._until = asked + SURE_SECONDS if kept else float("-inf")
        return self.held()

    async def give_up(self, redis: Redis) -> None:
        """Release it, so that another process can acquire it at once."""
        self._until = float("-inf")
        await redis.eval(_GIVE_UP, 1, self._key, self._holder)


class Holder:
    """Runs parts while this process holds the lease; each new lease restarts them.

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
        """Run the parts until the lease is lost, or has expired while this process was suspended."""
        async with asyncio.TaskGroup() as tasks:
            running = start(self._parts, redis, ready, tasks)
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                # Checked first: a lease that expired and is acquired again is a new one, and needs restarted parts.
                if not self._may() or not self._lease.held() or not await self._lease.keep(redis):
                    break
            for task in running:
                task.cancel()
