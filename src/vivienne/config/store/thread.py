"""The blocking store in a thread of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from vivienne.errors import StoreUnavailable
from vivienne.metrics import Metrics

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def run(self, call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run a call to its end. A change waits for it: only then is it known what is true.

        Raises:
            StoreUnavailable: it was closed, or the call raised it.
        """
        loop = asyncio.get_running_loop()
        begin, operation = monotonic(), _name(call)
        try:
            running = loop.run_in_executor(self._thread, lambda: call(*args, **kwargs))
        except RuntimeError as error:  # the executor takes nothing after close
            raise StoreUnavailable("the store is closed") from error
        self._metrics.expect("vivienne_store_failures_total", operation)
        try:
            return await running
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
        with suppress(RuntimeError):  # closed before
            closing = self._thread.submit(last)
            self._thread.shutdown(wait=False)
            await asyncio.wait([asyncio.wrap_future(closing)], timeout=seconds)


def _name(call: Callable[..., object]) -> str:
    """What a call is counted as."""
    return getattr(call, "__name__", "call")
