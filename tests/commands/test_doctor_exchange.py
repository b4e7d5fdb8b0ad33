"""`vivienne doctor --exchange` says what is wrong between this machine and an exchange, and what to do."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import ssl
import subprocess
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from exchange_running import RunningExchange
from exchange_watching import generous
from fake_exchange import DIALECTS, FakeExchange, FakeMarket
from vivienne.commands.diagnosis import Diagnosis
from vivienne.commands.exchange import Place
from vivienne.commands.exchange_diagnosis import Wanted, diagnose_exchange
from vivienne.commands.main import main
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 60.0
OPENSSL = shutil.which("openssl")
HOUR_MS = 3_600_000
NOT_TOLD = {
    "binance": "", "kraken": "; REST does not tell taker_buy_volume",
    "bybit": "; REST does not tell trade_count and taker_buy_volume",
    "okx": "; REST does not tell trade_count and taker_buy_volume",
    "coinbase": "; REST does not tell quote_volume and trade_count and taker_buy_volume",
}  # fmt: skip


async def looked(name: str, exchange: FakeExchange, **more: Any) -> list[str]:
    """The findings, level and text in one."""
    # Its time goes on with each message: to wait for a turn would take it hours.
    adapter, market = generous(name), exchange.market
    wanted = Wanted(
        asset="BTC", symbol=None, quote=adapter.quote, seconds=SECONDS, clock=market.now,
        patience=Patience(quiet=5.0, first=5.0, retry=0.01),
    )  # fmt: skip
    found = Diagnosis()
    await diagnose_exchange(found, Place(adapter, exchange.url), replace(wanted, **more))
    return [f"{level}: {text}" for level, text in found.findings]


def the(found: list[str], word: str) -> str:
    """The last finding with a word."""
    return next((text for text in reversed(found) if word in text), f"nothing of {word} in {found}")


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_good_exchange_is_seen_step_by_step_and_a_minute_agrees_with_rest(name: str) -> None:
    async with FakeExchange(name, FakeMarket()) as exchange:
        found = await looked(name, exchange)
    assert not [text for text in found if text.startswith("problem")], found
    steps = [text.partition(": ")[2].partition(":")[0].partition(" ")[0] for text in found]
    assert list(dict.fromkeys(steps)) == ["DNS", "Connection", "REST", "Clock", "Market", "History", "Stream", "Minute"]
    title = EXCHANGES[name].title
    assert title in the(found, "Clock")
    assert "BTC paid in USD" in the(found, "Market")
    assert "tick size 0.01, trading" in the(found, "Market")
    assert "of the last 10 minutes by REST" in the(found, "History")
    assert "messages a second" in the(found, "Stream")
    agreed = the(found, "Minute")
    assert agreed.startswith("ok: ")
    assert "nobody traded" in agreed or agreed.endswith(NOT_TOLD[name]), agreed


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_minute_that_differs_from_rest_is_noticed(name: str) -> None:
    market = FakeMarket()
    market.wrong = 0.5
    async with FakeExchange(name, market) as exchange:
        found = await looked(name, exchange)
    assert "volume is " in the(found, "problem")
    assert f"do not rely on {EXCHANGES[name].title}" in the(found, "problem")


@pytest.mark.parametrize(("ahead", "words"), [(HOUR_MS, " ahead of"), (-HOUR_MS, " behind")])
async def test_a_clock_that_is_an_hour_wrong_is_said_and_changes_nothing_else(ahead: int, words: str) -> None:
    market = FakeMarket()
    async with FakeExchange("kraken", market) as exchange:
        found = await looked("kraken", exchange, clock=lambda: market.now() + ahead)
    said = the(found, "Clock")
    # The exchange's clock is fast, and goes on while it answers.
    assert re.match(f"warning: Clock: this machine is 3,[56]\\d\\d s{words} Kraken", said), said
    assert "NTP" in the(found, "Clock")
    assert the(found, "Minute").startswith("ok: ")


async def test_a_time_that_no_clock_shows_is_refused_in_words() -> None:
    market = FakeMarket()
    market.rest_ahead = 10**16
    async with FakeExchange("kraken", market) as exchange:
        found = await looked("kraken", exchange)
    assert "Kraken sent an invalid time" in found[-1]


async def test_an_unknown_market_is_said_with_near_ones() -> None:
    async with FakeExchange("okx", FakeMarket(("BTC", "PEPE"))) as exchange:
        found = await looked("okx", exchange, asset="PEPEE")
    assert "problem: Market: there is no market 'PEPEE/USDT'; near are PEPE-USDT" in found[-1]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"status": 451}, "REST: Binance does not serve this address (HTTP 451), most often because of its country"),
        ({"rest_status": 404}, "REST: Binance answers 404 for /api/v3/time; is the host right (--exchange-url)?"),
        ({"rest_status": 503}, "REST: Binance answers 503; run this again in a minute"),
        ({"is_silent": True}, "The stream was not done within 2 s (--timeout)"),
        ({"stream_status": 451}, "Stream: Binance does not serve this address (HTTP 451), most often because"),
    ],
)
async def test_what_fails_is_said_with_what_to_do(faults: dict[str, Any], words: str) -> None:
    async with FakeExchange("binance", FakeMarket()) as exchange:
        for name, value in faults.items():
            setattr(exchange.faults, name, value)
        found = await looked("binance", exchange, seconds=SECONDS if "REST" in words else 2.0)
    assert found[-1].startswith(f"problem: {words}")


async def test_answers_that_are_refused_or_broken_in_the_middle_are_asked_for_again() -> None:
    async with FakeExchange("bybit", FakeMarket()) as exchange:
        exchange.faults.spoiled = ["429", "truncated", "cut"]
        found = await looked("bybit", exchange)
    assert the(found, "Minute").startswith("ok: ")


async def test_messages_that_cannot_be_read_are_counted() -> None:
    async with FakeExchange("kraken", FakeMarket()) as exchange:
        exchange.faults.garbage = ['{"channel": "what", "type": "update", "data": []}']
        found = await looked("kraken", exchange)
    assert "messages could not be read and were left out: channel is 'what'" in the(found, "left out")


async def test_a_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:pa55@127.0.0.1:{unused_port}")
    monkeypatch.setenv("NO_PROXY", "")
    found = await looked("binance", FakeExchange("binance", FakeMarket()), seconds=20.0)
    assert f"ok: Proxy: 127.0.0.1 is reached through http://***@127.0.0.1:{unused_port}" in found[0]
    assert found[-1].startswith("problem: REST: ")
    assert "pa55" not in " ".join(found)


@pytest.mark.skipif(OPENSSL is None, reason="it needs openssl")
async def test_a_certificate_is_shown_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
        "9", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
        str(certificate),
    ]  # fmt: skip
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with FakeExchange("kraken", FakeMarket(), tls) as exchange:
        found = await looked("kraken", exchange)
        assert "problem: 127.0.0.1:" in found[-1]
        assert "the certificate of Kraken was not accepted" in found[-1]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        found = await looked("kraken", exchange)
    assert re.search(r"TLS: 127\.0\.0\.1:\d+, TLSv1\.3, certificate valid until \w+ ", the(found, "TLS:"))
    assert the(found, "Minute").startswith("ok: ")


async def test_a_host_that_is_not_there_is_said(unused_port: int) -> None:
    found = Diagnosis()
    for url, words in (
        (f"http://127.0.0.1:{unused_port}", "cannot be reached"),
        ("https://no-such-host.invalid", "cannot be resolved; is there a network, and does it need a proxy"),
    ):
        wanted = Wanted(asset="BTC", symbol=None, quote="USDT", seconds=SECONDS)
        await diagnose_exchange(found, Place(EXCHANGES["binance"], url), wanted)
        level, text = found.findings[-1]
        assert (level, words in text) == ("problem", True), text


def test_the_command_prints_findings_and_ends_with_the_code(tmp_path: Path) -> None:
    with RunningExchange("binance", FakeMarket()) as exchange:
        bundle = tmp_path / "b.zip"
        done = CliRunner().invoke(main, ["doctor", *exchange.at, "--bundle", str(bundle)])
        assert done.exit_code == 0, done.output
        assert "ok       Market: BTCUSDT, BTC paid in USDT, tick size 0.01, trading" in done.output
        assert "the stream and REST agree in open, high, low, close, volume, quote_volume" in done.output
        with zipfile.ZipFile(bundle) as archive:
            assert {"machine.json", "history.json", "minute.json"} < set(archive.namelist())
        done = CliRunner().invoke(main, ["doctor", *exchange.at, "--symbol", "NOPE", "--json"])
        assert done.exit_code == 1
        last = json.loads(done.stdout)[-1]
        assert (last["level"], "there is no market 'NOPE'" in last["text"]) == ("problem", True)
    done = CliRunner().invoke(main, ["doctor", "--exchange", "nyse"])
    assert (done.exit_code, "choose from binance" in done.output) == (2, True)
