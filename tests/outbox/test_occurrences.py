"""What waits until its alerts are decided: in which order, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from vivienne.alerts.names import Names
from vivienne.alerts.reading import read_rule
from vivienne.outbox.backlog import MOST_AUTHORS, MOST_FORMER, Backlog, FiredAlert, Occurrence, Rank
from vivienne.slices import whole

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence

    from vivienne.alerts.rule import Rule
    from vivienne.alerts.rulebook import Rulebook
    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.slices import Pieces


@dataclass(frozen=True)
class Named:
    made_by: str
    rule: Rule


def rules(*authors: str, event: Sequence[str] = ("pause", "config", "data")) -> list[RuleInForce]:
    document = {"name": "a", "assets": ["*"], "event": [*event], "channels": [{"type": "browser"}]}
    made = read_rule(document, assets=("BTC",)).rule
    return cast("list[RuleInForce]", [Named(author, made) for author in authors])


class Told:
    """What a backlog hands over, and what is over, in their order."""

    def __init__(self, most: int = 1_000) -> None:
        self.said: list[tuple[str, int]] = []
        self.turn_of: list[int] = []
        self.over: dict[int, int] = {}
        self.left_out = self.turns = self.ends = 0
        self.backlog = Backlog("simulated", Names(["BTC"]), lambda _rank: most, self._left_out)

    def _left_out(self) -> None:
        self.left_out += 1

    def happens(self, rank: Rank, name: int) -> None:
        def decided(book: Rulebook[RuleInForce], fired: deque[FiredAlert | Occurrence]) -> Pieces[None]:
            for named in whole(book.watching(kind, None)):
                yield
                fired.append(cast("FiredAlert", Fired(named, name)))

        def end() -> None:
            self.over[name] = self.turns
            self.ends += 1

        kind: Any = {Rank.PAUSES: "pause", Rank.MARKET: "data", Rank.CHANGES: "config"}[rank]
        self.backlog.put(Occurrence(rank, [kind], lambda: decided, end))

    def turn(self) -> None:
        whole(self.backlog.begin(lambda: None))
        if (lane := self.backlog.next()) is not None:
            whole(lane.decide(10))
            alerts = [(each.named.made_by, int(cast("Any", each.stored))) for each in lane.hand_over(10)]
            self.said += alerts
            self.turn_of += [self.turns] * len(alerts)
        self.turns += 1

    def all(self) -> list[tuple[str, int]]:
        while len(self.backlog):
            self.turn()
        return self.said


@dataclass(frozen=True)
class Fired:
    named: RuleInForce
    stored: Any


def test_what_rules_with_pauses_watch_is_in_its_order_and_before_the_rest() -> None:
    """A bot that heard of an entry after the pause would open a position."""
    told = Told()
    told.backlog.take_up([*rules("bob", event=["config"]), *rules("bob", event=["data"]), *rules("ana")])
    for name, rank in enumerate((Rank.CHANGES, Rank.MARKET, Rank.PAUSES)):
        told.happens(rank, name)
    assert [said for said in told.all() if said[0] == "ana"] == [("ana", 0), ("ana", 1), ("ana", 2)]
    assert told.all()[:3] == [("ana", 0), ("ana", 1), ("ana", 2)]


def test_nothing_waits_for_ever() -> None:
    """Though there is always something for rules that come first."""
    told = Told()
    told.backlog.take_up([*rules(*["bob"] * 20), *rules("ana", event=["config"]), *rules("cleo", event=["data"])])
    told.happens(Rank.CHANGES, 0)
    told.happens(Rank.MARKET, 1)
    for name in range(2, 12):
        told.happens(Rank.PAUSES, name)
        told.turn()
    assert {("ana", 0), ("cleo", 1)} <= {*told.said}


def test_what_waits_has_the_rules_that_were_there_when_it_happened() -> None:
    """Also after somebody has changed what they watch."""
    told = Told()
    told.backlog.take_up(rules("ana", "ana", event=["config"]))
    told.happens(Rank.CHANGES, 0)
    whole(told.backlog.begin(lambda: None))
    told.backlog.take_up(rules("ana", event=["config", "pause"]))
    told.happens(Rank.CHANGES, 1)
    assert sorted(told.all()) == [("ana", 0), ("ana", 0), ("ana", 1)]


def test_rules_that_are_changed_without_end_are_not_all_kept() -> None:
    told = Told()
    for name in range(200):
        told.backlog.take_up(rules("ana"))
        told.happens(Rank.CHANGES, name)
        whole(told.backlog.begin(lambda: None))
    [lane] = told.backlog._lanes[Rank.PAUSES].values()
    assert len({id(waiting.rules) for waiting in lane.waiting}) <= MOST_FORMER
    assert len(told.all()) == 200


def test_authors_take_turns() -> None:
    told = Told()
    told.backlog.take_up(rules(*["bob"] * 100, "ana"))
    for name in range(5):
        told.happens(Rank.PAUSES, name)
    found = told.all()
    assert max(found.index(("ana", name)) for name in range(5)) <= 2 * 10 + 5


def test_many_authors_have_few_lanes_and_those_who_were_first_their_own() -> None:
    told = Told()
    told.backlog.take_up(rules(*["bob"] * 40, *(f"author {number}" for number in range(500))))
    told.happens(Rank.PAUSES, 1)
    whole(told.backlog.begin(lambda: None))
    assert len(told.backlog) == MOST_AUTHORS
    assert len(told.all()) == 540


@given(
    st.lists(st.tuples(st.sampled_from(Rank), st.integers(0, 3))),
    st.lists(st.sampled_from(["ana", "bob", "cleo"])),
    st.integers(1, 6),
)
def test_everything_is_over_once_and_not_before_its_last_alert(
    happening: list[tuple[Rank, int]], authors: list[str], most: int
) -> None:
    told = Told(most)
    told.backlog.take_up(rules(*authors))
    for name, (rank, turns) in enumerate(happening):
        told.happens(rank, name)
        for _ in range(turns):
            told.turn()
    found = told.all()
    assert told.ends == len(happening)
    for name, is_over in told.over.items():
        of_it = [turn for turn, (_, said) in zip(told.turn_of, found, strict=True) if said == name]
        assert all(turn <= is_over for turn in of_it)
        assert len(of_it) == len(authors) or told.left_out
