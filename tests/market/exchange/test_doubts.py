"""Data that one subscription lacks, though its connection is there: it is noticed, said, and subscribed anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange_watching import IMPATIENT, SECONDS, followed, until
from fake_exchange import FakeExchange, FakeMarket
from vivienne.market.types import MINUTE_MS

PATIENT = replace(IMPATIENT, quiet=1.0, first=5.0, slow=10 * SECONDS)


@pytest.mark.parametrize("name", ["coinbase", "kraken"])
async def test_a_doubt_reaches_every_connection_that_is_open(name: str) -> None:
    assets = ("BTC", "ETH", "SOL")
    market = FakeMarket(assets, ahead=2_000)
    async with (
        FakeExchange(name, market) as exchange,
        followed(exchange, name, *assets, patience=PATIENT) as (_, all_watching),
    ):
        for watching in all_watching:
            await watching.until(2)
        exchange.faults.mute = set(assets)
        for watching in all_watching:
            await watching.until_trouble("lacks trades")
        doubted = market.now()
        await until(lambda: market.now() > doubted + MINUTE_MS)
        closed = [len(watching.minutes) for watching in all_watching]
        await until(lambda: market.now() > doubted + 10 * MINUTE_MS)
        assert [len(watching.minutes) for watching in all_watching] == closed, "minutes without their trades"
        exchange.faults.mute = set()
        for watching, count in zip(all_watching, closed, strict=True):
            await watching.until(count + 2)
            assert watching.troubles[-1] is None
