"""A real market served: from the exchange's messages to states, charts and metrics."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fake_exchange import FakeExchange, FakeMarket
from measured import measured
from running import RunningServer, data
from vivienne.market.types import MINUTE_MS
from vivienne.metrics.families import FAMILIES

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
    assert ("USDT", 0.01) == (state["quote_currency"], state["tick_size"])
    [listed, _] = running.get("/phoenix/assets").json()["assets"]
    assert all(listed[name] == state[name] for name in ("exchange", "symbol", "quote_currency", "tick_size"))
    bars = running.get("/phoenix/assets/BTC/bars", limit=1_000).json()["bars"]
    assert 400 <= len(bars) <= 500
    assert bars[0]["source"] == "filled"
    assert bars[0]["quote_volume"] == pytest.approx(bars[0]["volume"] * bars[0]["close"], rel=0.1)
    assert "vivienne_exchange_connects_total 1.0" in running.get("/metrics").text
    # Alerts wait for an increase, which Prometheus sees only in what was there before; and for the duration of a bar.
    found = measured(running)
    assert [name for name in FAMILIES if name.startswith("vivienne_exchange_") and not found.labels(name)] == []
    assert found.value("vivienne_bar_duration_seconds") == 60.0


def test_a_symbol_that_is_not_there_is_said_in_its_state(running: RunningServer) -> None:
    with running.client() as client:
        while (state := data(client.state("NOPE", timeout=SECONDS)))["status"] != "stale":
            client.receive(SECONDS)

    assert "no market 'NOPE/USDT'" in state["status_reason"]
    assert ("exchange", 0.0, "idle") == (state["trouble"]["id"], state["position_size"], state["clarity_level"])
    assert ("Binance", None, "blocked") == (state["exchange"], state["symbol"], state["feed_status"])
    assert "no market" in running.get("/ready").json()["feeds"]["NOPE"]


def test_a_cut_connection_is_said_until_what_was_missed_is_there(
    running: RunningServer, exchange: FakeExchange
) -> None:
    with running.client() as client:
        while (state := data(client.state("BTC", timeout=SECONDS)))["feed_status"] != "connected":
            client.receive(SECONDS)
        assert state["data_delay"] >= 0.0
        assert 'vivienne_exchange_delay_seconds{asset="BTC"}' in running.get("/metrics").text

        asyncio.run_coroutine_threadsafe(gone_for_a_minute(exchange), exchange.loop)
        said, bar = list[dict[str, Any]](), None
        while bar is None or bar["source"] == "streamed" or said[-1]["feed_status"] != "connected":
            said.append(data(client.state("BTC", timeout=SECONDS)))
            bar = said[-1]["bar"] or bar
            client.receive(SECONDS)

    broken = next(one for one in said if one["feed_status"] != "connected")
    assert ("reconnecting", None) == (broken["feed_status"], broken["data_delay"])
    assert "Binance closed the connection" in broken["feed_status_reason"]
    assert bar["source"] == "filled"
    [*_, last] = running.get("/phoenix/assets/BTC/bars", limit=50).json()["bars"]
    assert last["source"] in ("streamed", "filled")


async def gone_for_a_minute(exchange: FakeExchange) -> None:
    """Stop until a minute of the market is over that nobody heard."""
    await exchange.stop()
    begin = exchange.market.now()
    while exchange.market.now() < begin + 2 * MINUTE_MS:  # noqa: ASYNC110  # its time is that of the clock
        await asyncio.sleep(0.05)
    await exchange.start()
