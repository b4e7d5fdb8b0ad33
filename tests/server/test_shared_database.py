"""Two servers on one PostgreSQL database: one sequence of changes, seen by both, whatever happens to the database."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from postgres_server import PASSWORD
from raw_http import request
from redis_running import eventually
from running import COMPREHENSIVE, PLAIN, RunningServer, run_program
from sizes import rounds
from vivienne.standstill import LATE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgres_server import PostgresServer

SECONDS = 30.0
COUNT = "distribution_trade_count_threshold"


def wait_for(found: Callable[[], object], expected: object) -> None:
    deadline = time.monotonic() + SECONDS
    while (last := found()) != expected:
        assert time.monotonic() < deadline, f"it is still {last} and not {expected}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def pair(postgres_process: PostgresServer) -> Iterator[tuple[RunningServer, RunningServer]]:
    """Two servers that were started at once on an empty database."""
    postgres_process.start()
    database = postgres_process.database()
    first, second = (RunningServer("--assets", "BTC,ETH", db=database) for _ in range(2))
    with ThreadPoolExecutor(2) as both:
        started = [both.submit(server.start) for server in (first, second)]
    try:
        for start in started:
            start.result()
        yield first, second
    finally:
        for server in (first, second):
            server.__exit__(None, None, None)


def bang(server: RunningServer) -> Any:
    return server.active("BTC")["config"]["settings"]["state_threshold_bang"]


def active(server: RunningServer, what: str) -> Any:
    return server.active("BTC")[what]


def version(server: RunningServer) -> int:
    """Of the newest change."""
    newest = server.newest()
    return newest["version"] if newest else 0


def ready(server: RunningServer) -> int:
    return server.get("/ready").status_code


def set_bang(value: float, **more: Any) -> dict[str, Any]:
    return {"asset_symbol": "BTC", "settings": {"state_threshold_bang": value}, **more}


def test_a_change_made_at_one_is_soon_in_force_and_streamed_at_the_other(
    pair: tuple[RunningServer, RunningServer],
) -> None:
    here, there = pair
    before = version(here)
    with there.client() as client:
        answer = here.post("partial-update", set_bang(91)).raise_for_status().json()

        state = client.state("BTC", version=answer["version"])

    assert state["config_version"] == before + 1
    assert (active(there, "config_id"), active(there, "version"), bang(there)) == (answer["config_id"], before + 1, 91)
    assert there.history() == here.history()


@pytest.mark.sized
def test_increments_at_both_with_the_version_they_are_based_on_are_all_made(
    pair: tuple[RunningServer, RunningServer],
) -> None:
    each, workers = rounds(8, 3), rounds(6, 4)
    made_before = version(pair[0])
    before = pair[0].active("BTC")["config"]["filters"]["combined_vwap"][COUNT]

    def increments(number: int) -> None:
        server = pair[number % 2]
        with httpx.Client(timeout=SECONDS, trust_env=False, verify=PLAIN) as http:
            made = 0
            while made < each:
                present = http.get(f"{server.url}{COMPREHENSIVE}/active", params={"asset_symbol": "BTC"})
                value = present.json()["config"]["filters"]["combined_vwap"][COUNT] + 1
                answer = http.post(
                    f"{server.url}{COMPREHENSIVE}/partial-update",
                    json={"asset_symbol": "BTC", COUNT: value},
                    headers={"If-Match": present.headers["ETag"]},
                )
                assert answer.status_code in (200, 412), answer.text
                made += answer.status_code == httpx.codes.OK

    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(increments, range(workers)))

    for server in pair:
        wait_for(partial(active, server, "version"), made_before + each * workers)
        assert server.active("BTC")["config"]["filters"]["combined_vwap"][COUNT] == before + each * workers
    assert [entry["version"] for entry in pair[0].history()] == list(range(made_before + each * workers, 0, -1))


def test_a_request_sent_to_both_is_made_once_and_answered_the_same(pair: tuple[RunningServer, RunningServer]) -> None:
    before = version(pair[0])
    with ThreadPoolExecutor(2) as both:
        for number in range(10):
            body = set_bang(81 + number, request_id=f"r-{number}")
            answers = [both.submit(server.post, "partial-update", body) for server in pair]
            first, second = (answer.result().raise_for_status().json() for answer in answers)
            assert first == second

    assert [entry["version"] for entry in pair[1].history()] == list(range(before + 10, 0, -1))


class Writer(threading.Thread):
    """Makes changes at a server until it is told to stop."""

    def __init__(self, server: RunningServer) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.acknowledged: list[str] = []
        self.codes: set[str] = set()
        self.stopping = threading.Event()

    def makes(self, more: int) -> None:
        """Wait until it has made so many more."""
        enough = len(self.acknowledged) + more
        wait_for(lambda: len(self.acknowledged) >= enough, expected=True)

    def run(self) -> None:
        number = 0
        with httpx.Client(timeout=SECONDS, trust_env=False, verify=PLAIN) as http:
            while not self.stopping.wait(0.02):
                number += 1
                body = set_bang(80 + number % 20)
                try:
                    answer = http.post(f"{self.server.url}{COMPREHENSIVE}/partial-update", json=body).json()
                except httpx.TransportError:
                    self.codes.add("server gone")
                    return
                if answer["status"] == "success":
                    self.acknowledged.append(answer["config_id"])
                else:
                    self.codes.add(answer["code"])


@pytest.mark.sized
@pytest.mark.parametrize("how", ["immediate", "fast"])
def test_no_acknowledged_change_is_lost_when_the_database_goes_down_and_comes_back(
    pair: tuple[RunningServer, RunningServer], postgres: PostgresServer, how: str
) -> None:
    writers = [Writer(server) for server in pair]
    for writer in writers:
        writer.start()
    try:
        for _ in range(rounds(2)):
            for writer in writers:
                writer.makes(10)
            postgres.stop(how)
            for server in pair:
                wait_for(partial(ready, server), httpx.codes.SERVICE_UNAVAILABLE)
                refused = server.post("partial-update", set_bang(95))
                assert (refused.status_code, refused.json()["code"]) == (503, "not_stored")
                assert server.get("/health").status_code == httpx.codes.OK
            postgres.start()
            for server in pair:
                wait_for(partial(ready, server), httpx.codes.OK)
    finally:
        for writer in writers:
            writer.stopping.set()
            writer.join(SECONDS)

    history = pair[0].history()
    stored = {entry["config_id"] for entry in history}
    for writer in writers:
        assert writer.codes == {"not_stored"}
        assert set(writer.acknowledged) <= stored
    assert [entry["version"] for entry in history] == list(range(len(history), 0, -1))
    for server in pair:
        wait_for(partial(active, server, "config_id"), history[0]["config_id"])
        assert server.log.count("cannot be followed") == server.log.count("are followed again")
        assert PASSWORD not in server.log


def test_a_killed_server_takes_nothing_with_it(pair: tuple[RunningServer, RunningServer]) -> None:
    here, there = pair
    writer = Writer(here)
    writer.start()
    writer.makes(20)
    here.kill()
    writer.stopping.set()
    writer.join(SECONDS)

    stored = {entry["config_id"] for entry in there.history()}
    assert set(writer.acknowledged) <= stored
    assert there.post("partial-update", set_bang(95)).json()["version"] == len(stored) + 1
    here.start()


def test_a_database_out_of_reach_is_said_at_the_start_without_the_password(unused_port: int) -> None:
    address = f"postgresql://ann:{PASSWORD}@127.0.0.1:{unused_port}/v"

    result = run_program("serve", "--port", "0", environment={"VIVIENNE_DB": address})

    assert result.returncode == 75
    assert f"Error: The database postgresql://***@127.0.0.1:{unused_port}/v cannot be reached" in result.stderr
    assert PASSWORD not in result.stderr + result.stdout


def test_a_wrong_address_is_refused_at_the_start_without_the_password() -> None:
    result = run_program("serve", "--port", "0", "--db", f"postgresql://ann:{PASSWORD}/x@127.0.0.1/v")

    assert result.returncode == 2
    assert "--db is not a valid PostgreSQL address" in result.stderr
    assert PASSWORD not in result.stderr + result.stdout


def statuses(opened: socket.socket, count: int) -> list[str]:
    """Of the next answers on a connection."""
    said = b""
    while len(found := re.findall(rb"HTTP/1.1 (\d+) ", said)) < count:
        part = opened.recv(4_096)
        assert part, said
        said += part
    return [each.decode() for each in found]


@pytest.mark.parametrize("before", ["look", "pause"])
def test_a_resumption_that_a_server_reads_late_ends_no_pause_that_was_made_meanwhile(
    pair: tuple[RunningServer, RunningServer], before: str
) -> None:
    """As on a machine that is suspended: nobody can tell afterwards when what waits in the kernel was sent.

    That a pause came before the resumption on the same connection says nothing about the pauses of others.
    """
    first, second = pair
    look = request("GET", "/health", ("Host", "localhost"))
    pause = request("POST", f"{COMPREHENSIVE}/pause", ("Host", "localhost"), ("Content-Length", "0"))
    resume = request("POST", f"{COMPREHENSIVE}/resume", ("Host", "localhost"), ("Content-Length", "0"))
    place = ("127.0.0.1", first.port)
    with (
        socket.create_connection(place, SECONDS) as used,
        connect(f"ws://127.0.0.1:{first.port}/ws/state") as client,
        ExitStack() as opened,
    ):
        used.sendall(look)
        assert statuses(used, 1) == ["200"]
        stopped = psutil.Process(first.process.pid)
        stopped.suspend()
        try:
            new = opened.enter_context(socket.create_connection(place, SECONDS))
            used.sendall((look if before == "look" else pause) + resume)  # what is before it was late too
            new.sendall(resume)
            client.send(json.dumps({"type": "ping" if before == "look" else "pause", "request_id": "no pause"}))
            client.send(json.dumps({"type": "resume", "request_id": "late"}))
            time.sleep(2 * LATE_SECONDS)  # so long a process stands still at least
            assert second.post("pause", {}).status_code == 200
        finally:
            stopped.resume()
        assert [["200", "412"], ["412"]] == [statuses(used, 2), statuses(new, 1)]
        answer = next(each for each in map(json.loads, client) if each.get("request_id") == "late")
    assert answer["code"] == "version_conflict"
    assert second.post("pause", {}).json()["paused"] == ["BTC", "ETH"]
    assert second.post("resume", {}).json()["paused"] == []


def test_a_resumption_that_waits_while_a_server_starts_ends_no_pause_that_was_made_meanwhile(
    pair: tuple[RunningServer, RunningServer],
) -> None:
    """Its port takes connections as soon as it is bound, and it is read only when all is put together."""
    first, second = pair
    resume = request("POST", f"{COMPREHENSIVE}/resume", ("Host", "localhost"), ("Content-Length", "0"))
    before = first.process.pid
    first.stop()
    with ThreadPoolExecutor(1) as threads, ExitStack() as opened:
        starting = threads.submit(first.start)
        waiting = opened.enter_context(eventually_connected(first.port))
        eventually(lambda: first.process.pid != before)  # it may listen before its number is known here
        stopped = psutil.Process(first.process.pid)
        stopped.suspend()
        try:
            waiting.sendall(resume)
            time.sleep(2 * LATE_SECONDS)  # so long it waits at least
            assert second.post("pause", {}).status_code == 200
        finally:
            stopped.resume()
        assert statuses(waiting, 1) == ["412"]
        starting.result()
    assert second.post("pause", {}).json()["paused"] == ["BTC", "ETH"]
    assert second.post("resume", {}).json()["paused"] == []


def test_a_pause_after_a_resumption_stays_though_all_waited(pair: tuple[RunningServer, RunningServer]) -> None:
    """All messages of a WebSocket have one trace id: the second pause was taken for the first one, sent again."""
    first, second = pair
    stopped = psutil.Process(first.process.pid)
    with connect(f"ws://127.0.0.1:{first.port}/ws/state") as client:
        stopped.suspend()
        try:
            for name in ("pause", "resume", "pause"):
                client.send(json.dumps({"type": name, "request_id": f"{name} on one socket"}))
                time.sleep(LATE_SECONDS)  # so long each of them waits at least
        finally:
            stopped.resume()
        answers = (each for each in map(json.loads, client) if "on one socket" in str(each))
        assert len([*islice(answers, 3)]) == 3
    assert first.get(f"{COMPREHENSIVE}/pause").json()["pauses"]
    assert second.post("resume", {}).json()["paused"] == []


@pytest.mark.parametrize("header", ["X-Request-Age", "X-Proxy-Request-Age"])
def test_a_proxy_may_pass_on_a_resumption_that_was_begun_before_a_pause_after_it(
    pair: tuple[RunningServer, RunningServer], header: str
) -> None:
    """On a connection that it keeps, requests come in the order in which they arrived at the proxy as a whole."""
    first, _ = pair
    paused, resumed = (
        request("POST", f"{COMPREHENSIVE}/{name}", ("Host", "localhost"), ("Content-Length", "0"), *more)
        for name, more in (("pause", ()), ("resume", [(header, "5.0")]))
    )
    with socket.create_connection(("127.0.0.1", first.port), SECONDS) as opened:
        for sent, status in ((paused, "200"), (resumed, "412")):
            opened.sendall(sent)
            assert statuses(opened, 1) == [status]
    first.post("resume", {}).raise_for_status()


def eventually_connected(port: int) -> socket.socket:
    """A connection to a server that starts."""
    late = time.monotonic() + SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), SECONDS)
        except ConnectionRefusedError:
            assert time.monotonic() < late


@pytest.mark.parametrize(
    ("names", "of_other", "comes_back"),
    [
        ({"X-Request-ID": "one", "X-Proxy-Request-ID": "one"}, None, False),
        ({"X-Request-ID": "one", "X-Proxy-Request-ID": "one"}, {"X-Request-ID": "another"}, True),
        ({"X-Request-ID": "of-a-client"}, None, True),
        ({"X-Request-ID": "of-a-client", "X-Proxy-Request-ID": "one"}, None, True),
    ],
)
def test_a_pause_that_another_server_has_made_does_not_come_back(
    pair: tuple[RunningServer, RunningServer],
    names: dict[str, str],
    of_other: dict[str, str] | None,
    *,
    comes_back: bool,
) -> None:
    """A load balancer gives a pause to another server if one hangs; that one reads it when it goes on.

    A client may give each pause the same trace id, so that tells nothing.
    """
    first, second = pair
    body = ("Content-Length", "0"), *names.items()
    stopped = psutil.Process(first.process.pid)
    with socket.create_connection(("127.0.0.1", first.port), SECONDS) as opened:
        opened.sendall(request("GET", "/health", ("Host", "localhost")))
        assert statuses(opened, 1) == ["200"]
        stopped.suspend()
        try:
            opened.sendall(request("POST", f"{COMPREHENSIVE}/pause", ("Host", "localhost"), *body))
            time.sleep(2 * LATE_SECONDS)  # so long it waits at least
            assert second.post("pause", {}, headers=of_other or names).status_code == 200
            assert second.post("resume", {}).json()["paused"] == []
        finally:
            stopped.resume()
        assert statuses(opened, 1) == ["200"]
    paused = first.get(f"{COMPREHENSIVE}/pause").json()["pauses"]
    assert bool(paused) == comes_back
    second.post("resume", {})


def test_a_resumption_that_was_begun_before_a_pause_does_not_end_it(pair: tuple[RunningServer, RunningServer]) -> None:
    """A part of it may be lost on its way and sent again; or it comes in fragments."""
    first, second = pair
    resume = request("POST", f"{COMPREHENSIVE}/resume", ("Host", "localhost"), ("Content-Length", "0"))
    message = json.dumps({"type": "resume", "request_id": "begun"})
    parsed = threading.Event()

    def parts() -> Iterator[str]:
        yield message[:10]
        assert parsed.wait(SECONDS)
        yield message[10:]

    with (
        socket.create_connection(("127.0.0.1", first.port), SECONDS) as opened,
        connect(f"ws://127.0.0.1:{first.port}/ws/state") as client,
        ThreadPoolExecutor(1) as threads,
    ):
        opened.sendall(resume[:40])
        sending = threads.submit(client.send, parts())
        time.sleep(1.0)  # until both parts have surely been read
        assert second.post("pause", {}).status_code == 200
        opened.sendall(resume[40:])
        parsed.set()
        sending.result()
        assert statuses(opened, 1) == ["412"]
        answer = next(each for each in map(json.loads, client) if each.get("request_id") == "begun")
    assert answer["code"] == "version_conflict"
    assert second.post("resume", {}).json()["paused"] == []
