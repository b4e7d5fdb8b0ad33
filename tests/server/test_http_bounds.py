"""Requests without end, handshakes that are none, and answers that nobody reads: each ends, and others are served."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from raw_http import UPGRADE, answer, ask, connected, request, rest
from running import COMPREHENSIVE, RunningServer, run_program
from sizes import rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 20.0
HOST = ("Host", "localhost")
HEALTH = request("GET", "/health", HOST)
LAST = request("GET", "/health", HOST, ("Connection", "close"))
CHUNKED = request("POST", f"{COMPREHENSIVE}/validate", HOST, ("Content-Type", "application/json"),
                  ("Transfer-Encoding", "chunked"))  # fmt: skip
PAUSE = request("POST", f"{COMPREHENSIVE}/pause", HOST, ("Content-Type", "application/json"),
                ("Content-Length", "2")) + b"{}"  # fmt: skip
PAUSES = b'{"type":"control","strategy":"pause","params":{"asset_symbol":"BTC"}}'
LONG_FILE = request("GET", "/static-offline-docs/swagger-ui-bundle.js", HOST)
PAGE = request("GET", f"{COMPREHENSIVE}/history", HOST)
HALF_OPEN = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC,ETH", "--max-half-open", str(HALF_OPEN))
    with RunningServer(*flags, db=tmp_path_factory.mktemp("bounds") / "v.db") as running:
        yield running
        assert "Traceback" not in running.log


def comes(true: Callable[[], bool]) -> bool:
    """Whether it becomes true."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def frame(payload: bytes) -> bytes:
    """A short message of a client, under a mask of zeros."""
    return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload


def is_ended(connection: socket.socket) -> bool:
    """Whether the server has ended a connection from which nobody reads."""
    established = 1
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != established


