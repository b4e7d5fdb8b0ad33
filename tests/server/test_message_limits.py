"""What a caller may send, and how often: each limit has its answer, and others notice nothing of it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from websockets.typing import Subprotocol

from raw_http import UPGRADE, request
from running import COMPREHENSIVE, Client, RunningServer, http_client
from tokens import bearer, make_token, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

BYTES, NESTING, SUBSCRIPTIONS, CHANGES = 4_096, 6, 2, 12
SMALL = ("--max-message-bytes", str(BYTES), "--max-nesting", str(NESTING), "--max-subscriptions", str(SUBSCRIPTIONS))
FEW = ("--max-changes-per-minute", str(CHANGES))
FRAME = 4 * 1024 * 1024
SECONDS = 10


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC,ETH,SOL", *SMALL, db=tmp_path_factory.mktemp("limits") / "v.db") as server:
        yield server


def nested(levels: int) -> dict[str, Any]:
    """An object with so many levels."""
    return {} if levels == 1 else {"settings": nested(levels - 1)}


def text(length: int) -> str:
    """A change of so many bytes."""
    start, end = '{"asset_symbol": "BTC", "bang_threshold": 85', "}"
    return start + " " * (length - len(start) - len(end)) + end


def test_a_body_may_have_so_many_bytes_and_no_more(small: RunningServer) -> None:
    assert 200 == small.post_text("partial-update", text(BYTES)).status_code
    for length in (BYTES + 1, 100 * BYTES):
        answer = small.post_text("partial-update", text(length))
        assert (413, "too_large") == refusal(answer)
        assert f"{BYTES:,}" in answer.json()["detail"]


def test_what_claims_to_be_a_pause_is_small_because_it_goes_before_everything_else(server: RunningServer) -> None:
    longest = '{"reason": "' + r"\ud83d\ude00" * 1_000 + '"'
    assert 200 == server.post_text("pause", longest + " " * (16_000 - len(longest) - 1) + "}").status_code
    assert 200 == server.post_text("resume", "{}").status_code
    answer = server.post_text("pause", longest + " " * (16_001 - len(longest) - 1) + "}")
    assert (413, "too_large") == refusal(answer)
    answer = server.post_text("pause", '{"reason": [' + "0," * 200 + "0]}")
    assert 400 == answer.status_code


def test_a_message_may_have_so_many_bytes_and_no_more_and_the_socket_stays(small: RunningServer) -> None:
    subscription = '{"type": "subscribe", "assets": ["BTC"]' + " " * BYTES
    with small.client() as client:
        assert "success" == client.ask(subscription[: BYTES - 1] + "}")["status"]
        for message in (subscription[:BYTES] + "}", "x" * (FRAME - 1)):
            answer = client.ask(message)
            assert ("error", "too_large") == (answer["type"], answer["code"])
            assert f"{BYTES:,}" in answer["message"]
        assert "success" == client.ask({"type": "subscribe", "assets": ["BTC"]})["status"]


def test_a_frame_that_is_longer_than_any_message_ends_its_socket_and_no_other(small: RunningServer) -> None:
    plain = socket.create_connection(("127.0.0.1", small.port))
    with Client(f"ws://127.0.0.1:{small.port}/ws/state", sock=plain) as greedy, small.client() as other:
        # Text, masked, and its length: the beginning says enough.
        plain.sendall(struct.pack("!BBQI", 0x81, 0x80 | 127, FRAME + 1, 0))
        assert 1009 == greedy.closing()[0]
        assert "success" == other.ask({"type": "subscribe", "assets": ["BTC"]})["status"]


@pytest.mark.parametrize("kind", ["ping", "subscribe", "config_update", "x" * 2_000])
def test_a_name_that_is_too_long_is_refused_and_not_sent_back(small: RunningServer, kind: str) -> None:
    with small.client() as client:
        message = {"type": kind, "request_id": "r" * 2_000, "assets": ["BTC"], "bang_threshold": 85}
        answer = client.ask({name: message[name] for name in message if kind != "ping" or name != "assets"})
        assert answer["type"] == "error"
        assert len(answer["request_id"]) == 128
        assert len(answer["in_reply_to"]) <= 128
        assert client.ask({"type": "ping", "request_id": "r" * 128})["request_id"] == "r" * 128


def test_nothing_is_kept_of_a_message_that_is_answered(small: RunningServer) -> None:
    """Neither by this program nor by its libraries, however many WebSockets there are, and whatever the alphabet."""
    text = ("x" * (FRAME - 8) + "\U0001f600").encode()
    process = psutil.Process(small.process.pid)
    with ExitStack() as stack:
        clients = [stack.enter_context(small.client()) for _ in range(5)]
        before = process.memory_info().rss
        for client in clients:
            answer = client.ask(text.decode())
            assert ("error", "too_large") == (answer["type"], answer["code"])
            assert f"{len(text):,} bytes" in answer["message"]
        assert process.memory_info().rss - before < 64e6


def test_a_websocket_keeps_nothing_of_a_long_handshake(small: RunningServer) -> None:
    long = [(f"X-{number}", "y" * 7_000) for number in range(8)]
    asked = request("GET", "/ws/logs?level=critical", ("Host", "localhost"), *UPGRADE, *long)
    process = psutil.Process(small.process.pid)
    with ExitStack() as stack:
        for number in range(160):
            if number == 10:
                before = process.memory_info().rss
            opened = stack.enter_context(socket.create_connection(("127.0.0.1", small.port), SECONDS))
            opened.sendall(asked)
            assert b" 101 " in opened.recv(1_024)
        assert process.memory_info().rss - before < 20e6


@pytest.mark.parametrize("levels", [NESTING + 1, 1_000])
def test_what_is_nested_deeper_is_refused_by_every_way_in(small: RunningServer, levels: int) -> None:
    document = '{"settings":' * (levels - 1) + "{}" + "}" * (levels - 1)
    answer = small.post_text("partial-update", document)
    with small.client() as client:
        message = client.ask(f'{{"type": "config_update", "config": {document}}}')

    if len(document) <= BYTES:
        assert (400, "malformed") == refusal(answer)
        assert "malformed" == message["code"]
        assert f"deeper than {NESTING} levels" in answer.json()["detail"]
        assert f"deeper than {NESTING} levels" in message["message"]
    else:
        assert (413, "too_large") == refusal(answer)
        assert "too_large" == message["code"]
    assert 422 == small.post("partial-update", nested(NESTING)).status_code


def test_nesting_without_end_is_refused_and_harms_nobody(server: RunningServer) -> None:
    for deep in ("[" * 200_000, '{"settings":' * 20_000, '{"a":' * 40_000 + "1" + "}" * 40_000):
        assert (400, "malformed") == refusal(server.post_text("partial-update", deep))
        with server.client() as client:
            assert "malformed" == client.ask(deep)["code"]
    assert "Traceback" not in server.log


def test_a_subscription_may_name_so_many_assets(small: RunningServer) -> None:
    with small.client() as client:
        assert "success" == client.ask({"type": "subscribe", "assets": ["BTC", "ETH"]})["status"]
        answer = client.ask({"type": "subscribe", "assets": ["BTC", "ETH", "SOL"]})
        assert ("malformed", ["assets"]) == (answer["code"], [each["path"] for each in answer["errors"]])
        assert f"the limit of {SUBSCRIPTIONS}" in answer["message"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changes")


@pytest.fixture(scope="module")
def tokens(folder: Path) -> dict[str, str]:
    names = ("ann", "bob", "cleo", "dan")
    return {name: make_token(folder / "v.db", name, "tuner") for name in names}


@pytest.fixture(scope="module")
def few(folder: Path, tokens: dict[str, str]) -> Iterator[RunningServer]:
    assert tokens
    with RunningServer("--assets", "BTC,ETH", "--require-token", *FEW, db=folder / "v.db") as server:
        yield server


def change(server: RunningServer, token: str, value: float = 85) -> httpx.Response:
    return server.post("partial-update", {"asset_symbol": "BTC", "bang_threshold": value}, headers=bearer(token))


def socket_of(server: RunningServer, token: str) -> Client:
    offered = [Subprotocol("vivienne"), Subprotocol(f"vivienne.token.{token}")]
    return Client(f"ws://127.0.0.1:{server.port}/ws/state", subprotocols=offered)


CHANGE = {"type": "config_update", "asset": "ETH", "config": {"bang_threshold": 86}}


def test_one_caller_may_change_so_often_by_all_ways_together_and_others_as_before(
    few: RunningServer, tokens: dict[str, str]
) -> None:
    ann, bob = tokens["ann"], tokens["bob"]
    with socket_of(few, ann) as annes, socket_of(few, bob) as bobs:
        for number in range(CHANGES // 2):
            assert 200 == change(few, ann, 80 + number / 10).status_code
            assert "success" == annes.ask(CHANGE)["status"]
        before = few.http.get(f"{few.url}{COMPREHENSIVE}/active", headers=bearer(ann)).json()["version"]

        answer, message = change(few, ann, 99), annes.ask(CHANGE)

        assert (429, "too_many_requests") == refusal(answer)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "nothing was changed" in answer.json()["detail"]
        assert ("error", "too_many_requests", "config_update") == (
            message["type"], message["code"], message["in_reply_to"],
        )  # fmt: skip
        active = few.http.get(f"{few.url}{COMPREHENSIVE}/active", headers=bearer(ann)).json()
        assert before == active["version"]
        # Looking is not counted, and nor are others.
        assert "valid" == annes.ask({**CHANGE, "validate_only": True})["status"]
        assert 200 == change(few, bob).status_code
        assert "success" == bobs.ask(CHANGE)["status"]


@pytest.mark.parametrize("way", ["rest", "websocket"])
def test_a_flood_of_changes_keeps_neither_its_caller_from_pausing_nor_others_from_working(
    few: RunningServer, tokens: dict[str, str], way: str
) -> None:
    cleo, dan = tokens["cleo"], tokens["dan"]
    flooding, refused = threading.Event(), threading.Event()

    def flood() -> None:
        with socket_of(few, cleo) as client:
            while not flooding.is_set():
                if client.ask(CHANGE).get("code") == "too_many_requests":
                    refused.set()

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert refused.wait(SECONDS)
        with socket_of(few, cleo) as hers, socket_of(few, dan) as his:
            if way == "rest":
                assert 200 == few.post("pause", {"reason": "stop"}, headers=bearer(cleo)).status_code
            else:
                assert "success" == hers.ask({"type": "pause", "reason": "stop"})["status"]
            assert his.state("BTC")
            assert "success" == his.ask({"type": "resume"})["status"]
            assert 200 == change(few, dan).status_code
    finally:
        flooding.set()
        thread.join(SECONDS)


def test_no_flood_of_pauses_keeps_its_caller_from_pausing_what_is_not_paused(tmp_path: Path) -> None:
    """Neither of pauses of what is paused, of which there is a limit, nor of such that are malformed."""
    with (
        RunningServer("--assets", "BTC,ETH,SOL", *FEW, db=tmp_path / "v.db") as server,
        Client(f"ws://127.0.0.1:{server.port}/ws/state") as client,
    ):
        assert {400} == {server.post("pause", {"x": 1}).status_code for _ in range(2 * CHANGES)}
        assert 200 == server.post("pause", {"asset_symbol": "BTC"}).status_code
        statuses = [server.post("pause", {"asset_symbol": "BTC"}).status_code for _ in range(2 * CHANGES)]
        assert [200] * CHANGES + [429] * CHANGES == statuses
        assert "too_many_requests" == client.ask({"type": "pause", "asset": "BTC"})["code"]
        assert 200 == server.post("pause", {"asset_symbol": "ETH"}).status_code
        assert "success" == client.ask({"type": "pause", "asset": "SOL"})["status"]


def test_without_tokens_callers_are_told_apart_by_address(tmp_path: Path) -> None:
    with RunningServer("--assets", "BTC", *FEW, db=tmp_path / "v.db") as server:
        statuses = [server.post("partial-update", {"bang_threshold": 85}).status_code for _ in range(2 * CHANGES)]
        assert 429 == statuses[-1]
        assert [200] * CHANGES == statuses[:CHANGES]
        with http_client("127.0.0.2") as other:
            path = f"{server.url}{COMPREHENSIVE}/partial-update"
            assert 200 == other.post(path, json={"bang_threshold": 86}).status_code
        assert "127.0.0.2" == server.history()[0]["address"]
