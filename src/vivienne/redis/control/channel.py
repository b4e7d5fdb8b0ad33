"""The control channel: applies its messages.

Changes are applied one after the other. Pauses and resumptions wait for none of them, and pauses wait for no
resumptions. All is read as it comes, because Redis drops a subscriber who does not read.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from functools import partial
from time import time
from typing import TYPE_CHECKING

from vivienne.changes.asked import Asked, Way
from vivienne.errors import TooManyRequests
from vivienne.rates import Quota
from vivienne.redis.client import sent_since
from vivienne.redis.control.waiting import WaitingMessages, WaitingSwitch
from vivienne.redis.link import LOST
from vivienne.redis.listening import Ending, heard
from vivienne.standstill import STANDSTILL

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.redis.control.messages import ControlMessages
    from vivienne.redis.control.names import ControlNames
    from vivienne.redis.control.results import Results
    from vivienne.redis.control.waiting import TooMany
    from vivienne.redis.lease import Lease

_log = logging.getLogger(__name__)
_dropped = Quota(_log, logging.WARNING)

FINISH_SECONDS = 5.0
"""So long what was heard is applied when the process stops."""


class ControlChannel:
    """Listens to the control channel while this process holds the lease, and applies what it heard.

    Messages of a channel have no numbers, so a repetition could not be noticed. Therefore the subscription begins after
    the lease does. Messages wait until it is sure that this process holds the lease. While no other one has held it
    they are applied, however late; otherwise they are left out: some of them that process has applied.

    Args:
        messages: applies them.
        names: of the channels.
        lease: which says whether they are applied here.
        results: publishes what became of them.

    Attributes:
        waiting: messages that are not applied yet.
    """

    def __init__(self, messages: ControlMessages, names: ControlNames, lease: Lease, results: Results) -> None:
        self._messages = messages
        self._names = names
        self._lease = lease
        self._results = results
        self.waiting = WaitingMessages()
        self._redis: Redis | None = None
        self._way = Way()
        self._ending, self._has_ended = Ending(), asyncio.Event()
        self._has_ended.set()
        self._is_finishing = False
        self._under_way, self._applied = 0, asyncio.Event()
        lease.when_lost(self._drop)

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Listen. See `vivienne.redis.link.Part`."""
        self._redis = redis
        if not self._is_finishing:
            self._has_ended.clear()
            try:
                async with aclosing(heard(redis, ready, self._names.channel, ending=self._ending)) as messages:
                    async for raw in messages:  # others have their turn every few milliseconds
                        if raw is not None:
                            self._take(raw)
            finally:
                self._has_ended.set()
        await asyncio.Event().wait()  # the link goes on until what was heard is applied

    async def finish(self) -> None:
        """Hear nothing more, and apply what was heard, for a while; `apply` has to run."""
        self._is_finishing = True
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                if not self._has_ended.is_set():
                    with suppress(*LOST):
                        await self._ending.end()
                    await self._has_ended.wait()
                while self.waiting.changes or self.waiting.switches or self._under_way:
                    self._applied.clear()
                    await self._applied.wait()
                await self._results.are_published()
        except TimeoutError:
            if dropped := self.waiting.drop():
                _dropped.log("%d control messages that waited were left out: the process stops", dropped)

    async def apply(self) -> None:
        """Apply what was heard, until cancelled: what waits does not depend on the connection."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._apply_changes())
            while True:
                await self.waiting.switch_may_begin()
                await self._lease.wait()
                if (found := self.waiting.take_switch()) is not None:
                    tasks.create_task(self._switch(found))
                    await asyncio.sleep(0)  # it begins before the next one, and others have their turn

    def _take(self, raw: bytes) -> None:
        switched = self._messages.switched(raw)
        if switched is not None and self.waiting.are_many(switched) and self._messages.refuses_switch(raw):
            switched = None  # it must not take the place of one that counts, and waits among changes for its refusal
        if switched is None:
            refused = self.waiting.put(raw)
        else:
            refused = self.waiting.too_many(raw, switched) or self.waiting.put_switch(
                WaitingSwitch(raw, self._asked(), switched)
            )
        if refused is not None:
            self._results.put_refusal(partial(self._refusal, refused))

    def _refusal(self, refused: TooMany) -> str:
        error = TooManyRequests(f"{refused.waiting:,} {refused.kind} wait on this channel, the limit")
        return self._messages.refuse_message(error, refused.raw).text

    def _asked(self) -> Asked:
        """When a message was received: it may have been there before, if the process or Redis stood still."""
        received_at, since = time(), STANDSTILL.since()
        if self._redis is not None:
            since = min(since, sent_since(self._redis, received_at))
        return Asked.at(received_at, since, self._way.next())

    async def _apply_changes(self) -> None:
        """Apply changes one after the other."""
        while True:
            await self.waiting.change_came()
            await self._lease.wait()
            if (raw := self.waiting.take_change()) is not None:
                await self._carry_out(raw)
                await asyncio.sleep(0)  # one that is refused has waited for nothing, and others have their turn

    async def _switch(self, switch: WaitingSwitch) -> None:
        try:
            await self._carry_out(switch.raw, switch.asked)
        finally:
            self.waiting.end_switch(switch.switched)

    async def _carry_out(self, raw: bytes, asked: Asked | None = None) -> None:
        self._under_way += 1
        try:
            self._results.put((await self._messages.carry_out(raw, asked=asked)).text)
        finally:
            self._under_way -= 1
            self._applied.set()

    def _drop(self) -> None:
        if dropped := self.waiting.drop():
            _dropped.log(
                "%d control messages that waited were left out: another process holds the lease and applies messages",
                dropped,
            )
