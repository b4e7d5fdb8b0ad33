"""Turns of attempts: few at a time for one receiver, and those that fail or hang stand in nobody else's way."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from vivienne.wire.alert import ChannelType

Standing = Literal["proven", "new", "failing"]
"""Whether the last attempt of a lane failed, and otherwise whether its receiver has taken a message before."""
AT_ONCE: Mapping[ChannelType, Mapping[Standing, int]] = {
    "webhook": {"proven": 32, "new": 32, "failing": 8},
    # Each is a process.
    "apprise": {"proven": 3, "new": 1, "failing": 1},
    "browser": {"proven": 32, "new": 32, "failing": 8},
    "redis": {"proven": 8, "new": 8, "failing": 2},
}
"""By type and standing, attempts at a time."""
SLOW_SECONDS = 1.0
"""After so long, another attempt may begin in the place of one that is under way, where it only costs a connection."""
MOST_SLOW: Mapping[ChannelType, int] = {"webhook": 128}
"""By type, slow attempts of each standing in whose places others have begun."""
MOST_OF_ONE: Mapping[ChannelType, int] = {"webhook": 4, "apprise": 1, "browser": 4, "redis": 4}
"""By type, attempts at a time for one receiver; of `apprise` for one service, so that a slow one leaves places free."""
MOST_FAILING_OF_ONE = 2
"""Of these, those of lanes whose last attempt failed."""
MOST_PROVEN = 20_000
"""Receivers that are known to take messages; beyond them, the one that took none for longest is forgotten."""


def most_at_once(kind: ChannelType) -> int:
    """The largest number of attempts of a type that are under way at the same time."""
    return sum(size + MOST_SLOW.get(kind, 0) for size in AT_ONCE[kind].values())


@dataclass(slots=True)
class _Pool:
    size: int
    most_of_one: int
    most_of_one_in_all: int
    most_slow: int
    busy: int = 0
    slow: int = 0
    """Attempts that are under way, and not among the busy ones any more."""
    of_one: dict[str, int] = field(default_factory=dict)
    """By receiver, the attempts under way."""
    waiting: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)
    """By receiver, in turn."""


class Slots:
    """Grants attempts. Receivers take turns, so one that many rules send to delays none of the others."""

    def __init__(self) -> None:
        self._pools = {
            kind: {
                standing: _Pool(
                    size,
                    MOST_FAILING_OF_ONE if standing == "failing" else MOST_OF_ONE[kind],
                    MOST_OF_ONE[kind],
                    MOST_SLOW.get(kind, 0),
                )
                for standing, size in sizes.items()
            }
            for kind, sizes in AT_ONCE.items()
        }
        self._proven: OrderedDict[tuple[ChannelType, str], None] = OrderedDict()

    def note(self, kind: ChannelType, receiver: str, *, took_it: bool) -> None:
        """Note whether a receiver has taken a message."""
        self._proven.pop((kind, receiver), None)
        if took_it:
            self._proven[kind, receiver] = None
            if len(self._proven) > MOST_PROVEN:
                self._proven.popitem(last=False)

    @asynccontextmanager
    async def one(self, kind: ChannelType, receiver: str, *, is_failing: bool) -> AsyncGenerator[None]:
        """Wait for the turn of an attempt, and hold it within the block.

        Args:
            kind: type of the channel.
            receiver: name of what it is sent to.
            is_failing: whether the last attempt of its lane failed.
        """
        standing: Standing = "failing" if is_failing else "proven" if (kind, receiver) in self._proven else "new"
        pools = self._pools[kind]
        pool, loop = pools[standing], asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        pool.waiting.setdefault(receiver, deque()).append(turn)
        _grant(pools.values())
        attempt = _Attempt(pool, pools.values())
        slowly: asyncio.TimerHandle | None = None
        try:
            await turn
            slowly = loop.call_later(SLOW_SECONDS, attempt.be_slow)
            yield
        finally:
            if slowly is not None:
                slowly.cancel()
            if turn.done() and not turn.cancelled():
                attempt.end(receiver)
            else:
                turn.cancel()
            _grant(pools.values())


@dataclass(slots=True)
class _Attempt:
    """An attempt that has its turn.

    Attributes:
        pool: the one that it is counted in.
        pools: all of its type.
        is_slow: another one may have begun in its place.
    """

    pool: _Pool
    pools: Iterable[_Pool]
    is_slow: bool = False

    def be_slow(self) -> None:
        """Let another one begin, unless too many are slow already."""
        if self.pool.slow < self.pool.most_slow:
            self.is_slow = True
            self.pool.busy -= 1
            self.pool.slow += 1
            _grant(self.pools)

    def end(self, receiver: str) -> None:
        """Give the place back."""
        if self.is_slow:
            self.pool.slow -= 1
        else:
            self.pool.busy -= 1
        self.pool.of_one[receiver] -= 1
        if not self.pool.of_one[receiver]:
            del self.pool.of_one[receiver]


def _grant(pools: Iterable[_Pool]) -> None:
    for pool in pools:
        while pool.busy < pool.size:
            receiver = next((each for each in pool.waiting if _may(each, pool, pools)), None)
            if receiver is None:
                break
            # The receiver goes to the end: others have their turn before its next one.
            queue = pool.waiting.pop(receiver)
            turn = queue.popleft()
            if queue:
                pool.waiting[receiver] = queue
            if not turn.done():
                pool.busy += 1
                pool.of_one[receiver] = pool.of_one.get(receiver, 0) + 1
                turn.set_result(None)


def _may(receiver: str, pool: _Pool, pools: Iterable[_Pool]) -> bool:
    return (
        pool.of_one.get(receiver, 0) < pool.most_of_one
        and sum(each.of_one.get(receiver, 0) for each in pools) < pool.most_of_one_in_all
    )
