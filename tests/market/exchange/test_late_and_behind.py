"""Trades that come late, and answers that are behind the stream: no minute is wrong for good, or made wrong."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from exchange_watching import CLOCK_CLOSES, QUIETLY, SECONDS, check, followed, is_like, until
from fake_exchange import DIALECTS, FakeExchange, FakeMarket
from vivienne.market.feeds.exchange import unconfirmed
from vivienne.market.feeds.exchange.adapter import HistoryRow, Instrument
from vivienne.market.feeds.exchange.grace import GRACE_MS, MOST_GRACE_MS, Grace
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.unconfirmed import Unconfirmed
from vivienne.market.types import MINUTE_MS, Candle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from exchange_watching import Watching
    from vivienne.market.feeds.exchange.feed import ExchangeFeed

BEGIN = 1_760_000_400_000


@asynccontextmanager
async def followed_quietly(name: str, market: FakeMarket) -> AsyncIterator[tuple[FakeExchange, ExchangeFeed, Watching]]:
    """An exchange, and a feed that follows BTC there."""
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, patience=QUIETLY) as (feed, (watching,)),
    ):
        yield exchange, feed, watching


def count(feed: ExchangeFeed, kind: str) -> int:
    return dict(feed.followings["BTC"].counts())[kind]


@pytest.mark.parametrize("name", ["binance", "binance-futures"])
async def test_minutes_of_an_outage_are_whole_though_answers_are_behind_the_stream(name: str) -> None:
    market = FakeMarket(ahead=300, a_minute=60)
    market.answers_ahead = -50_000
    async with followed_quietly(name, market) as (exchange, _, watching):
        for _round in range(3):
            await watching.until(len(watching.minutes) + 1)
            await exchange.leave_for_a_minute()
            await watching.until(len(watching.minutes) + 3)
        check(watching, market)
        assert any(each.source == "filled" for each in watching.minutes)


@pytest.mark.parametrize("name", ["binance", "bybit"])
async def test_minutes_that_were_asked_for_are_compared_later(name: str) -> None:
    market = FakeMarket(ahead=600, a_minute=60)  # so many that Bybit cannot give all
    patience = replace(QUIETLY, settled=0.2)
    async with FakeExchange(name, market) as exchange, followed(exchange, name, patience=patience) as (_, (watching,)):
        await watching.until(2)
        market.wrong = 5.0
        before = len(watching.minutes)
        await exchange.leave_for_a_minute()
        await watching.wait(lambda: any(each.source == "filled" for each in watching.minutes[before:]))
        market.wrong = 0.0
        filled = [each.candle for each in watching.minutes[before:] if each.source == "filled"]
        await watching.wait(lambda: any(each.was in filled for each in watching.corrections))
        found = next(each for each in watching.corrections if each.was in filled)
        assert found.candle.volume == pytest.approx(found.was.volume - 5)


@pytest.mark.parametrize("name", DIALECTS)
async def test_answers_that_are_behind_the_stream_correct_nothing(name: str) -> None:
    market = FakeMarket(ahead=300, a_minute=60)
    async with followed_quietly(name, market) as (_, feed, watching):
        await watching.until(1)
        market.answers_ahead = -60_000
        await watching.until(15)
        assert watching.corrections == []
        check(watching, market, known_counts=name != "bybit")
        market.answers_ahead = 0
        made = feed.followings["BTC"].made
        first = watching.minutes[-1].candle.open_time
        await watching.wait(lambda: (made.unconfirmed.span() or (first + 1, 0))[0] > first)
        assert (made.mismatches, count(feed, "unconfirmed")) == (0, 0), "all minutes were confirmed"


@pytest.mark.parametrize("name", ["binance", "coinbase"])
async def test_a_minute_that_was_corrected_wrongly_is_corrected_again(name: str) -> None:
    market = FakeMarket(ahead=600)
    async with followed_quietly(name, market) as (_exchange, _feed, watching):
        await watching.until(1)
        market.wrong = 5.0
        await watching.wait(lambda: len(watching.corrections) >= 1)
        market.wrong = 0.0
        wrong = watching.corrections[0]
        await watching.wait(lambda: any(each.was == wrong.candle for each in watching.corrections))
        found = next(each for each in watching.corrections if each.was == wrong.candle)
        assert found.candle.volume == pytest.approx(wrong.was.volume)


@pytest.mark.parametrize("name", CLOCK_CLOSES)
async def test_trades_that_come_late_are_waited_for(name: str) -> None:
    market = FakeMarket(ahead=300, a_minute=60)
    async with followed_quietly(name, market) as (exchange, feed, watching):
        await watching.until(1)
        exchange.faults.late, exchange.faults.no_candles = 5_000, {"BTC"}
        await watching.until(15)
        wrong = [
            each for each in watching.minutes[3:]
            if not is_like(each, *market.minutes("BTC", each.candle.open_time, each.candle.open_time + MINUTE_MS))
        ]  # fmt: skip
        assert wrong == []
        assert {each.source for each in watching.minutes} == {"streamed"}
        assert count(feed, "mismatched") <= 2


@pytest.mark.parametrize("name", CLOCK_CLOSES)
async def test_trades_that_come_too_late_have_their_minute_compared_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unconfirmed, "_EVERY_MINUTES", 10**9)  # minutes are compared for no other reason
    market = FakeMarket(ahead=600, a_minute=60)
    async with followed_quietly(name, market) as (exchange, feed, watching):
        await watching.until(1)
        exchange.faults.late, exchange.faults.no_candles = 2 * MOST_GRACE_MS, {"BTC"}
        with caplog.at_level(logging.WARNING):
            await watching.wait(lambda: len(watching.corrections) >= 2)
        for each in watching.corrections:
            minute = each.candle.open_time
            (whole,) = market.minutes("BTC", minute, minute + MINUTE_MS)
            assert each.candle.volume == pytest.approx(whole.volume)
            assert each.candle.close == whole.close
        assert count(feed, "late") >= 2
        assert any("came after it was closed" in each.getMessage() for each in caplog.records)


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_block_of_answers_alone_is_said_and_rests_while_data_goes_on(name: str) -> None:
    market = FakeMarket(("BTC", "ETH"), ahead=600)
    patience = replace(QUIETLY, slow=10 * SECONDS)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, "BTC", "ETH", patience=patience) as (feed, (btc, eth)),
    ):
        for each in (btc, eth):
            await each.until(8)  # both were compared
        exchange.faults.rest_status = 451
        before = exchange.asked
        await btc.wait(lambda: feed.contact("BTC").reason is not None)
        for asset in ("BTC", "ETH"):
            assert feed.contact(asset).state == "connected"
            assert "country" in str(feed.contact(asset).reason)
        await btc.until(len(btc.minutes) + 12)
        assert exchange.asked == before + 1, "it rests"
        assert [each for each in btc.troubles + eth.troubles if each is not None] == []


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_a_block_of_answers_alone_is_over_once_they_come_again(name: str) -> None:
    market = FakeMarket(ahead=600)
    async with followed_quietly(name, market) as (exchange, feed, watching):
        await watching.until(2)
        exchange.faults.rest_status = 451
        await watching.wait(lambda: feed.contact("BTC").reason is not None)
        exchange.faults.rest_status = 0
        await until(lambda: feed.contact("BTC").reason is None)
        await watching.until(len(watching.minutes) + 2)
        check(watching, market)


def test_the_grace_grows_with_what_is_late_and_shrinks_again() -> None:
    grace = Grace()
    grace.see(BEGIN - MOST_GRACE_MS)
    assert grace.milliseconds == GRACE_MS, "without a clock nothing is late"
    grace.hear(BEGIN)
    grace.see(BEGIN + 5_000)
    assert grace.milliseconds == GRACE_MS
    grace.see(BEGIN - 3_000)
    assert 3_000 < grace.milliseconds <= 5_000
    grace.see(BEGIN - 15_000)
    assert grace.milliseconds == MOST_GRACE_MS
    grace.see(BEGIN - 60 * MINUTE_MS)
    assert grace.milliseconds == MOST_GRACE_MS
    grace.hear(BEGIN + 10 * MINUTE_MS)
    assert grace.milliseconds == MOST_GRACE_MS
    grace.hear(BEGIN + 16 * MINUTE_MS)
    assert grace.milliseconds == GRACE_MS


def _row(minute: int, volume: float) -> HistoryRow:
    return HistoryRow(Candle(BEGIN + minute * MINUTE_MS, 1, 1, 1, 1, volume, volume, 1, 1), None)


def test_a_minute_is_looked_at_a_bounded_number_of_times() -> None:
    waiting = Unconfirmed(EXCHANGES["binance"], Instrument("A", "A", "A", "B", 0.1))
    waiting.add(_row(0, 1.0).candle)
    soon = 0
    for look in range(100):
        assert waiting.compare([_row(0, 2.0 + look), _row(1, 1.0)]) == []
        soon += waiting.is_open
    assert waiting.span() is None
    assert waiting.left == 1
    assert soon <= 12


def test_two_answers_without_a_later_minute_correct_nothing_yet() -> None:
    waiting = Unconfirmed(EXCHANGES["binance"], Instrument("A", "A", "A", "B", 0.1))
    waiting.add(_row(0, 3.0).candle)
    for _ in range(2):
        assert waiting.compare([_row(0, 2.0)]) == []
        assert waiting.is_open
    assert waiting.compare([_row(0, 3.0), _row(1, 1.0)]) == []
    assert waiting.span() is None


def test_quiet_minutes_after_one_that_was_corrected_have_its_close() -> None:
    """An exchange that has no candle of them confirms none."""
    waiting = Unconfirmed(EXCHANGES["coinbase"], Instrument("A", "A", "A", "B", 0.1))
    wrong = _row(0, 3.0).candle
    quiet = [_row(minute, 0.0).candle for minute in (1, 2)]
    for each in (wrong, *quiet):
        waiting.add(each)
    right = HistoryRow(wrong._replace(close=7.0, volume=4.0), None)
    answer = [right, _row(3, 1.0)]
    assert waiting.compare(answer) == []
    found = waiting.compare(answer)
    assert [each.was for each in found] == [wrong, *quiet]
    assert [each.candle.close for each in found] == [7.0, 7.0, 7.0]
    assert {each.candle.open for each in found[1:]} == {7.0}
    assert waiting.compare(answer) == []
    assert waiting.span() is None
    assert waiting.left == 0
