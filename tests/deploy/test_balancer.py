"""deploy/nginx.conf: what it does between clients and gateways, with a real nginx where there is one."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from deployed import DEPLOY, load
from redis_running import eventually
from running import Client, RunningServer
from several import wait_for_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = (DEPLOY / "nginx.conf").read_text()
NGINX = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SECONDS = 10


def test_it_passes_on_to_the_gateways_of_the_compose_file() -> None:
    services = load(DEPLOY / "compose.yaml")["services"]
    named = re.findall(r"server (\S+):8000 ", TEXT)

    assert sorted(name for name in services if name.startswith("gateway")) == sorted(named)
    assert ["8080"] == re.findall(r"listen (\d+)", TEXT)
    assert services["balancer"]["ports"][0].endswith(":8080")
    assert "http://127.0.0.1:8080/health" == services["balancer"]["healthcheck"]["test"][-1]


def adapted(folder: Path, port: int, gateways: list[int]) -> Path:
    """The file for this machine: its own port, gateways by theirs, and nothing outside a folder."""
    text = TEXT.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{folder}/")  # noqa: S108
    for number, gateway in enumerate(gateways, 1):
        text = text.replace(f"gateway-{number}:8000", f"127.0.0.1:{gateway}")
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


@pytest.fixture
def balanced(database: str, tmp_path: Path) -> Iterator[tuple[str, list[RunningServer]]]:
    """The address of an nginx, and two servers behind it."""
    if NGINX is None:
        pytest.skip("nginx is not on this machine; NGINX names one")
    with ExitStack() as open_:
        servers = [RunningServer("--assets", "BTC,ETH", db=database) for _ in range(2)]
        with ThreadPoolExecutor(2) as both:
            list(both.map(RunningServer.start, servers))
        for server in servers:
            open_.push(server)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        path = adapted(tmp_path, port, [server.port for server in servers])
        checked = subprocess.run(
            [NGINX, "-t", "-c", str(path)], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert 0 == checked.returncode, checked.stderr
        nginx = open_.enter_context(subprocess.Popen([NGINX, "-c", str(path), "-g", "daemon off;"]))
        open_.callback(nginx.terminate)
        address = f"127.0.0.1:{port}"
        eventually(lambda: reachable(address))
        yield address, servers


def reachable(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/health", timeout=SECONDS, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_pages_rest_and_websockets_go_through_it(balanced: tuple[str, list[RunningServer]]) -> None:
    address, servers = balanced
    own, foreign = f"http://{address}", "http://elsewhere.example"
    with (
        httpx.Client(base_url=own, timeout=SECONDS, trust_env=False) as http,
        Client(f"ws://{address}/ws/state") as client,
    ):
        answer = client.ask({"type": "config_update", "asset": "BTC", "config": {"bang_threshold": 90}})
        assert "success" == answer["status"]
        assert 1 == client.state("BTC", version=1)["config_version"]

        path = "/phoenix/config/vivienne/comprehensive/partial-update"
        for origin, status in ((own, 200), (foreign, 403)):
            changed = http.post(path, json={"bang_threshold": 91}, headers={"Origin": origin})
            assert status == changed.status_code
            with ExitStack() as opened:
                if status != 200:
                    opened.enter_context(pytest.raises(InvalidStatus))
                socket_ = opened.enter_context(
                    connect(f"ws://{address}/ws/state", origin=Origin(origin), open_timeout=SECONDS)
                )
                assert "asset_data" == json.loads(socket_.recv(SECONDS))["type"]
        # Whichever answers: each follows what the other one changes within half a second.
        for server in servers:
            wait_for_version(server, "BTC", 2)
        for _ in servers:
            active = http.get("/phoenix/config/vivienne/comprehensive/active")
            assert '"2"' == active.headers["ETag"].removeprefix("W/")


def test_a_gateway_that_dies_is_passed_over(balanced: tuple[str, list[RunningServer]]) -> None:
    address, (first, _) = balanced
    with ExitStack() as open_:
        clients = [open_.enter_context(Client(f"ws://{address}/ws/state")) for _ in range(4)]
        for client in clients:
            client.state("BTC")
        first.kill()

        assert all(reachable(address) for _ in range(10))
        with Client(f"ws://{address}/ws/state") as client:
            assert "BTC" == client.state("BTC")["asset"]
