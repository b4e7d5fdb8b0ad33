"""Control messages over pub/sub, and those of WebSocket clients beside them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from redis_running import (
    CONFIG,
    CONTROL,
    LEASE,
    RESULTS,
    STATE,
    USER,
    RunningRedis,
    eventually,
    listens,
    wait_for_redis,
)
from running import RunningServer, config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = ("--assets", "BTC,ETH", "--timeframe", "1m", "--window", "1500")
GUIDE = {
    "type": "control",
    "strategy": "general_parameters",
    "params": {"asset_symbol": "BTC", "bang_threshold": 75.0, "position_size_bang": 13},
}
"""As the configuration guide has it."""


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, redis: RunningRedis) -> Iterator[RunningServer]:
    with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path_factory.mktemp("control") / "v.db") as server:
        wait_for_redis(server)
        yield server


@pytest.fixture
def server(running: RunningServer) -> RunningServer:
    """Everything at its default."""
    for asset in (None, "BTC"):
        running.reset(asset)
    return running


def control(**params: Any) -> dict[str, Any]:
    return {"type": "control", "strategy": "general_parameters", "params": params}


def settings(server: RunningServer, asset: str = "BTC") -> dict[str, Any]:
    found: dict[str, Any] = server.active(asset)["config"]["settings"]
    return found


def test_the_guides_message_sent_by_redis_cli_does_what_it_says(server: RunningServer, redis: RunningRedis) -> None:
    with redis.listener(RESULTS) as results, server.client() as client:
        assert "1" == redis.cli("PUBLISH", CONTROL, json.dumps(GUIDE))
        result = results.hear()

        assert ("control_response", "success", "BTC") == (result["type"], result["status"], result["asset"])
        shown = config(client.state("BTC", version=result["version"]))["settings"]
        assert (75.0, 13) == (shown["state_threshold_bang"], shown["position_size_bang"])
        assert 80 == settings(server, "ETH")["state_threshold_bang"]


def test_the_guides_message_sent_by_websocket_is_applied_where_it_arrives(
    server: RunningServer, redis: RunningRedis
) -> None:
    with redis.listener(CONTROL, RESULTS, CONFIG) as everything, server.client() as client:
        answer = client.ask(GUIDE)
        channel, changed = everything.hear_on()

    assert ("control_response", "success") == (answer["type"], answer["status"])
    assert "request_id" not in answer
    # The change is announced; the message itself was not passed on.
    assert (CONFIG, answer["version"]) == (channel, changed["version"])
    assert 13 == settings(server)["position_size_bang"]


@pytest.mark.parametrize("way", ["channel", "stream"])
def test_nothing_in_a_message_says_who_sent_it(server: RunningServer, redis: RunningRedis, way: str) -> None:
    """Not the author, which would read like the name of a token, nor fields that a message has nowhere else."""
    send = redis.send if way == "channel" else redis.add
    caller = {"token": "root", "role": "admin", "address": "10.0.0.1", "channel": "rest", "claimed_author": "eve"}
    with redis.listener(RESULTS) as results:
        for name, value in caller.items():
            send({**GUIDE, name: value})
            assert "malformed" == results.hear()["code"]
            send({"type": "relay", "caller": {name: value}, "message": GUIDE})
            assert "malformed" == results.hear()["code"]
        send({**GUIDE, "author": "root"})
        assert "success" == results.hear()["status"]

    newest = server.newest()
    assert newest
    assert ("anonymous", "root", "control", None) == tuple(
        newest[name] for name in ("author", "claimed_author", "channel", "address")
    )


@pytest.mark.usefixtures("server")
def test_a_change_over_the_channel_shows_in_the_state_and_on_the_channel_of_changes(redis: RunningRedis) -> None:
    with redis.listener(STATE + "BTC", CONFIG) as everything:
        redis.send({**GUIDE, "author": "ana", "reason": "a try"})
        changed = state = None
        while changed is None or state is None or state["config_version"] < changed["version"]:
            channel, message = everything.hear_on()
            changed, state = (message, state) if channel == CONFIG else (changed, message)

    assert ("config_changed", ["BTC"], "a try") == (changed["type"], changed["assets"], changed["reason"])
    assert ("anonymous", "ana") == (changed["author"], changed["claimed_author"])
    assert {"settings": {"state_threshold_bang": 75.0, "position_size_bang": 13}} == changed["config"]
    assert 75.0 == config(state)["settings"]["state_threshold_bang"]
    eventually(lambda: redis.state("BTC")["config_version"] >= changed["version"])


def test_a_change_by_rest_is_on_the_channel_of_changes(server: RunningServer, redis: RunningRedis) -> None:
    with redis.listener(CONFIG) as changes:
        made = server.post("partial-update", {"bang_threshold": 88}).json()
        changed = changes.hear()

    assert (made["config_id"], made["version"]) == (changed["config_id"], changed["version"])
    assert ["BTC", "ETH"] == changed["assets"]


@pytest.mark.usefixtures("server")
def test_a_message_without_a_request_id_has_a_result_without_one(redis: RunningRedis) -> None:
    with redis.listener(RESULTS) as results:
        redis.send(control(bang_threshold=90))
        redis.send(control(bang_threshold=900))
        made, refused = results.hear(), results.hear()

    assert ("control_response", "error") == (made["type"], refused["type"])
    assert "request_id" not in made.keys() | refused.keys()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "malformed"),
        ("bang_threshold=85", "malformed"),
        ("[" * 5000, "malformed"),
        ('{"type": "control", "strategy": "general_parameters", "params": {"bang_threshold": NaN}}', "malformed"),
        ('{"type": "subscribe", "assets": ["*"]}', "malformed"),
        (
            '{"type": "config_update", "config": {"bang_threshold": 85}, "relay": {"id": "1", "token": "ana"}}',
            "malformed",
        ),
        (json.dumps({"type": "config_update", "config": {"description": "x" * 2_000_000}}), "too_large"),
    ],
)
def test_a_bad_message_is_answered_and_the_next_one_carried_out(
    server: RunningServer, redis: RunningRedis, message: str, code: str
) -> None:
    with redis.listener(RESULTS) as results:
        redis.send(message)
        redis.send(control(bang_threshold=91))
        assert code == results.hear()["code"]
        assert "success" == results.hear()["status"]
    assert 91 == settings(server)["state_threshold_bang"]


def test_each_of_many_clients_gets_the_answer_to_its_own_message(server: RunningServer) -> None:
    answers: dict[int, dict[str, Any]] = {}

    def ask(number: int) -> None:
        with server.client() as client:
            for turn in range(5):
                value = number + turn / 10
                # The same request_id for all: the second and later ones are refused, each in its own words.
                answers[number * 10 + turn] = client.ask(control(position_size_bang=value, request_id=f"turn {turn}"))

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert 60 == len(answers)
    made = {name: answer for name, answer in answers.items() if answer["type"] == "control_response"}
    assert {0, 1, 2, 3, 4} == {name % 10 for name in made}
    assert 5 == len(made)
    for name, answer in made.items():
        assert [name // 10 + name % 10 / 10] == [change["new"] for change in answer["changed"]]
    assert {"request_id_reused"} == {answer["code"] for name, answer in answers.items() if name not in made}


def test_a_control_message_by_websocket_does_not_need_the_holder_of_the_lease(tmp_path: Path) -> None:
    with RunningRedis() as redis:
        redis.client.set(LEASE, "a process that has died")
        with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path / "v.db") as server, server.client() as client:
            wait_for_redis(server)
            assert not listens(redis)
            assert "success" == client.ask(GUIDE)["status"]
            assert 13 == settings(server)["position_size_bang"]


def test_the_channel_may_have_another_name(tmp_path: Path, redis: RunningRedis) -> None:
    redis.client.execute_command("ACL", "SETUSER", USER, "~desk:orders*", "&desk:orders*")
    flags = (*SMALL, "--redis", redis.url, "--redis-control", "desk:orders")
    with RunningServer(*flags, db=tmp_path / "v.db") as server:
        wait_for_redis(server)
        with redis.listener("desk:orders:results") as results:
            redis.client.publish("desk:orders", json.dumps(GUIDE))
            assert "success" == results.hear()["status"]
            redis.client.xadd("desk:orders:stream", {"message": json.dumps(control(bang_threshold=76))})
            assert "success" == results.hear()["status"]
        assert 76 == settings(server, "ETH")["state_threshold_bang"]


def test_when_redis_ends_the_subscription_alone_it_is_opened_again_and_nothing_else_is(
    server: RunningServer, redis: RunningRedis
) -> None:
    """As it does where somebody publishes more at once than it keeps for a subscriber."""
    holder = redis.cli("GET", LEASE)
    for count in range(1, 4):
        assert int(redis.cli("CLIENT", "KILL", "TYPE", "pubsub")) >= 1
        with redis.listener(RESULTS) as results:
            message = json.dumps(control(bang_threshold=70.0 + count))
            # Redis may count those it has killed for a moment, so it is sent until it is heard.
            eventually(lambda: redis.cli("PUBLISH", CONTROL, message) and not results.nothing_comes(0.2))  # noqa: B023  # called at once
    assert settings(server, "ETH")["state_threshold_bang"] == 73.0
    assert redis.cli("GET", LEASE) == holder
    assert "Lost the connection to Redis" not in server.log
    assert "connection to Redis that hears control messages broke off" in server.log
