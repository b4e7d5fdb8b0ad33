"""Minutes are the same whatever order trades come in, however often, and however the connection broke."""

from __future__ import annotations

import random
from unittest.mock import Mock
from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_trades import BEGIN, expected, made_trades
from vivienne.market.feeds.exchange import ahead as exchange_ahead
from vivienne.market.feeds.exchange.adapter import NumberedTrade
from vivienne.market.feeds.exchange.grace import GRACE_MS
from vivienne.market.feeds.exchange.minutes import MOST_MINUTES, MinuteBuilder
from vivienne.market.types import MINUTE_MS, Candle, Trade


def all_made(builder: MinuteBuilder) -> list[Candle]:
    found = list(builder.made())
    while builder.is_behind:
        found += builder.made()
    return found


@given(st.integers(0, 10_000), st.integers(1, 40), st.booleans())
def test_order_doubles_and_messages_change_no_minute(seed: int, width: int, snapshots: bool) -> None:
    trades = made_trades(seed)
    rng = random.Random(seed)  # noqa: S311
    # Each comes somewhat earlier or later, some of them twice.
    moved = sorted(range(len(trades)), key=lambda place: place + rng.randrange(width))
    sent = [trades[place] for place in moved]
    sent = [trade for each in sent for trade in ([each, each] if rng.random() < 0.2 else [each])]
    builder = MinuteBuilder(BEGIN, 99.0)
    found: list[Candle] = []
    while sent:
        size = rng.randrange(1, 20)
        part, sent = sent[:size], sent[size:]
        builder.add([*(rng.sample(trades, 5) if snapshots and rng.random() < 0.1 else []), *part])
        found += all_made(builder)
    builder.hear(BEGIN + 8 * MINUTE_MS + GRACE_MS)
    found += all_made(builder)
    # A trade of a minute that has been made needs a later one that came first, and no hole in the numbers before it.
    assert found == expected(trades, 99.0, 8)
    assert builder.late == 0


@given(st.integers(0, 10_000))
def test_cuts_that_are_filled_change_no_minute(seed: int) -> None:
    trades = made_trades(seed)
    rng = random.Random(seed)  # noqa: S311
    builder = MinuteBuilder(BEGIN, 99.0)
    found: list[Candle] = []
    place = 0
    while place < len(trades):
        end = place + rng.randrange(1, 30)
        builder.add(trades[place:end])
        found += all_made(builder)
        lost = rng.randrange(0, 25)
        builder.interrupt()
        builder.add(trades[end + lost : end + lost + 3])  # the new connection is there before it is known what was lost
        assert list(builder.made()) == []
        builder.cover(trades[max(0, end - 4) : end + lost + 5], is_whole=True)
        found += all_made(builder)
        place = end
    builder.hear(BEGIN + 8 * MINUTE_MS + GRACE_MS)
    found += all_made(builder)
    assert found == expected(trades, 99.0, 8)


def test_a_hole_in_the_numbers_holds_its_minute_until_it_is_filled() -> None:
    trades = made_trades(1)
    builder = MinuteBuilder(BEGIN, 99.0)
    builder.add(trades[:50] + trades[53:])
    before = all_made(builder)
    hole = builder.hole()
    assert hole is not None
    assert hole.after == trades[49]
    assert hole.minute == builder.begin == BEGIN + len(before) * MINUTE_MS
    builder.add(trades[50:53])
    assert builder.hole() is None
    builder.hear(BEGIN + 8 * MINUTE_MS + GRACE_MS)
    assert [*before, *all_made(builder)] == expected(trades, 99.0, 8)


def test_a_hole_that_cannot_be_filled_breaks_its_minutes_and_no_other() -> None:
    trades = made_trades(1)
    builder = MinuteBuilder(BEGIN, 99.0)
    builder.add(trades[:50] + trades[53:])
    builder.hear(BEGIN + 8 * MINUTE_MS + GRACE_MS)
    whole = all_made(builder)
    assert not builder.is_broken
    builder.give_up()
    lacking = {trade.trade.time - trade.trade.time % MINUTE_MS for trade in trades[49:54]}
    broken: set[int] = set()
    while builder.is_broken:
        candle = builder.incomplete()
        assert candle is not None
        broken.add(candle.open_time)
        whole += all_made(builder)
    assert broken
    assert broken <= lacking
    assert len(whole) + len(broken) == 8


