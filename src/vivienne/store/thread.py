"""The blocking store in a thread of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_R = TypeVar("_R")


class StoreThread:
    """Runs calls of a store one after the other.

    Args:
        timeout: seconds after which `look_up` gives up.
        metrics: count the calls, and how long they take.
    """

    def __init__(self, timeout: float, metrics: Metrics | None = None) -> None:
        self._timeout = timeout
        self._metrics = metrics or Metrics()
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._is_closed = False
        # Not one that the end of the program waits for: a disk that hangs would hold it up for ever.
        Thread(target=self._work, name="store", daemon=True).start()

    async def run(self, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a call to its end. A change waits for it: only then is it known what is true.

        Raises:
            StoreUnavailable: it was closed, or the call raised it.
        """
        begin, operation = monotonic(), _name(call)
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        running: Future[_R] = Future()
        self._calls.put((partial(call, *args, **kwargs), running))
        self._metrics.expect("vivienne_store_failures_total", operation)
        try:
            return await asyncio.wrap_future(running)
        except StoreUnavailable:
            self._metrics.count("vivienne_store_failures_total", operation)
            raise
        finally:
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

    async def close(self, last: Callable[[], None], seconds: float) -> None:
        """Take no more calls; run a last one after those under way, and wait for it so many seconds."""
        if self._is_closed:
            return
        self._is_closed = True
        closing: Future[None] = Future()
        self._calls.put((last, closing))
        self._calls.put(None)
        await asyncio.wait([asyncio.wrap_future(closing)], timeout=seconds)

    def _work(self) -> None:
        """Do one call after the other."""
        while (asked := self._calls.get()) is not None:
            call, answer = asked
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(call())
            except BaseException as error:  # noqa: BLE001  # the caller gets it
                answer.set_exception(error)
            del asked, call, answer  # or the last ones would be kept until the next come


def _name(call: Callable[..., object]) -> str:
    """The name a call is counted under."""
    return getattr(call, "__name__", "call")
