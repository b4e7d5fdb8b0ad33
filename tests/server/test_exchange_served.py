"""A real market served: from the exchange's messages to states, charts and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from exchange_running import RunningExchange
from fake_exchange import FakeMarket
from measured import measured
from running import RunningServer, data
from vivienne.metrics.families import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60.0


@pytest.fixture(scope="module")
def exchange() -> Iterator[RunningExchange]:
    """An exchange at which twenty minutes pass in a minute."""
    with RunningExchange("binance", FakeMarket(("BTC", "ETH"), pace=20.0, past=400)) as made:
        yield made


@pytest.fixture(scope="module")
def running(exchange: RunningExchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ["--feed", "exchange", *exchange.at, "--timeframe", "1m"]
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
    running: RunningServer, exchange: RunningExchange
) -> None:
    with running.client() as client:
        while (state := data(client.state("BTC", timeout=SECONDS)))["feed_status"] != "connected":
            client.receive(SECONDS)
        assert state["data_delay"] >= 0.0
        assert 'vivienne_exchange_delay_seconds{asset="BTC"}' in running.get("/metrics").text

        exchange.soon(exchange.exchange.leave_for_a_minute())
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