def test_the_exchanges_candle_takes_the_place_of_a_minute() -> None:
    trades = made_trades(1)
    builder = MinuteBuilder(BEGIN, 99.0)
    builder.add(trades[:50] + trades[53:])
    builder.hear(BEGIN + 8 * MINUTE_MS + GRACE_MS)
    made = len(list(builder.made()))
    own = Candle(builder.begin, 1.0, 2.0, 0.5, 1.5, 3.0, 4.0, 5.0, 2.0)
    assert builder.supply(own)
    assert not builder.supply(own)
    found = all_made(builder)
    assert made + 1 + len(found) == 8


def test_a_quiet_minute_closes_by_the_exchanges_clock_alone() -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.hear(BEGIN + MINUTE_MS + GRACE_MS - 1)
    assert all_made(builder) == []
    builder.hear(BEGIN + MINUTE_MS + GRACE_MS)
    assert all_made(builder) == [Candle(BEGIN, 42.0, 42.0, 42.0, 42.0, 0.0, 0.0, 0.0, 0.0)]


@pytest.mark.parametrize("years", [1, 1_000])
def test_a_time_that_is_far_ahead_makes_no_minutes_without_number(years: int) -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.add([NumberedTrade("1", 1, 1, Trade(BEGIN + 5, 7.0, 1.0, True))])
    far = BEGIN + years * 365 * 24 * 60 * MINUTE_MS
    builder.add([NumberedTrade("2", 2, 1, Trade(far + 5, 8.0, 1.0, True))])
    builder.hear(far + MINUTE_MS + GRACE_MS)
    made = all_made(builder)
    assert len(made) == MOST_MINUTES
    assert made[0].close == 7.0
    assert made[-1] == Candle(far, 8.0, 8.0, 8.0, 8.0, 1.0, 8.0, 1.0, 0.0)


@pytest.mark.parametrize("is_whole", [True, False])
def test_an_answer_with_a_trade_far_ahead_makes_no_minutes_without_number(is_whole: bool) -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.interrupt()
    far = BEGIN + 1_000 * 365 * 24 * 60 * MINUTE_MS
    builder.cover([NumberedTrade("9", 9, 1, Trade(far + 5, 8.0, 1.0, True))], is_whole=is_whole)
    builder.hear(far + MINUTE_MS + GRACE_MS)
    assert len(all_made(builder)) <= MOST_MINUTES


def test_a_minute_is_over_when_the_exchanges_candle_says_so() -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.end(BEGIN)
    assert [candle.open_time for candle in all_made(builder)] == [BEGIN]


def test_a_trade_that_comes_after_its_minute_was_made_leaves_no_hole_in_the_next_one() -> None:
    trades = made_trades(5)
    last = max(place for place, each in enumerate(trades) if each.trade.time < BEGIN + MINUTE_MS)
    builder = MinuteBuilder(BEGIN, 99.0)
    builder.add(trades[:last])
    builder.end(BEGIN)
    all_made(builder)

    builder.add(trades[last:])

    assert builder.late == 1
    assert builder.hole() is None
    assert all_made(builder) == expected(trades, 99.0, 8)[1:-1]


def test_without_a_price_nothing_is_made_up() -> None:
    builder = MinuteBuilder(BEGIN, None)
    builder.hear(BEGIN + 3 * MINUTE_MS + GRACE_MS)
    assert all_made(builder) == []
    trade = Trade(BEGIN + 3 * MINUTE_MS + 5, 7.0, 1.0, True)
    builder.add([NumberedTrade("1", None, 1, trade)])
    builder.hear(BEGIN + 4 * MINUTE_MS + GRACE_MS)
    assert all_made(builder) == [Candle(BEGIN + 3 * MINUTE_MS, 7.0, 7.0, 7.0, 7.0, 1.0, 7.0, 1.0, 0.0)]


