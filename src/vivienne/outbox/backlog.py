"""What happened and waits until its alerts are decided: in its order for rules that watch pauses.

They have every second turn, the market and changes of values the others. Authors of rules take turns, too, so that
nobody's rules, however many they are, keep the alerts of somebody else waiting.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import cycle
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

from vivienne.alerts.rulebook import Rulebook

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from vivienne.alerts.names import Names
    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.slices import Pieces
    from vivienne.store.alert import StoredEvent
    from vivienne.wire.alert import EventType, MarketKind

    Decide = Callable[[Rulebook[RuleInForce], "deque[FiredAlert | Occurrence]"], Pieces[None]]
    """Decides the alerts that rules have of something, and appends them."""

MOST_AUTHORS = 50
"""Authors of rules who have lanes of their own: those who were there first. All others share one."""
MOST_NEW = 50_000
"""So much waits to be begun, which takes much less time than to decide it; beyond it the oldest is left out."""
MOST_BEGUN = 1_000
"""So much is begun before a lane has its turn, unless a pause is among the rest."""
MOST_FORMER = 20
"""Former rules of an author that are known while something waits for them."""
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
    """In which turns something is looked at."""

    PAUSES = 0
    """All that happens, for rules that watch pauses: a bot hears of a pause soon, and of nothing before it later."""
    MARKET = 1
    CHANGES = 2


@dataclass(slots=True, eq=False)
class Occurrence:
    """Something that happened.

    Attributes:
        rank: what it is.
        kinds: of events that it may be.
        begin: looks at it, once, and gives what decides its alerts.
        end: called once all its alerts are handed over, or it is left out.
        lanes: number of lanes in which it is not over.
    """

    rank: Rank
    kinds: Collection[EventType]
    begin: Callable[[], Decide]
    end: Callable[[], None] = lambda: None
    lanes: int = 0

    def is_over_in_one(self) -> None:
        """Note that the alerts of one more lane are handed over."""
        self.lanes -= 1
        if not self.lanes:
            self.end()


@dataclass(slots=True, eq=False, weakref_slot=True)
class Rules:
    """Rules that somebody made.

    Attributes:
        own: these, as they were when what they are asked about happened.
        book: of those that are on.
    """

    own: list[RuleInForce]
    book: Rulebook[RuleInForce]


class Waiting(NamedTuple):
    """Something that waits in a lane.

    Attributes:
        occurrence: what it is.
        decide: decides its alerts.
        rules: that may want it.
    """

    occurrence: Occurrence
    decide: Decide
    rules: Rules


@dataclass(slots=True, eq=False)
class Lane:
    """What waits for rules that somebody made.

    Attributes:
        waiting: what happened, in its order.
        under_way: of this, what is being looked at.
        fired: alerts that are to be handed over; after those of an occurrence, the occurrence.
    """

    waiting: deque[Waiting] = field(default_factory=deque)
    under_way: tuple[Occurrence, Iterator[None]] | None = None
    fired: deque[FiredAlert | Occurrence] = field(default_factory=deque)

    def __bool__(self) -> bool:
        return bool(self.waiting or self.under_way or self.fired)

    def put(self, waiting: Waiting, most: int) -> Occurrence | None:
        """Let something wait; if more than so much waits, give what is left out: the oldest, and pauses last."""
        self.waiting.append(waiting)
        if len(self.waiting) <= most:
            return None
        left_out = next((each for each in self.waiting if each.occurrence.rank is not Rank.PAUSES), self.waiting[0])
        self.waiting.remove(left_out)
        return left_out.occurrence

    def decide(self, most: int) -> Pieces[None]:
        """Decide alerts until there are so many, for the time of a turn at most."""
        end = monotonic() + TURN_SECONDS
        while (self.under_way or self.waiting) and len(self.fired) < most:
            if self.under_way is None:
                occurrence, decide, rules = self.waiting.popleft()
                self.under_way = occurrence, decide(rules.book, self.fired)
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
        most: of each rank, so much waits in a lane; beyond it the oldest is left out.
        left_out: called for each one.
    """

    def __init__(
        self, market: MarketKind, assets: Names, most: Callable[[Rank], int], left_out: Callable[[], None]
    ) -> None:
        self._market = market
        self._assets = assets
        self._most = most
        self._left_out = left_out
        self._rules: dict[_LaneKey, Rules] = {}
        self._former: dict[_LaneKey, WeakSet[Rules]] = {}
        """The same, and former ones that something still waits for."""
        self._authors: dict[str, None] = {}
        """Authors who have lanes of their own."""
        self._new: deque[Occurrence] = deque()
        """What nobody has looked at."""
        self._new_pauses = 0
        self._turns = cycle((Rank.PAUSES, Rank.MARKET, Rank.PAUSES, Rank.CHANGES))
        self._lanes: Mapping[Rank, OrderedDict[_LaneKey, Lane]] = {rank: OrderedDict() for rank in Rank}
        """In turn; none of them is empty."""

    @property
    def has_rules(self) -> bool:
        """Whether any rule is on."""
        return any(rules.book for rules in self._rules.values())

    def __len__(self) -> int:
        lanes = (lane for lanes in self._lanes.values() for lane in lanes.values())
        return len(self._new) + sum(
            len(lane.waiting) + len(lane.fired) + (lane.under_way is not None) for lane in lanes
        )

    def take_up(self, rules: Iterable[RuleInForce]) -> None:
        """Have these rules in the place of others; what waits goes on with those that were there when it happened."""
        by_lane = self._by_lane(rules)
        for key, own in by_lane.items():
            known = self._rules.get(key)
            if known is None:
                self._rules[key] = Rules(own, Rulebook(own, self._market, self._assets))
            elif known.own != own:
                self._rules[key] = self._changed(key, known, own)
            self._former.setdefault(key, WeakSet()).add(self._rules[key])
        for key in [*self._rules]:
            if key not in by_lane:
                del self._rules[key], self._former[key]

    def _changed(self, key: _LaneKey, known: Rules, own: list[RuleInForce]) -> Rules:
        changed = Rules(own, known.book.changed(own))
        if len(self._former[key]) < MOST_FORMER:
            return changed
        known.own, known.book = changed.own, changed.book  # who changes rules without end has them as they are now
        return known

    def put(self, occurrence: Occurrence) -> None:
        """Take up something that happened."""
        self._new.append(occurrence)
        self._new_pauses += occurrence.rank is Rank.PAUSES
        if len(self._new) > MOST_NEW:
            left_out = next((each for each in self._new if each.rank is not Rank.PAUSES), self._new[0])
            self._new.remove(left_out)
            self._new_pauses -= left_out.rank is Rank.PAUSES
            left_out.end()
            self._left_out()

    def begin(self, take_up_rules: Callable[[], None]) -> Pieces[None]:
        """Look at what is new, and put it into the lanes of those whose rules may want it.

        Args:
            take_up_rules: called before each look, as rules may have been made before that happened.
        """
        begun = 0
        while self._new and (begun < MOST_BEGUN or self._new_pauses):
            take_up_rules()
            occurrence = self._new.popleft()
            self._new_pauses -= occurrence.rank is Rank.PAUSES
            self._begin(occurrence)
            begun += 1
            yield

    def next(self) -> Lane | None:
        """The lane whose turn it is; None if nothing waits in lanes."""
        turn = next(self._turns)
        for rank in (turn, *Rank):
            lanes = self._lanes[rank]
            for key, lane in list(lanes.items()):
                if lane:
                    lanes.move_to_end(key)
                    return lane
                del lanes[key]
        return None

    def _begin(self, occurrence: Occurrence) -> None:
        decide = occurrence.begin()
        wanting = [(key, rules) for key, rules in self._rules.items() if rules.book.watches(occurrence.kinds)]
        occurrence.lanes = len(wanting)
        if not wanting:
            occurrence.end()
        for key, rules in wanting:
            rank = Rank.PAUSES if key.watches_pauses else occurrence.rank
            lane = self._lanes[rank].setdefault(key, Lane())
            left_out = lane.put(Waiting(occurrence, decide, rules), self._most(rank))
            if left_out is not None:
                left_out.is_over_in_one()
                self._left_out()

    def _by_lane(self, rules: Iterable[RuleInForce]) -> dict[_LaneKey, list[RuleInForce]]:
        """Rules by the author who made them. A later author changes nothing; those who came late share a lane."""
        found: dict[_LaneKey, list[RuleInForce]] = {}
        for each in rules:
            if len(self._authors) < MOST_AUTHORS - 1:
                self._authors[each.made_by] = None
            author = each.made_by if each.made_by in self._authors else ""
            found.setdefault(_LaneKey(author, "pause" in each.rule.event), []).append(each)
        return found


class _LaneKey(NamedTuple):
    """Names a lane.

    Attributes:
        author: who made the rules; empty for all who came late.
        watches_pauses: whether these rules do so.
    """

    author: str
    watches_pauses: bool
