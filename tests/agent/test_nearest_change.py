"""The nearest change: it alters the outcome as it says, it is valid, and it is there wherever it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import configurations, configured, document_of, problems_of, random_bars
from sizes import examples
from vivienne.agent.decision import Clarity
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.filters import FILTERS
from vivienne.agent.nearest import alternatives, as_document
from vivienne.agent.schema import Configuration
from vivienne.config.documents import merged

if TYPE_CHECKING:
    from vivienne.agent.decision import Decision
    from vivienne.market.types import Bars

NO_FILTER = {each.switch: False for each in FILTERS}
LOW = {
    "settings.state_threshold_loaded": 5.0,
    "settings.state_threshold_aim": 101 / 2,
    "settings.state_threshold_bang": 99.0,
}


def nearest(bars: Bars, config: Configuration) -> dict[str, Any] | None:
    change = explain(evaluate(bars, config, 15).row(), bars, config)["nearest_change"]
    return None if change is None else dict(change)


def decided(bars: Bars, config: Configuration) -> Decision:
    return evaluate(bars, config, 15).decision()


def assert_it_is_true(bars: Bars, config: Configuration, change: dict[str, Any]) -> None:
    """With the change made, the outcome is the stated one and another than before, and the configuration is valid."""
    assert (change["path"], change["from"], change["to"]) == tuple(change["changes"][0].values())
    made = document_of({one["path"]: one["to"] for one in change["changes"]})
    document = merged(config.model_dump(exclude_none=True), made)
    assert problems_of(document) == []
    before, after = decided(bars, config), decided(bars, Configuration.model_validate(document))
    assert (after.level.word, after.is_held) == (change["clarity_level"], change["held"])
    assert (before.level, before.is_held) != (after.level, after.is_held)


@examples(200)
@given(seed=st.integers(0, 10_000), end=st.integers(160, 300), config=configurations())
def test_whatever_is_offered_is_true_and_valid(seed: int, end: int, config: Configuration) -> None:
    bars = random_bars(seed, 300)[:end]
    change = nearest(bars, config)
    if change is not None:
        assert_it_is_true(bars, config, change)


@examples(200)
@given(seed=st.integers(0, 10_000), end=st.integers(160, 300))
def test_it_is_missing_only_without_a_side(seed: int, end: int) -> None:
    bars, config = random_bars(seed, 300)[:end], configured(document_of(LOW))
    assert (decided(bars, config).side != "none") == (nearest(bars, config) is not None)


def rows(config: Configuration, seeds: range = range(15)) -> list[tuple[Bars, Decision]]:
    """Many bars, each with everything before it."""
    found = []
    for seed in seeds:
        bars = random_bars(seed, 260)
        found += [
            (bars[: len(bars) - 99 + row], decision)
            for row, decision in enumerate(evaluate(bars, config, 15, 100).decisions())
        ]
    return found


def test_a_held_loaded_can_be_released() -> None:
    only_levels = NO_FILTER | {"filters.levels.enable_levels_filter_for_entry": True, **LOW}
    config = configured(document_of(only_levels | {"settings.state_threshold_aim": 98.0}))
    released = 0
    for bars, decision in rows(config):
        if decision.is_held and decision.raw_level is Clarity.LOADED:
            change = nearest(bars, config)
            assert change is not None
            if change["path"].startswith("filters."):
                released += 1
                assert ("loaded", False) == (change["clarity_level"], change["held"])
                assert_it_is_true(bars, config, change)
    assert released > 5


def test_an_entry_held_by_several_filters_is_released_by_one_change_for_each() -> None:
    """None of the changes can be left out, and no switch is offered where a smaller change of a threshold would do."""
    config = configured(document_of(LOW))
    several = 0
    for bars, decision in rows(config, range(6)):
        if not decision.is_held or len(decision.blocked_by) < 2:
            continue
        several += 1
        change = nearest(bars, config)
        assert change is not None
        assert_it_is_true(bars, config, change)
        assert (change["clarity_level"], change["held"]) == (decision.raw_level.word, False)
        assert tuple(one["path"].split(".")[1] for one in change["changes"]) == decision.blocked_by
        for one in change["changes"]:
            alone = merged(config.model_dump(exclude_none=True), document_of({one["path"]: one["to"]}))
            assert decided(bars, Configuration.model_validate(alone)).is_held
            assert isinstance(one["to"], bool) or abs(one["to"] - one["from"]) <= one["from"]
    assert several > 5


@pytest.mark.parametrize("name", ["volatility", "levels", "underused_alpha", "combined_vwap"])
def test_a_filter_that_would_begin_to_block_is_offered(name: str) -> None:
    """With thresholds of levels far away, the nearest change is in the one filter that is on."""
    switch = next(each.switch for each in FILTERS if each.name == name)
    config = configured(
        document_of(
            NO_FILTER
            | {
                switch: True,
                "settings.state_threshold_loaded": 1.0,
                "settings.state_threshold_aim": 1.5,
                "settings.state_threshold_bang": 2.0,
            }
        )
    )
    begun = 0
    for bars, decision in rows(config, range(6)):
        if decision.level is Clarity.BANG and not decision.blocks:
            change = nearest(bars, config)
            if change is not None and change["path"].startswith(f"filters.{name}."):
                begun += 1
                assert ("loaded", True) == (change["clarity_level"], change["held"])
                assert_it_is_true(bars, config, change)
    assert begun > 3


def test_a_filter_that_is_off_and_would_block_is_offered_as_a_switch() -> None:
    config = configured(
        document_of(NO_FILTER | {f"settings.state_threshold_{level}": 0.001 for level in ("loaded", "aim", "bang")})
    )
    switches = {each.switch for each in FILTERS}
    offered = {change["path"] for bars, _ in rows(config, range(3)) if (change := nearest(bars, config)) is not None}
    assert offered & switches


def test_a_filter_is_not_offered_if_its_scenario_is_off_too() -> None:
    # The close of every long entry is overextended at one deviation; neither of two switches alone makes that block.
    off = {
        "filters.volatility.bollinger_overextended_block": False,
        "filters.volatility.overextended_deviations": 1.0,
        "filters.volatility.volatility_squeeze_threshold": 0.0,
    }
    config = configured(document_of({**NO_FILTER, **LOW, **off}))
    offered = {
        change.path
        for end in range(160, 300)
        for bars in [random_bars(154, 300)[:end]]
        for evaluation in [evaluate(bars, config, 15)]
        for changes in alternatives(evaluation.decision(), evaluation.filters.row(-1), bars, config)
        for change in changes
    }
    assert not offered & {"filters.volatility.enable_bollinger_filter_for_entry", *off}


def test_a_squeeze_threshold_never_passes_the_breakout_threshold() -> None:
    """The bandwidth is above both: a squeeze that began there would break the rule between the two."""
    only_volatility = NO_FILTER | {"filters.volatility.enable_bollinger_filter_for_entry": True, **LOW}
    config = configured(document_of(only_volatility))
    for bars, _ in rows(config, range(6)):
        change = nearest(bars, config)
        if change is not None and change["path"].endswith("volatility_squeeze_threshold"):
            assert change["to"] <= config.filters.volatility.volatility_breakout_threshold


def test_the_distance_is_relative_and_the_least() -> None:
    config = configured(document_of(NO_FILTER | LOW))
    for bars, decision in rows(config, range(4)):
        change = nearest(bars, config)
        if change is None or not change["path"].startswith("settings."):
            continue
        percent = decision.confidence * 100
        thresholds = [5.0, 50.5, 99.0]
        nearer = [abs(percent - threshold) / threshold for threshold in thresholds]
        assert abs(percent - change["from"]) / change["from"] == pytest.approx(min(nearer), rel=0.011)
        assert np.isclose(change["to"], percent, rtol=0.011)


@examples(100)
@given(seed=st.integers(0, 10_000), end=st.integers(160, 300), config=configurations())
def test_each_alternative_has_its_effect_by_itself(seed: int, end: int, config: Configuration) -> None:
    bars = random_bars(seed, 300)[:end]
    evaluation = evaluate(bars, config, 15)
    row = evaluation.filters.row(-1)
    found = [as_document(changes) for changes in alternatives(evaluation.decision(), row, bars, config)]
    for change in found:
        assert_it_is_true(bars, config, {**change})
    assert (found[0] if found else None) == nearest(bars, config)
    assert len({change["path"] for change in found[1:]}) == len(found[1:])
