"""`vivienne markets` lists what an exchange has, over real sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from exchange_running import RunningExchange
from fake_exchange import DIALECTS, FakeMarket
from vivienne.commands import markets as command
from vivienne.commands import waiting
from vivienne.commands.main import main
from vivienne.market.feeds.exchange.adapter import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

BASES = ("BTC", "ETH", "PEPE", "SOL", "ADA", "DOGE", "1000PEPE")
QUOTES = {"kraken": "USD", "coinbase": "USD"}


@pytest.fixture(scope="module", params=DIALECTS)
def running(request: pytest.FixtureRequest) -> Iterator[RunningExchange]:
    """An exchange of each dialect, with more markets than one of Bybit's pages takes."""
    with RunningExchange(request.param, FakeMarket(BASES, past=2, ahead=2)) as exchange:
        yield exchange


def asked(running: RunningExchange, *words: str) -> Result:
    return CliRunner().invoke(main, ["markets", *running.at, *words])


def test_all_markets_are_listed_in_a_table_that_fits_a_terminal(running: RunningExchange) -> None:
    done = asked(running.healed())
    assert done.exit_code == 0, done.output
    header, *rows = done.output.splitlines()
    assert header.split() == ["ASSET", "SYMBOL", "QUOTE", "STATUS", "TICK", "SIZE"]
    assert {row.split()[0] for row in rows} == set(BASES)
    assert all(row.split()[2:] == [QUOTES.get(running.name, "USDT"), "trading", "0.01"] for row in rows)
    assert max(map(len, done.output.splitlines())) < 80


def test_a_search_finds_names_in_any_case_and_programs_get_a_document(running: RunningExchange) -> None:
    done = asked(running.healed(), "--search", "pepe", "--json")
    document: dict[str, Any] = json.loads(done.output)
    assert document["exchange"] == running.name
    assert {each["asset"] for each in document["markets"]} == {"PEPE", "1000PEPE"}
    assert {(each["status"], each["tick_size"]) for each in document["markets"]} == {("trading", 0.01)}


def test_what_is_waited_for_is_said_when_it_takes_a_while(
    running: RunningExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENT_SECONDS", 0.0)
    done = asked(running, "--json")
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("Waiting for the list of markets of ")
    assert json.loads(done.stdout)["markets"]


def test_where_nothing_fits_the_nearest_names_are_said(running: RunningExchange) -> None:
    done = asked(running.healed(), "--search", "pepee")
    assert done.exit_code == 1
    assert "has no market with 'pepee' in its name; near are PEPE" in done.output
    done = asked(running, "--search", "sol", "--quote", "gbp")
    assert "has no market with 'sol' in its name and GBP as its quote; near are SOL" in done.output


def test_contracts_have_a_column_and_lines_still_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    long = Instrument("1000000BABYDOGE-USDT-SWAP", "S", "1000000BABYDOGE", "USDT", 1e-10, 0.01, state="maintenance")
    inverse = Instrument("BTC-USD-SWAP", "S", "BTC", "USD", 0.1, 100.0, is_inverse=True)
    spot = Instrument("ETH-USD", "S", "ETH", "USD", 0.5)

    async def asked(_: object) -> list[Instrument]:
        return [long, inverse, spot]

    monkeypatch.setattr(command, "_asked", asked)
    done = CliRunner().invoke(main, ["markets", "--exchange", "okx-swap"])
    assert done.output.splitlines() == [
        "ASSET            SYMBOL                     QUOTE  STATUS       TICK SIZE     CONTRACT",
        "1000000BABYDOGE  1000000BABYDOGE-USDT-SWAP  USDT   maintenance  0.0000000001  0.01 1000000BABYDOGE",
        "BTC              BTC-USD-SWAP               USD    trading      0.1           100 USD",
        "ETH              ETH-USD                    USD    trading      0.5",
    ]


def test_a_block_by_country_is_said_once_with_what_to_do(running: RunningExchange) -> None:
    running.healed().exchange.faults.rest_status = 451
    done = asked(running)
    assert done.exit_code == 1
    assert "most often because of its country" in done.output
    assert "--exchange-url" in done.output


def test_what_is_wrong_with_the_options_is_said() -> None:
    for words, text in (
        ([], "--exchange NAME is missing; choose from binance,"),
        (["--exchange", "nyse"], "'nyse' is not known; choose from"),
        (["--exchange", "okx", "--exchange-url", "okx.com"], "must be a scheme and a host"),
    ):
        done = CliRunner().invoke(main, ["markets", *words])
        assert (done.exit_code, text in done.output) == (2, True), done.output
