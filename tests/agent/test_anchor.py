"""A decision depends on the bars and the configuration, and on nothing else: each bar is decided from its anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import candles_in, configurations, configured, random_bars, resampled
from sizes import examples, rounds
from vivienne.agent.evaluate import FULL_HISTORY, MOST_HISTORY, anchor, evaluate
from vivienne.agent.indicators import bars_needed
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars


def decisions(bars: Bars, config: Configuration, rows: int, *, is_cut: bool = False) -> list[str]:
    """Every field of the decisions, to the last bit."""
    return [repr(each) for each in evaluate(bars, config, 15, rows, is_cut=is_cut).decisions()]


@given(number=st.integers(FULL_HISTORY, 10**9))
def test_a_bar_has_a_thousand_bars_before_it_and_shares_its_anchor_with_its_neighbours(number: int) -> None:
    assert FULL_HISTORY <= number - anchor(number) < MOST_HISTORY
    assert anchor(number) in {anchor(number + 1), anchor(number + 1) - 500}


@examples(40)
@given(seed=st.integers(0, 10_000), config=configurations(), end=st.integers(1, 2_300), rows=st.integers(1, 700))
def test_neither_later_bars_nor_the_number_of_rows_alter_a_decision(
    seed: int, config: Configuration, end: int, rows: int
) -> None:
    bars = random_bars(seed, 2_300)
    whole = decisions(bars, config, len(bars))
    rows = min(rows, end)
    assert whole[end - rows : end] == decisions(bars[:end], config, rows)


@examples(40)
@given(seed=st.integers(0, 10_000), config=configurations(), begin=st.integers(1, 1_200))
def test_bars_before_the_anchor_do_not_matter(seed: int, config: Configuration, begin: int) -> None:
    bars = random_bars(seed, 2_700)
    kept = evaluate(bars[begin:], config, 15, 2_700 - begin, is_cut=True)
    whole = decisions(bars, config, 2_700)[begin:]
    found = [repr(each) for each in kept.decisions()]

    first = int(bars.open_time[begin]) // (15 * MINUTE_MS)
    is_whole = [anchor(first + row) >= first for row in range(len(found))]
    assert is_whole == kept.is_whole.tolist()
    assert any(is_whole)
    assert [one for one, known in zip(whole, is_whole, strict=True) if known] == [
        one for one, known in zip(found, is_whole, strict=True) if known
    ]


def test_a_market_that_begins_after_the_anchor_is_decided_from_its_beginning() -> None:
    bars = random_bars(3, 400)
    evaluation = evaluate(bars, configured(), 15, 400)
    assert evaluation.is_whole.all()
    assert list(range(1, 401)) == evaluation.history.tolist()
    assert bars_needed(configured().indicators, 15) == 154
    assert [False] * 153 + [True] * 247 == evaluation.ready.tolist()


@pytest.mark.sized
@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.M15])
def test_on_real_data_every_prefix_decides_the_same(marketdata: Path, timeframe: Timeframe) -> None:
    bars = resampled(candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz"), timeframe)
    config, minutes = configured(), timeframe.minutes
    whole = [repr(each) for each in evaluate(bars, config, minutes, len(bars)).decisions()]
    assert len(whole) == 28 * 24 * 60 // minutes
    step = rounds(7, 41) if timeframe is Timeframe.M5 else rounds(3, 13)
    for end in range(1, len(bars) + 1, step):
        assert whole[end - 1] == repr(evaluate(bars[:end], config, minutes).decision()), end
    for rows in (2, 499, 500, 501, 1_000, 1_777):
        assert whole[-rows:] == [repr(each) for each in evaluate(bars, config, minutes, rows).decisions()]


@pytest.mark.sized
def test_from_warm_up_on_more_history_changes_no_level_except_through_levels(marketdata: Path) -> None:
    bars = resampled(candles_in(marketdata / "klines" / "BTCUSDT-1m-2025-02.csv.gz"))
    config = configured({"filters": {"levels": {"enable_levels_filter_for_entry": False}}})
    needed = bars_needed(config.indicators, 15)
    whole = evaluate(bars, config, 15, len(bars)).decisions()
    for row in range(1_000, len(bars), rounds(5, 19)):
        short = evaluate(bars[row + 1 - needed : row + 1], config, 15).decision()
        assert (whole[row].level, whole[row].raw_level, whole[row].side) == (short.level, short.raw_level, short.side)


@pytest.mark.parametrize("period", ["ema_slow_period", "macd_slow_period"])
def test_the_longest_periods_decide_every_bar_once_they_have_warmed_up(period: str) -> None:
    """Also the first bars of a block, which are never decided from more than the full history and one bar."""
    config = configured({"indicators": {period: 200, "macd_signal_period": 100, "atr_period": 100, "rsi_period": 100}})
    assert evaluate(random_bars(1, 3_000), config, 15, 2_000).ready.all()
