"""However the stream breaks off, the minutes are those of an unbroken run, and what cannot be known is said."""

from __future__ import annotations

import math
import random
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange_trades import BEGIN, expected, made_trades
from vivienne.market.feeds.base import MinuteClosed, MinuteCorrected
from vivienne.market.feeds.exchange.adapter import CandleSeen, Heard, HistoryRow, NumberedTrade, Traded
from vivienne.market.feeds.exchange.from_candles import FromCandles
from vivienne.market.feeds.exchange.from_trades import FromTrades
from vivienne.market.feeds.exchange.grace import GRACE_MS
from vivienne.market.feeds.exchange.minutes import MOST_MINUTES
from vivienne.market.feeds.exchange.splicing import CandlesNeeded, HistoryNeeded, TradesNeeded
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.feeds.exchange.adapter import StreamEvent
    from vivienne.market.feeds.exchange.splicing import Splice

MINUTES = 8
END = BEGIN + MINUTES * MINUTE_MS


def closed(events: list[FeedEvent]) -> list[MinuteClosed]:
    return [event for event in events if isinstance(event, MinuteClosed)]


def answered(splice: Splice, rows: list[HistoryRow]) -> list[FeedEvent]:
    return [event for events in splice.answer_candles(rows, asked=splice.heard) for event in events]


class Exchange:
    """An exchange at a moment, which answers what it is asked for."""

    def __init__(self, trades: list[NumberedTrade]) -> None:
        self.trades = trades
        self.candles = {candle.open_time: candle for candle in expected(trades, 99.0, MINUTES)}

    def answer(self, splice: Splice, now: int) -> list[FeedEvent]:
        """Answer until nothing more is needed that there is."""
        found: list[FeedEvent] = []
        for _ in range(20):
            match splice.need():
                case None:
                    break
                case TradesNeeded(after, begin):
                    since = begin if after is None else after.trade.time
                    past = [trade for trade in self.trades if since <= trade.trade.time <= now]
                    found += splice.answer_trades(past, is_whole=True)
                case CandlesNeeded(begin, end):
                    rows = [self.row(minute, now) for minute in range(begin, min(end, now + 1), MINUTE_MS)]
                    if not rows:
                        break
                    found += answered(splice, rows)
        return found

    def row(self, minute: int, now: int) -> HistoryRow:
        """A minute; that of now is open, and what it has so far is wrong in the end."""
        is_over = minute + MINUTE_MS <= now
        return HistoryRow(self.candles[minute] if is_over else Candle(minute, *[1.0] * 8), None)


