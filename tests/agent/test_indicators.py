"""What the indicators promise where textbooks are silent: dead markets, tiny prices, warm-up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import bars_of, configured, random_bars, scaled
from sizes import examples
from vivienne.agent.evaluate import FULL_HISTORY, evaluate, history_needed
from vivienne.agent.indicators import LEAD, IndicatorRows, bars_needed, indicators, rsi, vwap, vwap_bars
from vivienne.agent.schema import Indicators
from vivienne.config.tunables import TUNABLES
from vivienne.market.timeframe import Timeframe

if TYPE_CHECKING:
    from vivienne.market.types import Bars


def last_row(bars: Bars) -> dict[str, float]:
    row = indicators(bars, Indicators(), 15, 1).now
    return {name: float(column[-1]) for name, column in row._asdict().items()}


def test_rsi_of_a_market_that_never_moved_is_50() -> None:
    assert np.full(20, 50.0).tolist() == rsi(np.full(34, 7.0), 14)[14:].tolist()


@examples(150)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 60), magnitude=st.integers(-20, 20), decimals=st.integers(0, 6)
)
def test_the_last_values_of_the_rsi_are_those_of_all(seed: int, count: int, magnitude: int, decimals: int) -> None:
    """Prices above 1 that move take a shorter way than others, if only the last values are wanted."""
    close = np.round(random_bars(seed, count).close, decimals) * 2.0**magnitude
    assert rsi(close, 14, 4)[-min(4, count) :].tobytes() == rsi(close, 14)[-4:].tobytes()


def test_rsi_stands_still_where_closes_stand_still_after_they_moved() -> None:
    moving = random_bars(5, 120).close
    values = rsi(np.array([*moving, *[moving[-1]] * 400, moving[-1] * 1.01]), 14)
    assert set(values[119:520].tolist()) == {values[119]}
    assert 0.0 < values[119] < values[520]


def test_rsi_of_a_rise_or_a_fall_stays_when_the_market_stops() -> None:
    rising = np.array([*np.linspace(100, 120, 30), *[120.0] * 40])
    assert rsi(rising, 14)[29:].tolist() == [100.0] * 41
    assert rsi(220 - rising, 14)[29:].tolist() == [0.0] * 41


def test_rsi_is_50_until_the_first_close_that_is_different() -> None:
    values = rsi(np.array([*[100.0] * 60, 101.0]), 14)
    assert values[14:60].tolist() == [50.0] * 46
    assert values[60] == 100.0


def test_rsi_of_a_rise_without_a_setback_is_100_and_of_a_fall_0() -> None:
    rising = np.linspace(100, 150, 40)
    assert rsi(rising, 14)[-1] == 100.0
    assert rsi(rising[::-1].copy(), 14)[-1] == 0.0


@pytest.mark.parametrize("price", [65_000.0, 1.0, 0.1, 3e-5, 1e-8])
def test_a_flat_market_has_no_band(price: float) -> None:
    row = last_row(bars_of([price] * 80))
    assert (0.0, 0.5, 0.0, 0.0, 50.0) == tuple(
        row[name] for name in ("bandwidth", "percent_b", "deviations", "atr", "rsi")
    )


@pytest.mark.parametrize("part", [1_000.0, 33.3, 0.9, 0.1, 0.01, 0.001])
def test_a_market_that_went_flat_after_it_moved_has_no_band(part: float) -> None:
    moving = random_bars(5, 120).close
    flat = np.full(40, moving[0] * part)
    row = last_row(bars_of(np.concatenate([moving, flat])))
    assert (row["bandwidth"], row["percent_b"], row["deviations"]) == (0.0, 0.5, 0.0)


def test_a_narrow_band_is_a_band() -> None:
    """Prices that move by a hundredth of a percent are a quiet market, not a dead one."""
    closes = [100.0, 100.01] * 40
    row = last_row(bars_of(closes))
    assert row["bandwidth"] == pytest.approx(2 * 2 * 0.005 / 100.005, rel=1e-6)
    assert row["percent_b"] == pytest.approx(0.75, abs=1e-6)


def test_percent_b_and_deviations_measure_the_same_distance() -> None:
    columns = indicators(random_bars(3, 300), Indicators(bollinger_deviations=2.5), 15, 200).now
    banded = columns.bandwidth > 0
    assert banded.any()
    upper, lower = columns.bollinger_upper[banded], columns.bollinger_lower[banded]
    close, middle = columns.close[banded], columns.bollinger_middle[banded]
    np.testing.assert_allclose(columns.percent_b[banded], (close - lower) / (upper - lower), atol=1e-9)
    np.testing.assert_allclose(columns.deviations[banded], (close - middle) / ((upper - lower) / 5), atol=1e-8)


def decisions(bars: Bars) -> list[list[float]]:
    evaluation = evaluate(bars, configured(), 15, len(bars))
    decided, votes = evaluation.decided, evaluation.votes
    return [
        column.tolist() for column in (decided.level, decided.raw_level, decided.size, votes.side, votes.confidence)
    ] + [evaluation.blocked.tolist()]


@examples()
@given(seed=st.integers(0, 10_000), power=st.integers(-30, 20))
def test_a_market_in_another_unit_decides_the_same(seed: int, power: int) -> None:
    """A power of two is exact, so there is no excuse for a difference, however small."""
    bars = random_bars(seed, 300)
    assert decisions(bars) == decisions(scaled(bars, 2.0**power))


def test_a_coin_at_a_hundred_thousandth_decides_as_one_at_a_thousand_does() -> None:
    bars = random_bars(8, 600, price=1_000.0)
    dear, cheap = evaluate(bars, configured(), 15, 500), evaluate(scaled(bars, 1e-8), configured(), 15, 500)
    assert dear.decided.level.tolist() == cheap.decided.level.tolist()
    assert dear.votes.side.tolist() == cheap.votes.side.tolist()
    np.testing.assert_allclose(cheap.votes.confidence, dear.votes.confidence, atol=1e-6)
    assert dear.decided.raw_level.max() > 0


def test_vwap_is_what_was_paid_per_unit_over_the_span() -> None:
    volume, price = np.array([1.0, 3.0, 0.0, 4.0]), np.array([10.0, 20.0, 99.0, 30.0])
    values = vwap(price * volume, volume, 2, 4)
    assert math.isnan(values[0])
    assert values[1:].tolist() == [17.5, 20.0, 30.0]


def test_vwap_does_not_exist_where_nothing_traded() -> None:
    values = vwap(np.array([7.3, 0.0, 0.0, 5.0]), np.array([0.7, 0.0, 0.0, 0.5]), 2, 4)
    assert [True, False, True, False] == np.isnan(values).tolist()


def test_vwap_of_a_span_longer_than_the_data_does_not_exist() -> None:
    assert np.isnan(vwap(np.ones(3), np.ones(3), 4, 3)).all()


@pytest.mark.parametrize(("timeframe", "bars"), [("1m", 60), ("15m", 4), ("1h", 1), ("4h", 1), ("1d", 1)])
def test_the_vwap_spans_an_hour_or_one_bar_if_that_is_longer(timeframe: str, bars: int) -> None:
    assert bars == vwap_bars(Indicators(), Timeframe(timeframe).minutes)


def test_a_decision_needs_154_bars_of_15_minutes_by_default() -> None:
    assert bars_needed(Indicators(), 15) == 154


def test_no_allowed_period_needs_more_bars_than_the_full_history() -> None:
    """A ten-thousandth of its seed is left of the slowest average only later; it is taken at its word all the same."""
    highest = {
        path.removeprefix("indicators."): tunable.bounds[1]
        for path, tunable in TUNABLES.items()
        if path.startswith("indicators.") and tunable.bounds is not None
    }
    config = configured({"indicators": highest | {"ema_fast_period": 9, "macd_fast_period": 12}})
    assert {history_needed(config, timeframe.minutes) for timeframe in Timeframe} == {FULL_HISTORY}


@given(data=st.data())
def test_every_indicator_exists_as_soon_as_enough_bars_are_there(data: st.DataObject) -> None:
    """Whatever the periods; only a VWAP over no trades may be missing."""
    fast = data.draw(st.integers(2, 99)), data.draw(st.integers(2, 99))
    periods = Indicators(
        ema_fast_period=fast[0],
        ema_slow_period=data.draw(st.integers(fast[0] + 1, 200)),
        macd_fast_period=fast[1],
        macd_slow_period=data.draw(st.integers(fast[1] + 1, 200)),
        macd_signal_period=data.draw(st.integers(2, 100)),
        rsi_period=data.draw(st.integers(2, 100)),
        atr_period=data.draw(st.integers(2, 100)),
        bollinger_period=data.draw(st.integers(5, 200)),
        vwap_minutes=data.draw(st.integers(1, 480)),
        pivot_bars=data.draw(st.integers(1, 50)),
    )
    minutes = data.draw(st.sampled_from([timeframe.minutes for timeframe in Timeframe]))
    bars = random_bars(1, bars_needed(periods, minutes))
    columns = indicators(bars, periods, minutes, 1).now
    missing = [name for name, column in columns._asdict().items() if math.isnan(column[-1])]
    assert set(missing) <= {"vwap", "over_vwap"}


def test_one_row_is_the_same_as_the_last_of_many() -> None:
    bars = random_bars(2, 300)
    one, many = indicators(bars, Indicators(), 15, 1), indicators(bars, Indicators(), 15, 300)
    for name in IndicatorRows._fields:
        np.testing.assert_array_equal(getattr(one.now, name), getattr(many.now, name)[-1:], err_msg=name, strict=True)


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_too_few_bars_are_no_error(count: int) -> None:
    for rows in (1, count):
        columns = indicators(random_bars(1, count), Indicators(), 15, rows)
        assert {len(column) for column in columns.now} == {rows}
        assert {len(column) for column in columns.led} == {LEAD + rows}
        assert math.isnan(columns.now.macd[-1])


@pytest.mark.parametrize(
    ("periods", "bars"),
    [
        # The first value, and until a ten-thousandth of the seed is left: Wilder's average of 100 forgets slowly.
        ({"atr_period": 100}, 101 + 922),
        ({"rsi_period": 100}, 101 + 922),
        ({"macd_signal_period": 100}, 26 + 100 - 1 + 461),
        ({"macd_slow_period": 100}, 100 + 9 - 1 + 461),
        ({"ema_slow_period": 200}, 200 + 922),
        ({"pivot_bars": 50}, 154),
        ({"bollinger_period": 200}, 201),
        ({"vwap_minutes": 480}, 154),
    ],
)
def test_the_slowest_indicator_says_how_many_bars_are_needed(periods: dict[str, int], bars: int) -> None:
    assert bars_needed(Indicators.model_validate(periods), 15) == bars


@pytest.mark.parametrize(("minutes", "bars"), [(50, 3), (55, 4), (60, 4), (7, 1), (1, 1)])
def test_the_span_of_the_vwap_is_the_nearest_number_of_bars_and_at_least_one(minutes: int, bars: int) -> None:
    assert vwap_bars(Indicators(vwap_minutes=minutes), 15) == bars
