"""However many trades an exchange sends, in whatever order, so many are kept, and nothing takes long at once."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from exchange_trades import BEGIN, expected, made_trades
from exchange_watching import IMPATIENT, check, followed
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.feeds.base import MinuteClosed
from vivienne.market.feeds.exchange import ahead, minutes, open_minute, room
from vivienne.market.feeds.exchange.adapter import CandleSeen, Heard, NumberedTrade, Traded
from vivienne.market.feeds.exchange.from_trades import FromTrades
from vivienne.market.feeds.exchange.grace import GRACE_MS
from vivienne.market.feeds.exchange.minutes import MinuteBuilder
from vivienne.market.feeds.exchange.room import Room, TooManyTrades
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.market.feeds.exchange.adapter import StreamEvent

MOST = 100


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (minutes, room):
        monkeypatch.setattr(module, "MOST_TRADES", MOST)
    monkeypatch.setattr(minutes, "_ROOM_FOR", 10)


def trade(number: int, time: int, *, is_numbered: bool = True) -> NumberedTrade:
    return NumberedTrade(str(number), number if is_numbered else None, 1, Trade(time, 100.0 + number % 7, 1.0, True))


def begun(*, is_numbered: bool = True) -> MinuteBuilder:
    """A builder that has made a minute."""
    builder = MinuteBuilder(BEGIN, 42.0)
    builder.add([trade(1, BEGIN, is_numbered=is_numbered)])
    builder.end(BEGIN)
    assert list(builder.made())
    return builder


FLOODS: dict[str, Callable[[int], NumberedTrade]] = {
    "late": lambda number: trade(1_000 + 2 * number, BEGIN),
    "late without numbers": lambda number: trade(1_000 + number, BEGIN, is_numbered=False),
    "of one minute": lambda number: trade(2 + number, BEGIN + MINUTE_MS),
    "with holes": lambda number: trade(1_000 + 2 * number, BEGIN + MINUTE_MS),
    "of many minutes": lambda number: trade(1_000 + 2 * number, BEGIN + (1 + number % 1_000) * MINUTE_MS),
    "without numbers": lambda number: trade(1_000 + number, BEGIN + MINUTE_MS, is_numbered=False),
    "backwards": lambda number: trade(10**9 - number, BEGIN + MINUTE_MS),
    "backwards and late": lambda number: trade(10**9 - number, BEGIN),
    "the same ones, late": lambda number: trade(1_000 + 2 * (number % 50), BEGIN),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_of_all_trades_that_wait_so_many_are_kept(flood: str) -> None:
    """Or it is said that there are too many, and all of them are let go."""
    builder, send = begun(), FLOODS[flood]
    try:
        for number in range(0, 2_000, 20):
            builder.add(map(send, range(number, number + 20)))
            assert builder.kept <= MOST
            assert len(builder._ahead._firsts) <= MOST  # what it keeps is not to be seen from outside
    except TooManyTrades:
        assert builder.kept <= MOST + 1
    for _ in builder.let_go():
        pass
    assert builder.kept == 0


def test_trades_that_are_more_than_are_kept_are_left_out_and_their_minute_is_the_exchanges() -> None:
    splice = FromTrades(BEGIN, 42.0)
    splice.take(Traded("A", tuple(trade(1 + number, BEGIN) for number in range(MOST // 2))))
    splice.answer_trades([], is_whole=True, asked=BEGIN)
    assert splice.need() is None
    splice.take(Traded("A", tuple(trade(1 + number, BEGIN) for number in range(3 * MOST))))
    assert splice.left_out == 2 * MOST
    own = Candle(BEGIN, 100.0, 106.0, 100.0, 101.0, 300.0, 1.0, 300.0, 0.0)
    assert splice.take(CandleSeen("A", own, is_closed=True)) == [MinuteClosed(own, "filled")]
    later = splice.take(Traded("A", tuple(trade(301 + number, BEGIN + MINUTE_MS) for number in range(MOST // 2))))
    assert splice.left_out == 2 * MOST
    assert later


def test_all_instruments_together_keep_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_TRADES_TOGETHER", 3 * MOST)
    together = Room()
    builders = [MinuteBuilder(BEGIN, 42.0, room=together) for _ in range(6)]
    for number in range(MOST):
        for builder in builders:
            builder.add([trade(number, BEGIN)])
    assert 3 * MOST <= sum(each.kept for each in builders) <= 4 * MOST
    del builders[1:], builder  # their history was read again
    left = builders[0].left_out
    builders[0].add([trade(MOST, BEGIN)])
    assert builders[0].left_out == left


async def test_a_market_of_which_too_many_trades_wait_is_read_again_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        FakeExchange("okx", FakeMarket(("BTC", "ETH"), ahead=600, a_minute=3)) as exchange,
        followed(exchange, "okx", "BTC", "ETH", patience=replace(IMPATIENT, quiet=5.0, first=5.0)) as (
            feed,
            (btc, eth),
        ),
    ):
        await asyncio.gather(btc.until(2), eth.until(2))
        time = exchange.market.now() - 5 * MINUTE_MS
        for number in range(10**9, 10**9 + 3 * MOST, 2):
            row = {"instId": "ETH-USDT", "tradeId": str(number), "px": "1", "sz": "1", "side": "buy", "ts": str(time)}
            await exchange.tell(json.dumps({"arg": {"channel": "trades-all", "instId": "ETH-USDT"}, "data": [row]}))
        assert "more than 100 trades wait" in await eth.until_trouble("trades wait")
        await eth.wait(lambda: len(eth.histories) >= 2)
        await eth.until(len(eth.minutes) + 2)
        await btc.until(len(btc.minutes) + 1)
        assert (len(btc.histories), feed.followings["BTC"].overflows) == (1, 0)
        assert dict(feed.followings["ETH"].counts())["overflowed"] >= 1
        assert not [each for each in btc.troubles if each is not None]
    assert "ETH-USDT: more than 100 trades wait for others before them; its history is read again" in caplog.text


@pytest.mark.parametrize("is_numbered", [True, False])
async def test_trades_in_any_order_make_the_same_minutes_a_piece_at_a_time(
    is_numbered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_minute, "_SORTED", 7)
    monkeypatch.setattr(open_minute, "_PIECE", 5)
    monkeypatch.setattr(open_minute, "_PIECES", 1)
    monkeypatch.setattr(ahead, "_AT_ONCE", 3)
    monkeypatch.setattr(minutes, "MOST_TRADES", 1_000)
    trades = made_trades(3)
    sent = trades if is_numbered else [each._replace(number=None) for each in trades]
    # Without numbers those of one moment stay as they came.
    moved = random.Random(3).sample(sent, len(sent))  # noqa: S311
    moved = moved if is_numbered else sorted(moved, key=lambda each: (each.trade.time // 7_000, -each.trade.time))
    builder, found, pieces = MinuteBuilder(BEGIN, 99.0), list[Candle](), 0
    builder.interrupt()
    builder.cover(moved, is_whole=True)
    builder.hear(BEGIN + 8 * MINUTE_MS + GRACE_MS)
    found += builder.made()
    while builder.is_behind:
        found += builder.made()
        pieces += 1
    assert found == expected(trades, 99.0, 8)
    assert pieces > 50


def test_trades_out_of_order_cost_no_more_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a minute whose candle is there already, and is another one."""
    monkeypatch.setattr(minutes, "MOST_TRADES", 50_000)
    looked_at = 0

    def place(numbered: NumberedTrade) -> int:
        nonlocal looked_at
        looked_at += 1
        return numbered.number or 0

    monkeypatch.setattr(open_minute, "_place", place)
    splice = FromTrades(BEGIN, 42.0)
    splice.answer_trades([], is_whole=True)
    splice.take(Traded("A", tuple(trade(10_000 + number, BEGIN) for number in range(5_000))))
    splice.take(CandleSeen("A", Candle(BEGIN, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), is_closed=True))
    for number in range(5_000, 4_900, -1):
        splice.take(Traded("A", (trade(number, BEGIN),)))
    assert looked_at < 5_000


