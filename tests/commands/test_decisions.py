"""`vivienne decisions`: recorded decisions, printed and written, from a record and from a server."""

from __future__ import annotations

import json
import socketserver
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from making import random_bars
from record_client import client
from recording import RUN, Ordered, Recording
from vivienne.commands.main import main
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result
    from starlette.testclient import TestClient

BARS = random_bars(3, 360)
ALL = "level=idle&level=loaded&level=aim&level=bang"
ORDERS = {0: Ordered(4, {"settings": {"state_threshold_loaded": 5}}), 350: Ordered(5, {}, "paused")}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decisions")
    recording = Recording(folder / "v-record.db")
    recording.add("BTC", BARS, 300, ORDERS)
    recording.add("ETH", random_bars(4, 360), 330, ORDERS)
    recording.close()
    return folder / "v.db"


@pytest.fixture(scope="module")
def reading(db: Path) -> Iterator[TestClient]:
    with client(db.parent, LocalRecord(ReadingThread(db.with_name("v-record.db")), Scope(RUN, "15m"))) as found:
        yield found


@contextmanager
def served(
    reading: TestClient, cut: int | None = None, *, says_length: bool = True, instead: bytes | None = None
) -> Iterator[str]:
    """The address of a server that answers as the application; after `cut` bytes its answers break off."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            answer = reading.get(where.path.removeprefix("/phoenix/"), params=where.query)
            self.send_response(answer.status_code)
            if says_length:
                self.send_header("Content-Length", str(len(instead or answer.content)))
            self.end_headers()
            self.wfile.write((instead or answer.content)[:cut])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def run(*flags: str) -> Result:
    return CliRunner().invoke(main, ["decisions", *flags])


def test_the_newest_are_printed_with_what_holds_them(db: Path, reading: TestClient) -> None:
    shown = run("--db", str(db), "--asset", "btc", "--limit", "15")
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [iso(time) for time in BARS.open_time[:344:-1].tolist()]
    assert ", version 5, paused" in lines[0]
    held = run("--db", str(db), "--asset", "BTC", "--held", "--limit", "1").stdout
    [row] = reading.get("assets/BTC/decisions?held=true&limit=1").json()["decisions"]
    assert f"{row['raw_clarity_level']} held by {', '.join(row['blocked_by'])}, {row['side']}" in held
    assert run("--db", str(db), "--config-version", "9").stdout == "No decision meets this\n"


@pytest.mark.parametrize(
    ("flags", "query"),
    [
        ((), ALL),
        (
            ("--asset", "BTC", "--not-held", "--side", "long"),
            "asset=BTC&held=false&side=long&level=idle&level=loaded&level=aim&level=bang",
        ),
        (("--raw-level", "loaded", "--blocked-by", "volatility"), "raw_level=loaded&blocked_by=volatility"),
        (
            ("--from", iso(BARS.open_time.item(310)), "--to", iso(BARS.open_time.item(340)), "--level", "loaded"),
            f"from={iso(BARS.open_time.item(310))}&to={iso(BARS.open_time.item(340))}&level=loaded",
        ),
    ],
)
def test_files_and_documents_are_those_of_the_server(
    db: Path, reading: TestClient, tmp_path: Path, flags: tuple[str, ...], query: str
) -> None:
    with served(reading) as url:
        for source in (("--db", str(db)), ("--url", url)):
            document = json.loads(run(*source, *flags, "--json", "--limit", "5").stdout)
            assert document == reading.get(f"decisions?{query}&limit=5").json()
            for form in ("csv", "ndjson"):
                assert run(*source, *flags, f"--{form}", str(tmp_path / "file")).exit_code == 0
                wanted = reading.get(f"decisions?{query}&format={form}").content
                assert (tmp_path / "file").read_bytes() == wanted
                assert len(wanted.splitlines()) > 1


def test_parquet_and_standard_output(db: Path, reading: TestClient, tmp_path: Path) -> None:
    pytest.importorskip("arro3.io")
    assert run("--db", str(db), "--parquet", str(tmp_path / "d.parquet")).exit_code == 0
    assert (tmp_path / "d.parquet").read_bytes()[:4] == b"PAR1"
    said = run("--db", str(db), "--csv", "-", "--limit", "3", "--asset", "BTC")
    assert said.stdout == reading.get("assets/BTC/decisions?format=csv&limit=3").text


def test_what_a_server_says_cannot_speak_to_the_terminal(reading: TestClient) -> None:
    page = reading.get("decisions?limit=1").json()
    page["decisions"][0]["asset"] = "\x1b]0;owned\x07"
    with served(reading, instead=json.dumps(page).encode()) as url:
        shown = run("--url", url).stdout
    assert "owned" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("says_length", [True, False])
def test_an_answer_that_breaks_off_leaves_no_file(reading: TestClient, tmp_path: Path, says_length: bool) -> None:
    with served(reading, cut=1_000, says_length=says_length) as url:
        broken = run("--url", url, "--csv", str(tmp_path / "file.csv"))
    assert broken.exit_code == 75
    assert "broke off" in broken.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--db", "none.db"], 2, "There is no record"),
        (["--csv", "a", "--json"], 2, "only one can be given"),
        (["--level", "high"], 2, "'high' is not one of"),
        (["--timeframe", "1h"], 2, "The newest run in the record has no bars of 1h, but of 15m"),
        (["--url", "http://127.0.0.1:9"], 75, "cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_said(db: Path, flags: list[str], code: int, words: str) -> None:
    found = run("--db", str(db), *flags)
    assert (found.exit_code, words in found.stderr) == (code, True), found.stderr


def test_a_refusal_of_the_server_is_passed_on(reading: TestClient) -> None:
    with served(reading) as url:
        found = run("--url", url, "--asset", "DOGE")
    assert found.exit_code == 2
    assert "Unknown asset 'DOGE'" in found.stderr
