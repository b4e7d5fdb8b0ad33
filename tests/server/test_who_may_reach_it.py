"""What is open without having been opened: this machine only, unless there are tokens, or an ugly flag says so."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from redis_running import eventually
from running import COMPREHENSIVE, RunningServer, run_program
from tokens import bearer, make_token
from tokens import refusal as refused
from vivienne.server.proxies import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYWHERE = ("--host", "0.0.0.0")  # noqa: S104
ACTIVE = f"{COMPREHENSIVE}/active"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server without tokens."""
    with RunningServer("--assets", "BTC", db=tmp_path_factory.mktemp("open") / "v.db") as server:
        yield server


def refusal(db: Path, *flags: str) -> str:
    result = run_program("serve", "--port", "0", "--db", str(db), *flags)
    assert 2 == result.returncode, result.stderr
    return result.stderr.strip().splitlines()[-1]


def test_by_itself_it_listens_on_this_machine_only_and_asks_for_no_token(tmp_path: Path) -> None:
    with RunningServer(db=tmp_path / "v.db") as server:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(server.process.pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert [] == [address for address in listening if not ipaddress.ip_address(address).is_loopback]
        assert 200 == server.get(ACTIVE).status_code


def test_where_others_could_reach_it_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    message = refusal(tmp_path / "v.db", *EVERYWHERE)

    for word in ("Other machines could reach it", "vivienne token create", "--allow-anyone-on-this-network"):
        assert word in message


def test_behind_a_proxy_others_could_reach_it_too(tmp_path: Path) -> None:
    assert "Other machines could reach it" in refusal(tmp_path / "v.db", "--proxies", "127.0.0.1")


def test_pages_of_other_machines_mean_that_others_can_reach_it(tmp_path: Path) -> None:
    message = refusal(tmp_path / "v.db", "--origins", "http://localhost:3000,https://desk.example")

    assert "Other machines could reach it, as https://desk.example in --origins is not this machine" in message
    with RunningServer("--origins", "http://localhost:3000", db=tmp_path / "v.db") as server:
        assert 200 == server.get(ACTIVE).status_code


@pytest.mark.parametrize("header", HEADERS)
def test_what_comes_through_a_proxy_that_is_not_named_is_refused(header: bytes, open_server: RunningServer) -> None:
    headers = {header.decode(): "198.51.100.7"}
    for path in (ACTIVE, "/health", "/", "/metrics"):
        answer = open_server.http.get(open_server.url + path, headers=headers)
        assert (403, "unnamed_proxy") == refused(answer)
        assert "--proxies 127.0.0.1" in answer.json()["detail"]
    with pytest.raises(InvalidStatus) as socket:
        connect(f"ws://127.0.0.1:{open_server.port}/ws/state", additional_headers=headers)
    assert 403 == socket.value.response.status_code
    assert 200 == open_server.get(ACTIVE).status_code
    eventually(lambda: "its requests are refused" in open_server.log)  # a thread writes it


def test_where_tokens_are_needed_a_proxy_that_is_not_named_is_reported_once(tmp_path: Path) -> None:
    headers = bearer(make_token(tmp_path / "v.db", "ann", "viewer")) | {"X-Forwarded-For": "198.51.100.7"}
    with RunningServer("--require-token", db=tmp_path / "v.db") as server:
        for _ in range(3):
            assert 200 == server.http.get(server.url + ACTIVE, headers=headers).status_code
        eventually(lambda: 1 == server.log.count("is not in --proxies"))


def test_a_demand_for_tokens_without_any_is_refused(tmp_path: Path) -> None:
    assert "--require-token was given, and there is no token" in refusal(tmp_path / "v.db", "--require-token")


def test_where_every_token_has_expired_it_says_which_and_how_to_renew_it(tmp_path: Path) -> None:
    made = run_program(
        "token", "create", "ann", "--role", "admin", "--expires", "0m", "--db", str(tmp_path / "v.db"), "--json"
    )
    message = refusal(tmp_path / "v.db", "--require-token")

    assert f"every token has expired: ann (admin) at {json.loads(made.stdout)['expires_at']}" in message
    assert "vivienne token rotate ann --expires" in message


def test_with_a_token_it_starts_and_demands_one(tmp_path: Path) -> None:
    secret = make_token(tmp_path / "v.db", "ann", "viewer")
    with RunningServer(*EVERYWHERE, db=tmp_path / "v.db") as server:
        assert 401 == server.get(ACTIVE).status_code
        assert 200 == server.http.get(server.url + ACTIVE, headers=bearer(secret)).status_code


def test_where_anyone_may_it_starts_and_warns(tmp_path: Path) -> None:
    with RunningServer(*EVERYWHERE, "--allow-anyone-on-this-network", db=tmp_path / "v.db") as server:
        assert 200 == server.get(ACTIVE).status_code
        assert "Anybody who reaches the port can change the configuration" in server.log
