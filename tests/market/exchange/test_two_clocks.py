"""Where the answers of an exchange and its stream have different clocks, that is noticed, and nothing is made up."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from exchange_watching import IMPATIENT, followed, until
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.feeds.exchange.adapter import Heard
from vivienne.market.types import MINUTE_MS

_PACE = 120.0
PATIENT = replace(IMPATIENT, quiet=5.0, first=5.0)


@pytest.mark.parametrize("name", ["binance", "okx"])
async def test_answers_that_are_an_hour_ahead_of_the_stream_are_not_believed(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    market = FakeMarket(ahead=600)
    market.answers_ahead = 60 * MINUTE_MS
    caplog.set_level(logging.WARNING)
    async with FakeExchange(name, market) as exchange, followed(exchange, name, patience=PATIENT) as (_, (watching,)):
        assert "ahead of its stream" in await watching.until_trouble("ahead of its stream")
        await watching.wait(lambda: len(watching.histories) == 2)
        bars = watching.histories[1].history.bars
        assert bars is not None
        assert int(bars.open_time[-1]) < market.now()
        market.answers_ahead = 0
        place = next(place for place, each in enumerate(watching.events) if each is watching.histories[1])
        watching.events = watching.events[place:]
        await watching.until(3)
        assert [each.candle.open_time for each in watching.minutes[:3]] == [
            int(bars.open_time[-1]) + count * MINUTE_MS for count in (1, 2, 3)
        ]
    assert "ahead of its stream" in caplog.text


@pytest.mark.parametrize("name", ["okx", "kraken"])
async def test_trades_that_are_later_than_the_stream_are_refused(name: str) -> None:
    # What it answers can be told to be late only where its clock goes as fast as the feed thinks, however busy the
    # machine is: the latest time that is believed goes on while nothing comes.
    market = FakeMarket(ahead=600, pace=_PACE)
    patience = replace(PATIENT, retry=0.002, pace=_PACE)
    async with FakeExchange(name, market) as exchange, followed(exchange, name, patience=patience) as (_, (watching,)):
        await watching.until(2)
        market.answers_ahead = 60 * MINUTE_MS
        exchange.faults.lose = 7
        said = await watching.until_trouble("its history is read again")
        assert "a time that is later than its clock" in said
        assert watching.minutes[-1].candle.open_time <= market.now()


async def test_messages_that_are_later_than_the_time_it_says_are_the_reason_why_there_are_none() -> None:
    market = FakeMarket(ahead=600)
    market.rest_ahead = -60 * MINUTE_MS
    async with FakeExchange("bybit", market) as exchange, followed(exchange, "bybit") as (feed, (watching,)):
        await watching.wait(lambda: len(watching.histories) == 1)
        await until(lambda: "later than the time that it says" in (feed.contact("BTC").reason or ""))
        assert watching.minutes == []


@pytest.mark.parametrize("name", ["binance", "okx"])
async def test_after_a_leap_of_days_the_history_is_read_again(name: str) -> None:
    async with (
        FakeExchange(name, FakeMarket(ahead=600)) as exchange,
        followed(exchange, name, patience=PATIENT) as (feed, (watching,)),
    ):
        await watching.until(2)
        feed.followings["BTC"].take(Heard(exchange.market.now() + 200 * 1_440 * MINUTE_MS))
        said = await watching.until_trouble("minutes of BTC")
        assert "are missing; its history is read again" in said
        assert said.split(": ")[1].startswith("28")  # thousands of minutes
        await watching.wait(lambda: len(watching.histories) == 2)
        place = next(place for place, each in enumerate(watching.events) if each is watching.histories[1])
        watching.events = watching.events[place:]
        await watching.until(2)
        assert not [each for each in watching.minutes if each.source == "incomplete"]
