"""Recorded bars, decided anew with another configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judged import decided
from making import random_bars
from vivienne.agent.evaluate import FULL_HISTORY, evaluate
from vivienne.agent.schema import Configuration
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.record.judging.anew import Deciding, decided_anew, usual_size
from vivienne.slices import whole

if TYPE_CHECKING:
    from vivienne.record.columns import DecidedBars

COUNT = 1_700
HOLE = 1_310
"""Row of the first bar after the hole."""


@pytest.fixture(scope="module")
def recorded() -> DecidedBars:
    """Recorded bars with a hole, without effect now and then."""
    bars = random_bars(5, COUNT + 40)
    bars = Bars.joined([bars[:HOLE], bars[HOLE + 40 :]])
    count = len(bars)
    return replace(decided([1.0] * count, [0] * count), bars=bars, has_effect=np.arange(count) % 7 != 0)


@pytest.fixture(scope="module")
def config() -> Configuration:
    return Configuration.model_validate({"settings": {"state_threshold_loaded": 20, "state_threshold_aim": 40}})


def test_every_bar_is_decided_as_it_would_have_been_live(recorded: DecidedBars, config: Configuration) -> None:
    first = 1_000
    found = whole(decided_anew(recorded, Deciding(config, 7, 0.3, Timeframe.M15), first, is_cut=True))
    sides = {"long": 1, "short": -1, "none": 0}
    assert not found.is_decided[:first].any()
    for row in [*range(first, COUNT, 37), HOLE - 1, HOLE, COUNT - 1]:
        begin = 0 if row < HOLE else HOLE
        evaluation = evaluate(recorded.bars[begin : row + 1], config, 15, cap=0.3, is_cut=begin == 0)
        live = evaluation.decision()
        is_decided = live.ready and live.is_whole
        assert found.is_decided[row] == is_decided
        values = (live.level, live.raw_level, sides[live.side], live.confidence, live.size, live.wanted)
        columns = (found.level, found.raw_level, found.side, found.confidence, found.size, found.wanted)
        assert tuple(column[row] for column in columns) == (values if is_decided else (0,) * 6)
        assert found.blocked_by[found.blocks[row]] == (live.blocked_by if is_decided else ())
        assert not is_decided or found.atr[row] == evaluation.now.atr[-1]
    assert found.version[first] == 7
    assert np.array_equal(found.has_effect, recorded.has_effect)
    assert (found.size > 0).any()
    assert (found.blocks > 0).any()


def test_without_its_whole_history_a_bar_is_undecided(recorded: DecidedBars, config: Configuration) -> None:
    deciding = Deciding(config, 7, 100.0, Timeframe.M15)
    cut = whole(decided_anew(recorded[:1_200], deciding, is_cut=True))
    whole_market = whole(decided_anew(recorded[:1_200], deciding, is_cut=False))
    full = whole(decided_anew(recorded[:1_200], deciding._replace(needs_full_history=True), is_cut=False))
    assert cut.is_decided.sum() < whole_market.is_decided.sum()
    assert np.flatnonzero(full.is_decided)[0] == FULL_HISTORY - 1


@pytest.mark.parametrize(
    ("sizes", "cap", "usual"),
    [
        ((0.1, 0.2, 0.5), 100, 0.2),
        ((0.1, 0.2, 0.5), 0.15, 0.15),
        ((0, 10, 25), 100, 25),
        ((0, 0, 25), 100, 25),
        ((1, 1, 25), 100, 6.25),
        ((0, 0, 0), 100, 0),
        ((5, 10, 25), 0, 0),
    ],
)
def test_the_usual_size_is_that_of_the_middle_level(
    sizes: tuple[float, float, float], cap: float, usual: float
) -> None:
    names = ("position_size_loaded", "position_size_aim", "position_size_bang")
    config = Configuration.model_validate({"settings": dict(zip(names, sizes, strict=True))})
    assert usual_size(Deciding(config, 1, cap, Timeframe.M15)) == usual
