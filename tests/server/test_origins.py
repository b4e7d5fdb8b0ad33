"""Pages from elsewhere neither read nor change anything; pages of this machine may, WebSockets included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from running import COMPREHENSIVE, RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DESK = "https://desk.example"
LOCAL = ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080", "https://localhost"]
FOREIGN = [
    "https://evil.example",
    "http://localhost.evil.example",
    "http://evil.example:8000",
    "http://127.0.0.1.evil.example",
    "http://notlocalhost",
    "null",
    "file://",
    "http://192.168.0.7",
    "chrome-extension://localhost",
    "http://[",
    DESK + ".evil.example",
    "http://desk.example",
]
HOSTS = ["evil.example", "evil.example:8000", "localhost.evil.example", "192.168.0.7", "", "["]
EVERYWHERE = ("--host", "0.0.0.0", "--allow-anyone-on-this-network")  # noqa: S104
CHANGE = {"asset_symbol": "BTC", "bang_threshold": 85}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--origins", DESK, db=tmp_path_factory.mktemp("origins") / "vivienne.db") as running:
        yield running


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_changes_nothing_and_reads_nothing(running: RunningServer, origin: str) -> None:
    headers = {"Origin": origin}
    version = running.active("BTC")["version"]
    answer = running.post("partial-update", CHANGE, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")
    assert "access-control-allow-origin" not in answer.headers
    assert httpx.get(f"{running.url}{COMPREHENSIVE}/active", headers=headers).status_code == 403
    assert running.active("BTC")["version"] == version


@pytest.mark.parametrize("path", ["/ws/state", "/ws/logs"])
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_opens_no_websocket(running: RunningServer, path: str, origin: str) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{running.port}{path}", additional_headers={"Origin": origin}),
    ):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_name_for_this_machine_is_refused(running: RunningServer, host: str) -> None:
    answer = httpx.get(f"{running.url}/health", headers={"Host": host})
    assert answer.status_code in {400, 421}


@pytest.mark.parametrize("origin", [*LOCAL, DESK])
def test_pages_of_this_machine_and_allowed_ones_may_change_and_read(running: RunningServer, origin: str) -> None:
    headers = {"Origin": origin}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,if-match"}
    before = httpx.options(f"{running.url}{COMPREHENSIVE}/partial-update", headers=headers | asked)
    assert before.status_code == 200
    answer = running.post("partial-update", CHANGE, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    with connect(f"ws://127.0.0.1:{running.port}/ws/state", additional_headers=headers) as client:
        assert client.recv(10)


def test_the_host_of_an_allowed_origin_may_come_through_a_proxy(running: RunningServer) -> None:
    headers = {"Host": "desk.example", "Origin": DESK}
    assert httpx.get(f"{running.url}/health", headers=headers).status_code == 200


def test_programs_send_no_origin_and_are_not_concerned(running: RunningServer) -> None:
    assert running.post("partial-update", CHANGE).status_code == 200


def test_on_other_addresses_any_host_is_served_and_foreign_pages_are_not(tmp_path: Path) -> None:
    with RunningServer(*EVERYWHERE, db=tmp_path / "vivienne.db") as open_server:
        headers = {"Host": "desk.internal"}
        assert httpx.get(f"{open_server.url}/health", headers=headers).status_code == 200
        own = headers | {"Origin": "http://desk.internal"}
        assert httpx.get(f"{open_server.url}/health", headers=own).status_code == 200
        foreign = headers | {"Origin": "http://evil.example"}
        assert httpx.get(f"{open_server.url}/health", headers=foreign).status_code == 403
