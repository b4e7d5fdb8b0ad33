"""The wire reference tells the truth: its examples are sent to a real server and compared with what comes back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from comparing import differences
from running import COMPREHENSIVE, Client, RunningServer, data
from vivienne.errors import ChangeRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "wire.md"
MESSAGES = (
    "asset_data", "asset_changed", "config_update_response", "pause_response", "resume_response", "control_response",
    "subscribe_response", "pong", "error", "log",
)  # fmt: skip
_EXAMPLE = re.compile(r"<!-- (send|receive|request|answer)(?: ([^>]*?))? -->\n+(?:```json\n(.*?)```)?", re.DOTALL)


def examples() -> list[tuple[str, str, Any]]:
    """Role, argument and content of every example, in order."""
    return [
        (role, argument, json.loads(content) if content else None)
        for role, argument, content in _EXAMPLE.findall(REFERENCE.read_text())
    ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    # So slow that the bar that is open stays open; it begins with the first price.
    flags = ("--assets", "BTC,ETH,SOL", "--speed", "15")
    with RunningServer(*flags, db=tmp_path_factory.mktemp("wire") / "vivienne.db") as running:
        with running.client() as client:
            price = data(client.state("BTC"))["price"]
            while data(client.state("BTC"))["price"] == price:
                client.receive()
        yield running


def price_moved(client: Client) -> dict[str, Any]:
    """The next change in which a price moves and the age of the data stays; the others differ in their fields."""
    while True:
        message = client.receive()
        if message["type"] == "asset_changed" and {"price", "price_time"} == data(message["patch"]).keys():
            return message


def codes(error: type[ChangeRefused]) -> set[str]:
    """The codes of an error and all under it."""
    return {error.code}.union(*(codes(below) for below in error.__subclasses__()))


def test_every_code_of_an_error_is_in_the_reference() -> None:
    listed = set(re.findall(r"^\| `([a-z_]+)` \| \d{3} \|", REFERENCE.read_text(), re.MULTILINE))
    assert codes(ChangeRefused) - {ChangeRefused.code} == listed


def test_every_message_has_an_example() -> None:
    shown = {argument for role, argument, _ in examples() if role == "receive"}
    assert set(MESSAGES) == shown


def test_examples_of_messages_are_what_a_server_answers(running: RunningServer) -> None:
    found: list[str] = []
    with running.client() as client:
        answer: dict[str, Any] = {}
        for role, argument, content in examples():
            if role == "send":
                answer = client.ask(content)
            elif role == "receive" and argument == "asset_data":
                found += differences(content, client.state("BTC"))
            elif role == "receive" and argument == "asset_changed":
                found += differences(content, price_moved(client))
            elif role == "receive" and argument != "log":
                assert argument == answer["type"]
                found += differences(content, answer)
    assert [] == found


def test_the_example_of_a_log_record_is_what_a_server_sends(running: RunningServer) -> None:
    with Client(f"ws://127.0.0.1:{running.port}/ws/logs") as client:
        record = client.receive()
    content = next(content for role, argument, content in examples() if role == "receive" and argument == "log")
    assert [] == list(differences(content, record))


def test_examples_of_rest_are_what_a_server_answers(running: RunningServer) -> None:
    # Versions and values in the examples build on each other, so the messages before them are sent first.
    running.post("partial-update", {"asset_symbol": "BTC", "bang_threshold": 75.0, "position_size_bang": 13})
    found: list[str] = []
    answer = httpx.Response(200)
    for role, argument, content in examples():
        if role == "request":
            method, path = argument.split(" ")
            prefix = "" if path.startswith(("/ready", "/phoenix", "/auth")) else COMPREHENSIVE
            answer = running.http.request(method, running.url + prefix + path, json=content)
        elif role == "answer":
            assert int(argument) == answer.status_code, answer.text
            found += differences(content, answer.json())
    assert [] == found


def test_every_endpoint_of_the_api_is_in_the_reference(running: RunningServer) -> None:
    text = REFERENCE.read_text()
    document = running.get("/openapi.json").json()
    missing = [
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if f"{method.upper()} {path.removeprefix(COMPREHENSIVE)}" not in text
    ]
    assert [] == missing
