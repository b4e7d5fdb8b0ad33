"""`vivienne pause` and `vivienne resume`: at a server, and in a database."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from click.testing import CliRunner

from running import COMPREHENSIVE, RunningServer, data, run_program
from vivienne.commands import http
from vivienne.commands.http import THREAD, ask, read_json
from vivienne.commands.main import main, seconds_since_start
from vivienne.commands.pause import switch_at_server, switch_in_database
from vivienne.errors import NotSwitched, SettingsError, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAUSED = {"status": "success", "message": "Paused: all assets", "assets": ["BTC", "ETH"], "paused": ["BTC", "ETH"]}


def test_a_server_is_paused_and_resumed(server: RunningServer) -> None:
    paused = run_program("pause", "--url", server.url, "--reason", "enough", "--author", "ada")

    assert (0, "Paused: all assets (paused now: BTC, ETH, SOL)\n") == (paused.returncode, paused.stdout)
    with server.client() as client:
        found = data(client.state("BTC"))
        assert ("paused", 0.0) == (found["status"], found["position_size"])
        assert found["status_reason"] == "paused with all assets by ada (rest, version 1): enough"
    resumed = run_program("resume", "--url", server.url, "--json")
    assert [] == json.loads(resumed.stdout)["paused"]


def test_a_database_is_paused_before_a_server_starts_with_it(tmp_path: Path) -> None:
    db = tmp_path / "v.db"
    with RunningServer("--assets", "BTC,ETH", db=db) as server:
        in_use = run_program("pause", "--db", str(db))
        assert 75 == in_use.returncode
        assert "in use by another Vivienne" in in_use.stderr
        server.stop()

        paused = run_program("pause", "--db", str(db), "--asset", "eth", "--reason", "enough")
        assert (0, "Paused: ETH (paused now: ETH)\n", "") == (paused.returncode, paused.stdout, paused.stderr)

        server.start()
        with server.client() as client:
            assert "paused" == data(client.state("ETH"))["status"]
            assert "live" == data(client.state("BTC"))["status"]
        newest = server.newest()
        assert newest
        assert ("cli", "enough") == (newest["channel"], newest["reason"])
        assert run_program("resume", "--asset", "ETH", "--url", server.url).stdout == "Resumed: ETH\n"
        server.stop()
        misspelt = run_program("pause", "--db", str(db), "--asset", "ETHH")
        assert 0 == misspelt.returncode  # another process may decide it
        assert "ETHH has no change and no decision in this database" in misspelt.stderr
        assert "the nearest name is ETH" in misspelt.stderr


def test_a_pause_survives_a_kill(tmp_path: Path) -> None:
    with RunningServer("--assets", "BTC,ETH", db=tmp_path / "v.db") as server:
        assert server.post("pause", {}).json()["status"] == "success"
        server.kill()
        server.start()
        with server.client() as client:
            for asset in ("BTC", "ETH"):
                found = data(client.state(asset))
                assert ("paused", "idle", 0.0) == (found["status"], found["clarity_level"], found["position_size"])


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--url", "http://127.0.0.1:1"], 1, "or is not a Vivienne server: nothing listens there; start the server"),
        (["--url", "http://nowhere.invalid"], 1, "or is not a Vivienne server: its host is unknown"),
        (["--url", "localhost:8000"], 2, "must begin with http://"),
        (["--url", "http://localhost:1", "--db", "x.db"], 2, "do not go together"),
        (["--db", "/nowhere/v.db"], 2, "There is no database"),
    ],
)
def test_what_goes_wrong_is_said(flags: list[str], code: int, said: str) -> None:
    ended = run_program("pause", *flags)

    assert code == ended.returncode
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_a_server_refuses_is_said(server: RunningServer) -> None:
    ended = run_program("pause", "--url", server.url, "--asset", "DOGE")

    assert 1 == ended.returncode
    assert "Unknown asset 'DOGE'; known are BTC, ETH, SOL" in ended.stderr


@contextmanager
def answering(status: int, body: Any, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that gives every request the same answer; its address, and the requests it got."""
    seen: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
            # A connection that is closed with something unread is reset, and a long answer breaks off.
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            raw = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST  # noqa: N815  # the name the library calls

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_pause_follows_no_redirect_and_its_token_goes_nowhere_else(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVIENNE_TOKEN", "viv_secret")
    with ExitStack() as servers:
        elsewhere, seen_elsewhere = servers.enter_context(answering(200, PAUSED))
        asked, seen = servers.enter_context(answering(status, {}, Location=f"{elsewhere}/"))
        with pytest.raises(NotSwitched, match=rf"redirects to '{elsewhere}/' \({status}\).*nothing was changed"):
            switch_at_server(asked, "pause", {}, time.time())

    assert len(seen) == 1
    assert seen[0].startswith("POST ")
    assert seen_elsewhere == []


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_token_that_was_read_from_a_file_with_lines_is_the_same_one(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVIENNE_TOKEN", f"viv_secret{ending}")
    with answering(200, PAUSED) as (url, seen):
        switch_at_server(url, "pause", {}, time.time())
    assert seen[0].endswith(" Bearer viv_secret")
    monkeypatch.setenv("VIVIENNE_TOKEN", f"viv_secret{ending}X")
    said = "VIVIENNE_TOKEN has a character that no token has"
    with answering(200, PAUSED) as (url, seen), pytest.raises(SettingsError, match=said) as refused:
        switch_at_server(url, "pause", {}, time.time())
    assert seen == []
    assert "viv_secret" not in str(refused.value)


def test_a_server_that_answers_a_byte_at_a_time_does_not_hold_a_pause_up_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with accepted, suppress(OSError):
            while not ended.wait(0.01):
                accepted.sendall(b"X")

    ended = threading.Event()
    monkeypatch.setattr(ask, "__defaults__", (None, 0.2, None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=answer, args=(listening,))
        serving.start()
        with pytest.raises(NotSwitched, match=r"no answer within 0.2 s"):
            switch_at_server(f"http://127.0.0.1:{listening.getsockname()[1]}", "pause", {}, time.time())
        ended.set()
        for thread in (serving, *(each for each in threading.enumerate() if each.name == THREAD)):
            thread.join(30)


@pytest.mark.parametrize(
    "answer",
    [
        {**PAUSED, "status": "error"},
        {**PAUSED, "paused": []},
        {**PAUSED, "paused": ["BTC"]},
        {**PAUSED, "assets": []},
        {**PAUSED, "agents": [{"agent": "1/2", "assets": ["BTC"], "confirmed": False, "reason": "x"}]},
        {**PAUSED, "status": "not_confirmed_yet"},
        {"paused": ["BTC"], "pauses": []},
        {**PAUSED, "assets": [[]], "paused": [[]]},
        {**PAUSED, "agents": 7},
        {**PAUSED, "asset_symbol": "BTC", "assets": ["BTC"]},
        [],
        ["BTC"],
    ],
)
def test_a_pause_succeeds_only_where_the_answer_says_that_all_of_it_is_paused(answer: Any) -> None:
    with answering(200, answer) as (url, _), pytest.raises(NotSwitched):
        switch_at_server(url, "pause", {}, time.time())
    with answering(200, PAUSED) as (url, _):
        assert switch_at_server(url, "pause", {}, time.time())["paused"] == ["BTC", "ETH"]


def test_a_resumption_finds_its_pause_among_thousands_with_long_reasons() -> None:
    others = [
        {"asset_symbol": f"A{number}", "config_id": "c", "reason": "\N{SNOWMAN}" * 1_000} for number in range(700)
    ]
    known = {"config_id": "c-1", "created_at": "2026-01-31T08:00:00.000Z"}
    answer = {**PAUSED, "paused": [], "pauses": [*others, {"asset_symbol": "BTC", **known}]}
    with answering(200, answer) as (url, _):
        assert switch_at_server(url, "resume", {"asset_symbol": "btc"}, time.time())["paused"] == []


def test_an_answer_that_does_not_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER", 1024**2)
    with answering(200, " " * 2 * 1024**2) as (url, _), pytest.raises(NotSwitched, match="longer than 1 MiB"):
        switch_at_server(url, "pause", {}, time.time())


def test_an_answer_that_is_nested_without_end_is_none() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        read_json("[" * 100_000)


def test_what_a_server_says_cannot_steer_a_terminal() -> None:
    """Names of agents come over Redis, where others may publish."""
    message = "Paused \x1b]0;owned\x07\x9b2J\u202e by agent 1/2"
    with answering(200, {**PAUSED, "message": message}) as (url, _):
        done = CliRunner().invoke(main, ["pause", "--url", url])
        as_json = CliRunner().invoke(main, ["pause", "--url", url, "--json"])
    with answering(400, {"detail": message}) as (url, _):
        refused = CliRunner().invoke(main, ["pause", "--url", url])

    assert as_json.output.replace("\n", "").isprintable()
    assert json.loads(as_json.output)["message"] == message
    assert (done.exit_code, refused.exit_code) == (0, 1)
    for output in (done.output, refused.output):
        assert r"Paused \x1b]0;owned\x07\x9b2J\u202e by agent 1/2" in output
        assert output.replace("\n", "").isprintable()


def test_a_resumption_ends_no_pause_that_was_made_after_the_command_was_given(tmp_path: Path) -> None:
    """It takes a moment until the command is loaded and the database answers."""
    with RunningServer(db=tmp_path / "v.db") as server:
        given_at = time.time()
        time.sleep(0.1)  # times have milliseconds, and the age of a request is rounded to one
        server.post("pause", {}).raise_for_status()
        with pytest.raises(NotSwitched, match="Somebody paused after this resumption was asked for"):
            switch_at_server(server.url, "resume", {}, given_at)
    with pytest.raises(VersionConflict, match="Somebody paused after this resumption was asked for"):
        asyncio.run(switch_in_database(tmp_path / "v.db", "resume", {}, given_at))
    assert asyncio.run(switch_in_database(tmp_path / "v.db", "resume", {}, time.time()))["paused"] == []


def test_a_resumption_ends_no_pause_that_was_made_while_it_was_under_way(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection may take seconds, as through a network that loses packets. Its age does not say that."""

    def slow(url: str, path: str, body: bytes | None = None, **more: Any) -> bytes:
        if body is not None:
            server.post("pause", {"reason": "second"}).raise_for_status()
            more = {}
        return ask(url, path, body, **more)

    server.post("pause", {"reason": "first"}).raise_for_status()
    with monkeypatch.context() as patched:
        patched.setattr("vivienne.commands.pause.ask", slow)
        with pytest.raises(NotSwitched, match="second; that is not the pause to end"):
            switch_at_server(server.url, "resume", {}, time.time())
    assert switch_at_server(server.url, "resume", {}, time.time())["paused"] == []


def test_the_time_at_which_a_command_was_given_is_that_of_its_process() -> None:
    """Before it is loaded, a process may wait for its processor or its disk for seconds."""
    age = seconds_since_start()
    assert age is not None
    assert abs(time.time() - psutil.Process().create_time() - age) < 1


def test_no_name_of_the_environment_and_no_encoding_keeps_a_pause_out(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a\udcffb", "x" * 300, "two\nlines", " "):
        monkeypatch.setenv("LOGNAME", name)
        done = CliRunner().invoke(main, ["pause", "--url", server.url, "--reason", "bad \udcff reason"])
        assert done.exit_code == 0, done.output
    assert server.get(f"{COMPREHENSIVE}/pause").json()["pauses"][0]["reason"] == "bad ? reason"
    server.post("resume", {}).raise_for_status()


def test_a_server_of_the_version_before_is_asked_to_resume_without_the_name_of_the_pause(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def earlier(url: str, path: str, body: bytes | None = None, **more: Any) -> bytes:
        if body is not None:
            asked.append(json.loads(body))
            body = body.replace(b'"pause"', b'"not known"')
        return ask(url, path, body, **more)

    server.post("pause", {}).raise_for_status()
    monkeypatch.setattr("vivienne.commands.pause.ask", earlier)
    assert switch_at_server(server.url, "resume", {}, time.time())["paused"] == []
    assert [*map(list, asked)] == [["pause"], []]
