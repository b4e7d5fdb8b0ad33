"""Changes instead of states on `/ws/state`: a client that asks for them has the same states as one that does not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from merging import Follower, exact
from running import ANSWER_SECONDS, Client, RunningServer, State, config, data

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = ("BTC", "ETH", "SOL")
CHANGES = {"type": "subscribe", "assets": ["*"], "updates": "changes"}
MOST_BYTES_OF_A_PRICE = 400


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A market with a price ten times a second, and a decision after a few of them."""
    with RunningServer(
        "--assets", ",".join(ASSETS), "--timeframe", "15m", "--speed", "1500",
        db=tmp_path_factory.mktemp("busy") / "v.db",
    ) as server:  # fmt: skip
        yield server


class Following:
    """A client that asked for changes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.follower = Follower()
        self.found: dict[tuple[str, int], State] = {}
        """By asset and number."""
        self.answer = client.ask(CHANGES)

    def hear(self, count: int) -> None:
        """Take so many messages."""
        for _ in range(count):
            if (state := self.follower.hear(self.client.receive())) is not None:
                self.found[state["asset"], state["seq"]] = json.loads(json.dumps(state))


def common(following: Following, plain: Client) -> int:
    """Compare the states of both clients; gives how many both have."""
    newest = {asset: state["seq"] for asset, state in following.follower.states.items()}
    compared, deadline = 0, time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        state = plain.receive()
        if state["type"] != "asset_data":
            continue
        asset, seq = state["asset"], state["seq"]
        if (known := following.found.get((asset, seq))) is not None:
            assert exact(state) == exact(known)
            compared += 1
        if seq >= newest.get(asset, 0):
            newest.pop(asset, None)
        if not newest:
            break
    return compared


def test_every_state_is_the_one_that_a_client_without_changes_gets(busy: RunningServer) -> None:
    with busy.client() as plain, busy.client() as client:
        following = Following(client)
        following.hear(150)
        assert common(following, plain) > 50
        assert following.follower.changes > 50
        bars = {data(state)["bar_time"] for state in following.found.values()}
        assert len(bars) > 3  # there were decisions among them


def test_changes_of_the_configuration_and_pauses_arrive(busy: RunningServer) -> None:
    with busy.client() as client:
        following = Following(client)
        for value in (81, 82):
            version = busy.post("partial-update", {"asset_symbol": "BTC", "bang_threshold": value}).json()["version"]
            while following.follower.states.get("BTC", {"config_version": 0})["config_version"] < version:
                following.hear(1)
            settings = config(following.follower.states["BTC"])["settings"]
            assert value == settings["state_threshold_bang"]
        for step, status in (("pause", True), ("resume", False)):
            busy.post(step, {"asset_symbol": "BTC"}).raise_for_status()
            while (data(following.follower.states["BTC"])["status"] == "paused") is not status:
                following.hear(1)


def test_a_client_that_did_not_read_goes_on_from_the_state_that_it_has(busy: RunningServer) -> None:
    with busy.slow_client() as slow, busy.client() as plain:
        following = Following(slow)
        for _ in range(3):
            following.hear(30)
            unread = plain.state("BTC")["seq"] + 30
            while plain.state("BTC")["seq"] < unread:
                plain.receive()
        following.hear(100)
        assert following.follower.changes > 0


def test_a_price_takes_few_bytes(busy: RunningServer) -> None:
    with busy.client() as client:
        client.ask(CHANGES)
        sizes: list[int] = []
        while len(sizes) < 50:
            message = client.receive()
            if message["type"] == "asset_changed" and "bar_time" not in str(message):
                sizes.append(len(json.dumps(message, separators=(",", ":"))))
    assert max(sizes) <= MOST_BYTES_OF_A_PRICE


def test_the_answer_names_the_updates_only_if_the_client_did(busy: RunningServer) -> None:
    with busy.client() as client:
        assert "changes" == client.ask(CHANGES)["updates"]
    with busy.client() as client:
        assert "states" == client.ask({**CHANGES, "updates": "states"})["updates"]
        answer = client.ask({"type": "subscribe", "assets": ["*"]})
        assert ["type", "status", "timestamp", "assets"] == [*answer]


@pytest.mark.parametrize("last", [{"updates": "states"}, {}])
def test_to_subscribe_otherwise_brings_whole_states_again(busy: RunningServer, last: dict[str, Any]) -> None:
    with busy.client() as client:
        Following(client).hear(20)
        client.ask({"type": "subscribe", "assets": ["*"], **last})
        assert {"asset_data"} == {client.receive()["type"] for _ in range(30)}


@pytest.mark.parametrize("wrong", ["patches", "", "Changes", None, True, 1, ["changes"], {"changes": True}])
def test_other_updates_are_refused_and_the_stream_stays_as_it_was(busy: RunningServer, wrong: object) -> None:
    with busy.client() as client:
        following = Following(client)
        client.send({**CHANGES, "updates": wrong})
        while (answer := client.receive())["type"] != "error":
            following.follower.hear(answer)
        assert ("malformed", "subscribe") == (answer["code"], answer["in_reply_to"])
        assert [{"path": "updates", "message": 'updates must be "states" (the default) or "changes"'}] == [
            {name: problem[name] for name in ("path", "message")} for problem in answer["errors"]
        ]
        before = following.follower.changes
        while following.follower.changes == before:
            following.hear(1)


def test_a_client_that_asks_for_nothing_gets_the_fields_in_their_order(busy: RunningServer) -> None:
    """Some clients of the guide read the text from its beginning."""
    with busy.client() as client:
        state = client.state("BTC")
    assert ["type", "asset", "timestamp", "seq", "config_version", "agents"] == [*state]
    assert ["data", "config"] == [*state["agents"]["VivienneAgent"]]
    assert [
        "clarity_level", "raw_clarity_level", "signal_confidence", "side", "position_size", "trend_direction",
        "volatility_status", "levels_status", "blocked_by", "explanation", "status", "status_reason",
        "status_reason_id", "pause", "trouble", "history", "price", "price_time", "data_age", "data_age_limit",
        "bar_time", "bar_closed", "bar", "timeframe", "feed", "feed_status", "feed_status_reason", "data_delay",
        "exchange", "symbol", "quote_currency", "tick_size",
    ] == [*data(state)]  # fmt: skip
