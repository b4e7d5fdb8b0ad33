"""A bar that is decided alone is decided as it is among others, to the last bit: live, on a chart and in a replay."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import MIDNIGHT, bars_of, configurations, configured, random_bars
from sizes import examples
from vivienne.agent.evaluate import evaluate
from vivienne.agent.explain import explain
from vivienne.agent.newest import evaluate_newest
from vivienne.agent.signals import SIGNALS
from vivienne.market.types import MINUTE_MS, Bars

if TYPE_CHECKING:
    from vivienne.agent.schema import Configuration

ALL_VOTE = configured({"signal_weights": {signal.name: 0.5 for signal in SIGNALS}})


def bits(value: object) -> str:
    """All values, to the last bit; NaN equals NaN, and 0 equals -0, which a signal may give that votes on no row."""
    if isinstance(value, dict):
        return bits(tuple(value.items()))
    if isinstance(value, tuple | list):
        return f"({', '.join(map(bits, value))})"
    return repr(value + 0.0 if isinstance(value, float) else value)


def assert_the_same(bars: Bars, config: Configuration, *, cap: float = 100.0, is_cut: bool = False) -> None:
    alone = evaluate_newest(bars, config, 15, cap=cap, is_cut=is_cut)
    for rows in (1, min(len(bars), 40)):
        among = evaluate(bars, config, 15, rows, cap=cap, is_cut=is_cut).row()
        assert bits(among) == bits(alone)
        assert repr(among.decision) == repr(alone.decision)
        assert repr(explain(among, bars, config)) == repr(explain(alone, bars, config))


@examples(150)
@given(
    seed=st.integers(0, 10_000),
    end=st.integers(1, 400),
    config=configurations(),
    cap=st.floats(0, 100),
    is_cut=st.booleans(),
)
def test_whatever_the_configuration(seed: int, end: int, config: Configuration, cap: float, *, is_cut: bool) -> None:
    assert_the_same(random_bars(seed, 400)[:end], config, cap=cap, is_cut=is_cut)


@examples(150)
@given(seed=st.integers(0, 10_000), end=st.integers(1, 400), moves=st.floats(0, 0.5), still=st.floats(0, 1))
def test_whatever_the_market(seed: int, end: int, moves: float, still: float) -> None:
    """Steps of any size, and closes that stand still for a while: signals that rarely vote do."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_t(2, end) * moves * 0.05 * (rng.random(end) >= still)
    close = np.exp(np.clip(np.cumsum(steps), -20, 20))
    opened = np.concatenate([close[:1], close[:-1]])
    volume = rng.exponential(3.0, end) * (rng.random(end) >= still / 2)
    bars = bars_of(close, open=opened, high=np.maximum(opened, close), low=np.minimum(opened, close), volume=volume)
    assert_the_same(bars, ALL_VOTE)


@pytest.mark.parametrize("before", [0, 1, 250, 499, 500, 501])
def test_wherever_its_block_begins(before: int) -> None:
    """The history of a bar begins at its anchor, and the bars before it are not used."""
    bars = random_bars(7, 2_100)
    bars = replace(bars, open_time=MIDNIGHT + (np.arange(len(bars)) + before) * 15 * MINUTE_MS)
    for end in (999, 1_500, 1_501, 2_000, 2_100):
        assert_the_same(bars[:end], ALL_VOTE)
        assert_the_same(bars[end - 700 : end], ALL_VOTE, is_cut=True)


@pytest.mark.parametrize("name", [each.name for each in fields(Bars) if "volume" in each.name or "count" in each.name])
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_without_trades_or_without_knowing_of_them(name: str, value: float) -> None:
    bars = random_bars(3, 300)
    column = getattr(bars, name).copy()
    column[-30:] = value
    assert_the_same(replace(bars, **{name: column}), ALL_VOTE)
