"""`vivienne download` over real sockets: what an exchange has, however often it is interrupted, for a replay."""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from exchange_running import RunningExchange
from fake_exchange import BEGIN, DIALECTS, FakeMarket, same
from running import RunningServer, data, without_settings
from vivienne.commands.main import main
from vivienne.market.feeds.exchange import patience
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.files import read_market_file
from vivienne.market.types import MINUTE_MS, Candle
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

FROM, TO = BEGIN - 200 * MINUTE_MS, BEGIN - 20 * MINUTE_MS
MARKET = FakeMarket(past=540, ahead=2, pace=0.01)
WITHOUT_COUNTS = ("bybit", "okx", "coinbase")
ENDINGS = {"binance": ".csv.gz", "bybit": ".parquet", "okx": ".csv", "kraken": ".parquet", "coinbase": ".csv.gz"}
SECONDS = 60.0


@pytest.fixture(scope="module", params=DIALECTS)
def each(request: pytest.FixtureRequest) -> Iterator[RunningExchange]:
    """An exchange of each dialect."""
    with RunningExchange(request.param, MARKET) as exchange:
        yield exchange


@pytest.fixture(scope="module")
def module_binance() -> Iterator[RunningExchange]:
    with RunningExchange("binance", MARKET) as exchange:
        yield exchange


@pytest.fixture
def binance(module_binance: RunningExchange, monkeypatch: pytest.MonkeyPatch) -> RunningExchange:
    """Binance with small pages, without faults; errors that pass are tried again at once."""
    monkeypatch.setattr(EXCHANGES["binance"], "history_rows", 50)
    monkeypatch.setattr(patience, "full_jitter", lambda *_: 0.0)
    return module_binance.healed()


def words(running: RunningExchange, file: Path, **more: Any) -> list[str]:
    given = {"asset": "BTC", "from": iso(FROM), "to": iso(TO), **more}
    return [
        "download",
        *running.at,
        *(word for name, value in given.items() for word in (f"--{name}", value)),
        str(file),
    ]


def downloaded(running: RunningExchange, file: Path, *flags: str, **more: Any) -> Result:
    return CliRunner().invoke(main, [*words(running, file, **more), *flags])


def expected(name: str, begin: int = FROM, end: int = TO) -> list[Candle]:
    """What an exchange has of its minutes."""
    found = []
    for candle in MARKET.minutes("BTC", begin, end):
        known = candle
        if name in WITHOUT_COUNTS and not (name == "coinbase" and candle.volume == 0):
            known = known._replace(trade_count=math.nan)
        if (name != "binance" and candle.volume > 0) or name in ("bybit", "okx"):
            known = known._replace(taker_buy_volume=math.nan)
        if name == "coinbase":
            mean = (candle.open + candle.high + candle.low + candle.close) / 4
            known = known._replace(quote_volume=candle.volume * mean)
        found.append(known)
    return [candle for candle in found if name != "coinbase" or candle.volume > 0]


def check(file: Path, wanted: list[Candle]) -> None:
    candles = list(read_market_file(file))
    assert [getattr(candle, "open_time", None) for candle in candles] == [candle.open_time for candle in wanted]
    for mine, theirs in zip(candles, wanted, strict=True):
        assert isinstance(mine, Candle)
        assert same(mine._replace(quote_volume=0), theirs._replace(quote_volume=0)), (mine, theirs)
        # Kraken tells the mean price.
        assert mine.quote_volume == pytest.approx(theirs.quote_volume, rel=1e-12)


def test_a_file_has_what_the_exchange_has_and_unknown_columns_are_empty(each: RunningExchange, tmp_path: Path) -> None:
    # A format for each dialect; every one of them has each.
    file = tmp_path / f"a{ENDINGS[each.name]}"
    done = downloaded(each.healed(), file, "--json")
    assert done.exit_code == 0, done.output
    wanted = expected(each.name)
    check(file, wanted)
    document = json.loads(done.stdout)
    assert (document["rows"], document["from"], document["to"]) == (len(wanted), iso(FROM), iso(TO))
    missing = sum(hole["minutes"] for hole in document["missing"])
    assert missing == 180 - len(wanted)
    assert (f"has no candles for {missing} minutes of that time" in done.stderr) == (each.name == "coinbase")
    assert ("trade_count" in document["unknown"]) == (each.name in WITHOUT_COUNTS)
    assert list(tmp_path.iterdir()) == [file]


