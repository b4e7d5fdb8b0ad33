"""Which of several processes carries out what comes over Redis: a lease with a time limit.

The lease is a key that Redis forgets by itself. Its holder measures on a clock of its own, from before it asked, so it
stops relying on the lease before Redis gives it to another process. It looks at that clock before it carries anything
out, so also one that was stopped for a while leaves alone what it finds in its buffers.
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

_log = logging.getLogger(__name__)

LEASE_SECONDS = 3.0
"""After so long without a renewal Redis gives the lease to whoever asks first."""
SURE_SECONDS = 2.5
"""So long its holder relies on it; the rest is for clocks that do not run alike."""
RENEW_SECONDS = 1.0
ASK_SECONDS = 0.5
"""Between two attempts to get the lease while another process has it."""
GIVE_UP_SECONDS = 0.5
"""How long giving it up may take when the process stops."""

_KEEP = """
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pexpire', KEYS[1], ARGV[2])
"""
_GIVE_UP = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""

# Where there is one, a clock that goes on while the machine sleeps: Redis may be on another one.
_clock: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class Lease:
    """One process's part in the lease.

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
        """Whether this process holds it at this moment."""
        return self._clock() < self._until

    async def keep(self, redis: Redis) -> bool:
        """Get the lease, or renew it; gives whether this process holds it."""
        asked = self._clock()
        kept = await redis.eval(_KEEP, 1, self._key, self._holder, str(round(LEASE_SECONDS * 1000)))
        self._until = asked + SURE_SECONDS if kept else float("-inf")
        return self.held()

    async def give_up(self, redis: Redis) -> None:
        """Let another process have it at once."""
        self._until = float("-inf")
        await redis.eval(_GIVE_UP, 1, self._key, self._holder)


class Holder:
    """Runs parts while this process holds the lease; they begin anew with each lease.

    Args:
        lease: which one.
        parts: what to run.
    """

    def __init__(self, lease: Lease, parts: list[Part]) -> None:
        self._lease = lease
        self._parts = parts

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        try:
            while True:
                while not await self._lease.keep(redis):
                    ready()
                    await asyncio.sleep(ASK_SECONDS)
                _log.info("This process carries out what comes over Redis")
                await self._hold(redis, ready)
                _log.warning("This process does not carry out what comes over Redis any more: it lost the lease")
        finally:
            with suppress(*LOST):
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    await self._lease.give_up(redis)

    async def _hold(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Run the parts until the lease is lost, or has run out while this process was held up."""
        async with asyncio.TaskGroup() as tasks:
            running = start(tasks, self._parts, redis, ready)
            while True:
                await asyncio.sleep(RENEW_SECONDS)
                # Asked first: a lease that ran out and is got again is another one, and needs parts that begin anew.
                if not self._lease.held() or not await self._lease.keep(redis):
                    break
            for task in running:
                task.cancel()
