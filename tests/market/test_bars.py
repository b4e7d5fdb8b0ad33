"""Minutes to bars: the gap policy, and that a bar is whole or none."""

from __future__ import annotations

import math
import random
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import MIDNIGHT, minute, minutes
from vivienne.market import bars as market_bars
from vivienne.market.bars import BarBuilder, GapFiller, Restart
from vivienne.market.timeframe import LONGEST_FILLED_GAP, Timeframe
from vivienne.market.types import MINUTE_MS, Candle


def taken(gaps: GapFiller, *candles: Candle) -> list[Candle | Restart]:
    return [item for candle in candles for item in gaps.add(candle)]


def built(builder: BarBuilder, candles: list[Candle]) -> list[Candle]:
    return [bar for candle in candles if (bar := builder.add(candle)) is not None]


def test_minutes_that_follow_each_other_pass_as_they_are() -> None:
    candles = minutes(5)
    assert candles == taken(GapFiller(), *candles)


def test_a_missing_minute_is_filled_with_the_last_close_and_no_trades() -> None:
    before, after = minute(0, 101.5, volume=3.0, trades=7), minute(3, 104.0)
    filler = Candle(MIDNIGHT + MINUTE_MS, 101.5, 101.5, 101.5, 101.5, 0.0, 0.0, 0, 0.0)
    expected = [before, filler, filler._replace(open_time=MIDNIGHT + 2 * MINUTE_MS), after]
    assert expected == taken(GapFiller(), before, after)


def test_sixty_missing_minutes_are_filled() -> None:
    items = taken(GapFiller(), minute(0), minute(LONGEST_FILLED_GAP + 1))
    assert LONGEST_FILLED_GAP == 60
    assert [MIDNIGHT + number * MINUTE_MS for number in range(62)] == [
        item.open_time for item in items if isinstance(item, Candle)
    ]


def test_after_more_than_sixty_missing_minutes_the_window_restarts() -> None:
    first, second = minute(0), minute(62)
    assert [first, Restart(61), second] == taken(GapFiller(), first, second)


@pytest.mark.parametrize(("name", "longest"), [("1m", 60), ("15m", 60), ("1h", 60), ("4h", 240), ("1d", 1_440)])
def test_a_hole_of_an_hour_or_of_one_bar_is_filled(name: str, longest: int) -> None:
    assert Timeframe(name).longest_filled_gap == longest
    gaps = GapFiller(longest)
    assert len(taken(gaps, minute(0), minute(longest + 1))) == longest + 2
    later = minute(longest + 1 + longest + 2)
    assert taken(gaps, later) == [Restart(longest + 1), later]


def test_after_a_restart_minutes_pass_again() -> None:
    gaps = GapFiller()
    taken(gaps, minute(0), minute(500))
    assert [minute(501)] == taken(gaps, minute(501))


def test_duplicates_and_late_minutes_are_counted_and_left_out() -> None:
    gaps = GapFiller()
    items = taken(gaps, minute(0), minute(1), minute(1, 777.0), minute(0, 778.0), minute(2))
    assert [minute(0), minute(1), minute(2)] == items
    assert gaps.ignored == 2


def test_the_first_minute_is_preceded_by_nothing() -> None:
    assert [minute(1_000)] == taken(GapFiller(), minute(1_000))


@given(holes=st.lists(st.integers(0, 70), max_size=30))
def test_whatever_is_missing_what_passes_is_unbroken_up_to_a_restart(holes: list[int]) -> None:
    number, candles = 0, [minute(0)]
    for hole in holes:
        number += 1 + hole
        candles.append(minute(number, 100.0 + number))
    last: Candle | None = None
    for item in taken(GapFiller(), *candles):
        if isinstance(item, Restart):
            assert item.missing_minutes > LONGEST_FILLED_GAP
            last = None
            continue
        assert last is None or item.open_time == last.open_time + MINUTE_MS
        last = item
    assert candles[-1] == last


def assert_made_of(bar: Candle, parts: list[Candle]) -> None:
    assert (parts[0].open_time, parts[0].open, parts[-1].close) == (bar.open_time, bar.open, bar.close)
    assert (max(part.high for part in parts), min(part.low for part in parts)) == (bar.high, bar.low)
    for name in ("volume", "quote_volume", "trade_count", "taker_buy_volume"):
        assert sum(getattr(part, name) for part in parts) == pytest.approx(getattr(bar, name), rel=1e-12)


