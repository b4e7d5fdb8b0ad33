"""What other programs push: each row counts once, wrong ones are named, and minutes close by what was pushed."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivienne import slices
from vivienne.errors import Malformed, TooLarge, TooManyRequests
from vivienne.live.freshness import Freshness
from vivienne.live.pushed import pushed
from vivienne.market.feeds.base import DataRefused, FeedEvent, HistoryRead, MinuteClosed, MinuteCorrected, PriceMoved
from vivienne.market.feeds.pushed import asset as pushed_asset
from vivienne.market.feeds.pushed import feed as pushed_feed
from vivienne.market.feeds.pushed import minutes as pushed_minutes
from vivienne.market.feeds.pushed import past as pushed_past
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.market.feeds.pushed.rows import read_push
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_767_268_800_000
"""2026-01-01T12:00Z: the clock of this machine when a test begins."""


class Feeding:
    """Pushes to a feed and takes its events; the clock of its machine is set by hand."""

    def __init__(self, timeframe: Timeframe = Timeframe.M1, *assets: str) -> None:
        self.now = NOON
        self.passed = 0.0
        self.feed = PushedFeed(
            assets or ("BTC", "ETH"), timeframe=timeframe, bars=1_500, now=lambda: self.now, clock=lambda: self.passed
        )
        self.events: list[FeedEvent] = []

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1000)
        self.passed += seconds

    def candles(self, *rows: dict[str, Any], **beside: Any) -> dict[str, Any]:
        return self.push("candles", {"asset": "BTC", "candles": [*rows], **beside})

    def trades(self, *rows: dict[str, Any], **beside: Any) -> dict[str, Any]:
        return self.push("trades", {"asset": "BTC", "trades": [*rows], **beside})

    def push(self, kind: Any, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {**asyncio.run(pushed(self.feed, kind, body))}
        for waiting in self.feed._waiting.values():  # what `follow` would give
            self.events += waiting.events
            waiting.events.clear()
        return found

    @property
    def minutes(self) -> list[MinuteClosed]:
        return [each for each in self.events if isinstance(each, MinuteClosed)]

    @property
    def closes(self) -> list[tuple[int, float]]:
        """Number of each minute after noon, and its close."""
        return [((each.candle.open_time - NOON) // MINUTE_MS, each.candle.close) for each in self.minutes]

    @property
    def history(self) -> HistoryRead:
        return next(each for each in self.events if isinstance(each, HistoryRead))


def candle(number: int, close: float = 100.0, **more: Any) -> dict[str, Any]:
    """The n-th candle after noon."""
    prices = {"open": 100.0, "high": max(100.0, close), "low": min(100.0, close), "close": close, "volume": 2.0}
    return {"open_time": NOON + number * MINUTE_MS, **prices, **more}


def trade(number: int, seconds: float, price: float = 100.0, **more: Any) -> dict[str, Any]:
    """A trade so many seconds after noon."""
    return {"id": number, "time": NOON + round(seconds * 1000), "price": price, "amount": 1.0, **more}


def counts(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    return answer["accepted"], answer["doubled"], answer["late"], answer["refused"]


@pytest.fixture
def feeding() -> Feeding:
    return Feeding()


def test_candles_of_the_past_are_history_until_the_first_live_one(feeding: Feeding) -> None:
    answer = feeding.candles(*(candle(number) for number in range(-100, -50)))
    assert {"BTC": {"deciding": False, "closed_until": None}} == answer["assets"]

    answer = feeding.candles(*(candle(number, closed=True) for number in range(-50, 0)))
    history = feeding.history.history
    # The last five minutes are decided.
    assert [NOON - 100 * MINUTE_MS, NOON - 7 * MINUTE_MS] == history.minutes.open_time[[0, -1]].tolist()
    assert history.is_whole
    assert [number for number, _ in feeding.closes] == [-6, -5, -4, -3, -2, -1]
    assert {"deciding": True, "closed_until": iso(NOON)} == answer["assets"]["BTC"]


def test_a_feeder_may_say_what_is_history(feeding: Feeding) -> None:
    feeding.candles(*(candle(number, closed=True) for number in range(-10, 0)), history=True)
    assert feeding.minutes == []
    feeding.candles(candle(-5_000, closed=True), candle(-4_999, closed=True), history=False)
    assert [number for number, _ in feeding.closes][:2] == [-5_000, -4_999]


@pytest.mark.parametrize("skew", [-3_600, 3_600])
def test_with_a_clock_that_is_an_hour_off_decisions_begin_all_the_same(feeding: Feeding, skew: int) -> None:
    feeding.candles(*(candle(number, closed=True) for number in range(-200, -100)))
    feeding.candles(*(candle(number, closed=True) for number in range(-100, 0)))
    feeding.now += skew * 1000
    for number in range(3):
        feeding.wait(60)
        feeding.candles(candle(number, closed=True))
    assert [number for number, _ in feeding.closes][-2:] == [1, 2]


def test_every_minute_says_that_it_was_pushed(feeding: Feeding) -> None:
    feeding.candles(candle(-1, 101.0, closed=True, quote_volume=202.0, trades=7, taker_buy_volume=0.5))
    (closed,) = feeding.minutes
    assert closed.source == "pushed"
    assert tuple(closed.candle) == (NOON - MINUTE_MS, 100.0, 101.0, 100.0, 101.0, 2.0, 202.0, 7.0, 0.5)


def test_what_is_left_out_is_unknown_and_never_0(feeding: Feeding) -> None:
    feeding.candles(candle(-1, closed=True, count=None))
    (closed,) = feeding.minutes
    assert math.isnan(closed.candle.trade_count)
    assert math.isnan(closed.candle.taker_buy_volume)
    # As for files, quote volume is the typical price times the volume.
    assert closed.candle.quote_volume == 200.0


def test_a_candle_that_does_not_say_so_closes_by_the_next_one_or_by_the_feeders_clock(feeding: Feeding) -> None:
    feeding.candles(candle(-2, 101.0))
    feeding.candles(candle(-2, 102.0))
    assert feeding.minutes == []
    feeding.candles(candle(-1, 103.0))
    assert feeding.closes == [(-2, 102.0)]
    feeding.candles(clock=iso(NOON))
    assert feeding.closes == [(-2, 102.0), (-1, 103.0)]


def test_no_minute_closes_because_time_passes(feeding: Feeding) -> None:
    feeding.candles(candle(-1, closed=False))
    feeding.wait(3_600)
    feeding.candles(candle(-1, 101.0, closed=False))
    assert feeding.minutes == []


def test_the_same_row_counts_once_and_another_one_until_its_minute_is_closed(feeding: Feeding) -> None:
    assert counts(feeding.candles(candle(-1, 101.0))) == (1, 0, 0, 0)
    assert counts(feeding.candles(candle(-1, 101.0))) == (0, 1, 0, 0)
    assert counts(feeding.candles(candle(-1, 102.0))) == (1, 0, 0, 0)
    assert counts(feeding.candles(candle(-1, 102.0, closed=True))) == (1, 0, 0, 0)
    assert counts(feeding.candles(candle(-1, 102.0, closed=True))) == (0, 1, 0, 0)
    late = feeding.candles(candle(-1, 103.0, closed=True))
    assert counts(late) == (0, 0, 1, 0)
    assert "is late: its minutes are closed until 2026-01-01T12:00:00.000Z" in late["late_rows"][0]["message"]
    assert feeding.closes == [(-1, 102.0)]


def test_a_late_trade_whose_id_was_used_before_is_told_so(feeding: Feeding) -> None:
    feeding.candles(candle(-2, closed=True))
    feeding.wait(120)
    feeding.trades(trade(90, -61, 99.0))  # the minute of the candle
    feeding.trades(trade(1, -50))
    feeding.trades(trade(2, 61.0))
    late = feeding.trades(trade(1, 70.0))
    assert counts(late) == (0, 0, 1, 0)
    said = late["late_rows"][0]["message"]
    assert "is late: a trade of a closed minute had its id '1'" in said
    assert "its minutes are closed" not in said


def test_until_a_bar_is_closed_a_candle_corrects_its_minutes_and_fills_its_gaps() -> None:
    feeding = Feeding(Timeframe.M15)
    feeding.candles(*(candle(number, 101.0, closed=True) for number in (-20, -5, -4, -1)), history=False)
    corrections = [candle(-5, 105.0, closed=True), candle(-2, 102.0, closed=True)]
    assert counts(feeding.candles(*corrections, candle(-20, 120.0, closed=True))) == (0, 0, 3, 0)
    feeding = Feeding(Timeframe.M15)
    feeding.wait(600)
    feeding.candles(*(candle(number, 101.0, closed=True) for number in (-20, 1, 2, 5)), history=False)
    assert counts(feeding.candles(candle(1, 105.0), candle(4, 102.0), candle(-20, 120.0))) == (2, 0, 1, 0)
    corrected = [each.candle for each in feeding.events if isinstance(each, MinuteCorrected)]
    assert [(1, 105.0), (4, 102.0)] == [((each.open_time - NOON) // MINUTE_MS, each.close) for each in corrected]
    assert counts(feeding.candles(candle(1, 105.0))) == (0, 1, 0, 0)


def test_trades_count_once_and_make_minutes_in_order_of_time_and_number(feeding: Feeding) -> None:
    feeding.candles(candle(-2, closed=True))
    feeding.wait(120)
    rows = [trade(number, -60 + number, 100.0 + number, side="buy") for number in range(5)]
    feeding.trades(trade(90, -61, 99.0))  # the minute of the candle
    feeding.trades(rows[3], rows[1], rows[0])
    assert counts(feeding.trades(rows[3], rows[4], rows[2])) == (2, 1, 0, 0)
    feeding.trades(trade(9, 61.0))
    minute = feeding.minutes[-1].candle
    assert (100.0, 104.0, 100.0, 104.0) == (minute.open, minute.high, minute.low, minute.close)
    assert (5.0, 5.0, 5.0) == (minute.volume, minute.trade_count, minute.taker_buy_volume)
    assert counts(feeding.trades(rows[2])) == (0, 1, 0, 0)
    assert counts(feeding.trades(trade(77, -58, 1.0))) == (0, 0, 1, 0)


def test_a_minute_of_which_trades_may_be_missing_is_incomplete(feeding: Feeding) -> None:
    feeding.candles(candle(-3, closed=True))
    feeding.trades(trade(1, -110, 101.0), trade(2, -50, 102.0), trade(3, 1))
    assert [(each.source, each.candle.close) for each in feeding.minutes] == [
        ("pushed", 100.0), ("incomplete", 101.0), ("pushed", 102.0),
    ]  # fmt: skip


def test_without_history_the_minute_of_the_first_trade_gives_none(feeding: Feeding) -> None:
    feeding.trades(trade(1, -110, 101.0), trade(2, -50, 102.0), trade(3, 1))
    assert feeding.closes == [(-1, 102.0)]


def test_a_refused_trade_makes_its_minute_incomplete_until_it_comes_again(feeding: Feeding) -> None:
    feeding.trades(trade(1, -110), trade(2, -50))
    feeding.trades(trade(3, -49, -5.0))
    [refused] = [each for each in feeding.events if isinstance(each, DataRefused)]
    assert refused.kind == "price"
    assert refused.reason.startswith("row 0: price is -5.0; it must be")
    feeding.wait(60)
    feeding.trades(trade(4, 1), trade(5, 2, -5.0))
    feeding.trades(trade(5, 2, 5.0), trade(6, 60))
    assert [each.source for each in feeding.minutes] == ["incomplete", "pushed"]


def test_refused_trades_of_the_future_do_not_make_those_of_now_forgotten(
    feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushed_minutes, "_REMEMBERED", 20)
    feeding.trades(trade(1, -110), trade(2, -50))
    feeding.trades(*(trade(100 + number, 60_000 + number * 60, -1.0) for number in range(40)))
    feeding.trades(trade(3, -49, -1.0))
    feeding.wait(60)
    feeding.trades(trade(4, 60))
    assert [each.source for each in feeding.minutes] == ["incomplete"]


def test_quiet_minutes_close_by_the_feeders_clock(feeding: Feeding) -> None:
    feeding.trades(trade(1, -110), trade(2, -50, 102.0))
    feeding.wait(180)
    feeding.trades(clock=NOON + 2 * MINUTE_MS)
    assert feeding.closes == [(-1, 102.0), (0, 102.0), (1, 102.0)]
    assert feeding.minutes[-1].candle[5:] == (0.0, 0.0, 0.0, 0.0)


def test_a_quiet_minute_between_two_that_came_in_one_push_is_known_by_the_feeders_clock(feeding: Feeding) -> None:
    feeding.trades(trade(1, -110), trade(2, -50, 102.0))
    feeding.wait(240)
    feeding.trades(trade(3, 5, 103.0), trade(4, 125, 104.0), clock=NOON + 3 * MINUTE_MS)
    assert feeding.closes == [(-1, 102.0), (0, 103.0), (1, 103.0), (2, 104.0)]
    assert {each.source for each in feeding.minutes} == {"pushed"}
    assert feeding.minutes[2].candle.volume == 0.0


def test_where_both_are_pushed_the_candle_makes_the_minute_and_trades_move_the_price(feeding: Feeding) -> None:
    feeding.candles(candle(-2, 101.0, closed=True))
    feeding.trades(trade(1, -50, 102.0), trade(2, 1, 103.0))
    assert len(feeding.minutes) == 1
    feeding.candles(candle(-1, 104.0, closed=True))
    assert feeding.closes == [(-2, 101.0), (-1, 104.0)]
    assert [each.price for each in feeding.events if isinstance(each, PriceMoved)][-1] == 103.0


def test_when_candles_stop_trades_make_the_minutes_again(feeding: Feeding) -> None:
    feeding.candles(candle(-3, 101.0, closed=True))
    feeding.wait(300)
    feeding.trades(*(trade(number, -120 + 20 * number) for number in range(16)))
    assert [number for number, _ in feeding.closes] == [-3, -2, -1, 0, 1, 2]


def test_longer_candles_are_history_in_bars(feeding: Feeding) -> None:
    feeding = Feeding(Timeframe.M15)
    hour = [candle(15 * number, 100.0 + number / 10, timeframe="15m") for number in range(-8, -4)]
    parts = [candle(5 * number, timeframe="5m") for number in range(-12, -3)]
    open_one = candle(-15, timeframe="15m", closed=False)
    assert counts(feeding.candles(*hour, *parts, open_one)) == (14, 0, 0, 0)
    feeding.candles(*(candle(number, closed=True) for number in range(-15, 0)))
    bars, minutes = feeding.history.history.bars, feeding.history.history.minutes
    assert bars is not None
    # The fourth quarter is made of its parts; of the one before the last live minutes only parts are there.
    assert [(time - NOON) // MINUTE_MS for time in bars.open_time.tolist()] == [-120, -105, -90, -75, -60, -45, -30]
    assert [(time - NOON) // MINUTE_MS for time in minutes.open_time.tolist()] == list(range(-15, -6))
    assert counts(feeding.candles(candle(0, timeframe="15m"))) == (0, 0, 1, 0)


def test_minutes_that_are_older_than_the_bars_that_are_kept_are_left_out_of_the_history() -> None:
    """Minutes may be far apart: between them gaps would be filled that nobody sees."""
    feeding = Feeding(Timeframe.M15)
    feeding.candles(*(candle(number, closed=True) for number in range(-60_000, -1_200, 60)), history=True)
    feeding.candles(candle(0, closed=True))
    history = feeding.history.history
    times = [(time - NOON) // MINUTE_MS for time in history.minutes.open_time.tolist()]
    assert (times[-1] - times[0]) // 15 in range(1_498, 1_502)
    assert not history.is_whole


def test_history_in_any_order_of_pages(feeding: Feeding) -> None:
    for page in range(4):
        feeding.candles(*(candle(-50 * page - number) for number in range(50, 0, -1)), history=True)
    feeding.candles(candle(0, closed=True))
    assert feeding.history.history.minutes.open_time.tolist() == [NOON - MINUTE_MS * each for each in range(200, 0, -1)]


def test_a_row_of_the_future_is_refused_and_makes_up_no_hour(feeding: Feeding) -> None:
    feeding.candles(candle(-1, closed=True))
    answer = feeding.candles(candle(60, closed=True), clock=NOON + 60 * MINUTE_MS)
    assert counts(answer) == (0, 0, 0, 2)
    assert "3,600 s ahead of the clock of this machine, 2026-01-01T12:00:00.000Z" in answer["errors"][0]["message"]
    assert {"candles[0].open_time", "clock"} == {each["path"] for each in answer["errors"]}
    assert len(feeding.minutes) == 1


def test_rows_that_follow_each_other_go_no_further_into_the_future_than_one(feeding: Feeding) -> None:
    feeding.candles(candle(-1, closed=True))
    assert counts(feeding.candles(*(candle(number, closed=True) for number in range(100)))) == (3, 0, 0, 97)
    assert counts(feeding.candles(*(candle(number, closed=True) for number in range(3, 100)))) == (0, 0, 0, 97)
    assert counts(feeding.trades(*(trade(number, 115 * number) for number in range(2, 50)))) == (0, 0, 0, 48)


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("candles", candle(0, close=-1.0), "candles[0].low", "low is -1.0; it must be a number above 0"),
    ("candles", candle(0) | {"close": "NaN"}, "candles[0].close", "close is 'NaN'; it must be a number above 0"),
    (
        "candles",
        candle(0) | {"close": 1e300},
        "candles[0].close",
        "close is 1e+300; it must be a number above 0 and below",
    ),
    ("candles", candle(0) | {"high": 1.0}, "candles[0]", "high the highest and low the lowest"),
    ("candles", candle(0) | {"volume": None}, "candles[0].volume", "volume is null; it must be a number from 0"),
    ("candles", candle(0) | {"volume": True}, "candles[0].volume", "volume is true; it must be a number from 0"),
    ("candles", candle(0) | {"trades": -1}, "candles[0].trades", "trades is -1; it must be a number from 0"),
    ("candles", candle(0) | {"trades": 1, "count": 1}, "candles[0].count", "are the same value; give one of them"),
    ("candles", candle(0) | {"closed": 1}, "candles[0].closed", "closed is 1; it must be true or false"),
    ("candles", candle(0) | {"timeframe": "7m"}, "candles[0].timeframe", "bars of 1m are made of candles of 1m"),
    ("candles", candle(0) | {"open_time": NOON + 1}, "candles[0].open_time", "the beginning of a full minute"),
    ("candles", candle(0) | {"open_time": NOON // 1000}, "candles[0].open_time", "it must be in ms since 1970"),
    ("candles", candle(0) | {"open_time": "2026-01-01 12:00"}, "candles[0].open_time", "with its zone"),
    (
        "candles",
        candle(0) | {"asset": "DOGE"},
        "candles[0].asset",
        "'DOGE', which is not decided here; it must be one of",
    ),
    ("candles", candle(0) | {"asset": "ETH"}, "candles[0].asset", "asset is ETH, and the push is of BTC"),
    ("candles", candle(0) | {"opne": 1}, "candles[0].opne", "the field 'opne' is unknown; known are asset, open_time"),
    ("trades", trade(1, 0, -1.0), "trades[0].price", "price is -1.0; it must be a number above 0"),
    ("trades", trade(1, 0, 1e-19), "trades[0].price", "1e-19 is not a valid price; it must be a number above 0 (from"),
    ("trades", trade(1, 0, 2.2e-308), "trades[0].price", "is not a valid price; it must be a number above 0 (from"),
    ("trades", trade(1, 0, amount=math.inf), "trades[0].amount", "amount is inf; it must be a number from 0"),
    ("trades", trade(1, 0) | {"id": None}, "trades[0].id", "id is null; it must be the exchange's number or name"),
    ("trades", trade(1, 0, side="long"), "trades[0].side", "side is 'long'; it must be who took: buy, sell"),
]


@pytest.mark.parametrize(("kind", "row", "path", "words"), WRONG)
def test_a_wrong_row_is_refused_with_its_field_its_value_and_what_would_be_right(
    feeding: Feeding, kind: str, row: dict[str, Any], path: str, words: str
) -> None:
    good = candle(-1) if kind == "candles" else trade(2, -1)
    answer = feeding.push(kind, {"asset": "BTC", kind: [row, good]})
    assert counts(answer) == (1, 0, 0, 1)
    (error,) = answer["errors"]
    assert error["path"] == path
    assert error["message"].startswith("row 0: ")
    assert words in error["message"]


_ANY = st.one_of(st.floats(), st.integers(), st.sampled_from((0.0, 1e-18, 1e18, 5e-324, -0.0, math.nan, "1e-300")))


@given(
    st.lists(st.tuples(_ANY, _ANY), min_size=1, max_size=4),
    st.lists(st.tuples(_ANY, _ANY, _ANY, _ANY, _ANY, _ANY), min_size=1, max_size=4),
)
def test_whatever_numbers_rows_have_each_of_them_is_taken_or_refused(trades: list[Any], candles: list[Any]) -> None:
    names = "open", "high", "low", "close", "volume", "quote_volume"
    feeding = Feeding()
    rows = [trade(number, number, price, amount=amount) for number, (price, amount) in enumerate(trades)]
    assert sum(counts(feeding.push("trades", {"asset": "BTC", "trades": rows}))) == len(rows)
    rows = [candle(number) | dict(zip(names, values, strict=True)) for number, values in enumerate(candles)]
    assert sum(counts(feeding.push("candles", {"asset": "BTC", "candles": rows}))) == len(rows)


def test_a_wrong_candle_is_no_minute_for_the_live_path_either(feeding: Feeding) -> None:
    feeding.candles(candle(-3, closed=True))
    feeding.candles(candle(-2, -1.0, closed=True), candle(-1, 101.0, closed=True))
    found = [each for each in feeding.events if isinstance(each, DataRefused | MinuteClosed)]
    assert [type(each) for each in found] == [MinuteClosed, DataRefused, MinuteClosed]
    assert isinstance(found[1], DataRefused)
    assert found[1].reason.startswith("row 0: low is -1.0")


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ({}, Malformed, "candles must be a list of rows"),
        ({"candles": {}}, Malformed, "candles must be a list of rows"),
        ({"candles": [], "candle": 1}, Malformed, "Unknown field 'candle'"),
        ({"candles": [], "clock": NOON}, Malformed, "clock needs the asset"),
        ({"asset": "X", "candles": []}, Malformed, "asset is 'X', which is not decided here"),
        ({"candles": [{}] * 1_001}, TooLarge, "1,001 rows; the limit of one push is 1,000"),
    ],
)
def test_what_is_no_push_is_refused_as_a_whole(
    feeding: Feeding, body: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        feeding.push("candles", body)


def test_the_assets_are_looked_at_once_however_many_rows_are_wrong() -> None:
    looked: list[int] = []

    class Assets(tuple[str, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[str]:
            looked.append(1)
            return super().__iter__()

    found = read_push("candles", {"candles": [{"asset": "Z"}] * 9}, Assets(("BTC", "ETH")), Timeframe.M1)
    assert {each.problem.message.partition("must be ")[2] for each in found.refused} == {"one of BTC, ETH"}
    assert len(looked) == 1


def test_while_the_market_cannot_take_more_nothing_is_taken(feeding: Feeding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_feed, "MOST_WAITING", 10)
    rows = [candle(number, closed=True) for number in range(-12, 0)]
    body = {"asset": "BTC", "candles": rows}
    assert counts({**asyncio.run(pushed(feeding.feed, "candles", body, is_history=False))}) == (12, 0, 0, 0)
    with pytest.raises(TooManyRequests, match="wait to be taken"):
        asyncio.run(feeding.feed.push("candles", body))
    feeding.push("candles", {"asset": "ETH", "candles": rows})
    assert counts(feeding.candles(*rows)) == (0, 12, 0, 0)


def test_more_trades_than_are_kept_are_refused_or_made_candles(
    feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushed_minutes, "MOST_TRADES", 70)
    past = [trade(number, -6_000 + number, 100.0 + number) for number in range(200)]
    assert counts(feeding.trades(*past, history=True)) == (200, 0, 0, 0)
    feeding.trades(*(trade(1_000 + number, -1 + number / 1000) for number in range(70)))
    assert [len(feeding.history.history.minutes), feeding.history.history.minutes.volume.tolist()] == [
        3, [60.0, 60.0, 20.0],
    ]  # fmt: skip
    answer = feeding.trades(trade(2_000, -0.1))
    assert counts(answer) == (0, 0, 0, 1)
    assert "trades in open minutes, the limit" in answer["errors"][0]["message"]


def test_all_assets_together_keep_so_many_trades(feeding: Feeding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_minutes, "MOST_TRADES_TOGETHER", 70, raising=False)
    for asset in ("BTC", "ETH"):  # history is made candles of, whoever pushed it
        rows = [trade(number, -6_000 + number * 2) for number in range(60)]
        assert counts(feeding.push("trades", {"asset": asset, "trades": rows, "history": True})) == (60, 0, 0, 0)
    rows = [trade(1_000 + number, -1 + number / 1000) for number in range(60)]
    answer = feeding.trades(*rows)
    assert counts(answer) == (40, 0, 0, 20)  # ETH has 30 in its newest minute
    assert "all assets together" in answer["errors"][0]["message"]


async def test_others_have_their_turn_while_a_push_closes_many_trades(
    feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)  # a piece at a time
    monkeypatch.setattr(pushed_minutes, "_PIECE", 10)
    monkeypatch.setattr(pushed_minutes, "_SORTED", 40)
    rows = [trade(number, -50 + number / 100, 100 + number % 7) for number in range(500)]
    await feeding.feed.push("trades", {"asset": "BTC", "trades": [trade(-1, -110), *rows]})
    closing = asyncio.create_task(feeding.feed.push("trades", {"asset": "BTC", "trades": [trade(501, 1)]}))
    again = asyncio.create_task(feeding.feed.push("trades", {"asset": "BTC", "trades": rows}))
    turns = 0
    while not closing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    found = [(await each).rows for each in (closing, again)]
    assert [(1, 0, 0), (0, 500, 0)] == [(each.accepted, each.doubled, each.late) for each in found]
    [closed] = [each for each in feeding.feed._waiting["BTC"].events if isinstance(each, MinuteClosed)]
    assert (500.0, 100.0, 106.0) == (closed.candle.volume, closed.candle.low, closed.candle.high)


def test_corrections_of_a_minute_in_one_push_are_one(feeding: Feeding) -> None:
    feeding = Feeding(Timeframe.M15)
    feeding.candles(candle(-1), *(candle(number, closed=True) for number in range(3)), history=False, clock=NOON + 1)
    feeding.events.clear()
    feeding.candles(*(candle(1, 100.0 + number % 7, closed=True) for number in range(500)))
    [corrected] = [each for each in feeding.events if isinstance(each, MinuteCorrected)]
    assert (100.0, 100.0 + 499 % 7) == (corrected.was.close, corrected.candle.close)


async def test_the_events_of_all_assets_leave_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    assets = [f"A{number}" for number in range(20)]
    feeding = Feeding(Timeframe.M15, *assets)
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    taken = turns = 0

    async def follow(asset: str) -> None:
        nonlocal taken
        async for _ in feeding.feed.follow(asset):
            taken += 1

    rows = [candle(number, closed=True) for number in range(-20, 0)]
    for asset in assets:
        await feeding.feed.push("candles", {"asset": asset, "candles": rows, "history": False})
    following = [asyncio.create_task(follow(asset)) for asset in assets]
    while taken < 400:
        await asyncio.sleep(0)
        turns += 1
    assert turns >= taken
    for task in following:
        task.cancel()


def test_of_all_assets_so_much_history_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_minutes, "MOST_HISTORY_TOGETHER", 100)
    feed = PushedFeed(("BTC", "ETH"), timeframe=Timeframe.M15, bars=20, now=lambda: NOON)
    rows = [candle(number) for number in range(-200, 0)]
    quarters = [candle(15 * number, timeframe="15m") for number in range(-40, 0)]
    threes = [candle(3 * number, timeframe="3m") for number in range(-100, 0)]
    for body in (rows, quarters, threes):
        asyncio.run(feed.push("candles", {"asset": "BTC", "candles": body, "history": True}))
    counted = {labels[1]: value for _, labels, value in feed.counts() if labels[0] == "BTC"}
    assert counted["forgotten"] == (200 - 50) + (40 - 21) + (100 - 29)


async def test_a_push_that_is_cancelled_is_taken_whole(feeding: Feeding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    body = {"asset": "BTC", "candles": [candle(number, closed=True) for number in range(-40, 0)], "history": False}
    pushing = asyncio.create_task(feeding.feed.push("candles", body))
    await asyncio.sleep(0)
    pushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pushing
    assert (await feeding.feed.push("candles", body)).rows.doubled == 40


def test_of_more_history_than_is_kept_the_oldest_is_forgotten_and_counted(
    feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushed_asset, "MOST_HISTORY", 30)
    monkeypatch.setattr(pushed_past, "MOST_HISTORY", 4)
    feeding = Feeding(Timeframe.M15)
    feeding.push("candles", {"asset": "BTC", "candles": [feeding_candle(each) for each in range(-20, -10)]})
    feeding.candles(*(candle(number) for number in range(-100, 0)), history=True)
    feeding.candles(candle(0, closed=True))
    history = feeding.history.history
    assert history.bars is not None
    assert (4, 30, False) == (len(history.bars), len(history.minutes), history.is_whole)
    assert ("BTC", "forgotten", 76) in {(*labels, round(value)) for _, labels, value in feeding.feed.counts()}


def feeding_candle(quarter: int) -> dict[str, Any]:
    """A candle of the n-th quarter of an hour after noon."""
    return candle(15 * quarter, timeframe="15m")


def test_what_became_of_all_rows_is_counted(feeding: Feeding) -> None:
    feeding.candles(candle(-1, closed=True), candle(-1, closed=True), candle(-1, -5.0), candle(0) | {"asset": 5})
    feeding.candles(candle(-1, 103.0))
    found = {labels: value for _, labels, value in feeding.feed.counts() if value}
    assert found == {
        ("BTC", "accepted"): 1, ("BTC", "doubled"): 1, ("BTC", "refused"): 2, ("BTC", "late"): 1,
    }  # fmt: skip


def test_the_state_names_the_refused_row(feeding: Feeding) -> None:
    feeding.trades(trade(1, -110), trade(2, -50))
    feeding.trades(trade(3, -49) | {"id": None})
    [refused] = [each for each in feeding.events if isinstance(each, DataRefused)]
    freshness = Freshness()
    freshness.refuse(refused.kind, refused.reason)
    assert "price refused: row 0: id is null; it must be" in str(freshness.trouble)
