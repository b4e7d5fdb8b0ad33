"""The control stream: every entry is carried out once and in order, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from redis.exceptions import RedisError, ResponseError

from redis_running import LEASE, RESULTS, STREAM, RunningRedis, eventually, wait_for_redis
from running import RunningServer
from sizes import rounds
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.errors import StoreUnavailable
from vivienne.redis.client import Client
from vivienne.redis.control import stream as module
from vivienne.redis.control.messages import ControlMessages
from vivienne.redis.control.names import ControlNames
from vivienne.redis.control.stream import ControlStream
from vivienne.redis.group import goes_on
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from vivienne.store.revision import Revision

SMALL = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500")
KILLS = rounds(5, 2)
GROUP = "vivienne"


@pytest.fixture(scope="module")
def another_redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


@pytest.fixture
def redis(another_redis: RunningRedis) -> RunningRedis:
    """A Redis that holds nothing and that no server of another test uses."""
    another_redis.client.flushall()
    return another_redis


@pytest.fixture(scope="module")
def used() -> Iterator[RunningRedis]:
    """The Redis of `server`."""
    with RunningRedis() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, used: RunningRedis) -> Iterator[RunningServer]:
    with RunningServer(*SMALL, "--redis", used.url, db=tmp_path_factory.mktemp("stream") / "v.db") as running:
        wait_for_redis(running)
        yield running


@pytest.fixture
def made(server: RunningServer) -> Callable[[], list[float]]:
    """The position sizes `server` was told in this test."""
    before = len(sizes(server))
    return lambda: sizes(server)[before:]


def control(value: float, **more: Any) -> dict[str, Any]:
    return {"type": "control", "strategy": "general_parameters", "params": {"position_size_bang": value}, **more}


def sizes(server: RunningServer) -> list[float]:
    """The position sizes a server was told, in order."""
    changes = (revision for revision in reversed(server.history()) if revision["action"] not in ("pause", "resume"))
    return [revision["config"]["settings"]["position_size_bang"] for revision in changes]


def version(server: RunningServer) -> int:
    """How many changes were made."""
    newest = server.newest()
    return newest["version"] if newest else 0


def test_what_was_sent_while_the_agent_was_down_is_carried_out_in_order(tmp_path: Path, redis: RunningRedis) -> None:
    wanted = [value / 10 for value in range(1, 51)]
    numbers = [redis.add(control(value)) for value in wanted]
    with redis.listener(RESULTS) as results:
        flags = (*SMALL, "--redis", redis.url)
        with RunningServer(*flags, db=tmp_path / "v.db") as server:
            found = [results.hear() for _ in wanted]
            eventually(lambda: not redis.is_waiting())
            assert wanted == sizes(server)
            server.stop()
            server.start()
            wait_for_redis(server)
            assert wanted == sizes(server)
    # Whoever gave no request_id finds the outcome by the number of the entry.
    assert [f"{STREAM}:{number}" for number in numbers] == [result["request_id"] for result in found]


def test_the_request_id_of_a_message_is_kept(
    server: RunningServer, used: RunningRedis, made: Callable[[], list[float]]
) -> None:
    with used.listener(RESULTS) as results:
        used.add(control(3.0, request_id="mine"))
        used.add(control(3.0, request_id="mine"))
        first, second = results.hear(), results.hear()
    assert ("mine", version(server)) == (first["request_id"], first["version"])
    assert {**first, "timestamp": None} == {**second, "timestamp": None}
    assert [3.0] == made()


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"message": "bang_threshold=85"}, "malformed", "This is not JSON"),
        ({"message": ""}, "malformed", "This is not JSON"),
        ({"message": "[1]"}, "malformed", "A JSON object is needed"),
        ({"message": '{"type": "restart"}'}, "malformed", "Unknown type 'restart'"),
        (
            {"type": "control", "strategy": "general_parameters"},
            "malformed",
            "The entry has 2 fields, none of them named 'message'",
        ),
        ({"message": json.dumps({"type": "control", "x": "y" * 2_000_000})}, "too_large", "2,000,0"),
        ({"message": "y" * 40_000_000}, "too_large", "the limits are 32 MB and 50,000 fields"),
        ({f"field-{number}": "x" for number in range(60_000)}, "too_large", "the limits are 32 MB and 50,000 fields"),
        ({"message": json.dumps(control(500.0))}, "invalid_configuration", "must be between 0 and 100"),
    ],
)
def test_a_bad_entry_is_answered_and_the_next_one_carried_out(
    used: RunningRedis, made: Callable[[], list[float]], fields: dict[str, str], code: str, words: str
) -> None:
    with used.listener(RESULTS) as results:
        number = used.client.xadd(STREAM, fields)
        used.add(control(4.0))
        refused, accepted = results.hear(), results.hear()
    assert (code, f"{STREAM}:{number}") == (refused["code"], refused["request_id"])
    assert words in refused["message"]
    assert "success" == accepted["status"]
    assert [4.0] == made()
    eventually(lambda: not used.is_waiting())


def test_an_entry_with_one_field_may_call_it_anything(used: RunningRedis, made: Callable[[], list[float]]) -> None:
    with used.listener(RESULTS) as results:
        used.client.xadd(STREAM, {"data": json.dumps(control(5.0))})
        used.client.xadd(STREAM, {"message": json.dumps(control(6.0)), "sender": "desk"})
        assert ["success", "success"] == [results.hear()["status"], results.hear()["status"]]
    assert [5.0, 6.0] == made()


def test_what_a_dead_process_left_behind_is_taken_over_before_anything_new(tmp_path: Path, redis: RunningRedis) -> None:
    redis.client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    for value in range(1, 7):
        redis.add(control(value))
    for consumer, count in (("dead one", 2), ("another", 1), ("dead one", 1)):
        redis.client.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=count)
    gone = redis.client.xrange(STREAM)[1][0]
    redis.client.xdel(STREAM, gone)

    with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path / "v.db") as server:
        wait_for_redis(server)
        eventually(lambda: not redis.is_waiting())
        # The second one was deleted before anybody could carry it out.
        assert [1, 3, 4, 5, 6] == sizes(server)


def test_a_deleted_database_costs_only_what_was_in_it(
    server: RunningServer, used: RunningRedis, made: Callable[[], list[float]]
) -> None:
    with used.listener(RESULTS) as results:
        used.client.flushall()
        eventually(lambda: used.client.exists(STREAM))
        used.add(control(7.0))
        assert "success" == results.hear()["status"]
    assert [7.0] == made()
    eventually(lambda: used.client.get(LEASE))
    assert "Lost the connection to Redis" not in server.log


@pytest.mark.parametrize("lost", [True, False], ids=["all was lost", "the stream was deleted"])
def test_a_number_that_redis_gives_out_again_is_another_entry(
    server: RunningServer, used: RunningRedis, *, lost: bool
) -> None:
    """The clock of a Redis that takes over may be behind. A pause was answered as the one of that number before."""
    number = round(time.time() * 1000)

    def answered(place: int, message: dict[str, Any]) -> str:
        used.client.xadd(STREAM, {"message": json.dumps(message)}, id=f"{number + place}-0")
        answer = results.hear()
        assert answer["request_id"] == f"{STREAM}:{number + place}-0"
        return str(answer["status"])

    def is_paused() -> bool:
        paused: list[str] = server.get("/ready").json()["paused"]
        server.post("resume", {"asset_symbol": "BTC"})
        return "BTC" in paused

    pause = {"type": "pause", "asset": "BTC"}
    with used.listener(RESULTS) as results:
        assert answered(0, pause) == "success"
        assert is_paused()
        assert answered(1, control(number % 97 + 1)) == "success"
        if lost:
            used.client.flushall()
        else:
            used.client.delete(STREAM)
        eventually(lambda: used.client.exists(STREAM))
        assert answered(0, pause) == "success"
        assert is_paused()
        assert answered(1, pause) == "success"
        assert is_paused()


def test_entries_that_are_read_again_by_a_new_group_are_not_made_again(
    used: RunningRedis, made: Callable[[], list[float]]
) -> None:
    with used.listener(RESULTS) as results:
        used.add(control(8.0))
        first = results.hear()
        used.client.xgroup_destroy(STREAM, GROUP)
        again = results.hear()
        while again["request_id"] != first["request_id"]:
            again = results.hear()
    assert {**first, "timestamp": None} == {**again, "timestamp": None}
    assert [8.0] == made()


@pytest.mark.sized
def test_nothing_is_lost_over_kills_of_a_redis_that_writes_everything_down(tmp_path: Path) -> None:
    added: list[float] = []
    with RunningRedis(durable=True) as redis:
        flags = (*SMALL, "--redis", redis.url)
        with RunningServer(*flags, db=tmp_path / "v.db") as server:
            wait_for_redis(server)
            for _ in range(rounds(3)):
                for _ in range(20):
                    redis.add(control((len(added) + 1) / 100))
                    added.append((len(added) + 1) / 100)
                redis.kill()
                redis.start()
            eventually(lambda: sizes(server) == added, 60)


@pytest.mark.sized
def test_every_entry_is_carried_out_once_over_kills_of_the_agent(tmp_path: Path, redis: RunningRedis) -> None:
    moments = random.Random(4)  # noqa: S311  # spreads moments, guards no secret
    added: list[float] = []
    enough = threading.Event()

    def add() -> None:
        while not enough.wait(0.02) and len(added) < 9_000:
            value = (len(added) + 1) / 100
            with suppress(RedisError):
                redis.add(control(value))
                added.append(value)

    sender = threading.Thread(target=add, daemon=True)
    sender.start()
    try:
        with RunningServer(*SMALL, "--redis", redis.url, db=tmp_path / "v.db") as server:
            for _ in range(KILLS):
                before = version(server)
                eventually(lambda before=before: version(server) > before + 3)  # type: ignore[misc]
                time.sleep(moments.uniform(0, 0.05))
                server.kill()
                server.start()
            enough.set()
            sender.join(timeout=10)
            eventually(lambda: not redis.is_waiting(), 150)
            made = sizes(server)
    finally:
        enough.set()
    assert len(added) > KILLS * 3
    assert added == made


class FailingStore(SqliteRevisionStore):
    """Takes revisions, but not those that are refused at the moment.

    Attributes:
        refused: sizes it does not take; None among them stands for all.
    """

    def __init__(self, path: Path) -> None:
        self.refused: set[float | None] = set()
        super().__init__(path)

    def append(self, *revisions: Revision, under: str | None = None, ends: tuple[int, str] | None = None) -> None:
        value = revisions[0].document["settings"]["position_size_bang"]
        if None in self.refused or value in self.refused:
            raise StoreUnavailable("the disk is full")
        super().append(*revisions, under=under, ends=ends)


class Reading:
    """A control stream that is read in this process."""

    def __init__(self, service: ConfigService, store: FailingStore) -> None:
        self.service = service
        self.store = store

    async def sizes(self) -> list[float]:
        page = await self.service.history(None, 100, None)
        return [entry["config"]["settings"]["position_size_bang"] for entry in reversed(page["history"])]


@asynccontextmanager
async def reading(redis: RunningRedis, path: Path) -> AsyncIterator[Reading]:
    store = FailingStore(path)
    service = ConfigService(store, ["BTC"])
    client = Client(redis.url)
    stream = ControlStream(ControlMessages(service), ControlNames("vivienne:control"), "me", lambda: True)
    running = asyncio.create_task(stream.run(client, lambda: None))
    try:
        yield Reading(service, store)
        assert not running.done()
    finally:
        running.cancel()
        _, pending = await asyncio.wait([running], timeout=5)
        assert not pending, "it goes on although it was cancelled"
        await client.aclose(close_connection_pool=True)
        await service.close()


async def until(check: Any) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110  # nothing to wait for but time
            await asyncio.sleep(0.01)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again without waiting long."""
    monkeypatch.setattr(module, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(module, "LONGEST_DELAY", 0.02)


@pytest.mark.usefixtures("impatient")
async def test_while_the_store_takes_nothing_the_entries_wait_in_their_order(
    redis: RunningRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(redis, tmp_path / "v.db") as stream:
        stream.store.refused = {None}
        with redis.listener(RESULTS) as results:
            for value in (1.0, 2.0, 3.0):
                redis.add(control(value))
            await asyncio.sleep(0.5)  # dozens of attempts, more than it takes to give up
            assert [] == await stream.sizes()
            assert results.nothing_comes(0.01)
            stream.store.refused = set()
            await until(lambda: _is([1.0, 2.0, 3.0], stream))
            heard = [await asyncio.to_thread(results.hear) for _ in range(3)]
            assert ["success"] * 3 == [result["status"] for result in heard]
    assert 1 == len([record for record in caplog.records if "is not stored yet" in record.message])


@pytest.mark.usefixtures("impatient")
async def test_an_entry_that_the_store_can_never_take_does_not_block_the_ones_after_it(
    redis: RunningRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with reading(redis, tmp_path / "v.db") as stream:
        stream.store.refused = {1.0}
        with redis.listener(RESULTS) as results:
            number = redis.add(control(1.0))
            redis.add(control(2.0))
            await asyncio.sleep(0.3)  # nobody can know yet that it is this one, and not the store
            assert [] == await stream.sizes()
            # That another change is stored, whoever makes it, shows it.
            other = Update({"settings": {"position_size_bang": 9.0}}, partial=True)
            await stream.service.change(ChangeRequest(other, channel="rest"))
            await until(lambda: _is([9.0, 2.0], stream))
            # In a thread: the stream is read in this one.
            refused, made = [await asyncio.to_thread(results.hear) for _ in range(2)]
    assert ("not_stored", f"{STREAM}:{number}") == (refused["code"], refused["request_id"])
    assert "success" == made["status"]
    assert [f"Gave up {STREAM}:{number}"] == [
        record.message.partition(" after")[0] for record in caplog.records if "Gave up" in record.message
    ]


async def _is(expected: list[float], stream: Reading) -> bool:
    return expected == await stream.sizes()


async def test_a_reader_that_is_cancelled_ends_even_at_the_moment_a_change_is_made(
    redis: RunningRedis, tmp_path: Path
) -> None:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    client = Client(redis.url)
    stream = ControlStream(ControlMessages(service), ControlNames("vivienne:control"), "me", lambda: True)
    reader: asyncio.Task[None] | None = None

    def told(*_: object) -> None:
        # In the middle of the change, which is done before its reader gets to know.
        if reader is not None:
            asyncio.get_running_loop().call_soon(reader.cancel)

    service.listen(told)
    try:
        for value in range(1, 4):
            redis.add(control(value))
            reader = asyncio.create_task(stream.run(client, lambda: None))
            _, pending = await asyncio.wait([reader], timeout=5)
            assert not pending
            assert reader.cancelled()
    finally:
        await client.aclose(close_connection_pool=True)
        await service.close()


@pytest.mark.parametrize(
    ("said", "is_waited_for"),
    [
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", True),
        ("OOM command not allowed when used memory > 'maxmemory'.", True), ("NOGROUP No such key", True),
        ("UNBLOCKED the stream key no longer exists", True), ("WRONGTYPE Operation against a key", False),
    ],
)  # fmt: skip
async def test_a_read_that_redis_refuses_because_it_is_full_does_not_end_the_link(
    said: str, is_waited_for: bool
) -> None:
    """A read of a group is a write. Between two renewals of the lease it took all parts of the link with it."""
    assert await goes_on(ResponseError(said)) == is_waited_for
