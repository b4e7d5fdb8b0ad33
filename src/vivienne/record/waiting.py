"""Decisions that wait to be recorded: the event loop adds them, the thread of the record takes them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from threading import Event, Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vivienne.agent.decision import Decision
    from vivienne.live.deciding import Basis
    from vivienne.wire.document import Document
    from vivienne.wire.state import Status

MOST_WAITING = 20_000
"""Decisions that wait while the record cannot be written; some 40 MB. Later ones are lost, and counted."""
MOST_BYTES = 64 * 1024 * 1024
"""Of the bars of decisions that wait, which are kept for them. Decisions that follow each other share theirs."""
_SHARE = 4
"""An asset may have so many times as many decisions as there is room, so that there is some for all others."""


class Entry(NamedTuple):
    """A decision that is to be recorded.

    Attributes:
        asset: name of the asset.
        decision: the decision on its newest bar.
        version: of the configuration in force.
        document: the effective configuration, all values.
        is_paused: True if the asset was paused.
        status: status of the asset at that moment.
        basis: the bars it was made from.
        came: the clock of the machine when it was to be recorded, ms since the epoch.
    """

    asset: str
    decision: Decision
    version: int
    document: Document
    is_paused: bool
    status: Status
    basis: Basis
    came: int = 0


class Lost(NamedTuple):
    """Decisions of one asset that are not recorded, between two open times of bars."""

    asset: str
    first: int
    last: int
    decisions: int


@dataclass(slots=True)
class _Buffer:
    """The columns that the bars of decisions are views of, and the number of those decisions."""

    size: int
    entries: int = 0


class Waiting:
    """A queue with a bound. Adding to it costs the event loop some microseconds, and never waits.

    Attributes:
        there: set when something was added.
        lost: number of decisions that found no room, or were given up.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._entries: deque[Entry] = deque()
        self._by_asset: Counter[str] = Counter()
        self._buffers: dict[int, _Buffer] = {}
        self._bytes = 0
        self._lost: dict[str, Lost] = {}
        self._lock = Lock()
        self.there = Event()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def has_lost(self) -> bool:
        """Whether decisions were lost since `take_lost`."""
        return bool(self._lost)

    def put(self, entry: Entry) -> None:
        """Add a decision; if there is no room, note that it is lost."""
        with self._lock:
            room = self._most - len(self._entries)
            has_room = self._by_asset[entry.asset] < _SHARE * room and self._bytes < MOST_BYTES
            if has_room:
                self._count(entry)
                self._entries.append(entry)
        if not has_room:
            self.lose(entry)
        self.there.set()

    def oldest(self) -> int | None:
        """When the oldest decision came that waits; None if none does."""
        with self._lock:
            return self._entries[0].came if self._entries else None

    def take(self, most: int) -> list[Entry]:
        """Take the oldest decisions out."""
        with self._lock:
            taken = [self._entries.popleft() for _ in range(min(most, len(self._entries)))]
            for entry in taken:
                self._discount(entry)
        return taken

    def put_back(self, entries: list[Entry]) -> None:
        """Decisions that were taken out are the oldest again, because they could not be written."""
        with self._lock:
            for entry in entries:
                self._count(entry)
            self._entries.extendleft(reversed(entries))

    def _count(self, entry: Entry) -> None:
        self._by_asset[entry.asset] += 1
        base = entry.basis.held.bars.close.base
        buffer = self._buffers.setdefault(id(base), _Buffer(0 if base is None else base.nbytes))
        self._bytes += 0 if buffer.entries else buffer.size
        buffer.entries += 1

    def _discount(self, entry: Entry) -> None:
        self._by_asset[entry.asset] -= 1
        if not self._by_asset[entry.asset]:
            del self._by_asset[entry.asset]
        number = id(entry.basis.held.bars.close.base)
        buffer = self._buffers[number]
        buffer.entries -= 1
        if not buffer.entries:
            self._bytes -= buffer.size
            del self._buffers[number]

    def lose(self, entry: Entry) -> None:
        """Note that a decision will not be recorded."""
        time = entry.decision.open_time
        with self._lock:
            _, first, last, count = self._lost.get(entry.asset, Lost(entry.asset, time, time, 0))
            self._lost[entry.asset] = Lost(entry.asset, min(first, time), max(last, time), count + 1)
            self.lost += 1

    def lose_written(self, lost: list[Lost]) -> None:
        """Note decisions that were written and are not in the record any more."""
        self.put_back_lost(lost)
        with self._lock:
            self.lost += sum(each.decisions for each in lost)

    def take_lost(self) -> list[Lost]:
        """Take out what was lost since the last call."""
        with self._lock:
            lost, self._lost = self._lost, {}
        return [*lost.values()]

    def put_back_lost(self, lost: list[Lost]) -> None:
        """What was taken out could not be written as gaps."""
        with self._lock:
            for each in lost:
                _, first, last, count = self._lost.get(each.asset, each._replace(decisions=0))
                self._lost[each.asset] = Lost(
                    each.asset, min(first, each.first), max(last, each.last), count + each.decisions
                )