def test_while_the_connection_is_broken_no_minute_closes() -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.interrupt()
    builder.hear(BEGIN + 3 * MINUTE_MS + GRACE_MS)
    assert all_made(builder) == []
    builder.cover([], is_whole=True)
    assert len(all_made(builder)) == 3


def test_after_a_break_that_cannot_be_filled_its_minutes_are_broken() -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.add([NumberedTrade("a", None, 1, Trade(BEGIN + 5, 7.0, 1.0, True))])
    builder.interrupt()
    late = NumberedTrade("b", None, 1, Trade(BEGIN + MINUTE_MS + 5, 8.0, 1.0, True))
    builder.cover([late], is_whole=False)
    builder.hear(BEGIN + 3 * MINUTE_MS + GRACE_MS)
    for minute in (BEGIN, BEGIN + MINUTE_MS):
        assert builder.is_broken
        candle = builder.incomplete()
        assert candle is not None
        assert candle.open_time == minute
    assert [candle.open_time for candle in all_made(builder)] == [BEGIN + 2 * MINUTE_MS]


@pytest.mark.parametrize("count", [10_000])
def test_trades_of_closed_minutes_are_let_go(count: int) -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    for number in range(count):
        trade = Trade(BEGIN + number * 1_000, 7.0, 1.0, True)
        builder.add([NumberedTrade(str(number), number, 1, trade)])
        list(builder.made())
    assert builder._count <= 61  # what it keeps is not to be seen from outside


class _Key(str):
    """A key that tells whether somebody still holds it."""

    __slots__ = ("__weakref__",)


def test_keys_of_trades_without_numbers_are_let_go_with_their_minute() -> None:
    builder, held = MinuteBuilder(BEGIN, 42.0), WeakSet[_Key]()
    for number in range(1_000):
        key = _Key(f"a key as long as those of exchanges {number}")
        held.add(key)
        builder.add([NumberedTrade(key, None, 1, Trade(BEGIN + number * 10_000, 7.0, 1.0, True))])
        list(builder.made())
    del key
    assert len(held) <= 3 * 6  # of the open minute and the last one; six a minute


def test_a_trade_without_a_number_that_comes_again_is_not_the_newest_one() -> None:
    builder = MinuteBuilder(BEGIN, 42.0)
    trades = [NumberedTrade(key, None, 1, Trade(BEGIN + time, 7.0, 1.0, True)) for key, time in (
        ("a", 5), ("b", MINUTE_MS), ("c", MINUTE_MS + 5))]  # fmt: skip
    builder.add(trades)
    assert len(all_made(builder)) == 1
    assert builder.add(trades[:2]) == []  # of a minute that was made, and of one that is open
    builder.interrupt()
    hole = builder.hole()
    assert hole is not None
    assert hole.after == trades[-1]
    builder.cover(trades, is_whole=True)
    builder.hear(BEGIN + 2 * MINUTE_MS + GRACE_MS)
    assert [(candle.open_time, candle.trade_count) for candle in all_made(builder)] == [(BEGIN + MINUTE_MS, 2)]


def test_candles_in_place_of_many_broken_minutes_look_at_each_trade_once(monkeypatch: pytest.MonkeyPatch) -> None:
    builder, count = MinuteBuilder(BEGIN, 99.0), 2_000
    numbers = [1, *range(3, 2 * count, 2)]  # every second one is missing
    random.Random(5).shuffle(numbers)  # noqa: S311
    spread = 100 * MINUTE_MS // (2 * count)
    builder.add(
        NumberedTrade(str(number), number, 1, Trade(BEGIN + number * spread, 100.0, 1.0, buyer_is_maker=False))
        for number in numbers
    )
    builder.hear(BEGIN + 101 * MINUTE_MS)
    looked_at = Mock(side_effect=exchange_ahead.minute_of)
    monkeypatch.setattr(exchange_ahead, "minute_of", looked_at)
    for number in range(100):
        candle = Candle(BEGIN + number * MINUTE_MS, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
        assert builder.supply(candle)
    assert [builder.hole() for _ in range(3)] == [None] * 3  # it goes through a thousand at a time
    assert looked_at.call_count < 3 * count
