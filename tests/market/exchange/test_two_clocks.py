"""Where the answers of an exchange and its stream have different clocks, that is noticed, and nothing is made up."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from exchange_watching import IMPATIENT, followed, until
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.types import MINUTE_MS

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
    market = FakeMarket(ahead=600)
    patience = replace(PATIENT, retry=0.002)
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
