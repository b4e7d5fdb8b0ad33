"""How many may connect, how fast, and how long a connection may keep what it wants to itself."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from raw_http import UPGRADE, RawAnswer, answer, connected, request, rest
from running import COMPREHENSIVE, Client, RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 10
HOST = ("Host", "localhost")
HEALTH = request("GET", "/health", HOST)
SOCKET = request("GET", "/ws/state", HOST, *UPGRADE)
POST = request("POST", f"{COMPREHENSIVE}/partial-update", HOST, ("Content-Type", "application/json"),
               ("Content-Length", "100"))  # fmt: skip
CHUNKED = request("POST", f"{COMPREHENSIVE}/partial-update", HOST, ("Content-Type", "application/json"),
                  ("Transfer-Encoding", "chunked"))  # fmt: skip
PAUSE = request("POST", f"{COMPREHENSIVE}/pause", HOST, ("Content-Type", "application/json"),
                ("Content-Length", "2")) + b"{}"  # fmt: skip
TIMED_OUT = b"HTTP/1.1 408 "


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC", db=tmp_path_factory.mktemp("connections") / "v.db") as running:
        yield running


@pytest.fixture(scope="module")
def few_halves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC", "--max-half-open", "10")
    with RunningServer(*flags, db=tmp_path_factory.mktemp("halves") / "v.db") as running:
        yield running


class Visitors:
    """Connections that are closed at the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.open = ExitStack()

    def come(self, address: str, said: bytes = b"") -> socket.socket:
        """Connect from an address of this machine, and say something."""
        target = ("127.0.0.1", self._port)
        made = self.open.enter_context(socket.create_connection(target, SECONDS, source_address=(address, 0)))
        made.sendall(said)
        return made

    def opened(self, address: str) -> RawAnswer:
        """What somebody is answered who opens a WebSocket."""
        return answer(self.come(address, SOCKET), has_body=False)

    def asked(self, address: str, said: bytes = HEALTH) -> RawAnswer:
        """What somebody is answered who asks, and leaves."""
        with self.come(address, said) as made:
            return answer(made)


@pytest.fixture
def visitors(tmp_path: Path) -> Iterator[Visitors]:
    flags = ("--assets", "BTC", "--max-connections", "12", "--max-connections-per-address", "5")
    with RunningServer(*flags, db=tmp_path / "v.db") as server:
        server.http.close()  # it keeps a connection
        found = Visitors(server.port)
        with found.open:
            yield found


def one_too_many(found: RawAnswer) -> tuple[int, str | None, list[str], list[str]]:
    return found.status, found.code, found.headers["retry-after"], found.headers["connection"]


