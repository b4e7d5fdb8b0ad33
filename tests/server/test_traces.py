"""The trace id of a request: in its answer, in the log, and in the history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from redis_running import eventually
from running import Client, RunningServer, run_program
from vivienne.rates import MOST_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = "X-Request-ID"
WRONG = {"asset_symbol": "BTC", "bang_threshold": 1000}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC", "--log-format", "json", "--log-level", "warning")
    with RunningServer(*flags, db=tmp_path_factory.mktemp("traces") / "v.db") as server:
        yield server


def records(running: RunningServer, trace_id: str) -> list[str]:
    """Messages of the log that have this id."""
    found = map(json.loads, running.log.splitlines())
    return [record["message"] for record in found if record.get("trace_id") == trace_id]


def test_every_request_has_an_id_of_its_own_or_that_of_the_caller(running: RunningServer) -> None:
    ids = {running.get("/health").headers[HEADER] for _ in range(3)}
    assert 3 == len(ids)
    for given in ("a", "0af7651916cd43dd8448eb211c80319c", "desk-7.retry_2", "x" * 64):
        assert given == running.http.get(f"{running.url}/health", headers={HEADER: given}).headers[HEADER]


@pytest.mark.parametrize("given", [b"", b"x" * 65, b"two words", b"a\tb", b"<b>", "é".encode(), b"a,b"])
def test_an_id_that_is_not_well_formed_is_replaced(running: RunningServer, given: bytes) -> None:
    answer = running.http.get(f"{running.url}/health", headers={HEADER.encode(): given})

    assert given != answer.headers[HEADER].encode()


def test_a_refused_change_is_in_the_log_with_its_id_caller_and_reason(running: RunningServer) -> None:
    refused = running.post("partial-update", WRONG, headers={HEADER: "wrong-1"})

    assert (422, "wrong-1", "wrong-1") == (refused.status_code, refused.json()["trace_id"], refused.headers[HEADER])
    eventually(lambda: records(running, "wrong-1"))
    [message] = records(running, "wrong-1")
    assert "somebody without a token at 127.0.0.1 over rest was refused (invalid_configuration)" in message
    assert "Bang threshold must be between 0 and 100" in message


def test_messages_of_a_websocket_have_the_id_of_its_handshake(running: RunningServer) -> None:
    url = f"ws://127.0.0.1:{running.port}/ws/state"
    with connect(url, additional_headers={HEADER: "socket-1"}) as client:
        assert client.response is not None
        assert "socket-1" == client.response.headers[HEADER]
        client.send(json.dumps({"type": "config_update", "asset": "BTC", "config": {"bang_threshold": 1000}}))
        while "error" != (answer := json.loads(client.recv(10)))["type"]:
            pass
        assert "socket-1" == answer["trace_id"]
        eventually(lambda: records(running, "socket-1"))
    with pytest.raises(InvalidStatus) as refused:
        connect(url, origin=Origin("http://evil.example"), additional_headers={HEADER: "socket-2"})
    assert "socket-2" == refused.value.response.headers[HEADER]


def test_the_history_names_the_request_that_made_a_change(running: RunningServer) -> None:
    running.post("partial-update", {"bang_threshold": 90}, headers={HEADER: "made-1"}).raise_for_status()
    running.post("pause", {}, headers={HEADER: "made-2"}).raise_for_status()
    url = f"ws://127.0.0.1:{running.port}/ws/state"
    with Client(url, additional_headers={HEADER: "made-3"}) as client:
        assert "success" == client.ask({"type": "resume"})["status"]
        assert "success" == client.ask({"type": "config_update", "config": {"bang_threshold": 91}})["status"]

    assert ["made-3", "made-3", "made-2", "made-1"] == [entry["trace_id"] for entry in running.history()]


def test_a_log_for_programs_has_a_json_object_on_each_line_and_the_port_whatever_its_level(
    running: RunningServer,
) -> None:
    found = [json.loads(line) for line in running.log.splitlines()]

    assert [f":{running.port} " in record["message"] for record in found if "listens on" in record["message"]] == [True]


def test_an_error_that_ends_the_program_is_a_record_too(tmp_path: Path) -> None:
    flags = ("--log-format", "json", "--require-token", "--port", "0", "--db", str(tmp_path / "v.db"))
    ended = run_program("serve", *flags)

    assert 2 == ended.returncode
    last = [json.loads(line) for line in ended.stderr.splitlines()][-1]
    assert "CRITICAL" == last["level"]
    assert "there is no token" in last["message"]


def test_refused_changes_without_end_do_not_fill_the_log(running: RunningServer) -> None:
    sent = 0
    while "more before it were left out" not in running.log:
        running.post("partial-update", WRONG, headers={HEADER: f"many-{sent}"})
        sent += 1
        assert sent < 100 * MOST_PER_MINUTE

    assert running.log.count('"many-') < sent