def never_reading(server: RunningServer, asked: bytes) -> socket.socket:
    """A connection that has asked for something and takes almost nothing of it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.settimeout(SECONDS)
    made.connect(("127.0.0.1", server.port))
    made.sendall(asked)
    return made


def ended(server: RunningServer, reason: str) -> float:
    """How many connections were ended for a reason."""
    line = f'vivienne_connections_ended_total{{reason="{reason}"}} '
    return next(float(each.removeprefix(line)) for each in server.get("/metrics").text.splitlines() if line in each)


# What is sent without end


@pytest.mark.parametrize("said", [b"a: b\r\n" * 20_000, b"a: " + b"b" * 1_000_000, b"x" * 1_000_000])
def test_trailers_without_end_are_refused(server: RunningServer, said: bytes) -> None:
    with connected(server.port) as endless:
        with suppress(ConnectionError):  # it was closed while there was more to say
            endless.sendall(CHUNKED + b"2\r\n{}\r\n0\r\n" + said)
        got = rest(endless)
    assert got == b"" or got.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    assert 200 == server.get("/health").status_code


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{COMPREHENSIVE}/pause?" + "%" * 60_000, 414),
        ("/" + "%25" * 1_000, 414),
        ("/health?" + "%25" * 2_500, 200),
    ],
    ids=["query", "path", "long"],
)
def test_a_long_address_is_refused_before_it_is_decoded(server: RunningServer, address: str, status: int) -> None:
    method = "POST" if "pause" in address else "GET"
    found = ask(server.port, request(method, address, HOST, ("Content-Length", "0"), ("Connection", "close")))
    assert (found.status, found.code) == (status, "address_too_long" if status == 414 else None)


def test_trailers_are_read_over(server: RunningServer) -> None:
    with connected(server.port) as chunked:
        chunked.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nHost: elsewhere\r\nX: y\r\n\r\n" + LAST)
        assert 2 == rest(chunked).count(b"HTTP/1.1 200 OK")


@pytest.mark.sized
def test_many_requests_at_once_are_answered_one_after_the_other(server: RunningServer) -> None:
    number = rounds(2_000, 600)  # more than there may be calls within each other
    with connected(server.port) as pipelining:
        pipelining.sendall(HEALTH * (number - 1) + LAST)
        assert number == rest(pipelining).count(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("coding", ["gzip, chunked", "chunked, gzip, chunked", "xchunked, chunked"])
def test_a_body_in_a_coding_that_is_not_read_is_refused(server: RunningServer, coding: str) -> None:
    said = request("POST", f"{COMPREHENSIVE}/pause", HOST, ("Transfer-Encoding", coding))
    # The parser itself refuses one that is chunked twice.
    assert ask(server.port, said + b"2\r\n{}\r\n0\r\n\r\n").status == (400 if coding.startswith("chunked") else 501)


def test_a_body_in_chunks_of_a_byte_is_read(server: RunningServer) -> None:
    body = b'{"bang_threshold": 85, "reason": "' + b"x" * 900 + b'"}'
    with connected(server.port) as chunked:
        chunked.sendall(CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
        assert b'"valid":true' in answer(chunked).body


# Handshakes


def handshake(*more: tuple[str, str], method: str = "GET", path: str = "/ws/state") -> bytes:
    return request(method, path, HOST, *UPGRADE, *more)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (handshake(("Content-Length", "10")), 400),
        (handshake(("Content-Length", "2")) + b"{}", 400),
        (handshake(("Transfer-Encoding", "chunked")), 400),
        (handshake(("X", "y" * 9_000)), 431),
        (request("GET", "/ws/state", HOST, ("Connection", "a," * 3_000), *UPGRADE), 431),
        (handshake(("Sec-WebSocket-Protocol", "a," * 20), ("Sec-WebSocket-Extensions", "," * 20)), 431),
        (handshake(path="/ws/state?" + "y" * 9_000), 414),
        (handshake(method="POST"), 405),
    ],
)
def test_a_handshake_that_is_none_is_answered_and_closed(server: RunningServer, said: bytes, status: int) -> None:
    with connected(server.port) as opening:
        opening.sendall(said)
        assert rest(opening).startswith(b"HTTP/1.1 %d " % status)


def without(name: str, *more: tuple[str, str]) -> bytes:
    """A handshake without one of its headers, or with others in its place."""
    return request("GET", "/ws/state", HOST, *(each for each in UPGRADE if each[0] != name), *more)


@pytest.mark.parametrize(
    "said",
    [
        handshake(path="/nothing"),
        handshake(method="POST"),
        handshake(("Origin", "https://elsewhere.example")),
        handshake(("X", "y" * 9_000)),
        without("Sec-WebSocket-Key"),
        without("Sec-WebSocket-Version", ("Sec-WebSocket-Version", "1")),
        without("Upgrade"),
        without("Upgrade", ("Upgrade", "websocket, h2c")),
        without("Upgrade", ("Upgrade", "websocket/13")),
        without("Connection"),
        without("", ("Connection", "keep-alive")),
        request("GET", "/ws/state", ("Host", "elsewhere.example"), *UPGRADE),
    ],
)
def test_what_comes_after_a_handshake_that_is_refused_is_never_read(server: RunningServer, said: bytes) -> None:
    """Somebody else may have chosen it, who could so make requests in the name of the client."""
    for then in (PAUSE, frame(PAUSES), HEALTH):
        with connected(server.port) as opening:
            opening.sendall(said + then)
            found = rest(opening)
        assert found.startswith(b"HTTP/1.1 4")
        assert found.count(b"HTTP/1.1 ") == 1
    assert not server.get(f"{COMPREHENSIVE}/pause").json()["paused"]


def test_a_pause_may_come_in_the_packet_of_the_handshake(server: RunningServer) -> None:
    with connected(server.port) as opening:
        opening.sendall(handshake() + frame(PAUSES))
        assert comes(lambda: bool(server.get(f"{COMPREHENSIVE}/pause").json()["paused"]))
        opening.sendall(frame(PAUSES.replace(b"pause", b"resume")))
        assert comes(lambda: not server.get(f"{COMPREHENSIVE}/pause").json()["paused"])


@pytest.mark.parametrize("length", [0, *range(2_045, 2_055)])
def test_who_asks_for_another_protocol_goes_on_with_http(server: RunningServer, length: int) -> None:
    asked = [
        HOST,
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQCAAAA"),
    ]
    more = length - len(request("GET", "/health", *asked, ("X", "")))
    first = request("GET", "/health", *asked, ("X", "x" * more))
    before = len(server.log)
    with connected(server.port) as asking:
        asking.sendall(first + LAST)
        assert rest(asking).count(b"HTTP/1.1 200 OK") == 2
    assert "upgrade" not in server.log[before:]


H2C = (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQCAAAA"))
BTC = b'{"asset":"BTC"}'


@pytest.mark.parametrize(
    "body",
    [
        (("Content-Length", str(len(BTC))), BTC),
        (("Transfer-Encoding", "chunked"), b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(BTC), BTC)),
    ],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize(
    "upgrade", [H2C, (("Connection", "Upgrade"), ("Upgrade", "websocket, h2c"))], ids=["h2c", "ws"]
)
@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_who_offers_another_protocol_is_asked_with_the_body_and_not_without_it(
    server: RunningServer, body: tuple[tuple[str, str], bytes], upgrade: tuple[tuple[str, str], ...], at_once: int
) -> None:
    """As some libraries do with every request: a resumption of one asset would be one of all."""
    server.post("pause", {})
    framing, content = body
    for asset in ("BTC", "ETH"):
        server.post("pause", {"asset": asset})
    asked = request("POST", f"{COMPREHENSIVE}/resume", HOST, ("Content-Type", "application/json"), framing, *upgrade)
    with connected(server.port) as asking:
        asking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(asked + content), at_once):
            asking.sendall((asked + content)[place : place + at_once])
        assert answer(asking).status == 200
    pauses = server.get(f"{COMPREHENSIVE}/pause").json()["pauses"]
    assert {each["asset_symbol"] for each in pauses} == {None, "ETH"}
    server.post("resume", {})
    server.post("resume", {"asset": "ETH"})


@pytest.mark.parametrize("more", [(), (("Content-Length", "9"),)])
def test_the_body_of_who_offers_another_protocol_is_no_request(
    server: RunningServer, more: tuple[tuple[str, str], ...]
) -> None:
    asked = [HOST, *H2C, ("Content-Length", str(len(PAUSE)))]
    with connected(server.port) as asking:
        first = request("POST", f"{COMPREHENSIVE}/resume", *asked) + PAUSE
        asking.sendall(first + request("GET", "/health", HOST, *H2C, *more) + b"x" * 9 * len(more) + LAST)
        assert [status(found) for found in rest(asking).split(b"HTTP/1.1 ")[1:]] == [415, 200, 200]
    assert not server.get(f"{COMPREHENSIVE}/pause").json()["paused"]


def status(found: bytes) -> int:
    return int(found[:3])


def test_a_handshake_may_say_that_it_has_no_body(server: RunningServer) -> None:
    assert 101 == ask(server.port, handshake(("Content-Length", "0"))).status


def test_a_handshake_that_makes_no_sense_harms_nobody(server: RunningServer) -> None:
    with connected(server.port) as opening:
        opening.sendall(handshake().replace(b"/ws/state", b"/ws/state?\xff\xc3"))
        assert not rest(opening).startswith(b"HTTP/1.1 101 ")
    assert 200 == server.get("/health").status_code


# Answers that are not read


def test_an_answer_that_is_not_read_is_given_up_after_a_while(tmp_path: Path) -> None:
    last = request("GET", "/static-offline-docs/swagger-ui-bundle.js", HOST, ("Connection", "close"))
    with (
        RunningServer("--assets", "BTC", "--answer-seconds", "1", db=tmp_path / "v.db") as server,
        ExitStack() as open_,
    ):
        unread = [open_.enter_context(never_reading(server, asked)) for asked in (LONG_FILE, last, HEALTH * 5_000)]
        assert comes(lambda: all(map(is_ended, unread)))
        assert 3 == ended(server, "unread")


def test_an_answer_that_is_read_late_is_whole(server: RunningServer) -> None:
    with never_reading(server, LONG_FILE) as late:
        time.sleep(0.5)
        whole = answer(late)
    assert int(whole.headers["content-length"][0]) == len(whole.body) > 1_000_000


def test_so_many_answers_may_be_unread_and_no_more(server: RunningServer) -> None:
    with ExitStack() as open_:
        unread = [open_.enter_context(never_reading(server, LONG_FILE)) for _ in range(HALF_OPEN + 5)]
        assert comes(lambda: sum(map(is_ended, unread)) >= 5)
        assert 200 == server.get("/health").status_code


def test_no_file_stays_open_for_an_answer_that_is_not_read(server: RunningServer) -> None:
    process = psutil.Process(server.process.pid)
    ranged = request("GET", "/static-offline-docs/swagger-ui-bundle.js", HOST, ("Range", "bytes=0-999999"))
    with ExitStack() as open_:
        unread = [open_.enter_context(never_reading(server, asked)) for asked in (LONG_FILE, ranged) * 4]
        assert 200 == server.get("/health").status_code
        assert [] == [each.path for each in process.open_files() if "swagger" in each.path]
        assert not any(map(is_ended, unread))


def test_a_page_of_the_history_has_so_many_bytes_and_the_rest_follows(tmp_path: Path) -> None:
    with RunningServer("--assets", "BTC", db=tmp_path / "v.db") as server:
        for number in range(60):
            note = {"description": chr(0x1F300 + number) * 500}
            named = dict.fromkeys(("settings", "filters", "signal_weights", "signals", "indicators"), note)
            assert 200 == server.post("partial-update", note | named).status_code
        page = server.get(f"{COMPREHENSIVE}/history", limit=1_000)

        assert len(page.content) < 2_000_000
        assert page.json()["next"] == page.json()["history"][-1]["version"]
        assert [*range(60, 0, -1)] == [each["version"] for each in server.history()]


# Headers, metrics, files


@pytest.mark.parametrize("name", ["If-Match", "Idempotency-Key", "Authorization", "Content-Type"])
def test_a_header_that_decides_is_given_once(server: RunningServer, name: str) -> None:
    body = b'{"bang_threshold": 85}'
    twice = ((name, '"0"'), (name.lower(), '"1"'))
    length = ("Content-Length", str(len(body)))
    refused = ask(server.port, request("POST", f"{COMPREHENSIVE}/partial-update", HOST, length, *twice) + body)
    assert (400, "repeated_header") == (refused.status, refused.code)


def test_metrics_are_answered_however_many_ask_at_once(server: RunningServer) -> None:
    with ExitStack() as open_:
        asking = [open_.enter_context(connected(server.port)) for _ in range(12)]
        for _ in range(5):
            for each in asking:
                each.sendall(request("GET", "/metrics", HOST))
            assert [200] * 12 == [answer(each).status for each in asking]


def test_with_too_few_open_files_it_does_not_start(tmp_path: Path) -> None:
    before = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))"
    found = run_program("serve", "--port", "0", "--db", str(tmp_path / "v.db"), before=before)

    assert 2 == found.returncode
    said = found.stderr.splitlines()[-1]
    assert "allows this process 256 open files. It needs 320 to start, and 5784 for --max-connections 5000" in said
    assert "ulimit -n 5784" in said
    assert [] == list(tmp_path.iterdir())


def test_open_files_that_webhooks_may_use_are_taken_by_no_connection(tmp_path: Path) -> None:
    before = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))"
    with RunningServer("--assets", "BTC", db=tmp_path / "v.db", before=before) as server:
        assert "at most 672 connections" in server.log


def test_with_few_open_files_there_are_few_connections_and_changes_are_made(tmp_path: Path) -> None:
    before = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (332, 332))"
    with RunningServer("--assets", "BTC", db=tmp_path / "v.db", before=before) as server, ExitStack() as open_:
        assert "at most 44 connections" in server.log
        many = [open_.enter_context(connected(server.port)) for _ in range(350)]
        assert comes(lambda: sum(map(is_ended, many)) > 200)
        for each in many[100:]:
            each.close()
        server.http.close()
        changing = many[0]
        body = b'{"bang_threshold": 85}'
        changing.sendall(request("POST", f"{COMPREHENSIVE}/partial-update", HOST, ("Content-Type", "application/json"),
                                 ("Content-Length", str(len(body)))) + body)  # fmt: skip
        assert 200 == answer(changing).status