@given(st.integers(0, 100_000))
def test_minutes_from_trades_survive_any_cut(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    exchange = Exchange(made_trades(seed))
    splice = FromTrades(BEGIN, 99.0)
    found: list[FeedEvent] = []
    place = rng.randrange(5)
    while place < len(exchange.trades):
        size = rng.randrange(1, 9)
        found += splice.take(Traded("A", tuple(exchange.trades[place : place + size])))
        place += rng.randrange(1, size + 1)  # some are sent again
        if rng.random() < 0.2:
            splice.interrupt()
            place += rng.randrange(12)  # some never
        if rng.random() < 0.5:
            now = exchange.trades[min(place, len(exchange.trades) - 1)].trade.time
            found += splice.take(Heard(now))
            found += exchange.answer(splice, now)
    found += splice.take(Heard(END + GRACE_MS))
    found += exchange.answer(splice, END)
    assert [event.candle for event in closed(found)] == list(exchange.candles.values())
    assert {event.source for event in closed(found)} == {"streamed"}


@given(st.integers(0, 100_000))
def test_minutes_from_candles_survive_any_cut(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    exchange = Exchange(made_trades(seed))
    splice = FromCandles(BEGIN)
    found: list[FeedEvent] = []
    for minute, candle in exchange.candles.items():
        now = minute + MINUTE_MS + rng.randrange(3_000)
        if rng.random() < 0.3:
            splice.interrupt()
        if rng.random() < 0.6:
            for _ in range(rng.randrange(1, 3)):
                found += splice.take(CandleSeen("A", candle, is_closed=True))
        found += splice.take(Heard(now))
        if rng.random() < 0.5:
            found += exchange.answer(splice, now)
    found += splice.take(Heard(END + 10_000))
    found += exchange.answer(splice, END)
    assert [event.candle for event in closed(found)] == list(exchange.candles.values())


def test_until_the_exchange_was_asked_nothing_is_closed() -> None:
    trades = made_trades(3)
    for splice in (FromTrades(BEGIN, 99.0), FromCandles(BEGIN)):
        assert closed(splice.take(Traded("A", tuple(trades)))) == []
        assert closed(splice.take(Heard(END + 10_000))) == []
        assert splice.need() is not None


def test_where_past_trades_cannot_be_had_the_exchanges_candle_stands_in() -> None:
    exchange = Exchange(made_trades(5))
    splice = FromTrades(BEGIN, 99.0)
    later = [trade for trade in exchange.trades if trade.trade.time > BEGIN + MINUTE_MS + 30_000]
    found = splice.take(Traded("A", tuple(later)))
    found += splice.answer_trades([], is_whole=False)
    found += splice.take(Heard(END + GRACE_MS))
    assert closed(found) == []
    found += exchange.answer(splice, END)
    minutes = closed(found)
    assert [event.candle.open_time for event in minutes] == list(exchange.candles)
    assert [event.source for event in minutes[:2]] == ["filled", "filled"]
    assert {event.source for event in minutes[2:]} == {"streamed"}
    assert [event.candle for event in minutes] == list(exchange.candles.values())


def test_without_an_answer_minutes_are_incomplete_and_say_so() -> None:
    trades = made_trades(5)
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    found = splice.take(Traded("A", tuple(trades[:60] + trades[63:])))
    found += splice.take(Heard(END + GRACE_MS))
    for _ in range(20):
        if splice.need() is None:
            break
        found += splice.give_up()
    sources = [event.source for event in closed(found)]
    assert len(sources) == MINUTES
    assert 1 <= sources.count("incomplete") <= 2
    assert sources.count("streamed") == MINUTES - sources.count("incomplete")


def test_the_exchanges_own_candle_is_compared_with_what_was_made() -> None:
    exchange = Exchange(made_trades(5))
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    found = splice.take(Traded("A", tuple(exchange.trades)))
    for minute, candle in exchange.candles.items():
        unknown = candle._replace(trade_count=math.nan, taker_buy_volume=math.nan)
        wrong = unknown._replace(volume=candle.volume + 1) if minute == BEGIN + 2 * MINUTE_MS else unknown
        found += splice.take(CandleSeen("A", wrong, is_closed=True))
    (corrected,) = [event for event in found if isinstance(event, MinuteCorrected)]
    assert corrected.candle.volume == corrected.was.volume + 1
    assert corrected.candle.open_time == BEGIN + 2 * MINUTE_MS


def flat(minute: int) -> Candle:
    return Candle(minute, 99.0, 99.0, 99.0, 99.0, 0.0, 0.0, 0.0, 0.0)


def test_minutes_whose_own_candle_never_comes_are_kept_for_an_hour() -> None:
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    times = range(BEGIN, BEGIN + 200 * MINUTE_MS, 10_000)
    found = [minute for time in times for minute in closed(splice.take(Heard(time)))]
    assert len(found) == 199
    assert len(splice._made) <= 60  # what it keeps is not to be seen from outside
    wrong = flat(BEGIN + 150 * MINUTE_MS)._replace(volume=1.0)
    assert splice.take(CandleSeen("A", wrong, is_closed=True)) == [MinuteCorrected(wrong, flat(wrong.open_time))]


def test_candles_of_minutes_that_were_filled_are_let_go() -> None:
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=False)
    for minute in range(BEGIN, BEGIN + 200 * MINUTE_MS, MINUTE_MS):
        splice.interrupt()
        splice.take(Heard(minute + MINUTE_MS + GRACE_MS))
        splice.answer_trades([], is_whole=False)
        rows = [HistoryRow(flat(minute + later), None) for later in (0, MINUTE_MS)]
        assert closed(answered(splice, rows)) == [MinuteClosed(flat(minute), "filled")]
        splice.take(CandleSeen("A", flat(minute), is_closed=True))
    assert len(splice._own) <= 1  # what it keeps is not to be seen from outside


@pytest.mark.parametrize("comes", [True, False])
def test_the_trades_of_a_minute_are_waited_for_when_its_candle_has_more_of_them(comes: bool) -> None:
    exchange = Exchange(made_trades(5))
    first = [each for each in exchange.trades if each.trade.time < BEGIN + MINUTE_MS]
    own = exchange.candles[BEGIN]._replace(trade_count=math.nan, taker_buy_volume=math.nan)
    splice = FromTrades(BEGIN, 99.0, is_flagged=True)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(first[:-1])))

    assert splice.take(CandleSeen("A", own, is_closed=True)) == []

    late = splice.take(Traded("A", (first[-1],))) if comes else splice.take(Heard(BEGIN + MINUTE_MS + 2_000))
    (minute,) = closed(late)
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed") if comes else MinuteClosed(own, "filled")


