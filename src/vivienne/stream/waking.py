"""Waking: clients have turns, and a pass of the event loop has about a millisecond of them.

Between passes the event loop does other work, so that requests are answered quickly with any number of clients and
messages. The callers take turns: who has many WebSockets delays its own messages. Time is measured, because messages
differ in length, and a clock at each of them would cost more than it tells.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import thread_time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

ROW = 8
"""Messages that a client gets in a turn."""
WOKEN_AT_ONCE = 256
"""Turns in a pass, at most."""
SECONDS_PER_PASS = 0.001
"""Time of the clients in a pass. To hand over to the kernel what writers wrote takes about as long again."""
OF_ONE_CALLER = 8
"""Turns of a caller, after which others have theirs."""
_FIRST_GUESS = 0.00005
"""Seconds that a message takes, before the first is measured."""
_LOOK_AFTER = 16
"""Turns after which the clock is looked at."""


class Sleeper(Protocol):
    """Who has turns.

    Attributes:
        whose: the caller who gets the messages.
        waits: whether it waits for a turn of its own; only `Waking` changes it.
    """

    whose: str
    waits: bool

    def wake(self) -> int:
        """Send, or wake the writer; give how many messages are sent now, or may be, at most `ROW`."""


class _Line:
    """Those of one caller that wait, in the order of their turns."""

    __slots__ = ("all", "own")

    def __init__(self) -> None:
        self.all: deque[Sleeper] = deque()
        """Those that get what came for all. They go first: each is here once at most."""
        self.own: deque[Sleeper] = deque()
        """Those that asked for a turn of their own, or did and were forgotten since."""


class Waking:
    """The clients that wait for a turn.

    Args:
        clock: seconds that this thread has computed: what else the machine does makes no message dearer.
    """

    def __init__(self, clock: Callable[[], float] = thread_time) -> None:
        self._clock = clock
        self._waiting: dict[str, _Line] = {}
        """By caller; the next one to have a turn stands first."""
        self._awaited = 0
        """Number of those that `when_awake` waits for."""
        self._then: list[Callable[[], None]] = []
        self._is_due = False
        self._each = _FIRST_GUESS
        self._begin = self._choosing = 0.0

    @property
    def is_waking(self) -> bool:
        """True while some have not had their turn since something came for all."""
        return self._awaited > 0

    def wake_all(self, by_caller: Mapping[str, Collection[Sleeper]]) -> None:
        """Wake everybody, the first ones at once. Not while `is_waking`.

        A client that leaves before its turn is woken too.
        """
        for whose, sleepers in by_caller.items():
            self._line(whose).all.extend(sleepers)
            self._awaited += len(sleepers)
        if self._waiting and not self._is_due:
            self._pass()

    def wake(self, sleepers: Iterable[Sleeper]) -> None:
        """Wake these, the first ones at once."""
        for sleeper in sleepers:
            self._append(sleeper)
        if self._waiting and not self._is_due:
            self._pass()

    def wake_again(self, sleeper: Sleeper) -> None:
        """Give a further turn. `when_awake` does not wait for it."""
        self._append(sleeper)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass)

    def _append(self, sleeper: Sleeper) -> None:
        if not sleeper.waits:
            sleeper.waits = True
            self._line(sleeper.whose).own.append(sleeper)

    def _line(self, whose: str) -> _Line:
        line = self._waiting.get(whose)
        if line is None:
            line = self._waiting[whose] = _Line()
        return line

    def forget(self, sleeper: Sleeper) -> None:
        """Give no turn to one that has left."""
        sleeper.waits = False

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
        loop.call_soon(self._measure)  # writers run after it, and `_pass_on` after them, with nothing between
        try:
            while self._waiting and turns < WOKEN_AT_ONCE and sent * self._each < SECONDS_PER_PASS:
                sent += self._turns_of_one(max(1, int((SECONDS_PER_PASS - sent * self._each) / self._each)))
                turns += OF_ONE_CALLER
                if turns % _LOOK_AFTER == 0 and self._clock() - begin >= SECONDS_PER_PASS:
                    break
        finally:  # the event loop reports what fails, and the others go on
            if not self._awaited:
                then, self._then = self._then, []
                for each in then:
                    # Not immediately: woken writers take their frames in the next iteration of the event loop.
                    loop.call_soon(each)
            self._choosing = self._clock() - begin
            loop.call_soon(self._pass_on, sent)

    def _turns_of_one(self, most: int) -> int:
        """Wake the next few of the next caller, until they send more messages than that; give how many they send."""
        whose = next(iter(self._waiting))
        line = self._waiting[whose]
        try:
            return self._turns_of(line, most)
        finally:
            del self._waiting[whose]
            if line.all or line.own:
                self._waiting[whose] = line  # behind the others

    def _turns_of(self, line: _Line, most: int) -> int:
        for_all, own, sent, left = line.all, line.own, 0, OF_ONE_CALLER
        while for_all and left and sent < most:
            left -= 1
            self._awaited -= 1
            sent += for_all.popleft().wake()
        while own and left and sent < most:
            left -= 1
            sleeper = own.popleft()
            if sleeper.waits:
                sleeper.waits = False
                sent += sleeper.wake()
        return sent

    def _measure(self) -> None:
        self._begin = self._clock()

    def _pass_on(self, sent: int) -> None:
        """Note how long it took, and go on with the next ones."""
        if sent:
            each = (self._choosing + self._clock() - self._begin) / sent
            # Dearer messages count at once, cheaper ones little by little.
            self._each = min(SECONDS_PER_PASS, max(each, (self._each + each) / 2))
        if self._waiting or self._then:
            self._pass()
        else:
            self._is_due = False
