"""An exchange on this machine in a thread of its own, for commands that wait for it in theirs."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self

from fake_exchange import FakeExchange, Faults

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

    from fake_exchange import FakeMarket

_SECONDS = 30.0


class RunningExchange:
    """A `FakeExchange` in a thread. Use it as a context manager.

    Args:
        name: of the exchange.
        market: what it has.
    """

    def __init__(self, name: str, market: FakeMarket) -> None:
        self.name = name
        self.exchange = FakeExchange(name, market)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self.exchange.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self.exchange.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    def _wait(self, what: Coroutine[object, object, object]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(_SECONDS)

    def soon(self, what: Coroutine[object, object, object]) -> None:
        """Have something done, and do not wait for it."""
        asyncio.run_coroutine_threadsafe(what, self._loop)

    def healed(self) -> Self:
        """The same, without faults and with no request so far."""
        self.exchange.faults = Faults()
        self.exchange.requests.clear()
        return self

    @property
    def at(self) -> list[str]:
        """The options that name it."""
        return ["--exchange", self.name, "--exchange-url", self.exchange.url]