def test_a_clock_that_was_silent_ends_no_minute_before_it_is_known_that_no_trade_was_left_out() -> None:
    exchange = Exchange(made_trades(5))
    first = [each for each in exchange.trades if each.trade.time < BEGIN + MINUTE_MS]
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(first[:3])))

    assert splice.take(Heard(BEGIN + MINUTE_MS + 10_000)) == []
    assert splice.need() == TradesNeeded(first[2], BEGIN)

    (minute,) = closed(splice.answer_trades(first, is_whole=True))
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed")


def test_a_trade_after_a_silence_ends_no_minute_before_it_is_known_that_none_was_left_out() -> None:
    exchange = Exchange(made_trades(5))
    trades = [NumberedTrade(each.key, None, 1, each.trade) for each in exchange.trades]
    before = [each for each in trades if each.trade.time < BEGIN + MINUTE_MS]
    later = next(each for each in trades if each.trade.time >= BEGIN + 2 * MINUTE_MS)
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(before[:3])))

    assert closed(splice.take(Traded("A", (later,)))) == []
    assert splice.need() == TradesNeeded(before[2], BEGIN)

    past = [each for each in trades if each.trade.time <= later.trade.time]
    assert closed(splice.answer_trades(past, is_whole=True)) == [
        MinuteClosed(exchange.candles[BEGIN + number * MINUTE_MS], "streamed") for number in range(2)
    ]


def test_an_answer_that_ends_before_the_stream_goes_on_is_asked_for_again() -> None:
    """What answers may be behind the stream; trades without numbers do not tell that some are missing."""
    exchange = Exchange(made_trades(5))
    trades = [NumberedTrade(each.key, None, 1, each.trade) for each in exchange.trades]
    first = [each for each in trades if each.trade.time < BEGIN + MINUTE_MS]
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(first[:3])))
    splice.interrupt()
    resumed = BEGIN + MINUTE_MS + 2_000
    splice.take(Heard(resumed))

    assert splice.answer_trades(first[:-1], is_whole=True, asked=resumed) == []
    assert splice.need() is None
    assert splice.take(Heard(resumed + 3_000)) == []
    assert splice.need() == TradesNeeded(first[2], BEGIN)

    (minute,) = closed(splice.answer_trades(first, is_whole=True, asked=resumed + 3_000))
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed")


def test_an_answer_that_reaches_the_stream_is_whole() -> None:
    exchange = Exchange(made_trades(5))
    trades = [NumberedTrade(each.key, None, 1, each.trade) for each in exchange.trades]
    past = [each for each in trades if each.trade.time < BEGIN + 2 * MINUTE_MS]
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(past[:3])))
    splice.interrupt()
    splice.take(Heard(past[-1].trade.time - 1))
    (minute,) = closed(splice.answer_trades(past, is_whole=True, asked=past[-1].trade.time - 1))
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed")
    assert splice.need() is None


@pytest.mark.parametrize(("asked", "is_believed"), [(BEGIN + 30_000, False), (BEGIN + 5_000, True)])
def test_an_answer_without_trades_is_not_believed_where_the_stream_has_earlier_ones(
    asked: int, is_believed: bool
) -> None:
    """Answers may be far behind the stream. The first minute after the start lacked what came before it."""
    splice = FromTrades(BEGIN, 99.0)
    new = [trade for trade in made_trades(3) if trade.trade.time >= BEGIN + 10_000]
    splice.take(Traded("A", tuple(new)))
    found = closed(splice.answer_trades([], is_whole=True, asked=asked) + splice.take(Heard(new[-1].trade.time + 1)))
    assert bool(found) == is_believed
    assert isinstance(splice.need(), CandlesNeeded) != is_believed


def test_where_the_closed_candle_does_not_come_the_trades_of_its_minute_are_asked_for() -> None:
    """They may be lost with it, and without numbers nothing else tells so."""
    exchange = Exchange(made_trades(5))
    trades = [NumberedTrade(each.key, None, 1, each.trade) for each in exchange.trades]
    first = [each for each in trades if each.trade.time < BEGIN + MINUTE_MS]
    splice = FromTrades(BEGIN, 99.0, is_flagged=True)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(first[:-1])))

    assert splice.take(Heard(BEGIN + MINUTE_MS + 2_000)) == []
    assert splice.need() == TradesNeeded(first[-2], BEGIN)

    (minute,) = closed(splice.answer_trades(first, is_whole=True))
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed")
    assert splice.need() is None


