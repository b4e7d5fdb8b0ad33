"""The bars of an asset: a history taken in one pass is the same as one taken minute by minute."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import MIDNIGHT, minutes
from sizes import examples
from vivienne.live.asset_bars import AssetBars
from vivienne.live.freshness import Freshness
from vivienne.market.checks import check_candle, valid_minutes
from vivienne.market.feeds.base import MinuteSource
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars, Candle
from vivienne.slices import whole

UNKNOWN = {"trade_count": math.nan, "taker_buy_volume": math.nan}
ODD: list[dict[str, Any]] = [
    {"close": math.nan},
    {"high": math.inf},
    {"low": 0.0},
    {"open": 1e-320, "high": 1e-320, "low": 1e-320, "close": 1e-320},
    {"high": 1e-9},
    {"volume": -1.0},
    {"quote_volume": math.nan},
    {"quote_volume": 0.0},
    {"volume": 0.0},
    {"trade_count": -1.0},
    {"taker_buy_volume": math.inf},
    {"open_time": MIDNIGHT + 1},
    {"open_time": -MINUTE_MS},
    {"open_time": 5_000_000_000_000_000},
    UNKNOWN,
    {"volume": 0.0, "quote_volume": 0.0, "trade_count": 0.0, "taker_buy_volume": 0.0},
]
WALK = [*Bars.from_candles(minutes(1_000, seed=3)).candles()]

stretch = st.tuples(
    st.sampled_from([0, 0, 0, 1, 1, 2, 5, 59, 60, 61, 90, 1_441, -1, -2, -20]),  # missing before it; below 0: repeated
    st.integers(1, 70),  # minutes in it
    st.one_of(st.none(), st.none(), st.sampled_from(ODD)),  # what is odd about the last of them
)


def arriving(begin: int, stretches: list[tuple[int, int, dict[str, Any] | None]]) -> list[Candle]:
    """Minutes as a feed might deliver them: with holes, repetitions and invalid ones."""
    arrived, number = list[Candle](), begin
    for missing, count, odd in stretches:
        number = max(0, number + missing)
        for _ in range(count):
            candle = WALK[len(arrived) % len(WALK)]
            arrived.append(candle._replace(open_time=MIDNIGHT + number * MINUTE_MS))
            number += 1
        if odd is not None:
            arrived[-1] = arrived[-1]._replace(**odd)
    return arrived


def everything(bars: AssetBars, freshness: Freshness) -> str:
    """All that can be seen of it; equal texts are equal figures, NaN included."""
    window = [*bars.window.bars().candles()], bars.window.sources(), bars.window.is_cut, bars.forming_bar()
    return repr((window, bars.price, bars.price_time, bars.newly_closed, bars.open_bar(), freshness.trouble))


@examples(500)
@given(
    parts=st.lists(st.lists(stretch, max_size=4), min_size=1, max_size=3),
    begin=st.integers(0, 100),
    timeframe=st.sampled_from([Timeframe.M1, Timeframe.M3, Timeframe.M15, Timeframe.H1]),
    length=st.integers(1, 40),
    pace=st.sampled_from([None, 60.0]),
    sources=st.lists(st.sampled_from(get_args(MinuteSource)), min_size=3, max_size=3),
)
def test_minutes_taken_together_are_as_minutes_taken_one_by_one(
    parts: list[Any], begin: int, timeframe: Timeframe, length: int, pace: float | None, sources: list[MinuteSource]
) -> None:
    by_one, together = (Freshness(10.0, pace, clock=lambda: 0.0) for _ in range(2))
    single, bulk = (AssetBars("BTC", timeframe, length, each) for each in (by_one, together))
    for part, source in zip(parts, sources, strict=False):
        candles = arriving(begin, part)
        begin = begin if not candles else max(0, candles[-1].open_time - MIDNIGHT) // MINUTE_MS % 10_000 + 1
        for candle in candles:
            single.take(candle, source)
        whole(bulk.take_all(Bars.from_candles(candles), source))
        assert everything(single, by_one) == everything(bulk, together)
        for bars in (single, bulk):
            bars.move(101.0, MIDNIGHT + begin * MINUTE_MS + 1)
        assert everything(single, by_one) == everything(bulk, together)


@pytest.mark.parametrize("odd", [{}, *ODD])
def test_columns_are_checked_by_the_rules_of_a_candle(odd: dict[str, Any]) -> None:
    candle = WALK[0]._replace(**odd)
    try:
        check_candle(candle)
    except ValueError:
        is_valid = False
    else:
        is_valid = True
    assert [True, is_valid] == valid_minutes(Bars.from_candles([WALK[0], candle])).tolist()


def test_a_corrected_minute_counts_in_the_bar_that_is_open_and_in_no_other() -> None:
    bars, right = AssetBars("BTC", Timeframe.M5, 10, Freshness()), AssetBars("BTC", Timeframe.M5, 10, Freshness())
    wrong = WALK[6]._replace(volume=WALK[6].volume + 7.0, high=WALK[6].high * 2)
    for place, candle in enumerate(WALK[:9]):
        bars.take(wrong if place == 6 else candle)
        right.take(candle)

    assert bars.correct(WALK[6])
    assert not bars.correct(WALK[4])
    assert not bars.correct(WALK[7]._replace(close=-1.0))
    for each in (bars, right):
        each.take(WALK[9])

    assert bars.window.bars().candle(-1) == right.window.bars().candle(-1)
    assert bars.window.bars().candle(-2) == right.window.bars().candle(-2)


NOT_BARS: list[dict[str, Any]] = [
    *({name: value} for name in ("open", "high", "low", "close") for value in (0.0, -5.0, math.nan, math.inf)),
    {"high": 1e-9},
    {"low": 1e9},
    {"volume": -1.0},
    {"open_time": MIDNIGHT + MINUTE_MS},
    {"open_time": MIDNIGHT - 900_000},
    {"open_time": -900_000},
    {"open_time": 5_000_000_000_000_000 // 900_000 * 900_000},
]


@pytest.mark.parametrize("odd", NOT_BARS)
@pytest.mark.parametrize("place", [0, 7, 19])
def test_only_what_follows_the_last_invalid_bar_of_a_history_is_used(
    odd: dict[str, Any], place: int, caplog: pytest.LogCaptureFixture
) -> None:
    history = [candle._replace(open_time=MIDNIGHT + row * 900_000) for row, candle in enumerate(WALK[:20])]
    history[place] = history[place]._replace(**odd)
    bars = AssetBars("BTC", Timeframe.M15, 100, Freshness())

    bars.begin_with(Bars.from_candles(history))

    assert [*bars.window.bars().candles()] == history[place + 1 :]
    assert (bars.left_out, bars.window.is_cut) == (place + 1, True)
    assert bars.price == (None if place == 19 else history[-1].close)
    assert f"BTC: {place + 1} of 20 bars of its history are not used" in caplog.text


def test_a_history_with_a_gap_begins_after_it_and_one_without_is_whole() -> None:
    history = [candle._replace(open_time=MIDNIGHT + row * 900_000) for row, candle in enumerate(WALK[:20])]
    bars = AssetBars("BTC", Timeframe.M15, 100, Freshness())

    bars.begin_with(Bars.from_candles(history[:5] + history[6:]))
    after_gap = len(bars.window), bars.left_out
    bars.begin_with(Bars.from_candles([each._replace(quote_volume=math.nan) for each in history]))

    assert (after_gap, len(bars.window), bars.left_out, bars.window.is_cut) == ((14, 5), 20, 0, False)
