"""Waking: writers are woken in batches, in the order of waiting.

Between batches the event loop does other work, so that requests are answered quickly with any number of clients.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WOKEN_AT_ONCE = 50
"""Number of writers in a batch; it occupies the event loop for one or two milliseconds."""


class Sleeper(Protocol):
    """What a writer takes from."""

    def wake(self) -> None:
        """Wake the writer."""


class Waking:
    """Those that are to be woken."""

    def __init__(self) -> None:
        # A dict keeps the order of waiting and holds each one at most once.
        self._waiting: dict[Sleeper, None] = {}
        self._then: list[Callable[[], None]] = []

    def wake(self, sleepers: Iterable[Sleeper]) -> None:
        """Wake these, the first batch at once."""
        is_waking = bool(self._waiting)
        self._waiting |= dict.fromkeys(sleepers)
        if not is_waking:
            self._wake()

    def forget(self, sleeper: Sleeper) -> None:
        """Do not wake one that has left."""
        self._waiting.pop(sleeper, None)

    def when_awake(self, then: Callable[[], None]) -> None:
        """Call a function once all that wait have been woken and have taken; never within this call."""
        if self._waiting:
            self._then.append(then)
        else:
            asyncio.get_running_loop().call_soon(then)

    def _wake(self) -> None:
        """Wake the next batch, and schedule the following one after other work of the event loop."""
        for sleeper in list(islice(self._waiting, WOKEN_AT_ONCE)):
            del self._waiting[sleeper]
            sleeper.wake()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._wake)
            return
        then, self._then = self._then, []
        for each in then:
            # Not immediately: woken writers take their frames in the next iteration of the event loop.
            asyncio.get_running_loop().call_soon(each)
