"""From votes to a level, a side and a size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne.agent.decision import Clarity, DecisionRows, Votes, decide, percent, weigh
from vivienne.agent.prepared import prepared
from vivienne.agent.schema import Configuration, Settings, SignalWeights
from vivienne.agent.signals.base import Vote

NAMES = ("ema_cross", "macd", "rsi", "bb_bounce", "bb_breakout")
IDLE, LOADED, AIM, BANG = Clarity


def weighed(votes: dict[str, float], weights: SignalWeights | None = None) -> Votes:
    """Votes as signed strengths."""
    signed = {name: np.array([votes.get(name, 0.0)]) for name in NAMES}
    signals = {name: Vote(np.sign(vote), np.abs(vote), vote) for name, vote in signed.items()}
    config = Configuration(signal_weights=weights or SignalWeights())
    return weigh(signals, prepared(config, 15).weights)


def weights_of(**weights: float) -> SignalWeights:
    return SignalWeights.model_validate(weights)


def decided(
    confidence: float, *, blocked: bool = False, side: float = 1.0, settings: Settings | None = None
) -> DecisionRows:
    votes = Votes(NAMES, np.zeros((5, 1)), np.array([side]), np.array([confidence]))
    config = Configuration(settings=settings or Settings())
    return decide(votes, np.array([blocked]), prepared(config, 15).levels)


def outcome(decision: DecisionRows) -> tuple[int, int, float]:
    return int(decision.raw_level[0]), int(decision.level[0]), float(decision.size[0])


def test_confidence_is_the_weighted_mean_of_those_that_vote() -> None:
    votes = weighed({"ema_cross": 1.0, "macd": 0.5, "rsi": -0.2})
    assert (0.75 * 1.0 + 0.75 * 0.5 - 0.5 * 0.2) / (0.75 + 0.75 + 0.5) == pytest.approx(votes.confidence[0])
    assert votes.side[0] == 1.0


def test_confidence_is_the_same_for_the_mirrored_votes() -> None:
    up = weighed({"ema_cross": 0.7, "rsi": -0.3, "bb_breakout": 0.9})
    down = weighed({"ema_cross": -0.7, "rsi": 0.3, "bb_breakout": -0.9})
    assert (up.confidence[0], up.side[0]) == (down.confidence[0], -down.side[0])


def test_who_does_not_vote_does_not_count() -> None:
    assert weighed({"bb_bounce": 0.8}).confidence[0] == pytest.approx(0.8)


def test_a_vote_without_weight_does_not_count() -> None:
    weights = weights_of(ema_cross=0.0)
    assert weighed({"ema_cross": -1.0, "macd": 0.6}, weights).confidence[0] == pytest.approx(0.6)
    alone = weighed({"ema_cross": -1.0}, weights)
    assert (alone.side[0], alone.confidence[0]) == (0.0, 0.0)


def test_no_votes_give_no_side_and_no_confidence() -> None:
    votes = weighed({})
    assert (votes.side[0], votes.confidence[0]) == (0.0, 0.0)


@pytest.mark.parametrize(
    "strengths",
    [
        {"ema_cross": 0.5, "macd": -0.5},
        {"ema_cross": 0.1, "macd": 0.2, "rsi": -0.3},  # in floating point 0.1 + 0.2 - 0.3 is not 0
    ],
)
def test_votes_that_cancel_out_give_no_side(strengths: dict[str, float]) -> None:
    votes = weighed(strengths, weights_of(ema_cross=1.0, macd=1.0, rsi=1.0))
    assert votes.side[0] == 0.0


@given(
    strengths=st.lists(st.floats(-1, 1), min_size=5, max_size=5),
    weights=st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(any),
)
def test_contributions_add_up_to_the_signed_confidence(strengths: list[float], weights: list[float]) -> None:
    votes = weighed(dict(zip(NAMES, strengths, strict=True)), weights_of(**dict(zip(NAMES, weights, strict=True))))
    assert votes.contributions.sum() == pytest.approx(votes.side[0] * votes.confidence[0], abs=1e-9)
    assert 0 <= votes.confidence[0] <= 1


@pytest.mark.parametrize(
    ("confidence", "level"),
    [
        (0.0, IDLE), (0.4999999, IDLE), (0.5, LOADED), (0.6999999, LOADED),
        (0.7, AIM), (0.7999999, AIM), (0.8, BANG), (1.0, BANG),
    ],
)  # fmt: skip
def test_a_level_begins_at_its_threshold(confidence: float, level: Clarity) -> None:
    assert decided(confidence).raw_level[0] == level
    assert decided(confidence, side=-1.0).raw_level[0] == level


@given(whole=st.integers(0, 100))
def test_a_confidence_that_reads_57_reaches_a_threshold_of_57(whole: int) -> None:
    """0.57 * 100 is 56.99999999999999 to a computer."""
    assert percent(np.array([whole / 100]))[0] == whole
    settings = Settings(state_threshold_loaded=whole, state_threshold_aim=100, state_threshold_bang=100)
    assert decided(whole / 100, settings=settings).raw_level[0] >= LOADED


def test_the_size_is_that_of_the_level() -> None:
    settings = Settings(position_size_idle=1.5, position_size_loaded=13, position_size_aim=0.5, position_size_bang=90)
    sizes = [float(decided(confidence, settings=settings).size[0]) for confidence in (0.2, 0.6, 0.75, 0.9)]
    assert sizes == [1.5, 13.0, 0.5, 90.0]


def test_a_size_smaller_than_that_of_the_level_below_is_kept() -> None:
    settings = Settings(position_size_loaded=5.0, position_size_bang=0.0)
    assert outcome(decided(0.95, settings=settings)) == (BANG, BANG, 0.0)


@pytest.mark.parametrize(
    ("confidence", "raw_level", "level"),
    [(0.3, IDLE, IDLE), (0.6, LOADED, LOADED), (0.75, AIM, LOADED), (0.95, BANG, LOADED)],
)
def test_a_blocked_entry_is_held_at_loaded_and_trades_nothing(
    confidence: float, raw_level: Clarity, level: Clarity
) -> None:
    settings = Settings(position_size_idle=1.0)
    assert (raw_level, level, 0.0) == outcome(decided(confidence, blocked=True, settings=settings))


@pytest.mark.parametrize("threshold", [0.0, 50.0])
def test_without_a_side_it_is_idle_and_trades_nothing(threshold: float) -> None:
    """Even where every confidence earns a level, and being idle has a size."""
    settings = Settings(
        state_threshold_loaded=threshold,
        state_threshold_aim=max(threshold, 0.0),
        state_threshold_bang=max(threshold, 0.0),
        position_size_idle=5.0,
    )
    assert outcome(decided(0.0, side=0.0, settings=settings)) == (IDLE, IDLE, 0.0)


def test_a_confidence_that_is_no_number_earns_nothing() -> None:
    """Whatever went wrong before, it must not read as the clearest case there is."""
    assert outcome(decided(math.nan, side=math.nan)) == (IDLE, IDLE, 0.0)


def test_of_equal_thresholds_the_highest_level_counts() -> None:
    settings = Settings(state_threshold_loaded=60, state_threshold_aim=60, state_threshold_bang=60)
    assert decided(0.6, settings=settings).level[0] == BANG
    assert decided(0.59, settings=settings).level[0] == IDLE


def test_levels_read_as_on_the_wire() -> None:
    assert ["idle", "loaded", "aim", "bang"] == [level.word for level in Clarity]
