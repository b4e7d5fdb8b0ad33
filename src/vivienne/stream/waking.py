"""Waking: the writers of clients have turns, and a pass of the event loop has about a millisecond of them.

Between passes the event loop does other work, so that requests are answered quickly with any number of clients and
messages. The callers take turns: who has many WebSockets delays its own messages. Time is measured, because messages
differ in length, and a clock at each of them would cost more than it tells.
"""

from __future__ import annotations

import asyncio
from time import thread_time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROW = 8
"""Messages that a writer sends in a turn."""
WOKEN_AT_ONCE = 50
"""Turns in a pass, at most."""
SECONDS_PER_PASS = 0.001
"""Time of the writers in a pass. To hand over to the kernel what they wrote takes about as long again."""
_FIRST_GUESS = 0.00005
"""Seconds that a message takes, before the first is measured."""


class Sleeper(Protocol):
    """What a writer takes from.

    Attributes:
        whose: the caller who gets the messages.
    """

    whose: str

    def wake(self) -> int:
        """Wake the writer if it waits; give how many messages it may send now, at most `ROW`."""


class Waking:
    """The writers that wait for a turn.

    Args:
        clock: seconds that this thread has computed: what else the machine does makes no message dearer.
    """

    def __init__(self, clock: Callable[[], float] = thread_time) -> None:
        self._clock = clock
        # By caller; the next one to have a turn stands first. A dict keeps the order and holds each one at most once.
        self._waiting: dict[str, dict[Sleeper, None]] = {}
        self._awaited: set[Sleeper] = set()
        """Those that `when_awake` waits for."""
        self._then: list[Callable[[], None]] = []
        self._is_due = False
        self._each = _FIRST_GUESS
        self._begin = self._choosing = 0.0

    @property
    def is_waking(self) -> bool:
        """True while somebody waits to be woken for the first time."""
        return bool(self._awaited)

    def wake(self, sleepers: Iterable[Sleeper]) -> None:
        """Wake these, the first ones at once."""
        for sleeper in sleepers:
            self._waiting.setdefault(sleeper.whose, {})[sleeper] = None
            self._awaited.add(sleeper)
        if self._waiting and not self._is_due:
            self._pass()

    def wake_again(self, sleeper: Sleeper) -> None:
        """Give a writer a further turn. `when_awake` does not wait for it."""
        self._waiting.setdefault(sleeper.whose, {})[sleeper] = None
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass)

    def forget(self, sleeper: Sleeper) -> None:
        """Do not wake one that has left."""
        theirs = self._waiting.get(sleeper.whose, {})
        theirs.pop(sleeper, None)
        if not theirs:
            self._waiting.pop(sleeper.whose, None)
        self._awaited.discard(sleeper)

    def when_awake(self, then: Callable[[], None]) -> None:
        """Call a function once all that wait have been woken and have taken; never within this call."""
        if self._awaited:
            self._then.append(then)
        else:
            asyncio.get_running_loop().call_soon(then)

    def _pass(self) -> None:
        """Wake those whose messages take no longer than a pass may, at least one."""
        loop = asyncio.get_running_loop()
        self._is_due = True
        begin, sent, turns = self._clock(), 0, 0
        loop.call_soon(self._measure)  # the writers run after it, and `_pass_on` after them, with nothing between
        while self._waiting and turns < WOKEN_AT_ONCE and sent * self._each < SECONDS_PER_PASS:
            sent += self._next().wake()
            turns += 1
        if not self._awaited:
            then, self._then = self._then, []
            for each in then:
                # Not immediately: woken writers take their frames in the next iteration of the event loop.
                loop.call_soon(each)
        self._choosing = self._clock() - begin
        loop.call_soon(self._pass_on, sent)

    def _next(self) -> Sleeper:
        whose = next(iter(self._waiting))
        theirs = self._waiting.pop(whose)
        sleeper = next(iter(theirs))
        del theirs[sleeper]
        if theirs:
            self._waiting[whose] = theirs  # behind the others
        self._awaited.discard(sleeper)
        return sleeper

    def _measure(self) -> None:
        self._begin = self._clock()

    def _pass_on(self, sent: int) -> None:
        """Note how long the writers took, and go on with the next ones."""
        if sent:
            each = (self._choosing + self._clock() - self._begin) / sent
            # Dearer messages count at once, cheaper ones little by little.
            self._each = min(SECONDS_PER_PASS, max(each, (self._each + each) / 2))
        if self._waiting or self._then:
            self._pass()
        else:
            self._is_due = False
