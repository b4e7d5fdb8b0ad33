"""deploy/nginx.conf: what it does between clients and gateways, with a real nginx where there is one."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from deployed import DEPLOY, load
from ports import free_port
from raw_http import request
from redis_running import eventually
from running import COMPREHENSIVE, Client, RunningServer, http_client
from tokens import bearer, make_token, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

TEXT = (DEPLOY / "nginx.conf").read_text()
NGINX = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SECONDS = 10
CLIENT = "127.0.0.7"
MOST = 6
"""Requests of one address at once; many more in the file."""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine; NGINX names one")


def test_it_passes_on_to_the_gateways_of_the_compose_file() -> None:
    services = load(DEPLOY / "compose.yaml")["services"]
    named = re.findall(r"server (\S+):8000 ", TEXT)

    assert sorted(name for name in services if name.startswith("gateway")) == sorted(named)
    assert ["8080"] == re.findall(r"listen (\d+)", TEXT)
    assert services["balancer"]["ports"][0].endswith(":8080")
    assert "http://127.0.0.1:8080/health" == services["balancer"]["healthcheck"]["test"][-1]


@contextmanager
def balancer(folder: Path, *gateways: RunningServer, text: str = TEXT) -> Iterator[str]:
    """The address of an nginx with this file, adapted to this machine: its own port and folder, and these gateways."""
    port = free_port()
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{folder}/")  # noqa: S108
    for number, gateway in enumerate(gateways, 1):
        text = text.replace(f"gateway-{number}:8000", f"127.0.0.1:{gateway.port}")
    path = folder / "nginx.conf"
    path.write_text(text)
    command = [str(NGINX), "-c", str(path)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert 0 == checked.returncode, checked.stderr
    with subprocess.Popen([*command, "-g", "daemon off;"]) as nginx:
        try:
            eventually(lambda: status(f"127.0.0.1:{port}") != 0)
            yield f"127.0.0.1:{port}"
        finally:
            nginx.terminate()


def status(address: str) -> int:
    """The status of `/health`; 0 where nobody answers."""
    try:
        return httpx.get(f"http://{address}/health", timeout=SECONDS, trust_env=False).status_code
    except httpx.TransportError:
        return 0


@dataclass
class Balanced:
    """What is served: by nginx, and by the servers behind it."""

    address: str
    servers: list[RunningServer]
    token: str

    def http(self, address: str = CLIENT) -> httpx.Client:
        """Somebody with a token at an address of their own."""
        return http_client(address, base_url=f"http://{self.address}", headers=bearer(self.token))

    def client(self) -> Client:
        """A client of `/ws/state`."""
        return Client(f"ws://{self.address}/ws/state", additional_headers=bearer(self.token))


@pytest.fixture(scope="module")
def balanced(postgres_process: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balanced]:
    database = postgres_process.database()
    token = make_token(database, "ann", "admin")
    with ExitStack() as open_:
        flags = ("--assets", "BTC,ETH", "--proxies", "127.0.0.1")
        servers = [open_.enter_context(RunningServer(*flags, db=database)) for _ in range(2)]
        address = open_.enter_context(balancer(tmp_path_factory.mktemp("nginx"), *servers))
        yield Balanced(address, servers, token)


def test_pages_rest_and_websockets_go_through_it(balanced: Balanced) -> None:
    own, foreign = f"http://{balanced.address}", "http://elsewhere.example"
    with balanced.http() as http, balanced.client() as client:
        answer = client.ask({"type": "config_update", "asset": "BTC", "config": {"bang_threshold": 90}})
        assert "success" == answer["status"]
        version = answer["version"]
        assert version == client.state("BTC", version=version)["config_version"]

        for origin, expected in ((own, 200), (foreign, 403)):
            changed = http.post(
                f"{COMPREHENSIVE}/partial-update", json={"bang_threshold": 91}, headers={"Origin": origin}
            )
            assert expected == changed.status_code
            with ExitStack() as opened:
                if expected != 200:
                    opened.enter_context(pytest.raises(InvalidStatus))
                url, headers = f"ws://{balanced.address}/ws/state", bearer(balanced.token)
                socket_ = opened.enter_context(
                    connect(url, origin=Origin(origin), additional_headers=headers, open_timeout=SECONDS)
                )
                assert "asset_data" == json.loads(socket_.recv(SECONDS))["type"]
        assert 401 == http.get(f"{COMPREHENSIVE}/active", headers={"Authorization": ""}).status_code


def test_the_history_has_the_address_of_the_client_whatever_it_says_itself(balanced: Balanced) -> None:
    change = {"asset_symbol": "ETH", "bang_threshold": 86}
    lies = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host")
    with balanced.http() as http:
        for said in ({}, dict.fromkeys(lies, "203.0.113.9"), {"X-Forwarded-For": "203.0.113.9, 127.0.0.1"}):
            made = http.post(f"{COMPREHENSIVE}/partial-update", json=change, headers=said)
            assert 200 == made.status_code
            for server in balanced.servers:
                headers = bearer(balanced.token)
                eventually(lambda: made.json()["version"] == newest(server, headers)["version"])  # noqa: B023
                assert CLIENT == newest(server, headers)["address"]


def newest(server: RunningServer, headers: dict[str, str]) -> dict[str, str]:
    """The newest change that a server knows of."""
    path = f"{server.url}{COMPREHENSIVE}/history?limit=1"
    found: dict[str, str] = server.http.get(path, headers=headers).json()["history"][0]
    return found


def test_while_gateways_are_restarted_one_after_the_other_nothing_is_refused(balanced: Balanced) -> None:
    first, second = balanced.servers
    with ExitStack() as open_:
        clients = [open_.enter_context(balanced.client()) for _ in range(4)]
        for client in clients:
            client.state("BTC")
        first.kill()
        assert {200} == {status(balanced.address) for _ in range(10)}
        with balanced.client() as client:
            assert "BTC" == client.state("BTC")["asset"]
        first.start()
        second.kill()
        assert {200} == {status(balanced.address) for _ in range(10)}
        second.start()


def test_a_pause_gets_through_while_a_gateway_hangs(balanced: Balanced, tmp_path: Path) -> None:
    sooner = TEXT.replace("proxy_read_timeout 6s", "proxy_read_timeout 1s")
    assert sooner != TEXT
    hanging = psutil.Process(balanced.servers[0].process.pid)
    with (
        balancer(tmp_path, *balanced.servers, text=sooner) as address,
        httpx.Client(base_url=f"http://{address}", headers=bearer(balanced.token), timeout=60) as http,
    ):
        hanging.suspend()
        try:
            answers = [http.post(f"{COMPREHENSIVE}/pause", json={"asset": "ETH"}) for _ in range(4)]
        finally:
            hanging.resume()
        assert [200] * 4 == [answer.status_code for answer in answers]
        assert all("ETH" in answer.json()["paused"] for answer in answers)
        # What the hanging one reads only now may have come at any time, so it may ask to resume again.
        eventually(lambda: http.post(f"{COMPREHENSIVE}/resume", json={"asset": "ETH"}).json().get("paused") == [])


@contextmanager
def unreachable() -> Iterator[int]:
    """The port of a gateway that answers nobody who wants to connect, as one whose machine is gone."""
    with ExitStack() as opened, socket.socket() as listening:
        listening.bind(("127.0.0.1", free_port()))
        listening.listen(0)
        for _ in range(3):  # as many as its queue takes, and more
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listening.getsockname())
        yield listening.getsockname()[1]


def test_a_resumption_does_not_wait_for_a_gateway_that_is_gone_and_a_pause_hardly(
    balanced: Balanced, tmp_path: Path
) -> None:
    """What waits in the balancer would end a pause that is made in that time."""
    for name in ("resume", "pause"):
        (place,) = re.findall(rf"location = {COMPREHENSIVE}/{name} {{(.*?)}}", TEXT, re.DOTALL)
        assert "proxy_connect_timeout 200ms;" in place
    alone = re.sub(r"server gateway-2:8000 .*?;", "", TEXT)
    with unreachable() as port:
        one_of_two = TEXT.replace("gateway-1:8000", f"127.0.0.1:{port}").replace("gateway-2", "gateway-1")
        with (
            balancer(tmp_path, balanced.servers[0], text=one_of_two) as address,
            httpx.Client(base_url=f"http://{address}", headers=bearer(balanced.token), timeout=SECONDS) as http,
        ):
            for name in ("pause", "resume") * 4:
                assert http.post(f"{COMPREHENSIVE}/{name}", json={"asset": "ETH"}).status_code == 200
        alone = alone.replace("gateway-1:8000", f"127.0.0.1:{port}")
        with balancer(tmp_path, text=alone) as address, httpx.Client(base_url=f"http://{address}") as http:
            answer = http.post(f"{COMPREHENSIVE}/resume", json={"asset": "ETH"}, timeout=SECONDS)
    assert answer.status_code == 504, "and comes to none later"


def test_a_resumption_that_came_slowly_ends_no_pause_that_was_made_in_that_time(balanced: Balanced) -> None:
    """nginx begins its request only once it has the head, which may be more than a packet."""
    host, _, port = balanced.address.rpartition(":")
    said = request(
        "POST", f"{COMPREHENSIVE}/resume", ("Host", "localhost"), ("Connection", "close"), ("Content-Length", "0"),
        *bearer(balanced.token).items(),
    )  # fmt: skip
    with balanced.http() as http, socket.create_connection((host, int(port)), SECONDS) as opened:
        opened.sendall(said[:40])
        time.sleep(1.0)  # the first part has been read by then
        assert http.post(f"{COMPREHENSIVE}/pause", json={}).status_code == 200
        opened.sendall(said[40:])
        assert opened.recv(100).startswith(b"HTTP/1.1 412 ")
        eventually(lambda: http.post(f"{COMPREHENSIVE}/resume", json={}).json().get("paused") == [])


def test_one_address_gets_no_more_than_its_share_but_always_a_pause(balanced: Balanced, tmp_path: Path) -> None:
    text = TEXT.replace("rate=100r/s", "rate=1r/m").replace("burst=400", f"burst={MOST}")
    assert 2 == sum(before != after for before, after in zip(TEXT.splitlines(), text.splitlines(), strict=True))
    with balancer(tmp_path, *balanced.servers, text=text) as address:
        narrow = Balanced(address, balanced.servers, balanced.token)
        with narrow.http() as http, narrow.http("127.0.0.8") as other:
            assert 429 in {http.get(f"{COMPREHENSIVE}/active").status_code for _ in range(2 * MOST)}
            assert {200} == {http.post(f"{COMPREHENSIVE}/pause", json={}).status_code for _ in range(2 * MOST)}
            assert 200 == other.post(f"{COMPREHENSIVE}/resume", json={}).status_code


def test_requests_that_do_not_end_keep_no_pause_of_their_address_out(balanced: Balanced, tmp_path: Path) -> None:
    text = TEXT.replace("limit_conn addresses 500", f"limit_conn addresses {MOST}")
    text = text.replace("limit_conn pauses 100", f"limit_conn pauses {MOST}")
    assert 3 == sum(before != after for before, after in zip(TEXT.splitlines(), text.splitlines(), strict=True))
    with balancer(tmp_path, *balanced.servers, text=text) as address, ExitStack() as opened:
        host, port = address.split(":")
        head = f"Host: {address}\r\nContent-Length: 9\r\n"
        token = f"Authorization: Bearer {balanced.token}\r\n"
        # With a token, for otherwise a gateway answers at once and does not wait for the body.
        change = f"POST {COMPREHENSIVE}/partial-update HTTP/1.1\r\n{token}{head}\r\n{{"
        pause = f"POST {COMPREHENSIVE}/pause HTTP/1.1\r\n{head}\r\n{{"

        def begin(request: str) -> None:
            slow = opened.enter_context(socket.create_connection((host, int(port)), source_address=(CLIENT, 0)))
            slow.sendall(request.encode())

        def is_full() -> bool:
            # A place that the question below had for a moment may have been refused to one of those before.
            begin(change)
            return http.get(f"{COMPREHENSIVE}/active").status_code == 429

        for request in [change] * MOST + [pause] * MOST:
            begin(request)
        narrow = Balanced(address, balanced.servers, balanced.token)
        with narrow.http() as http:
            eventually(is_full)
            assert 200 == http.post(f"{COMPREHENSIVE}/pause", json={"asset": "ETH"}).status_code
    with balanced.http() as http:
        assert 200 == http.post(f"{COMPREHENSIVE}/resume", json={"asset": "ETH"}).status_code


def test_pauses_with_ever_another_token_do_not_take_all_connections_there_are(
    balanced: Balanced, tmp_path: Path
) -> None:
    """Nor do they keep those out who pause from another address."""
    text = TEXT.replace("limit_conn pauses_of_address 2000", f"limit_conn pauses_of_address {MOST}")
    assert text != TEXT
    with balancer(tmp_path, *balanced.servers, text=text) as address, ExitStack() as opened:
        host, port = address.split(":")

        def begin(number: int) -> socket.socket:
            head = f"Host: {address}\r\nAuthorization: Bearer {number}\r\nContent-Length: 9\r\n"
            slow = opened.enter_context(socket.create_connection((host, int(port)), SECONDS))
            slow.sendall(f"POST {COMPREHENSIVE}/pause HTTP/1.1\r\n{head}\r\n{{".encode())
            return slow

        def is_refused() -> bool:
            # One that nginx reads before some of the others has a place, and gets no answer.
            another = begin(MOST)
            another.settimeout(0.2)
            with suppress(TimeoutError):
                return b" 429 " in another.recv(64)
            return False

        for number in range(MOST):
            begin(number)
        eventually(is_refused, 60)
        narrow = Balanced(address, balanced.servers, balanced.token)
        with narrow.http() as http:
            assert 200 == http.post(f"{COMPREHENSIVE}/pause", json={"asset": "ETH"}).status_code
    with balanced.http() as http:
        assert 200 == http.post(f"{COMPREHENSIVE}/resume", json={"asset": "ETH"}).status_code


def test_nothing_unfinished_or_unread_is_kept_in_files(balanced: Balanced, tmp_path: Path) -> None:
    text = TEXT.replace("worker_processes auto;", "user root;")  # otherwise the folder of a test is out of its reach
    with balancer(tmp_path, *balanced.servers, text=text) as address, ExitStack() as opened:
        host, port = address.split(":")

        def asked(request: str, body: bytes = b"") -> None:
            connection = opened.enter_context(socket.create_connection((host, int(port))))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.sendall(request.encode() + body)

        for _ in range(4):
            asked(f"POST /x HTTP/1.1\r\nHost: {address}\r\nContent-Length: 900000\r\n\r\n", b"x" * 100_000)
            asked(f"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: {address}\r\n\r\n")
        with http_client(base_url=f"http://{address}", headers=bearer(balanced.token)) as http:
            assert {200} == {
                http.get("/health").status_code for _ in range(100)
            }  # all that came before is read by then
        # It deletes such a file at once, and keeps it open.
        nginx = psutil.Process(int((tmp_path / "nginx.pid").read_text()))
        links = [each for worker in nginx.children() for each in Path(f"/proc/{worker.pid}/fd").iterdir()]
        kept = [target for each in links if str(tmp_path) in (target := str(each.readlink()))]
        assert [] == kept


def test_what_is_refused_does_not_fill_the_log(balanced: Balanced, tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    text = TEXT.replace("rate=100r/s", "rate=1r/m").replace("burst=400", "burst=1")
    text = text.replace("limit_conn pauses 100", "limit_conn pauses 1").replace(
        "error_log stderr", "error_log /tmp/error.log"
    )
    with balancer(tmp_path, *balanced.servers, text=text) as address:
        host, port = address.split(":")
        with http_client(CLIENT, base_url=f"http://{address}") as http:
            assert 429 in {http.get("/x").status_code for _ in range(50)}
            assert 413 == http.post(f"{COMPREHENSIVE}/pause", content=b"x" * 100_000).status_code
        long = f"Authorization: Bearer {'x' * 1_500}\r\nContent-Length: 9"
        head = f"POST {COMPREHENSIVE}/pause HTTP/1.1\r\nHost: {address}\r\n{long}\r\n\r\n{{"
        with ExitStack() as opened:
            slow = [opened.enter_context(socket.create_connection((host, int(port)))) for _ in range(20)]
            for each in slow:
                each.sendall(head.encode())
                each.settimeout(SECONDS)
            # All but the first are beyond the limit of one.
            assert b" 429 " in slow[-1].recv(100)
    assert [] == [
        line for line in log.read_text().splitlines() if "setrlimit" not in line
    ]  # of a machine with few files


def test_who_follows_the_file_and_forgets_tokens_lets_nobody_in(tmp_path: Path) -> None:
    """It listens on all addresses, and the gateways behind it on this machine only."""
    with (
        RunningServer("--assets", "BTC", db=tmp_path / "v.db") as server,
        balancer(tmp_path, server, server) as address,
        http_client(base_url=f"http://{address}", headers={"Host": "localhost"}) as http,
    ):
        for answer in (http.get(f"{COMPREHENSIVE}/active"), http.post(f"{COMPREHENSIVE}/pause", json={})):
            assert (403, "unnamed_proxy") == refusal(answer)
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://{address}/ws/state")
        assert 403 == refused.value.response.status_code
        assert 200 == server.get(f"{COMPREHENSIVE}/active").status_code
