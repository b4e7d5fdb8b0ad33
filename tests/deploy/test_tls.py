"""deploy/nginx-tls.conf: TLS before one server, with a real nginx and a certificate made here, where there are both."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from deployed import DEPLOY
from ports import free_port
from raw_http import UPGRADE, answer, request
from redis_running import eventually
from running import COMPREHENSIVE, RunningServer
from tokens import bearer, make_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = (DEPLOY / "nginx-tls.conf").read_text()
NGINX = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
OPENSSL = shutil.which("openssl")
NAME = "vivienne.example"
ROOT = "/vivienne"
SECONDS = 10
CLIENT = "127.0.0.5"
MOST = 5
"""WebSockets of one address; many more in the file."""

pytestmark = pytest.mark.skipif(NGINX is None or OPENSSL is None, reason="it needs nginx and openssl")


@dataclass
class Site:
    """What is served: by nginx at two ports, and behind it."""

    plain: int
    port: int
    tls: ssl.SSLContext
    server: RunningServer
    token: str

    def http(self) -> httpx.Client:
        """Somebody at an address of their own, who knows the name and trusts the certificate."""
        transport = httpx.HTTPTransport(verify=self.tls, local_address=CLIENT)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"Host": NAME, **bearer(self.token)},
            transport=transport,
            timeout=SECONDS,
        )


def certificate(folder: Path) -> None:
    """For a year, for the name and this machine, signed by itself."""
    command = [
        str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "365", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1",
        "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem"),
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == made.returncode, made.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    token = make_token(folder / "v.db", "ann", "tuner")
    certificate(folder)
    plain, port = free_port(), free_port()
    flags = ("--assets", "BTC", "--origins", f"https://{NAME}", "--proxies", "127.0.0.1", "--root-path", ROOT)
    with ExitStack() as open_:
        server = open_.enter_context(RunningServer(*flags, db=folder / "v.db"))
        text = TEXT.replace("/tmp/", f"{folder}/").replace("/etc/ssl/vivienne/", f"{folder}/")  # noqa: S108
        text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        # Both as it stands and under a path, with one server.
        location = re.search(r"\n        location / \{.*?\n        \}", text, re.DOTALL)
        assert location is not None
        text = text.replace(location[0], location[0] + location[0].replace("location /", f"location {ROOT}/"))
        text = text.replace("limit_conn addresses 500;", f"limit_conn addresses {MOST};")
        (folder / "nginx.conf").write_text(text)
        nginx = open_.enter_context(
            subprocess.Popen([str(NGINX), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])
        )
        open_.callback(nginx.terminate)
        site = Site(plain, port, ssl.create_default_context(cafile=str(folder / "certificate.pem")), server, token)
        eventually(lambda: reachable(site))
        yield site


def reachable(site: Site) -> bool:
    try:
        with site.http() as http:
            return http.get("/health").is_success
    except httpx.TransportError:
        return False


def test_whoever_comes_without_tls_is_sent_where_it_is(site: Site) -> None:
    answer = httpx.get(f"http://127.0.0.1:{site.plain}/logs?level=info", headers={"Host": NAME}, trust_env=False)

    assert (308, f"https://{NAME}/logs?level=info") == (answer.status_code, answer.headers["Location"])


@pytest.mark.parametrize("way", ["plain", "port"])
def test_a_request_that_does_not_end_keeps_no_connection_at_any_port(site: Site, way: str) -> None:
    """Also at the port that only sends elsewhere: 60 s each, by nginx's default, would be enough to take all it has."""
    with ExitStack() as open_:
        client = open_.enter_context(socket.create_connection(("127.0.0.1", getattr(site, way)), timeout=3 * SECONDS))
        if way == "port":
            client = open_.enter_context(site.tls.wrap_socket(client, server_hostname=NAME))
        client.sendall(b"G")

        assert b"" == client.recv(1)


def test_many_pages_that_open_behind_one_address_get_their_files(site: Site) -> None:
    """One whose script is refused stays white. Other requests of an address are limited at this number."""
    with site.http() as http:
        answers = Counter(http.get("/static/none.js").status_code for _ in range(1_200))
    assert answers == {404: 1_200}


