"""Redis absent, wrong, killed, paused or slow: everything else goes on, and says so once."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import psutil
import pytest
from redis.exceptions import ResponseError

from measured import measured
from redis_running import (
    ANSWER_SECONDS,
    LEASE,
    RESULTS,
    STATE,
    USER,
    USER_PASSWORD,
    RunningRedis,
    eventually,
    listens,
    redis_state,
    wait_for_redis,
)
from running import RunningServer, config, run_program
from sizes import rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SMALL = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
CONTROL = {"type": "control", "strategy": "general_parameters"}
LEAST = 10
"""Changes that each sender makes."""
LONGEST_ANSWER = 2.0
"""Seconds; hundreds of times what an answer takes, and less than it takes to notice that Redis is silent."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, redis: RunningRedis) -> Iterator[RunningServer]:
    """A server that is there for all tests, whatever one did to it."""
    with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path_factory.mktemp("outages") / "v.db") as server:
        yield server


@pytest.fixture
def server(running: RunningServer, redis: RunningRedis) -> RunningServer:
    """A server that uses its Redis, and whose log is that of this test where it was stopped before."""
    if running.process.poll() is not None:
        running.start()
    wait_for_redis(running)
    eventually(lambda: listens(redis))
    return running


def outages_told(server: RunningServer) -> list[str]:
    """Lines of the log about a Redis that is away."""
    return [
        line
        for line in server.log.splitlines()
        if "Cannot connect to Redis" in line or "Lost the connection to Redis" in line
    ]


def works(server: RunningServer) -> None:
    """Changes are made over REST and WebSocket, and a control message is answered."""
    assert server.post("partial-update", {"bang_threshold": 81}).json()["status"] == "success"
    with server.client() as client:
        assert client.ask({"type": "config_update", "config": {"bang_threshold": 82}})["status"] == "success"
        made = client.ask({**CONTROL, "params": {"bang_threshold": 83}})
        assert made["status"] == "success"
        assert config(client.state("BTC", version=made["version"]))["settings"]["state_threshold_bang"] == 83


class Changes:
    """Sends changes in a thread until told to stop, and keeps how long each took to be answered.

    Attributes:
        failed: the answers that were no success.
    """

    def __init__(self, send: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._send = send
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seconds: list[float] = []
        self.failed: list[object] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=15)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.02):
                begin = time.monotonic()
                answer = self._send({"position_size_bang": len(self.seconds) % 1000 / 100})
                self.seconds.append(time.monotonic() - begin)
                if answer.get("status") != "success":
                    self.failed.append(answer)
        except Exception as error:  # noqa: BLE001  # told to the test, which runs in another thread
            self.failed.append(error)

    def check(self) -> None:
        assert self.failed == []
        assert len(self.seconds) >= LEAST
        assert max(self.seconds) < LONGEST_ANSWER


@contextmanager
def changing(server: RunningServer) -> Iterator[list[Changes]]:
    """Changes over REST and WebSocket in the background."""
    with (
        server.client() as client,
        Changes(lambda document: server.post("partial-update", document).json()) as rest,
        Changes(lambda document: client.ask({"type": "config_update", "config": document})) as websocket,
    ):
        yield [rest, websocket]
        # A test that is over soon is not over before there were some.
        eventually(lambda: all(len(sender.seconds) >= LEAST or sender.failed for sender in (rest, websocket)))


def test_without_redis_at_start_everything_else_works_and_it_is_found_when_it_comes(tmp_path: Path) -> None:
    redis = RunningRedis()
    with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path / "v.db") as server:
        eventually(lambda: "nothing listens" in redis_state(server))
        ready = server.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        works(server)

        with redis:
            wait_for_redis(server)
            assert server.get("/ready").json()["status"] == "ready"
            assert 83 == redis.state("BTC")["config"]["settings"]["state_threshold_bang"]
        assert 1 == len([line for line in outages_told(server) if "Cannot connect" in line])