def served_again(visitors: Visitors, address: str) -> bool:
    """Whether somebody is let in, once the server has noticed that others left."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if visitors.asked(address).status == 200:
            return True
        time.sleep(0.05)
    return False


def test_one_address_may_have_so_many_connections_and_others_are_served(visitors: Visitors) -> None:
    assert served_again(visitors, "127.0.0.1")
    kept = [visitors.come("127.0.0.1", SOCKET) for _ in range(5)]
    assert [101] * 5 == [answer(each, has_body=False).status for each in kept]

    for said in (HEALTH, SOCKET):
        assert (429, "too_many_connections", ["1"], ["close"]) == one_too_many(visitors.asked("127.0.0.1", said))
    assert 200 == visitors.asked("127.0.0.2").status
    assert 101 == visitors.opened("127.0.0.2").status

    kept[0].close()
    assert served_again(visitors, "127.0.0.1")


def test_so_many_connections_are_open_in_all_and_one_that_ends_makes_room(visitors: Visitors) -> None:
    assert served_again(visitors, "127.0.0.1")
    kept = [visitors.come(f"127.0.0.{2 + number % 3}", SOCKET) for number in range(12)]
    assert [101] * 12 == [answer(each, has_body=False).status for each in kept]

    for said in (HEALTH, SOCKET):
        assert (503, "too_many_connections", ["1"], ["close"]) == one_too_many(visitors.asked("127.0.0.2", said))

    kept[0].close()
    assert served_again(visitors, "127.0.0.2")


def test_a_pause_gets_through_when_all_connections_are_taken(visitors: Visitors) -> None:
    assert served_again(visitors, "127.0.0.1")
    kept = [visitors.come("127.0.0.1", SOCKET) for _ in range(5)]
    assert [101] * 5 == [answer(each, has_body=False).status for each in kept]
    assert 429 == visitors.asked("127.0.0.1").status
    assert 200 == visitors.asked("127.0.0.1", PAUSE).status

    kept += [visitors.come(f"127.0.0.{2 + number % 2}", SOCKET) for number in range(7)]
    assert [101] * 7 == [answer(each, has_body=False).status for each in kept[5:]]
    unspoken = [visitors.come("127.0.0.2", begun) for begun in (b"", PAUSE[:-1]) * 40]
    paused = visitors.asked("127.0.0.2", PAUSE)
    assert (200, ["close"]) == (paused.status, paused.headers["connection"])
    assert unspoken


def test_when_all_connections_are_taken_the_address_with_most_gives_one_up(visitors: Visitors) -> None:
    assert served_again(visitors, "127.0.0.1")
    kept = [visitors.come(f"127.0.0.{2 + number % 3}", SOCKET) for number in range(12)]
    assert [101] * 12 == [answer(each, has_body=False).status for each in kept]

    assert 200 == visitors.asked("127.0.0.9").status
    kept[0].settimeout(SECONDS)
    with suppress(ConnectionResetError):
        while kept[0].recv(65_536):
            pass


def test_so_many_websockets_are_opened_in_a_second_and_requests_go_on(tmp_path: Path) -> None:
    with (
        RunningServer("--assets", "BTC", "--max-handshakes-per-second", "3", db=tmp_path / "v.db") as server,
        ExitStack() as opened,
    ):
        refused: list[InvalidStatus] = []
        for _ in range(100):
            try:
                opened.enter_context(connect(f"ws://127.0.0.1:{server.port}/ws/state", open_timeout=SECONDS))
            except InvalidStatus as refusal:
                refused.append(refusal)
                break
        (one,) = refused
        assert (429, "1") == (one.response.status_code, one.response.headers["Retry-After"])
        assert b"The limit of 3 new WebSockets in a second is reached" in (one.response.body or b"")
        assert 200 == server.get("/health").status_code
        time.sleep(1)
        with server.client() as client:
            assert client.state("BTC")


def test_others_are_served_beside_500_that_say_nothing_or_half_of_it(tmp_path: Path) -> None:
    with (
        RunningServer("--assets", "BTC", "--handshake-seconds", "3", db=tmp_path / "v.db") as server,
        ExitStack() as open_,
        server.client() as watching,
    ):
        half = HEALTH[:-10]
        silent = [open_.enter_context(connected(server.port)) for _ in range(500)]
        for each in silent[::2]:
            each.sendall(half)

        assert 200 == server.post("partial-update", {"bang_threshold": 85}).status_code
        with server.client() as client:
            assert 1 == client.state("BTC", version=1)["config_version"]
        assert 1 == watching.state("BTC", version=1)["config_version"]
        assert [TIMED_OUT] * 500 == [rest(each)[: len(TIMED_OUT)] for each in silent]
        assert "success" == watching.ask({"type": "subscribe", "assets": ["BTC"]})["status"]


@pytest.mark.parametrize("said", [b"", HEALTH[:-10], POST + b'{"bang'])
def test_of_too_many_that_say_nothing_or_half_of_it_the_oldest_go(few_halves: RunningServer, said: bytes) -> None:
    with ExitStack() as open_:
        silent = [open_.enter_context(connected(few_halves.port)) for _ in range(5)]
        for each in silent:
            each.sendall(said)
        time.sleep(0.2)
        more = [open_.enter_context(connected(few_halves.port)) for _ in range(30)]

        assert [TIMED_OUT] * 5 == [rest(each)[: len(TIMED_OUT)] for each in silent]
        more[-1].sendall(HEALTH)
        assert 200 == answer(more[-1]).status


HALF = {
    "nothing": (b"", TIMED_OUT),
    "half a request": (HEALTH[:-10], TIMED_OUT),
    "half the beginning of a websocket": (SOCKET[:-10], TIMED_OUT),
    "half a body": (POST + b'{"bang', TIMED_OUT),
    "a body that does not end": (CHUNKED + b"1\r\n \r\n", TIMED_OUT),
    # What was answered without its body, or is no request, is no reason to stay.
    "an answered request without its body": (request("GET", "/health", HOST, ("Content-Length", "9999")), b""),
    "empty lines after an answer": (HEALTH, b""),
}
DRIP = {"half a request": b"a", "half the beginning of a websocket": b"a", "a body that does not end": b"1\r\n \r\n",
        "empty lines after an answer": b"\r\n"}  # fmt: skip


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC", "--handshake-seconds", "1")
    with RunningServer(*flags, db=tmp_path_factory.mktemp("slow") / "v.db") as server:
        yield server


@pytest.mark.parametrize("what", HALF)
def test_what_is_sent_slowly_ends_in_time(impatient: RunningServer, what: str) -> None:
    said, expected = HALF[what]
    with connected(impatient.port) as slow:
        slow.sendall(said)
        if not expected:
            assert 200 == answer(slow).status
        assert dripped(slow, DRIP.get(what, b" " if said else b"")).startswith(expected)
    assert "Traceback" not in impatient.log


def dripped(slow: socket.socket, drop: bytes) -> bytes:
    """Send a little again and again, far more slowly than ever ends; gives what comes until the connection ends."""
    slow.settimeout(0.2)
    got = b""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            more = slow.recv(65_536)
            if not more:
                return got
            got += more
        except TimeoutError:
            if drop:
                try:
                    slow.sendall(drop)
                except OSError:
                    return got
        except ConnectionResetError:
            return got
    raise AssertionError("the connection stays open")


def test_who_hangs_up_within_a_body_changes_nothing_and_leaves_no_trace(impatient: RunningServer) -> None:
    with connected(impatient.port) as leaving:
        leaving.sendall(POST + b'{"bang_threshold": 85}')
    with connected(impatient.port) as leaving:
        leaving.sendall(CHUNKED + b"2\r\n{}\r\n")
    assert 200 == httpx.get(f"{impatient.url}/health", timeout=SECONDS).status_code
    time.sleep(0.2)
    assert impatient.newest() is None
    assert "Traceback" not in impatient.log


def test_a_connection_that_is_used_stays(impatient: RunningServer) -> None:
    with connected(impatient.port) as used, Client(f"ws://127.0.0.1:{impatient.port}/ws/state") as client:
        for _ in range(4):
            used.sendall(HEALTH)
            assert 200 == answer(used).status
            time.sleep(0.5)
        assert "success" == client.ask({"type": "subscribe", "assets": ["BTC"]})["status"]


@pytest.mark.parametrize("said", [b"a:b\r\n" * 20_000, b"a: " + b"b" * 1_000_000, b"x" * 1_000_000])
def test_headers_without_end_are_refused_before_they_fill_the_memory(server: RunningServer, said: bytes) -> None:
    with connected(server.port) as endless:
        with suppress(ConnectionError):  # it was closed while there was more to say
            endless.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + said)
        ended = rest(endless)
    assert ended == b"" or ended.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    assert 200 == server.get("/health").status_code


@pytest.mark.parametrize(
    "headers", [{f"x-{number}": "y" for number in range(120)}, {"x": "y" * 65_000, "z": "y" * 2_000}]
)
def test_a_request_may_have_so_many_headers(server: RunningServer, headers: dict[str, str]) -> None:
    refused = httpx.get(f"{server.url}/health", headers=headers)

    assert 431 == refused.status_code
    assert "headers_too_large" == refused.json()["code"]
    assert 200 == httpx.get(f"{server.url}/health", headers={f"x-{number}": "y" for number in range(80)}).status_code


def test_a_body_that_comes_with_its_headers_is_no_header(server: RunningServer) -> None:
    long = {"settings": {"state_threshold_bang": 85}, "reason": "x" * 900, "description": "y" * 200_000}
    assert server.post("validate", long).status_code in {200, 422}


def test_pings_of_a_client_that_does_not_read_are_not_answered_without_end(server: RunningServer) -> None:
    """Each answer that is not read would be kept in the memory."""
    ping = b"\x89\xfd" + b"\0" * 4 + b"x" * 125
    with connected(server.port) as client:
        client.sendall(request("GET", "/ws/logs", ("Host", "localhost"), *UPGRADE))
        answer(client, has_body=False)
        with suppress(ConnectionError):  # so many end the connection
            for _ in range(60):
                client.sendall(ping * 1_000)  # 8 MB
            client.sendall(b"\x88\x80" + b"\0" * 4)
        got = rest(client)

    assert len(got) < 60 * 1_000 * len(ping) / 2
