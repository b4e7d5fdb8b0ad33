"""The blocking store in a thread of its own, so that the event loop never waits for a disk.

Calls of changes go before reads of the process itself, those before what callers ask to see, and that before tickets:
many of those delay a pause, or the health of the store, by one call at most.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from itertools import count
from queue import PriorityQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Rank(IntEnum):
    """The order in which calls are made."""

    CHANGE = 0
    READ = 1
    PAGE = 2
    TICKET = 3
    LAST = 4


@dataclass(slots=True, order=True)
class _Asked:
    rank: _Rank
    number: int
    call: Callable[[], Any] | None = field(compare=False)
    """None ends the thread."""
    answer: Future[Any] = field(compare=False)


class _Queue:
    """Calls that wait: by rank, and within a rank in the order of asking."""

    def __init__(self) -> None:
        self._waiting: PriorityQueue[_Asked] = PriorityQueue()
        self._numbers = count()
        self.is_closed = False

    def put(self, rank: _Rank, call: Callable[[], Any] | None) -> Future[Any]:
        answer: Future[Any] = Future()
        self._waiting.put(_Asked(rank, next(self._numbers), call, answer))
        return answer

    def work(self) -> None:
        """Make one call after the other."""
        while (asked := self._waiting.get()).call is not None:
            if not asked.answer.set_running_or_notify_cancel():
                continue
            try:
                asked.answer.set_result(asked.call())
            except BaseException as error:  # noqa: BLE001  # the caller gets it
                asked.answer.set_exception(error)
            del asked  # or the last one would be kept until the next comes


class StoreCalls:
    """Calls of a store that are of one rank. They are made one after the other, those of all ranks.

    Args:
        timeout: seconds after which `look_up` gives up.
        metrics: count the calls, and how long they take.
        queue: in which they wait.
        rank: theirs.
    """

    def __init__(self, timeout: float, metrics: Metrics, queue: _Queue, rank: _Rank) -> None:
        self._timeout = timeout
        self._metrics = metrics
        self._queue = queue
        self._rank = rank

    async def run(self, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a call to its end. A change waits for it: only then is it known what is true.

        Raises:
            StoreUnavailable: it was closed, or the call raised it.
        """
        begin, operation = monotonic(), _name(call)
        if self._queue.is_closed:
            raise StoreUnavailable("the store is closed")
        running: Future[_R] = self._queue.put(self._rank, partial(call, *args, **kwargs))
        self._metrics.expect("vivienne_store_failures_total", operation)
        try:
            return await asyncio.wrap_future(running)
        except StoreUnavailable:
            self._metrics.count("vivienne_store_failures_total", operation)
            raise
        finally:
            del running  # it refers to what it raised, and the traceback of that to this frame
            self._metrics.histogram("vivienne_store_call_duration_seconds", operation).observe(monotonic() - begin)

    async def look_up(self, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a call that changes nothing; give up when it takes too long.

        Raises:
            StoreUnavailable: that, or what `run` raises.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self.run(call, *args, **kwargs)
        except TimeoutError:
            self._metrics.count("vivienne_store_failures_total", _name(call))
            raise StoreUnavailable(f"the store did not answer within {self._timeout:g} s") from None


class StoreThread(StoreCalls):
    """Runs calls of a store one after the other. Its own are those of changes.

    Args:
        timeout: seconds after which `look_up` gives up.
        metrics: count the calls, and how long they take.

    Attributes:
        reads: calls that no change waits for, such as looks at the tokens; made when no change has one.
        pages: what callers ask to see, as often as they like; made when the process itself has nothing to read.
        tickets: calls for tickets; made when there are no others.
    """

    def __init__(self, timeout: float, metrics: Metrics | None = None) -> None:
        metrics = metrics or Metrics()
        super().__init__(timeout, metrics, _Queue(), _Rank.CHANGE)
        self.reads = StoreCalls(timeout, metrics, self._queue, _Rank.READ)
        self.pages = StoreCalls(timeout, metrics, self._queue, _Rank.PAGE)
        self.tickets = StoreCalls(timeout, metrics, self._queue, _Rank.TICKET)
        # Not one that the end of the program waits for: a disk that hangs would hold it up for ever.
        Thread(target=self._queue.work, name="store", daemon=True).start()

    async def close(self, last: Callable[[], None], seconds: float) -> None:
        """Take no more calls; run a last one after those under way, and wait for it so many seconds."""
        if self._queue.is_closed:
            return
        self._queue.is_closed = True
        closing = self._queue.put(_Rank.LAST, last)
        self._queue.put(_Rank.LAST, None)
        await asyncio.wait([asyncio.wrap_future(closing)], timeout=seconds)


def _name(call: Callable[..., object]) -> str:
    """The name a call is counted under."""
    return getattr(call, "__name__", "call")
