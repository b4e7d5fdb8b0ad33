"""Turns of attempts: few at a time for one receiver, and those that fail or hang stand in nobody else's way."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from vivienne.wire.alert import ChannelType

Standing = Literal["proven", "new", "failing"]
"""Whether the last attempt of a lane failed, and otherwise whether its receiver has taken a message soon before."""
AT_ONCE: Mapping[ChannelType, Mapping[Standing, int]] = {
    "webhook": {"proven": 32, "new": 32, "failing": 8},
    # Each is a process.
    "apprise": {"proven": 3, "new": 1, "failing": 1},
    "browser": {"proven": 32, "new": 32, "failing": 8},
    "redis": {"proven": 8, "new": 8, "failing": 2},
}
"""By type and standing, attempts at a time."""
SLOW_SECONDS = 1.0
"""After so long, another attempt may begin in the place of one that is under way, where it only costs a connection. A
receiver that takes so long is not proven by it.
"""
MOST_SLOW: Mapping[ChannelType, int] = {"webhook": 128}
"""By type, slow attempts of each standing in whose places others have begun."""
MOST_OF_ONE: Mapping[ChannelType, int] = {"webhook": 4, "apprise": 1, "browser": 4, "redis": 4}
"""By type, attempts at a time for one receiver by rules of one author; of `apprise` for one service, so that a slow one
leaves places free.
"""
MOST_FAILING_OF_ONE = 2
"""Of these, those of lanes whose last attempt failed."""
ALWAYS: Mapping[ChannelType, int] = {"webhook": 4, "apprise": 1, "browser": 4, "redis": 2}
"""By type, attempts that each author may have under way where others have all places."""
MOST_MORE: Mapping[ChannelType, Mapping[Standing, int]] = {
    "webhook": {"proven": 64, "new": 32, "failing": 8},
    "apprise": {"proven": 3, "new": 1, "failing": 0},
    "browser": {"proven": 64, "new": 32, "failing": 8},
    "redis": {"proven": 16, "new": 8, "failing": 2},
}
"""By type and standing, attempts that are under way for that reason alone."""
MOST_PROVEN = 20_000
"""Receivers that are known to take messages; beyond them, the one that took none for longest is forgotten."""


def most_at_once(kind: ChannelType) -> int:
    """The largest number of attempts of a type that are under way at the same time."""
    return sum(size + MOST_SLOW.get(kind, 0) + MOST_MORE[kind][standing] for standing, size in AT_ONCE[kind].items())


MOST_FILES = most_at_once("webhook")
"""Open files of attempts that are under way; those of `apprise` are few."""

_Key = TypeVar("_Key")


class Receiver(NamedTuple):
    """What takes messages.

    Attributes:
        author: of the rules that send to it; a receiver of two authors counts as two.
        name: of what it is sent to.
    """

    author: str
    name: str


@dataclass(slots=True)
class _Pool:
    """Attempts of a type and a standing.

    Attributes:
        size: of the places.
        most_of_one, most_of_one_in_all: attempts for one receiver, here and of all standings.
        most_slow: attempts in whose places others may begin.
        always, most_more: attempts of each author beyond the places, and of all.
        busy: places that are taken.
        slow, more: attempts that are under way, and have no place.
        of_one: by receiver, the attempts under way.
        of_author: by author, likewise.
        waiting: by author and receiver, in turn.
    """

    size: int
    most_of_one: int
    most_of_one_in_all: int
    most_slow: int
    always: int
    most_more: int
    busy: int = 0
    slow: int = 0
    more: int = 0
    of_one: Counter[Receiver] = field(default_factory=Counter)
    of_author: Counter[str] = field(default_factory=Counter)
    waiting: dict[str, dict[Receiver, deque[_Attempt]]] = field(default_factory=dict)

    def wait(self, attempt: _Attempt) -> None:
        """Take an attempt up."""
        self.waiting.setdefault(attempt.receiver.author, {}).setdefault(attempt.receiver, deque()).append(attempt)

    def grant(self, pools: Iterable[_Pool]) -> None:
        """Begin as many attempts as may be under way."""
        while (found := self._next(pools)) is not None:
            attempt = self._take(found)
            if attempt.turn.done():
                continue
            attempt.place = "busy" if self.busy < self.size else "more"
            self.count(attempt, 1)
            self.of_one[found] += 1
            self.of_author[found.author] += 1
            attempt.turn.set_result(None)

    def count(self, attempt: _Attempt, change: int) -> None:
        """Count an attempt where it is."""
        match attempt.place:
            case "busy":
                self.busy += change
            case "slow":
                self.slow += change
            case "more":
                self.more += change

    def _next(self, pools: Iterable[_Pool]) -> Receiver | None:
        is_free, has_more = self.busy < self.size, self.more < self.most_more
        for author, receivers in self.waiting.items():
            if is_free or (has_more and self.of_author[author] < self.always):
                for receiver in receivers:
                    if self._may(receiver, pools):
                        return receiver
        return None

    def _may(self, receiver: Receiver, pools: Iterable[_Pool]) -> bool:
        return (
            self.of_one[receiver] < self.most_of_one
            and sum(pool.of_one[receiver] for pool in pools) < self.most_of_one_in_all
        )

    def _take(self, receiver: Receiver) -> _Attempt:
        """The first attempt of a receiver. It goes to the end, as its author does: others have their turn first."""
        receivers = self.waiting.pop(receiver.author)
        queue = receivers.pop(receiver)
        attempt = queue.popleft()
        if queue:
            receivers[receiver] = queue
        if receivers:
            self.waiting[receiver.author] = receivers
        return attempt


@dataclass(slots=True, eq=False)
class _Attempt:
    """An attempt.

    Attributes:
        receiver: of the message.
        turn: done once it may begin.
        pool: the one that it is counted in.
        pools: all of its type.
        place: where it is counted.
    """

    receiver: Receiver
    turn: asyncio.Future[None]
    pool: _Pool
    pools: Iterable[_Pool]
    place: Literal["busy", "slow", "more"] = "busy"

    def be_slow(self) -> None:
        """Let another one begin, unless too many are slow already."""
        if self.place == "busy" and self.pool.slow < self.pool.most_slow:
            self.pool.count(self, -1)
            self.place = "slow"
            self.pool.count(self, 1)
        _grant(self.pools)

    def end(self) -> None:
        """Give the place back."""
        self.pool.count(self, -1)
        _less(self.pool.of_one, self.receiver)
        _less(self.pool.of_author, self.receiver.author)


def _less(counter: Counter[_Key], key: _Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def _grant(pools: Iterable[_Pool]) -> None:
    """Begin what may begin."""
    for pool in pools:
        pool.grant(pools)


class Slots:
    """Grants attempts.

    Authors of rules take turns, and so do receivers of each: one that many rules send to delays none of the others, and
    nobody's receivers delay those of somebody else.

    Args:
        files: open files that attempts may use; with fewer than `MOST_FILES` fewer webhooks are sent at a time.
    """

    def __init__(self, files: int = MOST_FILES) -> None:
        parts = {"webhook": files / MOST_FILES}
        self._pools = {
            kind: {standing: _pool(kind, standing, parts.get(kind, 1.0)) for standing in sizes}
            for kind, sizes in AT_ONCE.items()
        }
        self._proven: OrderedDict[tuple[ChannelType, Receiver], None] = OrderedDict()

    def note(self, kind: ChannelType, receiver: Receiver, *, took_it_soon: bool) -> None:
        """Note whether a receiver has taken a message, within `SLOW_SECONDS`."""
        self._proven.pop((kind, receiver), None)
        if took_it_soon:
            self._proven[kind, receiver] = None
            if len(self._proven) > MOST_PROVEN:
                self._proven.popitem(last=False)

    @asynccontextmanager
    async def one(self, kind: ChannelType, receiver: Receiver, *, is_failing: bool) -> AsyncGenerator[None]:
        """Wait for the turn of an attempt, and hold it within the block.

        Args:
            kind: type of the channel.
            receiver: what it is sent to.
            is_failing: whether the last attempt of its lane failed.
        """
        standing: Standing = "failing" if is_failing else "proven" if (kind, receiver) in self._proven else "new"
        pools, loop = self._pools[kind], asyncio.get_running_loop()
        attempt = _Attempt(receiver, loop.create_future(), pools[standing], pools.values())
        attempt.pool.wait(attempt)
        _grant(pools.values())
        slowly: asyncio.TimerHandle | None = None
        try:
            await attempt.turn
            slowly = loop.call_later(SLOW_SECONDS, attempt.be_slow)
            yield
        finally:
            if slowly is not None:
                slowly.cancel()
            if attempt.turn.done() and not attempt.turn.cancelled():
                attempt.end()
            else:
                attempt.turn.cancel()
            _grant(pools.values())


def _pool(kind: ChannelType, standing: Standing, part: float) -> _Pool:
    return _Pool(
        ceil(AT_ONCE[kind][standing] * part),
        MOST_FAILING_OF_ONE if standing == "failing" else MOST_OF_ONE[kind],
        MOST_OF_ONE[kind],
        int(MOST_SLOW.get(kind, 0) * part),
        ALWAYS[kind],
        max(min(MOST_MORE[kind][standing], 2 * ALWAYS[kind]), ceil(MOST_MORE[kind][standing] * part)),
    )