@pytest.mark.parametrize("is_clock_first", [True, False])
def test_after_an_outage_of_days_no_minute_is_made_up_before_the_history_is_read_again(is_clock_first: bool) -> None:
    """A message may have trades and the clock; the numbers of the trades tell that others are missing."""
    before, after = made_trades(5)[:3], 2_000 * MINUTE_MS
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(before)))
    splice.interrupt()
    last = before[-1]
    new = NumberedTrade("far", (last.number or 0) + 1_000, 1, last.trade._replace(time=last.trade.time + after))
    events: list[StreamEvent] = [Traded("A", (new,)), Heard(new.trade.time)]
    found = [each for event in (events[::-1] if is_clock_first else events) for each in closed(splice.take(event))]
    assert found == []
    assert isinstance(splice.need(), HistoryNeeded)


def test_a_quiet_minute_after_one_that_was_corrected_has_its_close() -> None:
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    found: list[MinuteClosed] = []
    for time in range(BEGIN, BEGIN + 2 * MINUTE_MS + 20_000, 10_000):
        new = closed(splice.take(Heard(time)))
        if new and not found:
            splice.corrected(new[0].candle._replace(close=55.0))
        found += new
    _, quiet = found
    assert quiet.candle == flat(BEGIN + MINUTE_MS)._replace(open=55.0, high=55.0, low=55.0, close=55.0)


class Lossy:
    """An exchange whose stream is silent now and then, and leaves out what was traded then; its answers take a while.

    Some silences are too short to be noticed. Where trades have numbers, these tell of them, or the exchange's own
    candle does, as long as the minute is open. Both need a minute of trades before.
    """

    def __init__(self, seed: int, *, is_numbered: bool) -> None:
        self._chance = random.Random(seed)  # noqa: S311
        found = made_trades(seed)
        self._is_numbered = is_numbered
        self.trades = found if is_numbered else [NumberedTrade(each.key, None, 1, each.trade) for each in found]
        self.candles = expected(found, 99.0, MINUTES)
        self._asked: tuple[int, int, list[NumberedTrade], int] | None = None

    def run(self, splice: Splice) -> list[FeedEvent]:
        """What comes of its stream and of its answers."""
        found, now = self._answered(splice, BEGIN), BEGIN
        while now < END + MINUTE_MS:
            before, now = now, now + self._chance.randrange(100, 6_000)
            silence = self._chance.randrange(40_000) if self._chance.random() < 0.1 else 0
            is_told = self._is_numbered and BEGIN // MINUTE_MS < before // MINUTE_MS == (now + silence) // MINUTE_MS
            if silence <= 15_000 and not is_told:
                silence = 0
            if silence:
                before = now = now + silence
            for event in self._told(before, now):
                found += splice.take(event)
            found += self._answered(splice, now)
        for _ in range(3):  # an answer that is too old is asked for again
            now += MINUTE_MS
            found += self._answered(splice, now)
            found += splice.take(Heard(splice.heard + 5_000))
        return found

    def _told(self, before: int, now: int) -> list[StreamEvent]:
        new = [each for each in self.trades if before <= each.trade.time < now]
        new += [each for each in new if self._chance.random() < 0.2]
        if self._is_numbered:
            self._chance.shuffle(new)
        traded = [Traded("A", (each,)) for each in new]
        minute = now - now % MINUTE_MS
        so_far = [each.trade for each in self.trades if minute <= each.trade.time < now]
        volume = sum(each.quantity for each in so_far)
        candle = Candle(minute, 1.0, 1.0, 1.0, 1.0, volume, volume, float(len(so_far)), math.nan)
        return [*traded, CandleSeen("A", candle, None), Heard(now)]

    def _answered(self, splice: Splice, now: int) -> list[FeedEvent]:
        """Answer with what there was when it was asked; an answer from before an interruption is not taken."""
        found: list[FeedEvent] = []
        if self._asked is not None and now >= self._asked[0]:
            if self._asked[1] == splice.interruptions:
                found = splice.answer_trades(self._asked[2], is_whole=True, asked=self._asked[3])
            self._asked = None
        need = splice.need()
        if self._asked is None and isinstance(need, TradesNeeded):
            since = need.begin if need.after is None else need.after.trade.time
            past = [each for each in self.trades if since <= each.trade.time < now]
            self._asked = now + self._chance.randrange(20_000), splice.interruptions, past, splice.heard
        return found


