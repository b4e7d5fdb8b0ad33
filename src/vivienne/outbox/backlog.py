"""What happened and waits until its alerts are decided: pauses first, then the market, then changes.

Authors of rules take turns, so that nobody's rules, however many they are, keep the alerts of somebody else waiting.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.alerts.rulebook import Rulebook

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from vivienne.alerts.names import Names
    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.slices import Pieces
    from vivienne.store.alert import StoredEvent
    from vivienne.wire.alert import EventType, MarketKind

    Decide = Callable[["Lane"], Pieces[None]]
    """Decides the alerts that the rules of a lane have of something."""

MOST_AUTHORS = 50
"""Authors of rules who have lanes of their own: those who were there first. All others share one."""
MOST_BEGUN = 100
"""So much is begun before a lane has its turn."""
TURN_SECONDS = 0.02
"""Longest time that a lane decides before others have their turn."""


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """An alert of a rule.

    Attributes:
        named: the rule.
        stored: the alert.
        is_quiet: whether it falls into quiet hours, so that it is kept and not sent.
        at: moment of the decision, seconds since the epoch.
    """

    named: RuleInForce
    stored: StoredEvent
    is_quiet: bool
    at: float


class Rank(IntEnum):
    """What comes first."""

    PAUSE = 0
    MARKET = 1
    CHANGE = 2


@dataclass(slots=True, eq=False)
class Occurrence:
    """Something that happened.

    Attributes:
        kinds: of events that it may be.
        begin: looks at it, once, and gives what decides its alerts.
        end: called once all its alerts are handed over.
        lanes: number of lanes in which it is not over.
    """

    kinds: Collection[EventType]
    begin: Callable[[], Decide]
    end: Callable[[], None] = lambda: None
    lanes: int = 0

    def is_over_in_one(self) -> None:
        """Note that the alerts of one more lane are handed over."""
        self.lanes -= 1
        if not self.lanes:
            self.end()


@dataclass(slots=True, eq=False)
class Lane:
    """What waits for the rules of an author.

    Attributes:
        book: of these rules.
        waiting: what happened, in its order.
        under_way: of this, what is being looked at.
        fired: alerts that are to be handed over; after those of an occurrence, the occurrence.
    """

    book: Rulebook[RuleInForce]
    waiting: deque[tuple[Occurrence, Decide]] = field(default_factory=deque)
    under_way: tuple[Occurrence, Iterator[None]] | None = None
    fired: deque[FiredAlert | Occurrence] = field(default_factory=deque)

    def __bool__(self) -> bool:
        return bool(self.waiting or self.under_way or self.fired)

    def decide(self, most: int) -> Pieces[None]:
        """Decide alerts until there are so many, for the time of a turn at most."""
        end = monotonic() + TURN_SECONDS
        while (self.under_way or self.waiting) and len(self.fired) < most:
            if self.under_way is None:
                occurrence, decide = self.waiting.popleft()
                self.under_way = occurrence, decide(self)
            occurrence, pieces = self.under_way
            for _ in pieces:
                yield
                if monotonic() > end:
                    return
            self.under_way = None
            self.fired.append(occurrence)

    def hand_over(self, most: int) -> list[FiredAlert]:
        """The next alerts: as many as have so many messages."""
        found: list[FiredAlert] = []
        messages = 0
        while self.fired and (messages < most or isinstance(self.fired[0], Occurrence)):
            one = self.fired.popleft()
            if isinstance(one, Occurrence):
                one.is_over_in_one()
            else:
                found.append(one)
                messages += len(one.named.rule.channels)
        return found


class Backlog:
    """All that waits.

    Args:
        market: kind of the market that is decided.
        assets: that are decided.
        most: of each rank, so much waits; beyond it the oldest is left out.
        left_out: called for each one.
    """

    def __init__(
        self, market: MarketKind, assets: Names, most: Callable[[Rank], int], left_out: Callable[[], None]
    ) -> None:
        self._market = market
        self._assets = assets
        self._most = most
        self._left_out = left_out
        self._books: dict[str, Rulebook[RuleInForce]] = {}
        self._own: dict[str, None] = {}
        """Authors who have lanes of their own."""
        self._new: Mapping[Rank, deque[Occurrence]] = {rank: deque() for rank in Rank}
        """What nobody has looked at."""
        self._lanes: Mapping[Rank, OrderedDict[str, Lane]] = {rank: OrderedDict() for rank in Rank}
        """By author, in turn; none of them is empty."""

    @property
    def has_rules(self) -> bool:
        """Whether any rule is on."""
        return any(self._books.values())

    def __len__(self) -> int:
        lanes = (lane for lanes in self._lanes.values() for lane in lanes.values())
        return sum(map(len, self._new.values())) + sum(
            len(lane.waiting) + len(lane.fired) + (lane.under_way is not None) for lane in lanes
        )

    def take_up(self, rules: Iterable[RuleInForce]) -> None:
        """Have these rules in the place of others. What is being looked at goes on with those it began with.

        A rule is always in the lane of who made it, whoever changes it: what waits is not passed over.
        """
        books: dict[str, Rulebook[RuleInForce]] = {}
        for author, own in self._by_author(rules).items():
            known = self._books.get(author)
            books[author] = Rulebook(own, self._market, self._assets) if known is None else known.changed(own)
        self._books = books
        for lanes in self._lanes.values():
            for author, lane in lanes.items():
                lane.book = books.get(author, lane.book)

    def put(self, rank: Rank, occurrence: Occurrence) -> None:
        """Take up something that happened."""
        queue = self._new[rank]
        if len(queue) >= self._most(rank):
            queue.popleft().end()
            self._left_out()
        queue.append(occurrence)

    def begin(self, take_up_rules: Callable[[], None]) -> Pieces[None]:
        """Look at what is new, and put it into the lanes of those whose rules may want it.

        Args:
            take_up_rules: called before each look, as rules may have been made before that happened.
        """
        for _ in range(MOST_BEGUN):
            rank = next((rank for rank, queue in self._new.items() if queue), None)
            if rank is None:
                return
            take_up_rules()
            self._begin(rank, self._new[rank].popleft())
            yield

    def next(self) -> Lane | None:
        """The lane whose turn it is; None if nothing waits in lanes."""
        for lanes in self._lanes.values():
            for author, lane in list(lanes.items()):
                if lane:
                    lanes.move_to_end(author)
                    return lane
                del lanes[author]
        return None

    def _begin(self, rank: Rank, occurrence: Occurrence) -> None:
        decide = occurrence.begin()
        authors = [author for author, book in self._books.items() if book.watches(occurrence.kinds)]
        occurrence.lanes = len(authors)
        if not authors:
            occurrence.end()
        lanes = self._lanes[rank]
        for author in authors:
            lane = lanes.get(author)
            if lane is None:
                lane = lanes[author] = Lane(self._books[author])
            if len(lane.waiting) >= self._most(rank):
                lane.waiting.popleft()[0].is_over_in_one()
                self._left_out()
            lane.waiting.append((occurrence, decide))

    def _by_author(self, rules: Iterable[RuleInForce]) -> dict[str, list[RuleInForce]]:
        """Rules by who made them; those of all who came late are together."""
        found: dict[str, list[RuleInForce]] = {}
        for each in rules:
            if len(self._own) < MOST_AUTHORS - 1:
                self._own[each.made_by] = None
            found.setdefault(each.made_by if each.made_by in self._own else "", []).append(each)
        return found
