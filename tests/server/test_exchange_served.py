"""A real market served: from the exchange's messages to states, charts and metrics."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from fake_exchange import FakeExchange, FakeMarket
from running import RunningServer, data

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    """An exchange in a thread of its own, at which twenty minutes pass in a minute."""
    market = FakeMarket(("BTC", "ETH"), pace=20.0, past=400)
    is_there, is_over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    made = FakeExchange("binance", market)

    async def serve() -> None:
        async with made:
            is_there.set()
            await is_over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert is_there.wait(SECONDS)
    yield made
    loop.call_soon_threadsafe(is_over.set)
    thread.join(SECONDS)
    loop.close()


@pytest.fixture(scope="module")
def running(exchange: FakeExchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ["--feed", "exchange", "--exchange", "binance", "--exchange-url", exchange.url, "--timeframe", "1m"]
    with RunningServer(*flags, "--assets", "BTC,NOPE", db=tmp_path_factory.mktemp("exchange") / "v.db") as server:
        yield server


def test_states_name_the_exchange_and_the_symbol(running: RunningServer) -> None:
    with running.client() as client:
        while (state := data(client.state("BTC", timeout=SECONDS)))["status"] != "live":
            client.receive(SECONDS)

    assert ("exchange", "Binance", "BTCUSDT") == (state["feed"], state["exchange"], state["symbol"])
    bars = running.get("/phoenix/assets/BTC/bars", limit=1_000).json()["bars"]
    assert 400 <= len(bars) <= 500
    assert "vivienne_exchange_connects_total 1.0" in running.get("/metrics").text


def test_a_symbol_that_is_not_there_is_said_in_its_state(running: RunningServer) -> None:
    with running.client() as client:
        while (state := data(client.state("NOPE", timeout=SECONDS)))["status"] != "stale":
            client.receive(SECONDS)

    assert "no market 'NOPE/USDT'" in state["status_reason"]
    assert ("exchange", 0.0, "idle") == (state["trouble"]["id"], state["position_size"], state["clarity_level"])
    assert "no market" in running.get("/ready").json()["feeds"]["NOPE"]