def test_requests_and_websockets_go_through_it_with_a_token_and_not_without(site: Site) -> None:
    with site.http() as http:
        answer = http.get(f"{COMPREHENSIVE}/active")
        assert 200 == answer.status_code
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert 401 == http.get(f"{COMPREHENSIVE}/active", headers={"Authorization": ""}).status_code
        ticket = http.post("/auth/ticket").json()["ticket"]
    with websocket(site, f"https://{NAME}", ticket) as (status, client):
        assert 101 == status
        received = b""
        while b"asset_data" not in received:
            more = client.recv(65_536)
            assert more
            received += more
    with websocket(site, f"https://{NAME}", ticket) as (status, _):
        assert 401 == status  # a ticket is good once


def test_under_a_path_the_page_its_files_and_the_stream_go_through_it(site: Site) -> None:
    with site.http() as http:
        page = http.get(f"{ROOT}/assets/BTC", headers={"Accept": "text/html"})
        (script,) = re.findall(r'type="module"[^>]* src="([^"]+)"', page.text)
        assert script.startswith(f"{ROOT}/static/")
        assert 200 == http.get(script).status_code
        assert 200 == http.get(f"{ROOT}{COMPREHENSIVE}/active").status_code
        ticket = http.post(f"{ROOT}/auth/ticket").json()["ticket"]
    with websocket(site, f"https://{NAME}", ticket, ROOT) as (status, _):
        assert 101 == status


@pytest.mark.parametrize("origin", [f"http://{NAME}", "https://evil.example", f"https://{NAME}.evil.example", "null"])
def test_pages_from_elsewhere_are_refused_through_it_too(site: Site, origin: str) -> None:
    with site.http() as http:
        assert 403 == http.get(f"{COMPREHENSIVE}/active", headers={"Origin": origin}).status_code
        ticket = http.post("/auth/ticket").json()["ticket"]
    with websocket(site, origin, ticket) as (status, _):
        assert 403 == status


def test_the_history_has_the_address_of_the_client_whatever_it_says_itself(site: Site) -> None:
    change = {"asset_symbol": "BTC", "bang_threshold": 86}
    with site.http() as http:
        for said in ({}, {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.9, 127.0.0.1"}):
            assert 200 == http.post(f"{COMPREHENSIVE}/partial-update", json=change, headers=said).status_code
            (entry,) = http.get(f"{COMPREHENSIVE}/history", params={"limit": 1}).json()["history"]
            assert ("ann", "rest", CLIENT) == (entry["author"], entry["channel"], entry["address"])


def test_one_address_does_not_take_all_connections_there_are(site: Site) -> None:
    assert "limit_conn addresses 500;" in TEXT
    with site.http() as http, ExitStack() as open_:
        for _ in range(MOST):
            ticket = http.post("/auth/ticket").json()["ticket"]
            assert 101 == open_.enter_context(websocket(site, f"https://{NAME}", ticket))[0]
        with websocket(site, f"https://{NAME}", "none") as (status, _):
            assert 429 == status
        assert 200 == http.get("/health").status_code  # from another address


def test_nothing_older_than_tls_1_2_is_spoken(site: Site) -> None:
    assert {"TLSv1.2", "TLSv1.3"} == set(re.findall(r"TLSv[\d.]+", TEXT))
    with (
        socket.create_connection(("127.0.0.1", site.port), SECONDS) as plain,
        site.tls.wrap_socket(plain, server_hostname=NAME) as secure,
    ):
        assert "TLSv1.3" == secure.version()


@contextmanager
def websocket(site: Site, origin: str, ticket: str, root: str = "") -> Iterator[tuple[int, socket.socket]]:
    """A handshake: the status of its answer, and the connection.

    In one thread: Python 3.11 does not let two threads use a TLS connection, as the synchronous client of `websockets`
    does. Now and then a handshake was never sent.
    """
    offered = ("Sec-WebSocket-Protocol", f"vivienne, vivienne.ticket.{ticket}")
    with (
        socket.create_connection(("127.0.0.1", site.port), SECONDS) as plain,
        site.tls.wrap_socket(plain, server_hostname=NAME) as secure,
    ):
        secure.sendall(request("GET", f"{root}/ws/state", ("Host", NAME), ("Origin", origin), offered, *UPGRADE))
        yield answer(secure, has_body=False).status, secure
