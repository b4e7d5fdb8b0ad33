"""`/ws/state`: what a client sees, and that no client can disturb another one."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import pytest

from running import Client, RunningServer, State, config, data

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = ("BTC", "ETH", "SOL")
ATTEMPTS = 3
PRICE = ("price", "price_time", "data_age", "bar")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A market with a decision every few milliseconds."""
    with RunningServer(
        "--assets", ",".join(ASSETS), "--timeframe", "1m", "--speed", "1500",
        db=tmp_path_factory.mktemp("busy") / "v.db",
    ) as server:  # fmt: skip
        yield server


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A market in which prices move far more often than bars close."""
    with RunningServer(
        "--assets", "BTC,ETH", "--timeframe", "4h", "--speed", "3000",
        db=tmp_path_factory.mktemp("priced") / "v.db",
    ) as server:  # fmt: skip
        yield server


def states(client: Client, count: int) -> list[State]:
    """The next states, whatever else comes in between."""
    found: list[State] = []
    for _ in range(20 * count):
        message = client.receive()
        if message["type"] == "asset_data":
            found.append(message)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} of {count} states came")


def gaps(found: list[State]) -> list[tuple[str, int, int]]:
    """Where the numbers of an asset do not follow each other."""
    last: dict[str, int] = {}
    holes = []
    for state in found:
        asset, seq = state["asset"], state["seq"]
        if asset in last and seq != last[asset] + 1:
            holes.append((asset, last[asset], seq))
        last[asset] = seq
    return holes


def unbroken(client: Client, count: int) -> list[State]:
    """The next states, without a gap.

    A client that gets no time on a busy machine does not keep up, and then a gap is right: it may try again.
    """
    for _ in range(ATTEMPTS):
        found = states(client, count)
        if gaps(found) == []:
            return found
    raise AssertionError(f"gaps in every one of {ATTEMPTS} runs, the last: {gaps(found)}")


class TestStream:
    def test_on_connect_there_is_one_state_of_each_asset(self, priced: RunningServer) -> None:
        with priced.client() as client:
            assert [client.receive()["asset"] for _ in range(2)] in (["BTC", "ETH"], ["ETH", "BTC"])

    def test_a_client_that_keeps_up_sees_every_number(self, busy: RunningServer) -> None:
        with busy.client() as client:
            found = unbroken(client, 100)

        assert {state["asset"] for state in found} == set(ASSETS)

    def test_a_client_that_keeps_up_sees_every_number_while_changes_are_made(self, busy: RunningServer) -> None:
        with busy.client() as client:
            for _ in range(ATTEMPTS):
                found: list[State] = []
                for number in range(30):
                    client.send({"type": "config_update", "config": {"position_size_loaded": number}})
                    found += states(client, 8)
                if gaps(found) == []:
                    break

        assert gaps(found) == []

    def test_two_clients_see_the_same(self, busy: RunningServer) -> None:
        seen: tuple[dict[tuple[str, int], State], ...] = ({}, {})
        with busy.client() as first, busy.client() as second:
            # One after the other: on a busy machine the newest takes the place of what the second has not read yet.
            for _ in range(20):
                for found, client in zip(seen, (first, second), strict=True):
                    found.update({(state["asset"], state["seq"]): state for state in states(client, 30)})
                shared = seen[0].keys() & seen[1].keys()
                if len(shared) >= 60:
                    break

        assert len(shared) >= 60
        assert [seen[0][key] for key in shared] == [seen[1][key] for key in shared]

    def test_a_new_connection_goes_on_where_the_numbers_are(self, busy: RunningServer) -> None:
        with busy.client() as client:
            before = client.state("BTC")["seq"]
        with busy.client() as client:
            assert client.state("BTC")["seq"] >= before

    def test_a_change_is_in_the_stream_of_everyone(self, busy: RunningServer) -> None:
        with busy.client() as first, busy.client() as second:
            answer = first.ask({"type": "config_update", "asset": "ETH", "config": {"position_size_aim": 7}})

            for client in (first, second):
                state = client.state("ETH", version=answer["version"])
                assert config(state)["settings"]["position_size_aim"] == 7

    def test_a_state_never_mixes_two_configurations(self, busy: RunningServer) -> None:
        """Each version sets two values to the same number."""
        with busy.client() as client:
            for number in range(1, 21):
                pair = {"position_size_bang": number, "position_size_aim": number}
                client.send({"type": "config_update", "asset": "SOL", "config": pair})
            found = states(client, 100)
            last = busy.active("SOL")["version"]
            client.state("SOL", version=last)

        pairs = [config(state)["settings"] for state in found if state["asset"] == "SOL"]
        assert pairs
        for settings in pairs:
            equal = settings["position_size_bang"] == settings["position_size_aim"]
            assert equal or (settings["position_size_bang"], settings["position_size_aim"]) == (0.5, 0.2)

    def test_mere_prices_come_at_most_ten_times_a_second_and_move_nothing_else(self, priced: RunningServer) -> None:
        with priced.client() as client:
            client.ask({"type": "subscribe", "assets": ["BTC"]})
            begin, found = time.monotonic(), []
            while time.monotonic() - begin < 2.5:
                found += states(client, 1)
            elapsed = time.monotonic() - begin

        by_bar: dict[str, list[dict[str, Any]]] = {}
        for state in found:
            by_bar.setdefault(data(state)["bar_time"], []).append(data(state))
        for decisions in by_bar.values():
            rest = [{name: value for name, value in each.items() if name not in PRICE} for each in decisions]
            assert rest == rest[:1] * len(rest)
        assert len({data(state)["price"] for state in found}) > 5
        # The market moves 50 times a second here. Half as much again leaves room for a machine under load.
        assert len(found) - len(by_bar) <= 15 * elapsed


class TestSubscribe:
    def test_a_list_narrows_the_stream(self, busy: RunningServer) -> None:
        with busy.client() as client:
            answer = client.ask({"type": "subscribe", "assets": ["eth"]})
            client.receive()  # one that was on its way

            assert (answer["type"], answer["status"], answer["assets"]) == ("subscribe_response", "success", ["ETH"])
            assert {state["asset"] for state in states(client, 50)} == {"ETH"}

    def test_a_star_widens_it_again(self, busy: RunningServer) -> None:
        with busy.client() as client:
            client.ask({"type": "subscribe", "assets": ["ETH"]})

            answer = client.ask({"type": "subscribe", "assets": ["*"], "request_id": "wide"})

            assert (answer["assets"], answer["request_id"]) == (list(ASSETS), "wide")
            assert {state["asset"] for state in states(client, 50)} == set(ASSETS)

    def test_the_latest_state_of_a_newly_watched_asset_comes_at_once(self, priced: RunningServer) -> None:
        with priced.client() as client:
            client.ask({"type": "subscribe", "assets": ["BTC"]})
            client.states.clear()
            client.ask({"type": "subscribe", "assets": ["ETH", "BTC", "ETH"]})

            assert client.state("ETH")["asset"] == "ETH"

    def test_an_unknown_asset_is_refused_and_the_stream_stays_as_it_was(self, busy: RunningServer) -> None:
        with busy.client() as client:
            client.ask({"type": "subscribe", "assets": ["ETH"]})

            answer = client.ask({"type": "subscribe", "assets": ["BTC", "DOGE", "PEPE"]})

            assert (answer["type"], answer["code"], answer["in_reply_to"]) == ("error", "unknown_target", "subscribe")
            assert [problem["message"] for problem in answer["errors"]] == [
                "Unknown asset 'DOGE'; known are BTC, ETH, SOL",
                "Unknown asset 'PEPE'; known are BTC, ETH, SOL",
            ]
            client.receive()
            assert {state["asset"] for state in states(client, 30)} == {"ETH"}

    def test_a_refusal_of_many_unknown_assets_names_the_first_and_counts_the_others(self, busy: RunningServer) -> None:
        with busy.client() as client:
            answer = client.ask({"type": "subscribe", "assets": [f"X{number}" for number in range(1000)]})

        told = [problem["message"] for problem in answer["errors"]]
        assert (21, "... and 980 more unknown names") == (len(told), told[-1])
        assert len(json.dumps(answer)) < 8192

    @pytest.mark.parametrize(
        "wrong",
        [{}, {"assets": []}, {"assets": "BTC"}, {"assets": None}, {"assets": [1]}, {"assets": [["BTC"]]},
         {"assets": {"BTC": 1}}, {"assets": ["BTC"], "agents": ["x"]}],
    )  # fmt: skip
    def test_a_wrong_list_is_refused_and_the_connection_stays(self, busy: RunningServer, wrong: dict[str, Any]) -> None:
        with busy.client() as client:
            answer = client.ask({"type": "subscribe", **wrong})

            assert (answer["type"], answer["code"], answer["in_reply_to"]) == ("error", "malformed", "subscribe")
            assert {state["asset"] for state in states(client, 12)} == set(ASSETS)

    def test_a_star_among_assets_is_refused(self, busy: RunningServer) -> None:
        with busy.client() as client:
            answer = client.ask({"type": "subscribe", "assets": ["BTC", "*"]})

            assert answer["type"] == "error"


class TestSlowClients:
    def test_a_slow_client_gets_the_newest_states_and_no_backlog_and_hurts_nobody(self, busy: RunningServer) -> None:
        with busy.slow_client() as slow, busy.client() as healthy:
            first = healthy.state("BTC")["seq"]
            while_slow = unbroken(healthy, 250)
            newest = {state["asset"]: state["seq"] for state in while_slow}

            received: list[State] = []
            for _ in range(3 * len(while_slow)):
                received += states(slow, 1)
                if all(slow.states.get(asset, {"seq": 0})["seq"] >= seq for asset, seq in newest.items()):
                    break
            else:
                raise AssertionError("the slow client never caught up")

        published = sum(newest.values()) - 3 * first
        assert len(received) < published / 2
        for asset in ASSETS:
            numbers = [state["seq"] for state in received if state["asset"] == asset]
            assert numbers == sorted(set(numbers))
        assert gaps(received)

    def test_hundreds_of_unread_answers_disturb_nobody_and_none_is_lost(self, busy: RunningServer) -> None:
        question = {"type": "config_update", "config": {"position_size_loaded": 1}, "validate_only": True}
        with busy.slow_client() as slow, busy.client() as healthy:
            for number in range(400):
                slow.send({**question, "request_id": str(number)})
            assert unbroken(healthy, 100)
            assert healthy.ask({"type": "subscribe", "assets": ["*"]})["status"] == "success"

            answered = [slow.answer()["request_id"] for _ in range(400)]

        assert answered == [str(number) for number in range(400)]

    def test_clients_that_vanish_leave_no_trace(self, busy: RunningServer) -> None:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", busy.port), timeout=5) as plain:
                plain.sendall(
                    b"GET /ws/state HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
                assert plain.recv(12) == b"HTTP/1.1 101"
                # Reset instead of a goodbye.
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        with busy.client() as client:
            assert unbroken(client, 100)
        assert "ERROR" not in busy.log
        assert "Traceback" not in busy.log


def test_what_is_no_text_ends_only_its_own_connection(busy: RunningServer) -> None:
    """Bytes that are no UTF-8 in a text frame break the protocol."""
    masked = bytes([0x81, 0x82, 0, 0, 0, 0, 0xFF, 0xFE])
    with busy.client() as healthy, socket.create_connection(("127.0.0.1", busy.port), timeout=5) as plain:
        plain.sendall(
            b"GET /ws/state HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert plain.recv(12) == b"HTTP/1.1 101"
        plain.sendall(masked)
        ended = False
        for _ in range(10_000):
            if plain.recv(65_536) == b"":
                ended = True
                break

        assert ended
        assert unbroken(healthy, 60)


def test_every_number_on_the_wire_is_one(busy: RunningServer) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    with busy.client() as client:
        for state in states(client, 100):
            json.loads(json.dumps(state), parse_constant=refuse)
            decision = data(state)
            for name in ("signal_confidence", "position_size", "price"):
                assert isinstance(decision[name], (int, float))
                assert not isinstance(decision[name], bool)
