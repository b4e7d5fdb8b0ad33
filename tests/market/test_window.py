"""The sliding window of bars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from making import columns_of, minute, minutes
from vivienne.market.types import Bars, Candle
from vivienne.market.window import BarWindow


@given(length=st.integers(1, 12), steps=st.lists(st.integers(0, 9), max_size=80))
def test_a_window_holds_the_last_bars_as_a_list_would(length: int, steps: list[int]) -> None:
    """A step of 9 clears it."""
    window, expected = BarWindow(length), list[Candle]()
    for number, step in enumerate(steps):
        if step == 9:
            window.clear()
            expected.clear()
        else:
            window.append(minute(number, 100.0 + step, volume=number))
            expected.append(minute(number, 100.0 + step, volume=number))
        expected = expected[-length:]
        assert expected == [*window.bars().candles()]
        assert len(expected) == len(window) == len(window.bars())


def test_a_window_that_begins_again_takes_little_memory_until_it_has_many_bars() -> None:
    window, expected = BarWindow(300), minutes(1_000)
    for candle in expected:
        window.append(candle)
    whole = window.bars()
    window.clear()
    window.append(expected[0])
    first = window.bars()
    window.extend(Bars.from_candles(expected[1:200]))
    window.extend(Bars.from_candles(expected[200:250]))
    assert [*whole.candles()] == expected[-300:]
    assert [*first.candles()] == expected[:1]
    assert [*window.bars().candles()] == expected[:250]
    assert first.close.base is not None
    assert whole.close.base is not None
    assert 8 * first.close.base.nbytes < whole.close.base.nbytes


@given(length=st.integers(1, 12), count=st.integers(0, 60))
def test_columns_are_contiguous_views(length: int, count: int) -> None:
    window = BarWindow(length)
    window.extend(Bars.from_candles(minutes(count)))
    for column in columns_of(window.bars()):
        assert column.flags.c_contiguous
        assert column.base is not None


@given(length=st.integers(1, 12), parts=st.lists(st.integers(0, 30), max_size=8))
def test_extending_is_appending_in_order(length: int, parts: list[int]) -> None:
    extended, appended = BarWindow(length), BarWindow(length)
    candles = minutes(sum(parts))
    for part in parts:
        added, candles = candles[:part], candles[part:]
        extended.extend(Bars.from_candles(added))
        for candle in added:
            appended.append(candle)
        assert [*appended.bars().candles()] == [*extended.bars().candles()]
        assert (appended.is_cut, len(appended)) == (extended.is_cut, len(extended))


def test_a_bar_after_another_leaves_the_window_as_it_is() -> None:
    window = BarWindow(5)
    window.extend(Bars.from_candles(minutes(5)))
    more = window.bars().followed_by(minute(5, 123.0))
    assert [*minutes(5), minute(5, 123.0)] == [*more.candles()]
    assert minutes(5) == [*window.bars().candles()]


def test_columns_are_made_of_rows_and_cut_like_a_list() -> None:
    candles = minutes(6)
    assert candles[2:5] == [*Bars.from_candles(candles)[2:5].candles()]
    assert [*Bars.from_candles([]).candles()] == []