@given(st.integers(0, 100_000), st.booleans())
def test_trades_that_an_exchange_leaves_out_while_it_is_silent_are_in_their_minutes(
    seed: int, is_numbered: bool
) -> None:
    exchange = Lossy(seed, is_numbered=is_numbered)
    found = closed(exchange.run(FromTrades(BEGIN, 99.0)))
    assert [event.candle for event in found[:MINUTES]] == exchange.candles
    assert {event.source for event in found} == {"streamed"}


def test_a_minute_that_had_a_silence_ends_by_the_clock_only_after_the_exchange_was_asked() -> None:
    exchange = Exchange(made_trades(5))
    first = [each for each in exchange.trades if each.trade.time < BEGIN + MINUTE_MS]
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(first[:3])))
    for second in (40, 45, 50, 55):
        assert splice.take(Heard(BEGIN + second * 1_000)) == []
    assert splice.need() is None

    assert splice.take(Heard(BEGIN + MINUTE_MS + 2_000)) == []

    assert splice.need() == TradesNeeded(first[2], BEGIN)
    (minute,) = closed(splice.answer_trades(first, is_whole=True))
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed")


def test_a_minute_with_fewer_trades_than_the_exchange_counted_is_asked_for_once() -> None:
    exchange = Exchange(made_trades(5))
    first = [each for each in exchange.trades if each.trade.time < BEGIN + MINUTE_MS]
    splice = FromTrades(BEGIN, 99.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(first[:-2])))
    for more in (0, 1):
        count = exchange.candles[BEGIN].trade_count + more
        splice.take(CandleSeen("A", exchange.candles[BEGIN]._replace(trade_count=count), None))

    splice.take(Heard(first[-1].trade.time))
    splice.take(Heard(BEGIN + MINUTE_MS - 1))
    assert splice.take(Heard(BEGIN + MINUTE_MS + 2_000)) == []

    assert splice.need() == TradesNeeded(None, BEGIN)
    (minute,) = closed(splice.answer_trades(first, is_whole=True))
    assert minute == MinuteClosed(exchange.candles[BEGIN], "streamed")


def test_a_closed_candle_that_never_comes_is_asked_for() -> None:
    splice = FromCandles(BEGIN)
    assert closed(answered(splice, [])) == []
    flat = Candle(BEGIN + MINUTE_MS, 1, 1, 1, 1, 0, 0, 0, 0)
    splice.take(CandleSeen("A", flat, is_closed=False))
    splice.take(Heard(BEGIN + MINUTE_MS + 4_000))
    assert splice.need() is None
    splice.take(Heard(BEGIN + MINUTE_MS + 5_001))
    assert splice.need() == CandlesNeeded(BEGIN, BEGIN + 2 * MINUTE_MS)


def test_a_clock_that_is_ahead_closes_no_minute_that_is_open() -> None:
    splice = FromCandles(BEGIN)
    flat = Candle(BEGIN, 1, 1, 1, 1, 0, 0, 0, 0)
    splice.take(Heard(BEGIN + 60 * MINUTE_MS))
    assert answered(splice, [HistoryRow(flat, None)]) == []
    later = flat._replace(open_time=BEGIN + MINUTE_MS)
    assert [event.candle for event in closed(answered(splice, [HistoryRow(flat, None), HistoryRow(later, None)]))] == [
        flat
    ]


@pytest.mark.parametrize("make", [FromCandles, partial(FromTrades, close=99.0)])
def test_more_minutes_than_are_filled_are_a_gap_after_which_the_history_is_read_again(
    make: Callable[[int], Splice],
) -> None:
    splice = make(BEGIN)
    splice.take(Heard(BEGIN + MOST_MINUTES * MINUTE_MS))
    assert isinstance(splice.need(), CandlesNeeded | TradesNeeded)
    splice.take(Heard(BEGIN + (MOST_MINUTES + 1) * MINUTE_MS))
    assert splice.need() == HistoryNeeded(MOST_MINUTES + 1)


def test_many_candles_are_taken_a_few_at_a_time_while_the_stream_goes_on() -> None:
    splice = FromCandles(BEGIN)
    candles = [Candle(BEGIN + place * MINUTE_MS, 1, 1, 1, 1, 0, 0, 0, 0) for place in range(1_001)]
    rows = [HistoryRow(candle, None) for candle in candles[:1_000]]
    found: list[FeedEvent] = []
    for place, events in enumerate(splice.answer_candles(rows, asked=splice.heard)):
        assert len(events) <= 100
        found += events
        if place == 3:
            found += splice.take(CandleSeen("A", candles[999], is_closed=True))
            found += splice.take(CandleSeen("A", candles[1_000], is_closed=True))
    assert [event.candle for event in closed(found)] == candles