def test_an_open_minute_agrees_with_the_exchanges_candle_whatever_order_its_trades_came_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(minutes, "MOST_TRADES", 1_000)
    splice, trades = (
        FromTrades(BEGIN, 42.0, is_flagged=True),
        [trade(10 + number, BEGIN + number) for number in range(90)],
    )
    splice.answer_trades([], is_whole=True)
    for each in (trades[0], *random.Random(1).sample(trades[1:], len(trades) - 1)):  # noqa: S311
        splice.take(Traded("A", (each,)))
    worth = sum(each.trade.price for each in trades)
    own = Candle(BEGIN, trades[0].trade.price, 106.0, 100.0, trades[-1].trade.price, 90.0, worth, 90.0, 0.0)
    found = splice.take(CandleSeen("A", own, is_closed=True))
    while splice.is_behind:
        found += splice.go_on()
    assert found == [MinuteClosed(own, "streamed")]


async def test_a_minute_whose_trades_take_long_to_sort_closes_without_another_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(minutes, "MOST_TRADES", 1_000)
    monkeypatch.setattr(open_minute, "_SORTED", 2)
    monkeypatch.setattr(open_minute, "_PIECE", 1)
    monkeypatch.setattr(open_minute, "_PIECES", 1)
    async with (
        FakeExchange("bybit", FakeMarket(ahead=600, a_minute=9)) as exchange,
        followed(exchange, "bybit") as (_, (watching,)),
    ):
        exchange.faults.shuffles = True
        await watching.until(len(watching.minutes) + 8)
    check(watching, exchange.market, known_counts=False)


@pytest.mark.parametrize("is_whole", [True, False])
def test_an_answer_in_parts_is_as_good_as_one(is_whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minutes, "MOST_TRADES", 1_000)
    trades = made_trades(4)

    def splice() -> FromTrades:
        found = FromTrades(BEGIN, 99.0)
        found.take(Traded("A", tuple(trades[150:160])))
        return found

    whole, parts = splice(), splice()
    expected_events = whole.answer_trades(trades[20:170], is_whole=is_whole)
    events = [each for begin in range(20, 170, 30) for each in parts.answer_part(trades[begin : begin + 30])]
    events += parts.answer_trades([], is_whole=is_whole, span=(trades[20].trade.time, trades[169].trade.time))
    later: list[StreamEvent] = [Traded("A", tuple(trades[170:])), Heard(BEGIN + 9 * MINUTE_MS)]
    for each in later:
        expected_events += whole.take(each)
        events += parts.take(each)
    assert [each for each in events if isinstance(each, MinuteClosed)] == [
        each for each in expected_events if isinstance(each, MinuteClosed)
    ]
    assert whole.need() == parts.need()


def test_trades_of_a_minute_that_was_made_are_let_go_of_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minutes, "MOST_TRADES", 10_000)
    builder = MinuteBuilder(BEGIN, 99.0)
    builder.add(trade(number, BEGIN) for number in range(3_000))
    builder.add([trade(3_000, BEGIN + MINUTE_MS)])
    builder.end(BEGIN)
    while not list(builder.made()):
        assert builder.is_behind
    for number in range(1_000):
        before = builder.kept
        builder.add([trade(3_001 + number, BEGIN + (1 + number // 200) * MINUTE_MS)])
        list(builder.made())
        assert before - builder.kept <= 1
    assert builder.kept <= 3_000 - 990
