"""The explanation adds up, and what it says would change the outcome does change it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import (
    bars_of,
    candles_in,
    configurations,
    configured,
    document_of,
    problems_of,
    random_bars,
    resampled,
)
from sizes import examples, rounds
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.filters import FILTER, FILTERS
from vivienne.agent.schema import Configuration
from vivienne.config.documents import leaves, merged
from vivienne.config.tunables import TUNABLES

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.agent.decision import Decision
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import CheckExplanation, Explanation, FilterExplanation


class Said(NamedTuple):
    """The decision on the last bar, and its explanation."""

    decision: Decision
    explanation: Explanation


def explained(bars: Bars, config: Configuration | None = None) -> Said:
    config = config or configured()
    evaluation = evaluate(bars, config, 15)
    return Said(evaluation.decision(), explain(evaluation.row(), bars, config))


def checks_of(barrier: FilterExplanation) -> list[CheckExplanation]:
    return [check for scenario in barrier["scenarios"] for check in scenario["checks"]]


def assert_sound(said: Said, config: Configuration) -> None:
    """It is JSON, and its figures are those of the decision."""
    json.dumps(said.explanation, allow_nan=False)
    if not said.decision.ready:
        return
    signed = {"long": said.decision.confidence, "short": -said.decision.confidence, "none": 0.0}[said.decision.side]
    assert sum(signal["contribution"] for signal in said.explanation["signals"]) == pytest.approx(signed, abs=1e-8)
    assert said.decision.blocked_by == tuple(
        barrier["name"] for barrier in said.explanation["filters"] if barrier["state"] == "blocked"
    )
    for signal in said.explanation["signals"]:
        assert signal["weight"] == getattr(config.signal_weights, signal["name"])
        assert signal["direction"] != 0 or signal["strength"] == 0
    if (change := said.explanation["nearest_change"]) is not None:
        if change["path"].startswith("settings.state_threshold_"):
            shown = float(said.explanation["summary"].partition("confidence ")[2].partition(" %")[0])
            assert (shown >= change["to"]) == (round(said.decision.confidence * 100, 7) >= change["to"])
        first, *others = change["message"].split(" -> ")
        for before, after in pairwise([first, *others]):
            assert before.removesuffix(" %").split()[-1] != after.split()[0]
    values = leaves(config.model_dump())
    for barrier in said.explanation["filters"]:
        assert barrier["message"]
        for check in checks_of(barrier):
            assert check["path"] is None or check["threshold"] == values[check["path"]]


def assert_change_holds(said: Said, bars: Bars, config: Configuration) -> bool:
    """The stated change is allowed and gives the stated outcome. False where none is stated."""
    change = said.explanation["nearest_change"]
    if change is None:
        return False
    assert change["clarity_level"] in change["message"]
    for one in change["changes"]:
        assert TUNABLES[one["path"]].title in change["message"]
        assert leaves(config.model_dump())[one["path"]] == one["from"]
    made = document_of({one["path"]: one["to"] for one in change["changes"]})
    document = merged(config.model_dump(exclude_none=True), made)
    assert problems_of(document) == []
    changed = explained(bars, Configuration.model_validate(document)).decision
    assert (change["clarity_level"], change["held"]) == (changed.level.word, changed.is_held)
    assert (said.decision.level, said.decision.is_held) != (changed.level, changed.is_held)
    return True


@examples(300)
@given(seed=st.integers(0, 100_000), count=st.integers(154, 330), config=configurations())
def test_a_stated_change_alters_the_level_or_whether_the_entry_is_held(
    seed: int, count: int, config: Configuration
) -> None:
    bars = random_bars(seed, count)
    said = explained(bars, config)
    assert_sound(said, config)
    assert_change_holds(said, bars, config)


@pytest.mark.sized
@pytest.mark.parametrize("thresholds", [(50, 70, 80), (20, 30, 40)])
def test_a_stated_change_alters_the_level_or_whether_the_entry_is_held_on_real_data(
    marketdata: Path, thresholds: tuple[int, int, int]
) -> None:
    loaded, aim, bang = thresholds
    config = configured(
        {"settings": {"state_threshold_loaded": loaded, "state_threshold_aim": aim, "state_threshold_bang": bang}}
    )
    whole = resampled(candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz"))
    whole = whole[:1_400]
    levels = evaluate(whole, config, 15, len(whole)).decided.raw_level
    interesting = {*np.flatnonzero(levels >= 2).tolist(), *range(160, len(whole), 9)}
    stated = 0
    chosen = sorted(interesting)[:: rounds(1, 4)]
    for row in chosen:
        bars = whole[max(0, row - 400) : row + 1]
        said = explained(bars, config)
        assert_sound(said, config)
        stated += assert_change_holds(said, bars, config)
    assert stated > rounds(100, 25)


def held_back(config: Configuration, seeds: range = range(60)) -> tuple[Bars, Said]:
    """A bar whose level is held back by one filter."""
    for seed in seeds:
        bars = random_bars(seed, 300)
        whole = evaluate(bars, config, 15, 300)
        held = (whole.decided.raw_level > whole.decided.level) & (whole.filters.blocks.sum(axis=0) == 1)
        for row in np.flatnonzero(held):
            return bars[: row + 1], explained(bars[: row + 1], config)
    raise AssertionError("no bar is held back")


@pytest.mark.parametrize("name", [barrier.name for barrier in FILTERS])
def test_a_level_held_back_by_one_filter_can_be_released(name: str) -> None:
    """With the other filters off, the nearest change is in the filter, and releases it."""
    switches = {barrier.switch: barrier.name == name for barrier in FILTERS}
    thresholds = {f"settings.state_threshold_{level}": value for level, value in (("loaded", 1), ("aim", 2))}
    config = configured(document_of({**switches, **thresholds}))
    bars, said = held_back(config)
    assert said.decision.blocked_by == (name,)
    assert said.decision.size == 0.0
    assert said.decision.level.word == "loaded"
    assert f"held at loaded: {said.decision.side}" in said.explanation["summary"]
    summary = said.explanation["summary"]
    assert f"; {FILTER[name].title} filter, " in summary
    assert "against the trend: against the trend" not in summary
    assert assert_change_holds(said, bars, config)
    change = said.explanation["nearest_change"]
    assert change is not None
    assert change["path"].startswith(f"filters.{name}.")
    assert change["clarity_level"] == said.decision.raw_level.word


def test_of_two_thresholds_the_nearer_one_is_named() -> None:
    """Loaded at 69.5 is half a point below aim, and far above idle."""
    for seed in range(40):
        bars = random_bars(seed, 200)
        plain = explained(bars)
        percent = plain.decision.confidence * 100
        if not 5 < percent < 95 or plain.decision.blocked_by:
            continue
        loaded, aim = percent - 3, percent + 0.5
        document = {"settings": {"state_threshold_loaded": loaded, "state_threshold_aim": aim}}
        document["settings"]["state_threshold_bang"] = 100.0
        said = explained(bars, configured(document))
        assert said.decision.level.word == "loaded"
        change = said.explanation["nearest_change"]
        assert change is not None
        assert (change["path"], change["clarity_level"]) == ("settings.state_threshold_aim", "aim")
        assert percent * 0.99 <= change["to"] <= percent
        return
    raise AssertionError("no bar has a confidence to try it with")


@pytest.mark.parametrize("margin", [0.5, 1e-6])
def test_a_threshold_named_stays_in_order_with_those_beside_it(margin: float) -> None:
    """Between two thresholds this near there is no round number that would be accepted."""
    for seed in range(40):
        bars = random_bars(seed, 200)
        plain = explained(bars)
        percent = plain.decision.confidence * 100
        if not 20 < percent < 95 or plain.decision.blocked_by:
            continue
        thresholds = {"state_threshold_loaded": percent - 1e-4, "state_threshold_aim": percent + margin}
        config = configured({"settings": {**thresholds, "state_threshold_bang": 100.0}})
        said = explained(bars, config)
        assert_sound(said, config)
        assert said.decision.level.word == "loaded"
        assert assert_change_holds(said, bars, config)
        return
    raise AssertionError("no bar has a confidence to try it with")


def test_a_value_right_on_its_threshold_is_released_by_the_next_number() -> None:
    """Retail chop begins at its threshold, so 120 trades a minute need one above 120."""
    switches = {barrier.switch: barrier.name == "underused_alpha" for barrier in FILTERS}
    levels = {"settings.state_threshold_loaded": 1, "settings.state_threshold_aim": 2}
    config = configured(document_of({**switches, **levels}))
    for seed in range(40):
        bars = replace(
            random_bars(seed, 200), trade_count=np.full(200, 15 * 120.0), quote_volume=np.full(200, 15 * 120.0 * 5)
        )
        said = explained(bars, config)
        if said.decision.raw_level.word in {"idle", "loaded"}:
            continue
        assert said.decision.blocked_by == ("underused_alpha",)
        change = said.explanation["nearest_change"]
        assert change is not None
        assert change["path"] == "filters.underused_alpha.retail_chop_trade_count_threshold"
        assert 120 < change["to"] <= 120 * 1.01
        assert assert_change_holds(said, bars, config)
        return
    raise AssertionError("no bar earns a level to try it with")


def test_a_warming_up_window_says_so_and_nothing_else() -> None:
    said = explained(random_bars(1, 153))
    assert not said.decision.ready
    nothing: dict[str, Any] = {"signals": [], "filters": [], "nearest_change": None, "size_cap": None}
    assert {"summary": "warming up", **nothing} == said.explanation
    made = said.decision
    assert (made.level.word, made.raw_level.word, made.side) == ("idle", "idle", "none")
    assert (made.size, made.confidence, made.blocked_by) == (0.0, 0.0, ())


def test_a_dead_market_explains_itself_without_a_side() -> None:
    bars = bars_of([100.0] * 200, volume=0.0, trade_count=0.0)
    said = explained(bars)
    assert said.decision.ready
    assert_sound(said, configured())
    assert (said.decision.side, said.decision.size, said.decision.level.word) == ("none", 0.0, "idle")
    assert said.explanation["summary"] == "idle: no signal votes, or the votes cancel out"
    assert said.explanation["nearest_change"] is None
    assert {"no entry to hold back"} == {barrier["message"] for barrier in said.explanation["filters"]}
    average = [
        check["value"]
        for barrier in said.explanation["filters"]
        for check in checks_of(barrier)
        if check["id"] == "average_trade"
    ]
    assert [None] * 3 == average


def test_data_without_trade_counts_is_explained_without_nan() -> None:
    bars = bars_of(random_bars(3, 200).close, trade_count=np.nan, taker_buy_volume=np.nan)
    config = configured()
    said = explained(bars, config)
    assert_sound(said, config)
    assert not {"underused_alpha", "combined_vwap"} & set(said.decision.blocked_by)


def states(bars: Bars, config: Configuration | None = None) -> dict[str, Any]:
    said = explained(bars, config)
    return {"trend": said.decision.trend, "volatility": said.decision.volatility, "levels": said.decision.levels}


def test_the_trend_is_named() -> None:
    accelerating = np.array([100 + 0.00001 * step**3 for step in range(180)])
    assert states(bars_of(accelerating))["trend"] == "bullish"
    assert states(bars_of(200 - accelerating))["trend"] == "bearish"
    assert states(bars_of([100.0] * 180))["trend"] == "neutral"


@pytest.mark.parametrize(
    ("width", "last", "state"),
    [
        (0.002, 0.0, "squeeze"),
        (0.02, 0.0, "normal"),
        (0.03, 0.0, "breakout"),
        (0.02, 8.0, "overextended"),
        (0.02, -8.0, "overextended"),
    ],
)
def test_the_state_of_volatility_is_named(width: float, last: float, state: str) -> None:
    """A band of this width, and a last close so many deviations away."""
    closes = 100 * (1 + width / 4 * np.where(np.arange(160) % 2, 1.0, -1.0))
    closes[-1] = 100 * (1 + width / 4 * last) if last else closes[-1]
    assert state == states(bars_of(closes))["volatility"]


def test_the_levels_filter_is_inactive_when_it_is_switched_off() -> None:
    off = configured({"filters": {"levels": {"enable_levels_filter_for_entry": False}}})
    assert states(random_bars(3, 200), off)["levels"] == "inactive"
    assert states(random_bars(3, 200))["levels"] in {"active", "blocking"}


def test_a_filter_that_is_switched_off_says_so() -> None:
    config = configured(document_of({barrier.switch: False for barrier in FILTERS}))
    said = explained(random_bars(3, 200), config)
    assert {("off", "switched off", False)} == {
        (barrier["state"], barrier["message"], barrier["enabled"]) for barrier in said.explanation["filters"]
    }
    assert said.decision.blocked_by == ()
    assert said.decision.level == said.decision.raw_level


def test_nobody_reads_minus_zero() -> None:
    """A short entry in a market without a trend: 0 times -1."""
    for seed in range(20):
        text = json.dumps(explained(random_bars(seed, 200)).explanation)
        assert "-0.0," not in text


def test_of_two_switches_that_release_an_entry_the_narrower_one_is_named() -> None:
    """Far beyond the threshold of overextension: its switch is nearer than the threshold, and takes less with it."""
    switches = {barrier.switch: barrier.name == "volatility" for barrier in FILTERS}
    values = {
        "settings.state_threshold_loaded": 1,
        "settings.state_threshold_aim": 2,
        "filters.volatility.volatility_squeeze_threshold": 0,
        "filters.volatility.volatility_breakout_threshold": 0.4,
        "filters.volatility.overextended_deviations": 1,
        # The close never leaves such wide bands, so nothing votes for a breakout.
        "indicators.bollinger_deviations": 5,
    }
    config = configured(document_of({**switches, **values}))
    named = set()
    for seed in range(30):
        bars = random_bars(seed, 300)
        whole = evaluate(bars, config, 15, 300)
        far = whole.blocked & (np.abs(whole.now.deviations) > 2.1)
        for row in np.flatnonzero(far & (whole.decided.raw_level > whole.decided.level)):
            said = explained(bars[: row + 1], config)
            assert assert_change_holds(said, bars[: row + 1], config)
            change = said.explanation["nearest_change"]
            assert change is not None
            named.add(change["path"])
    assert named == {"filters.volatility.bollinger_overextended_block"}


def test_explanations_have_no_part_in_common_that_could_be_changed() -> None:
    """They are copies of documents that are made once for each configuration."""
    bars, config = random_bars(3, 300), configured()
    whole, other = explained(bars, config).explanation, explained(bars, config).explanation
    before = json.dumps(other)
    for barrier in whole["filters"]:
        for scenario in barrier["scenarios"]:
            for check in scenario["checks"]:
                check.clear()  # type: ignore[attr-defined]  # a dict, whatever its type says
            scenario["checks"].clear()
            scenario["title"] = ""
        barrier["scenarios"].clear()
        barrier["title"] = ""
    for signal in whole["signals"]:
        signal["title"] = ""
    assert before == json.dumps(other) == json.dumps(explained(bars, config).explanation)


def test_each_configuration_has_its_own_words() -> None:
    bars = random_bars(3, 300)
    for threshold in (0.0125, 0.0135, 0.0125):
        config = configured({"filters": {"volatility": {"volatility_squeeze_threshold": threshold}}})
        squeeze = explained(bars, config).explanation["filters"][0]["scenarios"][0]["checks"][0]
        assert squeeze["threshold"] == threshold
        assert f" {threshold * 100:g} %" in explained(bars, config).explanation["filters"][0]["message"]
