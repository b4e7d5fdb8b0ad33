"""Which rules want what happened from one bar to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.alerts.patterns import Patterns
from vivienne.alerts.quiet import QuietHours
from vivienne.alerts.reading import read_rule
from vivienne.alerts.rulebook import Rulebook
from vivienne.alerts.standing import Standing

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
    found = [*Rulebook([Named(rule(**changed))], "simulated").of_bar(asset, before, now)]
    assert len(found) <= 1
    return found[0][1].type if found else None


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


@given(st.text("AB.", max_size=9), st.lists(st.text("AB.*?", min_size=1, max_size=9), min_size=1, max_size=4))
def test_a_name_fits_a_pattern_as_files_of_a_shell_do(name: str, patterns: list[str]) -> None:
    assert Patterns(patterns, has_one=True).fits(name) is any(fnmatchcase(name, each) for each in patterns)
    stars = [each.replace("?", "A") for each in patterns]
    assert Patterns(stars).fits(name) is any(fnmatchcase(name, each) for each in stars)


def test_rules_of_very_many_patterns_are_looked_through_a_little_at_a_time() -> None:
    patterns = [f"{'*A' * 14}{number:04X}" for number in range(400)]
    rules = [Named(rule(event=["level", "exit"], assets=patterns)) for _ in range(20)]
    book = Rulebook(rules, "simulated")
    assert len([*book.look_up("A" * 32)]) == 40
    assert book.watching("level", "A" * 32) == []
    assert not [*book.look_up("A" * 32)]
