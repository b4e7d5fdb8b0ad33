"""Under a path: the page, its files, REST, documents and WebSockets, however the proxy passes the path on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from running import COMPREHENSIVE, Client, RunningServer
from vivienne.errors import SettingsError
from vivienne.server import dashboard
from vivienne.settings import parsing

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "/vivienne"
PERPETUAL = "ETH/USDT:USDT"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    assert (dashboard.BUILT / "index.html").is_file(), "the dashboard is not built: make dashboard"
    with RunningServer(
        "--assets", f"BTC,{PERPETUAL}", "--root-path", ROOT, db=tmp_path_factory.mktemp("root") / "v.db"
    ) as running:
        yield running


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}/", f"{ROOT}/assets/BTC", "/assets/BTC"])
def test_every_view_loads_its_files_from_under_the_path(running: RunningServer, path: str) -> None:
    page = running.http.get(running.url + path, headers=HTML)

    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) > 3
    for address in loaded:
        assert address.startswith(f"{ROOT}/")
        assert running.get(address).status_code == 200
    assert f'<meta name="vivienne-root" content="{ROOT}"' in page.text


@pytest.mark.parametrize("root", [ROOT, ""])
def test_endpoints_and_websockets_answer_under_the_path_and_without_it(running: RunningServer, root: str) -> None:
    assert running.get(f"{root}/health").status_code == 200
    assert running.http.post(f"{running.url}{root}{COMPREHENSIVE}/pause", json={}).status_code == 200
    assert running.http.post(f"{running.url}{root}{COMPREHENSIVE}/resume", json={}).status_code == 200
    with Client(f"ws://127.0.0.1:{running.port}{root}/ws/state") as client:
        assert client.state("BTC")["asset"] == "BTC"


def test_a_name_with_a_slash_is_an_address_encoded_or_not(running: RunningServer) -> None:
    for name in ("ETH%2FUSDT%3AUSDT", PERPETUAL, PERPETUAL.lower()):
        assert running.get(f"/phoenix/assets/{name}/bars", limit=1).json()["asset"] == PERPETUAL
        answer = running.http.post(f"{running.url}/phoenix/assets/{name}/preview", json={"bang_threshold": 85})
        assert answer.json()["asset"] == PERPETUAL
        assert running.http.get(f"{running.url}{ROOT}/assets/{name}", headers=HTML).status_code == 200
    assert running.post("partial-update", {"asset_symbol": PERPETUAL, "bang_threshold": 85}).json()["assets"] == [
        PERPETUAL
    ]
    with Client(f"ws://127.0.0.1:{running.port}/ws/state") as client:
        client.send({"type": "subscribe", "assets": [PERPETUAL]})
        assert client.state(PERPETUAL)["asset"] == PERPETUAL
    assert f'asset="{PERPETUAL}"' in running.get("/metrics").text
    assert running.get("/phoenix/assets/nothing/at/all/bars").json()["code"] == "unknown_target"


def test_documents_and_problems_name_addresses_under_the_path(running: RunningServer) -> None:
    assert f"{ROOT}/openapi.json" in running.get(f"{ROOT}/docs").text
    assert running.get(f"{ROOT}/openapi.json").json()["servers"] == [{"url": ROOT}]
    assert running.get(f"{ROOT}/asyncapi.json").json()["channels"]["state"]["address"] == f"{ROOT}/ws/state"
    for path in ("/phoenix/nothing", "/static/nothing.js"):
        answer = running.http.get(running.url + ROOT + path, headers=HTML)
        assert answer.json()["detail"] == f"There is nothing at {ROOT}{path}; see {ROOT}/docs"
    assert running.http.put(f"{running.url}{ROOT}{COMPREHENSIVE}/active").headers["Allow"] == "GET"
    assert f"http://localhost:{running.port}{ROOT} " in running.log


def test_a_slash_at_the_end_makes_no_difference() -> None:
    assert parsing.root_path("/desk/vivienne/") == "/desk/vivienne"
    assert parsing.root_path("/") == ""


@pytest.mark.parametrize(
    "path", ["vivienne", "/a b", "/../x", "//x", "https://desk.example/vivienne", "/phoenix", "/ws/x"]
)
def test_what_cannot_be_such_a_path_is_refused(path: str) -> None:
    with pytest.raises(SettingsError, match="--root-path"):
        parsing.root_path(path)