@pytest.mark.parametrize("timeframe", list(Timeframe))
@pytest.mark.parametrize("offset", [0, 1, 7])
def test_bars_of_every_timeframe_are_made_of_their_minutes(timeframe: Timeframe, offset: int) -> None:
    length = timeframe.minutes
    candles = minutes(3 * length + offset, first=length - offset)
    bars = built(BarBuilder(timeframe), candles)
    skipped = offset % length
    whole = [candles[begin : begin + length] for begin in range(skipped, len(candles) - length + 1, length)]
    assert len(whole) == len(bars)
    for bar, parts in zip(bars, whole, strict=True):
        assert_made_of(bar, parts)


@pytest.mark.parametrize("wrong", [{"quote_volume": 0.0}, {"volume": 0.0}])
def test_what_was_paid_is_unknown_where_something_was_traded_for_nothing_or_nothing_for_something(
    wrong: dict[str, Any],
) -> None:
    candles = minutes(6)
    candles[1] = candles[1]._replace(**wrong)
    first, second = built(BarBuilder(Timeframe.M3), candles)
    assert math.isnan(first.quote_volume)
    assert_made_of(second, candles[3:])


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_bars_begin_at_whole_multiples_of_their_length(timeframe: Timeframe) -> None:
    candles = minutes(2 * timeframe.minutes + 11, first=5)
    times = [bar.open_time for bar in built(BarBuilder(timeframe), candles)]
    assert len(times) >= 1
    assert {0} == {time % timeframe.milliseconds for time in times}


@pytest.mark.parametrize(
    ("name", "count"),
    [("1m", 1), ("3m", 3), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("4h", 240), ("1d", 1440)],
)
def test_a_timeframe_is_as_long_as_its_name_says(name: str, count: int) -> None:
    assert Timeframe(name).minutes == count
    assert Timeframe(name).milliseconds == count * 60_000


def test_a_bar_whose_beginning_was_missed_is_never_given() -> None:
    builder = BarBuilder(Timeframe.M15)
    assert built(builder, minutes(14, first=1)) == []
    assert builder.forming() is None
    assert [MIDNIGHT + 15 * MINUTE_MS] == [bar.open_time for bar in built(builder, minutes(15, first=15))]


def test_a_bar_is_given_with_its_last_minute_and_not_before() -> None:
    builder = BarBuilder(Timeframe.M5)
    candles = minutes(5)
    assert built(builder, candles[:4]) == []
    forming = builder.forming()
    assert forming is not None
    assert_made_of(forming, candles[:4])
    assert len(built(builder, candles[4:])) == 1
    assert builder.forming() is None


def test_many_corrections_of_a_long_bar_cost_as_much_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    builder, candles = BarBuilder(Timeframe.D1), minutes(1_000)
    built(builder, candles)
    joined = Mock(side_effect=market_bars.joined)
    monkeypatch.setattr(market_bars, "joined", joined)
    corrected = [*candles[:500], *minutes(100, first=500, seed=7), *candles[600:]]
    assert all(builder.correct(candle) for candle in corrected[500:600])
    assert not builder.correct(candles[0]._replace(open_time=candles[0].open_time - MINUTE_MS))
    forming = builder.forming()
    assert forming is not None
    assert_made_of(forming, corrected)
    assert joined.call_count < 1_000


def test_after_a_restart_the_open_bar_is_forgotten() -> None:
    builder = BarBuilder(Timeframe.M15)
    built(builder, minutes(10))
    builder.restart()
    assert builder.forming() is None
    assert built(builder, minutes(5, first=10)) == []
    assert len(built(builder, minutes(15, first=15))) == 1


@given(seed=st.integers(0, 1_000), timeframe=st.sampled_from([Timeframe.M3, Timeframe.M5, Timeframe.M15, Timeframe.H1]))
def test_no_bar_is_made_of_less_than_all_its_minutes(seed: int, timeframe: Timeframe) -> None:
    """Whatever is missing: holes are filled, or the open bar is dropped."""
    dice = random.Random(seed)  # noqa: S311  # no secret
    number, known, last = 0, dict[int, float](), 0.0
    gaps, builder, bars = GapFiller(), BarBuilder(timeframe), list[Candle]()
    for _ in range(150):
        candle = minute(number, dice.uniform(90, 110), volume=dice.uniform(0, 9))
        for item in gaps.add(candle):
            if isinstance(item, Restart):
                builder.restart()
                continue
            known[item.open_time] = item.volume
            if (bar := builder.add(item)) is not None:
                bars.append(bar)
        number += dice.choices([1, 2, 40, 75], [90, 6, 2, 2])[0]
        last = candle.close
    assert last > 0
    for bar in bars:
        times = range(bar.open_time, bar.open_time + timeframe.milliseconds, MINUTE_MS)
        assert all(time in known for time in times)
        assert sum(known[time] for time in times) == pytest.approx(bar.volume)