def silent_port() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


def web_port() -> Iterator[int]:
    """A port on which HTTP is spoken."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        stopped = threading.Event()
        listening.settimeout(0.1)

        def answer() -> None:
            while not stopped.is_set():
                with suppress(TimeoutError), closing(listening.accept()[0]) as connection:
                    connection.recv(65_536)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        stopped.set()
        thread.join(timeout=5)


@pytest.mark.parametrize(
    ("port", "reason"), [(silent_port, "does not answer"), (web_port, "the server at the address is not Redis")]
)
def test_what_is_no_redis_costs_nothing_but_redis(
    tmp_path: Path, port: Callable[[], Iterator[int]], reason: str
) -> None:
    with contextmanager(port)() as number:
        url = f"redis://127.0.0.1:{number}"
        with RunningServer(*SMALL, "--redis", url, db=tmp_path / "v.db") as server:
            eventually(lambda: reason in redis_state(server))
            works(server)
            assert [True] == [reason in line for line in outages_told(server)]


def test_a_host_that_does_not_exist_costs_nothing_but_redis(tmp_path: Path) -> None:
    with RunningServer(*SMALL, "--redis", "redis://no-such-host.invalid", db=tmp_path / "v.db") as server:
        eventually(lambda: redis_state(server) not in {"ok", "not connected yet"})
        works(server)
        assert server.get("/ready").json()["status"] == "degraded"
        assert measured(server).value("vivienne_ready", status="degraded") == 1.0
        assert 1 == len(outages_told(server))


@pytest.mark.parametrize("given", ["", "s3cr3t-wr0ng"])
def test_a_wrong_password_is_told_without_the_password(tmp_path: Path, given: str) -> None:
    with RunningRedis(password="s3cr3t-r1ght") as redis:  # noqa: S106  # of this test
        who = f":{given}@" if given else ""
        environment = {"VIVIENNE_REDIS": f"redis://{who}127.0.0.1:{redis.port}"}
        with RunningServer(*SMALL, db=tmp_path / "v.db", environment=environment) as server:
            eventually(lambda: redis_state(server) == "it rejects the user name or the password")
            works(server)
            assert 1 == len(outages_told(server))
            assert "s3cr3t" not in server.log + server.get("/ready").text


def test_the_right_password_is_never_shown(tmp_path: Path) -> None:
    redis = RunningRedis(password="s3cr3t-r1ght")  # noqa: S106  # of this test
    flags = (*SMALL, "--redis", redis.url, "--log-level", "debug")
    with redis, RunningServer(*flags, db=tmp_path / "v.db") as server:
        wait_for_redis(server)
        assert f"redis://***@127.0.0.1:{redis.port}" in server.log
        redis.kill()
        eventually(lambda: redis_state(server) != "ok")
        assert "s3cr3t" not in server.log + server.get("/ready").text


@pytest.mark.sized
def test_a_kill_and_a_restart_amid_changes(server: RunningServer, redis: RunningRedis) -> None:
    told = len(outages_told(server))
    with changing(server) as senders, server.client() as client:
        for outage in range(1, 1 + rounds(3)):
            redis.kill()
            eventually(lambda: redis_state(server) != "ok")
            before = client.state("BTC")["seq"]
            client.states.clear()
            assert client.state("BTC", version=server.active()["version"])["seq"] > before
            redis.start()
            wait_for_redis(server)
            assert redis.state("BTC")["config_version"] >= 1
            eventually(lambda: "Connected to Redis" in server.log.splitlines()[-1] or listens(redis))
            assert told + outage == len(outages_told(server))
    for sender in senders:
        sender.check()


@pytest.mark.sized
def test_a_pause_amid_changes(server: RunningServer, redis: RunningRedis) -> None:
    told = len(outages_told(server))
    with changing(server) as senders, server.client() as client:
        for outage in range(1, 1 + rounds(2)):
            redis.pause()
            # At once, when nobody can know yet, and later, when it shows.
            for _ in range(3):
                begin = time.monotonic()
                assert client.ask({**CONTROL, "params": {"rsi_weight": 0.25}})["status"] == "success"
                assert time.monotonic() - begin < LONGEST_ANSWER
            eventually(lambda: redis_state(server) == "it does not answer")
            assert server.get("/ready").status_code == 200
            missed = server.active()["version"]
            redis.resume()
            wait_for_redis(server)
            assert redis.state("BTC")["config_version"] >= missed
            eventually(lambda: listens(redis))
            assert told + outage == len(outages_told(server))
    for sender in senders:
        sender.check()


def test_a_redis_that_is_slow_for_a_second_is_no_outage(server: RunningServer, redis: RunningRedis) -> None:
    told = outages_told(server)
    with changing(server) as senders:
        redis.client.execute_command("CLIENT", "PAUSE", "1000", "ALL")
        time.sleep(1.5)  # the second, and what is left over from it
        assert redis_state(server) == "ok"
    for sender in senders:
        sender.check()
    assert outages_told(server) == told


def test_a_full_redis_keeps_nothing_new_and_passes_everything_on(server: RunningServer, redis: RunningRedis) -> None:
    told, before = outages_told(server), redis.state("BTC")
    redis.client.config_set("maxmemory", "1")
    try:
        eventually(lambda: "Redis is full (maxmemory)" in redis_state(server))
        works(server)
        with redis.listener(RESULTS) as results:
            for name in ("pause", "resume"):
                assert redis.send({"type": name, "asset": "BTC"}) == 1
                assert results.hear()["status"] == "success"
        # The lease is renewed all the while.
        assert f"-{server.process.pid}-" in redis.client.get(LEASE)
        with redis.listener(f"{STATE}BTC") as states:
            assert states.hear()["seq"] > before["seq"]
        assert redis.client.config_get("maxmemory") == {"maxmemory": "1"}
    finally:
        redis.client.config_set("maxmemory", "0")
    wait_for_redis(server)
    eventually(lambda: redis.state("BTC")["seq"] > before["seq"])
    assert outages_told(server) == told
    assert server.log.count("Redis is full (maxmemory)") == 1


def test_a_redis_without_its_replicas_passes_everything_on(server: RunningServer, redis: RunningRedis) -> None:
    """The lease cannot be renewed, so control messages wait; states go on."""
    before = redis.state("BTC")
    redis.client.config_set("min-replicas-to-write", "1")
    try:
        eventually(lambda: "Redis lacks replicas (min-replicas-to-write)" in redis_state(server))
        works(server)
        for _ in range(3):
            with redis.listener(f"{STATE}BTC") as states:
                assert states.hear()["seq"] > before["seq"]
    finally:
        redis.client.config_set("min-replicas-to-write", "0")
    wait_for_redis(server)


def test_a_redis_that_cannot_write_to_its_disk_passes_everything_on(server: RunningServer, redis: RunningRedis) -> None:
    """It then refuses to write, and even a ping."""
    told, before = outages_told(server), redis.state("BTC")

    def saved() -> str:
        redis.client.bgsave()
        eventually(lambda: not redis.client.info("persistence")["rdb_bgsave_in_progress"])
        return str(redis.client.info("persistence")["rdb_last_bgsave_status"])

    process = psutil.Process(redis.pid)
    limits = process.rlimit(psutil.RLIMIT_FSIZE)
    redis.client.config_set("save", "3600 1")
    process.rlimit(psutil.RLIMIT_FSIZE, (1, limits[1]))
    try:
        assert saved() == "err"
        with pytest.raises(ResponseError, match="MISCONF"):
            redis.client.ping()
        eventually(lambda: "Redis cannot write its data to disk (MISCONF)" in redis_state(server))
        works(server)
        with redis.listener(f"{STATE}BTC") as states:
            assert states.hear()["seq"] > before["seq"]
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, limits)
        assert saved() == "ok"
        redis.client.config_set("save", "")
    wait_for_redis(server)
    eventually(lambda: redis.state("BTC")["seq"] > before["seq"])
    with redis.listener(RESULTS) as results:
        eventually(lambda: redis.send({"type": "pause", "asset": "BTC"}) == 1)
        assert results.hear()["status"] == "success"
        redis.send({"type": "resume", "asset": "BTC"})
        assert results.hear()["status"] == "success"
    assert outages_told(server) == told


def test_a_script_without_end_is_told_and_everything_goes_on_after_it(
    server: RunningServer, redis: RunningRedis
) -> None:
    redis.client.config_set("busy-reply-threshold", "100")
    script = subprocess.Popen(
        ["redis-cli", "-p", str(redis.port), "--user", USER, "--pass", USER_PASSWORD, "EVAL", "while true do end", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: "BUSY" in redis_state(server))
        assert "success" == server.post("pause", {}).json()["status"]
    finally:
        redis.client.script_kill()
        script.wait(ANSWER_SECONDS)
        redis.client.config_set("busy-reply-threshold", "5000")
    wait_for_redis(server)
    eventually(lambda: "paused" == redis.state("BTC")["data"]["status"])
    server.post("resume", {})
    works(server)


def test_a_process_that_finds_a_full_redis_works_as_soon_as_it_is_not(tmp_path: Path) -> None:
    """Not even the lease can be acquired there, and no group be made."""
    with RunningRedis() as full:
        full.client.config_set("maxmemory", "1")
        flags = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500", "--redis", full.url)
        with RunningServer(*flags, db=tmp_path / "v.db") as server:
            eventually(lambda: "Redis is full (maxmemory)" in redis_state(server))
            with full.listener(f"{STATE}BTC") as states:
                assert states.hear()["asset"] == "BTC"
            full.client.config_set("maxmemory", "0")
            wait_for_redis(server)
            eventually(lambda: listens(full))
            assert outages_told(server) == []


def test_stopping_while_redis_is_silent_takes_no_longer_than_a_moment(
    server: RunningServer, redis: RunningRedis
) -> None:
    redis.pause()
    assert 0 == server.stop()
    redis.resume()
    assert "Vivienne has stopped" in server.log


@pytest.mark.sized
@pytest.mark.parametrize("moment", [0.001, 0.0, 0.01][: rounds(3)])
def test_stopping_at_the_moment_redis_dies_is_stopping_too(
    server: RunningServer, redis: RunningRedis, moment: float
) -> None:
    redis.kill()
    time.sleep(moment)
    try:
        assert 0 == server.stop()
    finally:
        redis.start()


def test_when_the_agent_stops_another_one_may_carry_on_at_once(server: RunningServer, redis: RunningRedis) -> None:
    assert redis.client.get("vivienne:control:lease")
    server.stop()
    assert redis.client.get("vivienne:control:lease") is None


def test_without_the_library_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    missing = tmp_path / "redis.py"
    missing.write_text("raise ModuleNotFoundError(\"No module named 'redis'\", name='redis')")
    environment = {"PYTHONPATH": str(tmp_path)}
    flags = ("serve", "--port", "0", "--db", str(tmp_path / "v.db"), "--redis", "redis://localhost")
    done = run_program(*flags, environment=environment)
    assert 2 == done.returncode
    assert "--redis needs the library for it: pip install 'vivienne[redis]'" in done.stderr


def test_every_asset_has_its_state_in_redis(tmp_path: Path, redis: RunningRedis) -> None:
    flags = ("--assets", "BTC,ETH,SOL", "--timeframe", "1m", "--window", "1500", "--redis", redis.url)
    with RunningServer(*flags, db=tmp_path / "v.db") as server, server.client() as client:
        wait_for_redis(server)
        for asset in ("BTC", "ETH", "SOL"):
            assert set(client.state(asset)) == set(redis.message(STATE + asset))
