"""`/ws/logs`: the last records first, then every new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from running import RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = 200


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC", db=tmp_path_factory.mktemp("logs") / "v.db") as server:
        yield server


def change(running: RunningServer, author: str) -> None:
    assert running.post("partial-update", {"position_size_aim": 7, "author": author}).is_success


def test_what_happened_before_comes_first(running: RunningServer) -> None:
    with running.log_client() as client:
        first = client.receive()

    assert first["type"] == "log"
    assert first["level"] == "INFO"
    assert "listens on" in first["message"]
    assert set(first) == {"type", "timestamp", "level", "logger", "message"}


def test_a_change_is_in_the_log_of_everyone_who_watches(running: RunningServer) -> None:
    with running.log_client() as first, running.log_client("?level=info") as second:
        change(running, "ada")

        for client in (first, second):
            messages = [client.receive()["message"]]
            while "ada" not in messages[-1]:
                messages.append(client.receive()["message"])
            assert messages[-1].startswith("Configuration updated")


@pytest.mark.parametrize("level", ["warning", "error", "critical", "ERROR"])
def test_a_level_narrows_the_log(running: RunningServer, level: str) -> None:
    with running.log_client(f"?level={level}") as narrow, running.log_client() as wide:
        change(running, f"bob {level}")
        while f"bob {level}" not in wide.receive()["message"]:
            pass

        assert narrow.nothing_comes(0.1)


@pytest.mark.parametrize("level", ["loud", "", "10", "notset"])
def test_an_unknown_level_is_refused_with_the_known_ones(running: RunningServer, level: str) -> None:
    with running.log_client(f"?level={level}") as client:
        code, reason = client.closing()

    assert code == 1008
    assert reason == "level must be one of debug, info, warning, error, critical"


def test_messages_to_the_log_are_left_unread(running: RunningServer) -> None:
    with running.log_client() as client:
        for message in ("{", b"\x00", {"type": "config_update", "config": {"position_size_aim": 8}}):
            client.send(message)
        change(running, "carol")

        while "carol" not in client.receive()["message"]:
            pass

    assert running.active()["config"]["settings"]["position_size_aim"] == 7


def test_a_newcomer_gets_the_newest_two_hundred(running: RunningServer) -> None:
    for number in range(KEPT + 5):
        change(running, f"author {number:03}")

    with running.log_client() as client:
        found = [client.receive()["message"] for _ in range(KEPT)]
        more = not client.nothing_comes(0.1)

    assert not more
    assert [f"author {number + 5:03}" in message for number, message in enumerate(found)] == [True] * KEPT
