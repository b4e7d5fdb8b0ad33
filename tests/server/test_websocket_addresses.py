"""Requests that miss a WebSocket: the answer says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from raw_http import UPGRADE, RawAnswer, ask, request
from redis_running import eventually
from running import RunningServer
from tokens import make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = ("/ws/state", "/ws/state/", "/ws/logs", "/ws/logs/", "/ws/alerts", "/ws/alerts/")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that needs a token, so that these answers need none."""
    db = tmp_path_factory.mktemp("addresses") / "v.db"
    token = make_token(db, "ann", "viewer")
    with RunningServer("--assets", "BTC", "--require-token", db=db) as running:
        running.http.headers["Authorization"] = f"Bearer {token}"
        yield running


def handshake(running: RunningServer, path: str, *more: tuple[str, str]) -> RawAnswer:
    headers = (("Host", f"127.0.0.1:{running.port}"), ("Authorization", running.http.headers["Authorization"]))
    return ask(running.port, request("GET", path, *headers, *UPGRADE, *more))


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_is_no_handshake_needs_an_upgrade(running: RunningServer, method: str, path: str) -> None:
    answer = ask(running.port, request(method, path, ("Host", f"127.0.0.1:{running.port}"), ("Content-Length", "0")))

    assert (answer.status, answer.code) == (426, "upgrade_required")
    assert (answer.headers["upgrade"], answer.headers["connection"]) == (["websocket"], ["Upgrade"])
    assert b"the proxy in front does not pass WebSockets" in answer.body


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_slash_at_the_end_makes_no_difference(running: RunningServer, path: str) -> None:
    assert handshake(running, path).status == 101


@pytest.mark.parametrize("path", ["/ws", "/ws/nothing", "/", "/ws/state//"])
def test_a_handshake_at_another_address_is_not_found(running: RunningServer, path: str) -> None:
    answer = handshake(running, path)

    assert (answer.status, answer.code) == (404, "not_found")
    assert b"there are /ws/state, /ws/logs and /ws/alerts" in answer.body


def test_a_handshake_of_a_foreign_page_is_one_warning_with_address_origin_and_reason(running: RunningServer) -> None:
    for _ in range(30):
        assert handshake(running, "/ws/state", ("Origin", "https://evil.example")).status == 403

    eventually(lambda: "evil.example" in running.log)
    lines = [line for line in running.log.splitlines() if "evil.example" in line]
    assert len(lines) <= 10
    reason = "403 Pages of 'https://evil.example' may not use this server; --origins allows more"
    assert f"WARNING  vivienne.server.incoming: Refused a WebSocket handshake of 127.0.0.1: {reason}" in lines[0]
    assert "ASGI callable" not in running.log
