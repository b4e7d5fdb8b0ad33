"""Which rules want what happened from one bar to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compared import Compared
from vivienne.alerts.happenings import happened, possible
from vivienne.alerts.names import Names
from vivienne.alerts.patterns import Patterns
from vivienne.alerts.quiet import QuietHours
from vivienne.alerts.reading import read_rule
from vivienne.alerts.rulebook import Rulebook
from vivienne.alerts.standing import Standing
from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.alerts.rule import Rule

IDLE = Standing(900_000, "idle", "none", 0.1, 0.0, (), 100.0, 1)
LOADED = replace(IDLE, level="loaded", side="long", confidence=0.4, size=2.0)
AIM = replace(LOADED, level="aim", confidence=0.6, size=5.0)
BANG = replace(AIM, level="bang", confidence=0.9, size=10.0)
SHORT = replace(BANG, side="short")
HELD = replace(LOADED, size=0.0, held=("trend", "levels"))


@dataclass(frozen=True)
class Named:
    rule: Rule


def rule(**changed: Any) -> Rule:
    document = {"name": "a", "assets": ["*"], "event": "level", "channels": [{"type": "browser"}], **changed}
    return read_rule(document, assets=("BTC",)).rule


def fired(before: Standing, now: Standing, asset: str = "BTC", **changed: Any) -> str | None:
    book, kinds = Rulebook([Named(rule(**changed))], "simulated", Names([asset])), possible(before, now)
    whole(book.look_up(asset))
    found = [happened(named.rule, before, now, kinds) for named in book.of_bar(asset, kinds)]
    assert len(found) <= 1
    return next((each.type for each in found if each), None)


@pytest.mark.parametrize(
    ("before", "now", "changed", "kind"),
    [
        (IDLE, AIM, {}, "level"),
        (AIM, BANG, {}, "level"),
        (BANG, AIM, {}, "level"),
        (AIM, AIM, {}, None),
        (AIM, LOADED, {}, None),
        (LOADED, BANG, {"levels": ["aim"]}, None),
        (AIM, LOADED, {"when": "leaves"}, "level"),
        (BANG, AIM, {"when": "leaves"}, None),
        (BANG, AIM, {"when": "leaves", "levels": ["bang"]}, "level"),
        (IDLE, LOADED, {"event": "entry"}, "entry"),
        (LOADED, BANG, {"event": "entry"}, None),
        (BANG, SHORT, {"event": "entry"}, "entry"),
        (BANG, SHORT, {"event": "side"}, "side"),
        (IDLE, SHORT, {"event": "side"}, None),
        (BANG, IDLE, {"event": "exit"}, "exit"),
        (BANG, SHORT, {"event": "exit"}, None),
        (BANG, IDLE, {"event": "exit", "side": "long"}, "exit"),
        (SHORT, IDLE, {"event": "exit", "side": "long"}, None),
        (LOADED, BANG, {"event": "size"}, "size"),
        (IDLE, BANG, {"event": "size"}, None),
        (LOADED, HELD, {"event": "held"}, "held"),
        (HELD, HELD, {"event": "held"}, None),
        (LOADED, HELD, {"event": "held", "filters": ["volatility"]}, None),
        (replace(HELD, held=("trend",)), HELD, {"event": "held"}, "held"),
        (replace(HELD, held=("trend",)), HELD, {"event": "held", "filters": ["trend"]}, None),
        (LOADED, AIM, {"event": "confidence", "above": 0.6}, "confidence"),
        (AIM, BANG, {"event": "confidence", "above": 0.6}, None),
        (AIM, LOADED, {"event": "confidence", "below": 0.5}, "confidence"),
        (IDLE, BANG, {"event": ["size", "entry", "level"]}, "entry"),
        (IDLE, BANG, {"side": "short"}, None),
        (IDLE, BANG, {"min_size": 10}, "level"),
        (IDLE, AIM, {"min_size": 10}, None),
        (IDLE, AIM, {"min_confidence": 0.7}, None),
        (IDLE, AIM, {"enabled": False}, None),
        (IDLE, AIM, {"markets": ["real"]}, None),
        (IDLE, AIM, {"assets": ["ETH"]}, None),
        (IDLE, AIM, {"assets": ["eth", "b?C"]}, "level"),
    ],
)
def test_a_rule_fires_when_what_it_watches_happens(
    before: Standing, now: Standing, changed: dict[str, Any], kind: str | None
) -> None:
    assert fired(before, now, **changed) == kind


def test_a_standing_comes_back_from_the_store_as_it_was() -> None:
    assert Standing.load(HELD.text()) == HELD


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"level": 3}', HELD.text().replace("loaded", "lost")])
def test_a_standing_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a stored standing"):
        Standing.load(text)


@pytest.mark.parametrize(
    ("moment", "is_quiet"),
    [
        ("2026-11-27T21:30:00+00:00", True),  # a Friday, 22:30 in Berlin
        ("2026-11-28T05:59:00+00:00", True),  # of the night that began on Friday
        ("2026-11-28T06:00:00+00:00", False),
        ("2026-11-28T21:30:00+00:00", False),  # a Saturday
        ("2026-11-27T20:59:00+00:00", False),
        ("2026-07-03T20:00:00+00:00", True),  # the same hour in summer
    ],
)
def test_quiet_hours_are_those_of_their_zone_and_of_the_day_on_which_they_begin(moment: str, is_quiet: bool) -> None:
    hours = QuietHours.model_validate({"from": "22:00", "to": "07:00", "zone": "Europe/Berlin", "days": ["fri"]})
    assert hours.cover(datetime.fromisoformat(moment)) is is_quiet


def test_thousands_of_names_and_patterns_are_found_at_once() -> None:
    names = [f"N{number}" for number in range(999)]
    assert fired(IDLE, AIM, asset="N998", assets=names) == "level"
    assert fired(IDLE, AIM, asset="M1", assets=names) is None
    assert fired(IDLE, AIM, asset="BTC", assets=[*names, "*C"]) == "level"
    assert fired(IDLE, AIM, asset="BTC.X", assets=["BTC", "B?C"]) is None


@given(
    st.lists(st.text("AB.\n", max_size=9), max_size=6, unique=True),
    st.lists(st.text("AB.*?", min_size=1, max_size=9), min_size=1, max_size=4),
)
def test_a_name_fits_a_pattern_as_files_of_a_shell_do(names: list[str], patterns: list[str]) -> None:
    together = Names(names)

    def expected(wanted: list[str]) -> int:
        return together.among(name for name in names if any(fnmatchcase(name, each) for each in wanted))

    assert whole(Patterns(patterns, has_one=True).among(together)) == expected(patterns)
    stars = [each.replace("?", "A") for each in patterns]
    assert whole(Patterns(stars).among(together)) == expected(stars)


def test_without_one_character_a_question_mark_is_itself() -> None:
    names = Names(["what?", "whats"])
    assert whole(Patterns(["w*?"]).among(names)) == names.among(["what?"])


@given(st.lists(st.text("ABC", max_size=3), unique=True), st.data())
def test_the_first_of_some_names_is_the_one_that_was_given_first(names: list[str], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.sampled_from(names))) if names else set[str]()
    together = Names(names)
    assert together.first(together.among(wanted)) == next((name for name in names if name in wanted), None)


PATTERNS = [f"{'*A?' * 9}{number:04X}" for number in range(200)]
"""None of them fits one of the assets below."""
ASSETS = [f"A{number:04}" for number in range(300)]


@pytest.mark.parametrize("assets", [ASSETS, ASSETS[:1]])
def test_rules_of_very_many_patterns_are_looked_through_a_little_at_a_time(
    monkeypatch: pytest.MonkeyPatch, assets: list[str]
) -> None:
    """However many assets an event bears on, each pattern of each rule is compared once, in a piece of its own."""
    compared = Compared(monkeypatch)
    rules = [Named(rule(event=["pause", "config", "level"], assets=PATTERNS)) for _ in range(5)]
    book = Rulebook(rules, "simulated", Names(ASSETS))
    assert compared.done(book.watching("pause", assets)) == []
    assert compared.most_at_once() == 1
    for asset in ASSETS:
        whole(book.look_up(asset))
        assert whole(book.watching("config", [asset])) == []
    assert compared.count == 5 * len(PATTERNS)


def test_a_rule_is_not_compared_again_after_a_change_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, names = Compared(monkeypatch), Names(ASSETS)
    kept, changed = (Named(rule(event="pause", assets=[*PATTERNS, "A000?"])) for _ in range(2))
    book = Rulebook([kept, changed], "simulated", names)
    assert whole(book.watching("pause", ASSETS)) == [kept, changed]
    before = compared.count
    other = Named(rule(event="pause", assets=["A0001", "X*"]))
    book = book.changed([kept, other])
    assert whole(book.watching("pause", ["A0002"])) == [kept]
    assert whole(book.watching("pause", ["A0001"])) == [kept, other]
    assert compared.count == before + 1


def test_authors_and_paths_of_a_change_are_compared_a_pattern_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, paths = Compared(monkeypatch), Names(f"settings.{number}" for number in range(300))
    [*wanted] = (f"*s*{number}*x" for number in range(50))
    assert compared.done(rule(event="config", paths=wanted).wanted_paths.among(paths)) == 0
    assert compared.most_at_once() == 1
    assert compared.count == 50
