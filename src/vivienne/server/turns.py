"""Turns: a pass of the event loop does a little for each client, so that nobody waits for one who sends without end.

What cannot be done in a pass waits, by address, and the addresses take turns. In the turn of an address, the connection
that had the fewest goes first: a pause on a new connection waits for none that sends request after request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.server.shares import Shares


def handshakes_of(address: str) -> str:
    """The name under which handshakes of WebSockets take turns with the requests of their address.

    When a server comes back, all WebSockets of an address do. Nobody waits for the screen of a client as for the answer
    to a change.
    """
    return f"{address}, handshakes"


@dataclass(slots=True, order=True)
class Turn:
    """A piece of work that waits.

    Attributes:
        had: turns that its connection had already.
        number: in the order of asking.
        whose: address that caused it.
        work: must not block; None once it is done or dropped.
        turns: where it waits.
    """

    had: int
    number: int
    whose: str = field(compare=False)
    work: Callable[[], None] | None = field(compare=False)
    turns: Turns | Shares = field(compare=False)


class Queue:
    """The turns of one address, or caller. At most half of them are dropped ones."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._dropped = 0

    def pop(self) -> Callable[[], None] | None:
        """Take out the next piece of work; None if it was dropped."""
        turn = heappop(self.turns)
        self._dropped -= turn.work is None
        work, turn.work = turn.work, None
        return work

    def drop(self) -> None:
        """Note that the work of a turn was dropped."""
        self._dropped += 1
        if 2 * self._dropped > len(self.turns):
            self.turns = [turn for turn in self.turns if turn.work is not None]
            heapify(self.turns)
            self._dropped = 0


class Turns:
    """Work that waits for its turn. Each open connection may have a few pieces here, so their number is bounded.

    Args:
        per_pass: pieces that are done in a pass.
    """

    def __init__(self, per_pass: int) -> None:
        self._per_pass = per_pass
        self._waiting: dict[str, Queue] = {}
        self._arrivals = count()
        self._done = 0
        """Pieces of this pass."""
        self._is_due = False

    def __len__(self) -> int:
        return sum(len(queue.turns) for queue in self._waiting.values())

    def take(self, whose: str, work: Callable[[], None], *, had: int = 0) -> Turn:
        """Do a piece of work in its turn, unless it is dropped until then.

        Args:
            whose: address that caused it.
            work: must not block.
            had: turns that its connection had already.
        """
        turn = Turn(had, next(self._arrivals), whose, work, self)
        heappush(self._waiting.setdefault(whose, Queue()).turns, turn)
        self._pass_soon()
        return turn

    def take_now(self, whose: str, work: Callable[[], None], *, had: int = 0) -> Turn | None:
        """Do a piece of work at once while nobody waits and a pass has room for it, otherwise in its turn.

        A pause passes through several of these. Each pass that it waits for is as long as others make it.

        Returns:
            The turn, or None if the work is done.
        """
        if self._waiting or self._done >= self._per_pass:
            return self.take(whose, work, had=had)
        self._done += 1
        self._pass_soon()  # this one ends there
        work()
        return None

    def drop(self, turn: Turn) -> None:
        """Forget a piece of work, because its connection is lost. Does nothing if it is done, or not here."""
        queue = self._waiting.get(turn.whose)
        if turn.work is None or queue is None or turn.turns is not self:
            return
        turn.work = None
        queue.drop()
        if not queue.turns:
            del self._waiting[turn.whose]

    def _pass_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass)

    def _pass(self) -> None:
        self._is_due = False
        self._done = 0
        try:
            while self._waiting and self._done < self._per_pass:
                self._done += 1
                whose = next(iter(self._waiting))
                queue = self._waiting.pop(whose)
                work = queue.pop()
                if queue.turns:
                    self._waiting[whose] = queue  # behind the others
                if work is not None:
                    work()
        finally:  # the event loop reports what fails, and the others go on
            if self._waiting or self._done:
                self._pass_soon()
