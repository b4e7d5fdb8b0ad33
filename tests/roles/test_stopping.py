"""Signals to a running process: SIGTERM, SIGINT and SIGHUP."""

from __future__ import annotations

import importlib
import signal
import sys
import tomllib
from types import SimpleNamespace
from typing import TYPE_CHECKING

from deployed import ROOT
from redis_running import eventually
from running import COMPREHENSIVE, RunningServer
from tokens import bearer, make_token

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_before_it_stops_it_is_not_ready_for_a_while_and_then_sends_its_clients_elsewhere(tmp_path: Path) -> None:
    with RunningServer("--drain-seconds", "300", "--assets", "BTC", db=tmp_path / "v.db") as server:
        with server.client() as client:
            client.state("BTC")
            server.process.send_signal(signal.SIGTERM)

            eventually(lambda: 503 == server.get("/ready").status_code)
            assert "stopping" in server.get("/ready").json()["process"]
            assert 200 == server.get(f"{COMPREHENSIVE}/active").status_code
            assert "success" == client.ask({"type": "pause", "asset": "BTC"})["status"]
            with server.client() as late:
                assert late.state("BTC")
                server.process.send_signal(signal.SIGTERM)  # asked again: at once
                assert [1012, 1012] == [client.closing()[0], late.closing()[0]]
        assert 0 == server.process.wait(timeout=10)


_SLOW_LOOKUP = """
import asyncio, time

async def slow(*arguments, **more):
    # As a lookup, it goes on though nobody waits for it any longer.
    await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, time.sleep, 30))
    raise OSError

asyncio.open_connection = slow
"""


def test_the_lookup_of_a_name_that_hangs_does_not_keep_a_process_that_has_stopped(tmp_path: Path) -> None:
    """Its ports were closed for half a minute, and no supervisor starts another one in that time."""
    environment = {"VIVIENNE_REDIS": "redis://redis.example:6379"}
    server = RunningServer("--assets", "BTC", db=tmp_path / "v.db", environment=environment, before=_SLOW_LOOKUP)
    with server:
        assert server.stop() == 0  # it waits for 10 s
        assert "Something that cannot be given up" in server.log


def test_a_hangup_ends_nothing_before_the_program_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["vivienne"]
    module, _, function = script.partition(":")
    loaded: list[object] = []
    program = SimpleNamespace(main=lambda: loaded.append(signal.getsignal(signal.SIGHUP)))
    monkeypatch.setitem(sys.modules, "vivienne.commands.main", program)
    before = signal.getsignal(signal.SIGHUP)
    try:
        for command in ("pause", "serve"):
            monkeypatch.setattr(sys, "argv", ["vivienne", command])
            getattr(importlib.import_module(module), function)()
    finally:
        signal.signal(signal.SIGHUP, before)

    assert [before, signal.SIG_IGN] == loaded


def test_a_hangup_reads_the_tokens_again_and_ends_nothing(tmp_path: Path) -> None:
    token = make_token(tmp_path / "v.db", "ann", "viewer")
    with RunningServer("--require-token", "--assets", "BTC", db=tmp_path / "v.db") as server:
        path = f"{server.url}{COMPREHENSIVE}/active"
        assert 200 == server.http.get(path, headers=bearer(token)).status_code
        for times in (1, 2):
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: times == server.log.count("the tokens were read again"))  # noqa: B023  # called at once
        assert 200 == server.http.get(path, headers=bearer(token)).status_code
        assert 0 == server.stop()
