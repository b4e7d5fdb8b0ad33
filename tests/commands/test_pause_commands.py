"""`vivienne pause` and `vivienne resume`: at a server, and in a database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from running import RunningServer, data, run_program

if TYPE_CHECKING:
    from pathlib import Path


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
        assert 1 == in_use.returncode
        assert "in use by another Vivienne" in in_use.stderr
        server.stop()

        paused = run_program("pause", "--db", str(db), "--asset", "eth", "--reason", "enough")
        assert (0, "Paused: ETH (paused now: ETH)\n") == (paused.returncode, paused.stdout)

        server.start()
        with server.client() as client:
            assert "paused" == data(client.state("ETH"))["status"]
            assert "live" == data(client.state("BTC"))["status"]
        newest = server.newest()
        assert newest
        assert ("cli", "enough") == (newest["channel"], newest["reason"])
        assert run_program("resume", "--asset", "ETH", "--url", server.url).stdout == "Resumed: ETH\n"


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
        (["--url", "http://127.0.0.1:1"], 1, "cannot be reached"),
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
