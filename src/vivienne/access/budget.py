"""Time of the event loop for each caller. A caller that uses more than its share waits, and nobody else does."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vivienne.rates import MOST_KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

_R = TypeVar("_R")

SHARE = 0.1
"""Seconds of the event loop in a second that one caller may use, over all its connections."""
AT_ONCE = 0.1
"""Seconds that may be used at once after a quiet time."""
DEAREST = 0.25
"""Seconds that are charged for one piece of work, at most."""


@dataclass(slots=True)
class _Account:
    left: float
    at: float
    waiting: dict[bool, dict[int, Callable[[], None]]] = field(default_factory=dict)
    """WebSockets that open, and everything else; the next is the first of those that stand first."""
    rests: float = 0.0
    """Until then others have their turn, for as long as the last piece of work took."""
    is_called: bool = False
    """Whether the next of those that wait will be called."""


class _Charged(Generic[_R]):
    """Work whose steps are charged; between two of them it waits."""

    def __init__(self, budgets: TimeBudgets, key: str, work: Coroutine[Any, Any, _R]) -> None:
        self._budgets = budgets
        self._key = key
        self._work = work

    def __await__(self) -> Generator[Any, Any, _R]:
        step: Callable[[], Any] = partial(self._work.send, None)
        try:
            while True:
                try:
                    with self._budgets.charged(self._key):
                        waits_for = step()
                except StopIteration as done:
                    result: _R = done.value
                    return result
                try:
                    step = partial(self._work.send, (yield waits_for))
                except BaseException as error:  # noqa: BLE001  # the work gets it, such as that it is cancelled
                    step = partial(self._work.throw, error)
        finally:
            del step  # it may refer to what is raised, and the traceback of that to this frame


class TimeBudgets:
    """Budgets of the time that work for callers takes.

    Work is charged once it is done, so a balance may be below zero. Until it is not, the connections of the caller
    wait, and go on one after the other. When a server comes back, thousands of WebSockets may open for one caller; its
    requests take turns with them. Only work that one turn of the event loop does without waiting is measured.

    Args:
        clock: monotonic, in seconds.
        share: seconds in a second for each caller.
        at_once: seconds that may be used at once after a quiet time.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        share: float = SHARE,
        at_once: float = AT_ONCE,
    ) -> None:
        self._clock = clock
        self._share = share
        self._at_once = at_once
        self._numbers = count()
        self._accounts: dict[str, _Account] = {}

    @contextmanager
    def charged(self, key: str) -> Iterator[None]:
        """Charge a caller for the time that passes within, in which nobody else has a turn."""
        begin = self._clock()
        try:
            yield
        finally:
            self.charge(key, min(DEAREST, self._clock() - begin))

    async def charging(self, key: str, work: Coroutine[Any, Any, _R]) -> _R:
        """Do work and charge a caller for it; time in which it waits, such as for the store, is free."""
        return await _Charged(self, key, work)

    def charge(self, key: str, seconds: float) -> None:
        """Charge a caller for work that is done for it in several places."""
        account = self._account(key)
        account.left -= seconds
        account.rests = max(account.rests, account.at + seconds)

    def has_time(self, key: str) -> bool:
        """Tell whether a caller has time left."""
        return self._account(key).left >= 0

    def when_due(self, key: str, then: Callable[[], None], *, opens: bool = False) -> int:
        """Call a function as soon as the caller has time left, and those of its connections that waited before.

        Args:
            key: the caller.
            then: is called.
            opens: whether a WebSocket opens; these wait for each other, and the rest only for every other one.

        Returns:
            A number by which to forget it.
        """
        account, number = self._account(key), next(self._numbers)
        account.waiting.setdefault(opens, {})[number] = then
        self._call(key, account)
        return number

    def forget(self, key: str, number: int) -> None:
        """Do not call a function any more. Does nothing if it was called."""
        waiting = self._account(key).waiting
        for opens, those in list(waiting.items()):
            those.pop(number, None)
            if not those:
                del waiting[opens]

    async def due(self, key: str, *, opens: bool = False) -> None:
        """Wait until the caller has time left; in any case let others do their work first."""
        turn = asyncio.Event()
        number = self.when_due(key, turn.set, opens=opens)
        try:
            await turn.wait()
        finally:
            self.forget(key, number)

    def _call(self, key: str, account: _Account) -> None:
        if account.is_called or not account.waiting:
            return
        account.is_called = True
        wait = max(-account.left / self._share, account.rests - account.at)
        loop = asyncio.get_running_loop()
        if wait > 0:
            loop.call_later(wait, self._next, key)
        else:
            loop.call_soon(self._next, key)

    def _next(self, key: str) -> None:
        account = self._account(key)
        account.is_called = False
        if account.left >= 0 and account.rests <= account.at and account.waiting:
            opens = next(iter(account.waiting))
            those = account.waiting.pop(opens)
            then = those.pop(next(iter(those)))
            if those:
                account.waiting[opens] = those  # behind the others
            then()
        self._call(key, account)

    def _account(self, key: str) -> _Account:
        """The account of a caller, up to date; the one that was used last stands last."""
        now = self._clock()
        found = self._accounts.pop(key, None) or _Account(self._at_once, now)
        self._accounts[key] = found
        found.left = min(self._at_once, found.left + (now - found.at) * self._share)
        found.at = now
        if len(self._accounts) > MOST_KEPT:
            self._forget()
        return found

    def _forget(self) -> None:
        """Forget the account that was not used for longest, unless somebody waits for it."""
        key = next((key for key, account in self._accounts.items() if not account.waiting), None)
        if key is not None:
            del self._accounts[key]