def test_the_candle_that_is_open_is_not_written(each: RunningExchange, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    done = downloaded(each.healed(), file, to="2040-01-01", interval="5m", **{"from": iso(BEGIN - 60 * MINUTE_MS)})
    assert done.exit_code == 0, done.output
    rows = file.read_text().splitlines()[1:]
    opened = [int(row.split(",")[0]) for row in rows]
    # At Coinbase no trade tells yet that the last one is over.
    last = 1 if each.name == "coinbase" else 0
    assert opened == [BEGIN - 5 * count * MINUTE_MS for count in range(12, last, -1)]
    inspected = CliRunner().invoke(main, ["inspect", str(file)])
    assert inspected.output.startswith(f"{file}: candles, 5 minutes, Vivienne, {len(rows)} rows")
    assert "left out" not in inspected.output


def test_a_candle_of_which_answers_lack_the_end_is_not_written(
    each: RunningExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its minute is over by the clock of the exchange, and what has the candles is ten seconds behind that."""
    monkeypatch.setattr(MARKET, "answers_ahead", -10_000)
    monkeypatch.setattr(MARKET, "rest_ahead", 10_000)
    file, begin = tmp_path / "a.csv", BEGIN - 60 * MINUTE_MS
    done = downloaded(each.healed(), file, to="2040-01-01", **{"from": iso(begin)})
    assert done.exit_code == 0, done.output
    check(file, expected(each.name, begin, BEGIN - MINUTE_MS))


def test_refusals_and_broken_answers_in_the_middle_change_nothing(
    binance: RunningExchange, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    binance.exchange.faults.spoiled = ["", "429", "truncated", "cut", ""]
    file = tmp_path / "a.csv"
    assert downloaded(binance, file).exit_code == 0
    assert binance.exchange.faults.spoiled == []
    assert "Binance got too many requests; the next request waits 1 s" in caplog.text
    check(file, expected("binance"))


def test_an_exchange_that_is_gone_is_said_and_the_same_command_goes_on(
    binance: RunningExchange, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv.gz"
    binance.exchange.faults.spoiled = ["", "", *["cut"] * 5]
    done = downloaded(binance, file)
    assert done.exit_code == 75
    assert "Binance cannot be reached" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv.gz.part"]
    with (tmp_path / "a.csv.gz.part").open("a") as part:
        part.write("1759988460000,101.35,1")  # as if it had ended within a row
    binance.exchange.requests.clear()
    done = downloaded(binance, file)
    assert done.exit_code == 0, done.output
    assert "has 100 of them already" in done.stderr
    assert "22 bytes at its end were not whole rows" in done.stderr
    assert len([path for path in binance.exchange.requests if path.endswith("klines")]) == 2
    check(file, expected("binance"))
    assert list(tmp_path.iterdir()) == [file]


def test_a_killed_download_goes_on(binance: RunningExchange, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    binance.exchange.faults.spoiled = ["", *["429"] * 100]
    command = [sys.executable, "-m", "vivienne", *words(binance, file, **{"from": iso(BEGIN - 280 * MINUTE_MS)})]
    patched = "import sys; from vivienne.market.feeds.exchange.binance import Binance; Binance.history_rows = 50; "
    command[1:3] = ["-c", f"{patched} from vivienne.commands.main import main; main(sys.argv[1:])"]
    running = subprocess.Popen(command, env=without_settings(), stderr=subprocess.DEVNULL)
    part = tmp_path / "a.csv.part"
    deadline = time.monotonic() + SECONDS
    while not part.exists() or part.read_text().count("\n") < 52:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait(SECONDS)
    assert not file.exists()
    done = downloaded(binance.healed(), file, **{"from": iso(BEGIN - 280 * MINUTE_MS)})
    assert done.exit_code == 0, done.output
    assert "has 50 of them already" in done.stderr
    check(file, expected("binance", BEGIN - 280 * MINUTE_MS))


def test_a_row_that_is_wrong_and_those_after_it_are_asked_for_again(binance: RunningExchange, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    binance.exchange.faults.spoiled = ["", "", "", *["cut"] * 5]
    assert downloaded(binance, file).exit_code == 75
    part = tmp_path / "a.csv.part"
    lines = part.read_text().splitlines(keepends=True)
    lines[40] = "\0" * len(lines[40])
    part.write_text("".join(lines))
    done = downloaded(binance, file)
    assert "has 38 of them already" in done.stderr
    check(file, expected("binance"))


def test_a_part_without_its_header_is_begun_anew(binance: RunningExchange, tmp_path: Path) -> None:
    file, part = tmp_path / "a.csv", tmp_path / "a.csv.part"
    binance.exchange.faults.spoiled = ["", *["cut"] * 5]
    downloaded(binance, file)
    lines = part.read_text().splitlines(keepends=True)
    for text in (lines[0], lines[0][:20], "", lines[0] + lines[1][:9], lines[0] + lines[2]):
        part.write_text(text)
        assert downloaded(binance, file).exit_code == 0
        check(file, expected("binance"))
        file.unlink()


def test_another_download_is_not_overwritten(binance: RunningExchange, tmp_path: Path) -> None:
    file, part = tmp_path / "a.csv", tmp_path / "a.csv.part"
    binance.exchange.faults.spoiled = ["", *["cut"] * 5]
    downloaded(binance, file)
    for more in ({"interval": "5m"}, {"from": iso(FROM + MINUTE_MS)}):
        done = downloaded(binance, file, **more)
        assert done.exit_code == 2
        assert 'is the beginning of another download ({"exchange": "binance", "symbol": "BTCUSDT"' in done.output
    with part.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = downloaded(binance, file)
        assert (done.exit_code, "Another process downloads into" in done.output) == (75, True)
    done = downloaded(binance, file, to=iso(FROM + 10 * MINUTE_MS))
    assert (done.exit_code, "later than --to" in done.output) == (2, True)
    file.write_text("mine")
    done = downloaded(binance, file)
    assert (done.exit_code, "is there already and is not overwritten" in done.output) == (2, True)
    assert file.read_text() == "mine"
    assert part.exists()


@pytest.mark.parametrize(
    ("more", "name", "said"),
    [
        ({"asset": "BTCC"}, "a.csv", "Binance: there is no market 'BTCC/USDT'; near are BTCUSDT"),
        ({"asset": ""}, "a.csv", "--asset NAME is missing"),
        ({"from": "yesterday"}, "a.csv", "--from 'yesterday' is not a time; give one such as 2026-01-01"),
        ({"to": iso(FROM)}, "a.csv", "There is no whole candle of 1m from"),
        ({"from": "2039-01-01", "to": "2040-01-01"}, "a.csv", "it is 2025-10-09T09:00"),
        ({}, "a.json", "must end with .csv, .csv.gz or .parquet"),
        ({}, "no/a.csv", "is not a folder"),
        ({"from": "2001-01-01", "to": "2001-01-02"}, "a.csv", "Binance has no candles of BTCUSDT from 2001-01-01"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    binance: RunningExchange, tmp_path: Path, more: dict[str, str], name: str, said: str
) -> None:
    done = downloaded(binance, tmp_path / name, **more)
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_what_another_user_put_beside_the_file_is_neither_written_through_nor_taken_for_its_beginning(
    binance: RunningExchange, tmp_path: Path
) -> None:
    file, victim = tmp_path / "a.csv", tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / "a.csv.part.new").symlink_to(victim)
    assert downloaded(binance, file).exit_code == 0
    assert (victim.read_text(), file.is_symlink()) == ("theirs", False)
    file.unlink()
    if os.geteuid() == 0:  # only the superuser can make files of another user
        part = tmp_path / "a.csv.part"
        part.touch()
        os.chown(part, 12_345, 12_345)
        done = downloaded(binance, file)
        assert (done.exit_code, f"{part} belongs to another user" in done.output) == (2, True)


def test_a_full_disk_is_said_and_the_same_command_goes_on(
    binance: RunningExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "a.csv"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        done = downloaded(binance, file)
    assert (done.exit_code, "The disk is full" in done.output) == (75, True)
    assert downloaded(binance, file).exit_code == 0
    check(file, expected("binance"))


def test_a_market_that_began_later_is_not_searched_page_by_page(binance: RunningExchange, tmp_path: Path) -> None:
    done = downloaded(binance, tmp_path / "a.csv", "--json", **{"from": "2025-08-01"})
    assert done.exit_code == 0, done.output
    assert len(binance.exchange.requests) < 20
    document = json.loads(done.stdout)
    assert len(document["missing"]) == 1
    assert document["rows"] == 520


def test_a_block_by_country_is_said_and_can_be_waited_for_by_nobody(binance: RunningExchange, tmp_path: Path) -> None:
    binance.exchange.faults.rest_status = 451
    done = downloaded(binance, tmp_path / "a.csv")
    assert (done.exit_code, "because of its country" in done.output) == (1, True)


def test_older_minutes_of_kraken_are_made_from_its_trades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "full_jitter", lambda *_: 0.0)
    monkeypatch.setattr(EXCHANGES["kraken"], "history_depth", 40)
    market = FakeMarket(past=900, ahead=2, a_minute=2, pace=0.01)
    begin, end = BEGIN - 890 * MINUTE_MS, BEGIN - 10 * MINUTE_MS
    with RunningExchange("kraken", market) as kraken:
        file = tmp_path / "a.csv"
        done = downloaded(kraken, file, **{"from": iso(begin), "to": iso(end)})
        assert done.exit_code == 0, done.output
        assert "Kraken has only its newest 40 candles. These are made from its trades" in done.stderr
        check(file, market.minutes("BTC", begin, end))
        # Half of them come with the first try.
        file = tmp_path / "b.csv"
        kraken.exchange.faults.spoiled = ["", *["cut"] * 5]
        assert downloaded(kraken, file, interval="15m", **{"from": iso(begin), "to": iso(end)}).exit_code == 75
        assert (tmp_path / "b.csv.part").read_text().count("\n") > 30
        kraken.healed()
        assert downloaded(kraken, file, interval="15m", **{"from": iso(begin), "to": iso(end)}).exit_code == 0
        first = -(-begin // (15 * MINUTE_MS)) * 15 * MINUTE_MS
        last = end - end % (15 * MINUTE_MS)
        bars = market.candles("BTC", 15, first, last)
        rows = [row.split(",") for row in file.read_text().splitlines()[1:]]
        assert [(int(row[0]), float(row[4]), float(row[5])) for row in rows] == [
            (bar.open_time, bar.close, bar.volume) for bar in bars
        ]


def test_what_was_downloaded_is_served_as_a_replay(binance: RunningExchange, tmp_path: Path) -> None:
    files = [tmp_path / "btc.csv.gz", tmp_path / "eth.parquet"]
    for file in files:
        assert downloaded(binance, file, to=iso(BEGIN)).exit_code == 0
    flags = ["--feed", "replay", "--speed", "max", "--timeframe", "1m"]
    flags += ["--data", f"BTC={files[0]}", "--data", f"ETH={files[1]}"]
    with RunningServer(*flags, db=tmp_path / "v.db") as server, server.client() as client:
        for _ in range(2_000):
            if [data(state)["status"] for state in client.states.values()] == ["ended"] * 2:
                break
            client.receive()
        last = MARKET.minutes("BTC", BEGIN - MINUTE_MS, BEGIN)[0].close
        assert {asset: data(state)["price"] for asset, state in client.states.items()} == {"BTC": last, "ETH": last}
