"""On the control channel pauses wait for no changes, none is lost in a burst, and what is too much is refused."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from redis_running import CONTROL, LEASE, RESULTS, RunningRedis, eventually, listens
from running import RunningServer
from vivienne.changes.asked import Asked
from vivienne.changes.service import ConfigService
from vivienne.errors import TooLarge
from vivienne.redis.client import Client
from vivienne.redis.control import channel, waiting
from vivienne.redis.control import results as results_of_messages
from vivienne.redis.control.channel import ControlChannel
from vivienne.redis.control.messages import ControlMessages, Outcome
from vivienne.redis.control.names import ControlNames
from vivienne.redis.control.results import Results
from vivienne.redis.lease import Holder, Lease
from vivienne.redis.listening import heard
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


SECONDS = 60.0
CHANGE = {"type": "config_update", "config": {"bang_threshold": 85}}
PAUSE, RESUME = {"type": "control", "strategy": "pause"}, {"type": "resume"}
RESUME_BTC = {"type": "resume", "asset": "BTC", "request_id": "last"}


@pytest.fixture(scope="module")
def redis() -> Iterator[RunningRedis]:
    with RunningRedis() as running:
        yield running


class Held(ControlMessages):
    """Changes wait until they are let go, and so do pauses of `slow`."""

    def __init__(self, service: ConfigService) -> None:
        super().__init__(service)
        self.service = service
        self.let_go = asyncio.Event()
        self.slow: set[str | None] = {None}
        self.begun = 0

    async def carry_out(
        self, raw: bytes, request_id: str | None = None, asked: Asked | None = None, stream_id: str = ""
    ) -> Outcome:
        switched = self.switched(raw)
        self.begun += 1
        if (None if switched is None else switched.asset) in self.slow:
            await self.let_go.wait()
        return await super().carry_out(raw, request_id, asked, stream_id)


@asynccontextmanager
async def listening(
    redis: RunningRedis, tmp_path: Path, assets: tuple[str, ...] = ("BTC",)
) -> AsyncIterator[tuple[Held, asyncio.Queue[dict[str, Any]]]]:
    """A process that listens to the channel, and the results."""
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), assets)
    messages, client, results = Held(service), Client(redis.url), asyncio.Queue[dict[str, Any]]()
    both = [asyncio.Event(), asyncio.Event()]

    async def hear() -> None:
        async for raw in heard(client, both[0].set, RESULTS):
            if raw is not None:
                results.put_nowait(orjson.loads(raw))

    lease, published = Lease(LEASE, "one"), Results(RESULTS)
    control = ControlChannel(messages, ControlNames(CONTROL), lease, published)
    running = (
        hear(),
        control.apply(),
        published.run(client, lambda: None),
        Holder(lease, [control]).run(client, both[1].set),
    )
    tasks = [asyncio.create_task(each) for each in running]
    async with asyncio.timeout(SECONDS):
        for each in both:
            await each.wait()
        yield messages, results
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await client.aclose(close_connection_pool=True)
    await service.close()


async def test_a_pause_waits_for_no_change_that_was_published_before_it(redis: RunningRedis, tmp_path: Path) -> None:
    async with listening(redis, tmp_path) as (messages, results):
        for message in (CHANGE, CHANGE, RESUME, PAUSE):
            redis.send(message)
        both = [await results.get() for _ in range(2)]
        # Whichever is begun first, a resumption ends no pause that came after it.
        assert "Paused" in {each["message"].partition(":")[0] for each in both}
        assert messages.service.paused().keys() == {"BTC"}
        messages.let_go.set()
        assert [(await results.get())["status"] for _ in range(2)] == ["success", "success"]


async def test_changes_that_are_too_many_are_refused_in_words(
    redis: RunningRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 3)
    async with listening(redis, tmp_path) as (messages, results):
        redis.send(CHANGE)
        while not messages.begun:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.001)
        for _ in range(6):
            redis.send(CHANGE)
        redis.send({**PAUSE, "reason": "pause", "nonsense": "pause"})
        refused = [await results.get() for _ in range(4)]
        assert {each["code"] for each in refused} >= {"too_many_requests", "malformed"}
        assert "3 changes wait on this channel" in refused[0]["message"]
        messages.let_go.set()
        assert [(await results.get())["status"] for _ in range(4)] == ["success"] * 4


async def test_each_of_many_pauses_at_once_is_in_force_and_answered(redis: RunningRedis, tmp_path: Path) -> None:
    """A program that pauses its assets one by one sends them together."""
    assets = tuple(f"A{number}" for number in range(500))
    async with listening(redis, tmp_path, assets) as (messages, results):
        publish(redis, *({"type": "pause", "asset": asset, "request_id": asset} for asset in assets))
        answers = [await results.get() for _ in assets]
        assert {each["request_id"] for each in answers} == {*assets}
        assert {each["status"] for each in answers} <= {"success", "not_stored_yet"}
        assert messages.service.paused().keys() == {*assets}


async def test_pauses_of_one_asset_keep_those_of_others_waiting_for_no_more_than_a_turn(
    redis: RunningRedis, tmp_path: Path
) -> None:
    async with listening(redis, tmp_path, ("BTC", "ETH")) as (messages, results):
        messages.slow = {"BTC"}
        publish(redis, *({"type": "pause", "asset": "btc", "request_id": str(number)} for number in range(1_000)))
        redis.send({"type": "pause", "asset_symbol": "ETH", "request_id": "mine"})
        assert (await results.get())["request_id"] == "mine"
        messages.let_go.set()
        # Those of an asset keep their order; each of them has its result.
        assert [int((await results.get())["request_id"]) for _ in range(1_000)] == [*range(1_000)]


async def test_a_pause_waits_for_no_resumptions_of_its_asset_and_they_do_not_end_it(
    redis: RunningRedis, tmp_path: Path
) -> None:
    async with listening(redis, tmp_path) as (messages, results):
        messages.slow = {"BTC"}
        under_way = waiting.MOST_OF_ONE
        resumptions = [{"type": "resume", "asset": "BTC", "request_id": f"{n}"} for n in range(2 * under_way)]
        publish(redis, {"type": "pause", "asset": "BTC", "request_id": "first"}, *resumptions)
        pause = {"type": "pause", "asset": "BTC", "request_id": "mine"}
        publish(redis, pause, RESUME_BTC)
        while messages.begun != 2 + under_way:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
        messages.let_go.set()
        answers = [await results.get() for _ in range(2 * under_way + 3)]
        by_name = {each["request_id"]: each for each in answers}
        assert [by_name[name]["status"] for name in ("first", "mine", "last")] == ["success"] * 3
        behind = [by_name[str(number)] for number in range(under_way, 2 * under_way)]
        assert {each["code"] for each in behind} == {"version_conflict"}, "they came before the pause"
        assert not messages.service.paused()


async def test_a_resumption_waits_for_the_pauses_before_it(redis: RunningRedis, tmp_path: Path) -> None:
    """Else one of them would come back."""
    async with listening(redis, tmp_path) as (messages, results):
        messages.slow = {"BTC"}
        count = 3 * waiting.MOST_OF_ONE
        publish(redis, *({"type": "pause", "asset": "BTC", "request_id": f"{n}"} for n in range(count)), RESUME_BTC)
        while messages.begun != waiting.MOST_OF_ONE:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
        messages.let_go.set()
        answers = [await results.get() for _ in range(count + 1)]
        assert answers[-1]["request_id"] == "last"
        assert answers[-1]["status"] == "success"
        assert not messages.service.paused()


@pytest.mark.parametrize("kind", ["pause", "resume"])
async def test_a_pause_waits_for_none_of_very_many_of_other_assets_however_long_they_take(
    redis: RunningRedis, tmp_path: Path, kind: str
) -> None:
    """Such as while the store hangs."""
    others = tuple(f"A{number}" for number in range(20))
    async with listening(redis, tmp_path, ("BTC", *others)) as (messages, results):
        messages.slow = set(others)
        publish(redis, *({"type": kind, "asset": asset} for asset in others * 20))
        redis.send({"type": "p\u0061use", "asset": "BTC", "request_id": "mine"})
        assert (await results.get())["request_id"] == "mine"
        messages.let_go.set()


async def test_pauses_that_are_too_many_are_refused_in_words(
    redis: RunningRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 3)
    async with listening(redis, tmp_path, ("BTC", "ETH")) as (messages, results):
        messages.slow = {"BTC"}
        under_way = waiting.MOST_OF_ONE
        pauses = [{"type": "pause", "asset": "BTC", "request_id": f"{n}"} for n in range(under_way + 4)]
        for pause in pauses[:under_way]:  # each begins; of a burst more would wait than may
            begun = messages.begun
            redis.send(pause)
            while messages.begun == begun:  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0.001)
        publish(redis, *pauses[under_way:])
        refused = await results.get()
        assert "3 pauses wait on this channel" in refused["message"]
        assert refused["request_id"] == f"{under_way + 3}"
        # Those of other assets take the place of the newest of that with the most.
        redis.send({"type": "pause", "asset": "ETH", "request_id": "mine"})
        both = [await results.get() for _ in range(2)]
        assert {each["request_id"] for each in both} == {f"{under_way + 2}", "mine"}
        messages.let_go.set()


@pytest.mark.parametrize("wrong", [{"expected_version": 9}, {"nonsense": 1}, {"agent": "other"}, {"reason": 5}])
async def test_pauses_that_are_refused_take_the_place_of_none_that_counts(
    redis: RunningRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 20)
    monkeypatch.setattr(waiting, "MOST_UNSEEN", 10)
    async with listening(redis, tmp_path) as (messages, results):
        messages.slow = {None}  # changes
        pause = {"type": "pause", "asset": "BTC"}
        publish(redis, *[{**pause, **wrong}] * 2_000, {**pause, "request_id": "mine"})
        while (await results.get()).get("request_id") != "mine":
            pass
        assert messages.service.paused().keys() == {"BTC"}
        messages.let_go.set()


@pytest.mark.parametrize("limit", [{"MOST_WAITING": 200}, {"MOST_WAITING_BYTES": 200_000}])
async def test_pauses_of_many_assets_that_are_refused_take_the_place_of_none_that_counts(
    redis: RunningRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int]
) -> None:
    for name, most in limit.items():
        monkeypatch.setattr(waiting, name, most)
    assets = ("BTC", *(f"A{number}" for number in range(30)))
    async with listening(redis, tmp_path, assets) as (messages, results):
        messages.slow = {None}  # changes
        wrong = [{"type": "pause", "asset": asset, "nonsense": "a" * 2_000} for asset in assets]
        publish(redis, *[wrong[0]] * 90, *wrong * 10, {"type": "pause", "asset": "BTC", "request_id": "mine"})
        while (await results.get()).get("request_id") != "mine":
            pass
        assert messages.service.paused().keys() == {"BTC"}
        messages.let_go.set()


async def test_a_resumption_that_is_too_long_to_be_taken_for_one_ends_no_pause(
    redis: RunningRedis, tmp_path: Path
) -> None:
    """It would count as asked for at its turn, and end a pause that was asked for after it."""
    async with listening(redis, tmp_path) as (messages, results):
        redis.send(PAUSE)
        await results.get()
        redis.client.publish(CONTROL, orjson.dumps({"type": "resume", "asset": "BTC"}) + b" " * 17_000)
        messages.let_go.set()
        refused = await results.get()
        assert refused["code"] == "too_large"
        assert "at most 16,000 bytes" in refused["message"]
        assert messages.service.paused().keys() == {"BTC"}


def publish(redis: RunningRedis, *messages: dict[str, Any]) -> None:
    """Send messages in one go."""
    with redis.client.pipeline(transaction=False) as batch:
        for message in messages:
            batch.publish(CONTROL, orjson.dumps(message))
        batch.execute()


async def test_what_waits_is_left_out_once_another_process_applies_messages(
    redis: RunningRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That process may have applied later ones. It is counted, and said."""
    service, client = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ("BTC",)), Client(redis.url)
    lease, other = Lease("vivienne:of-two:lease", "one"), Lease("vivienne:of-two:lease", "other")
    control = ControlChannel(ControlMessages(service), ControlNames(CONTROL), lease, Results(RESULTS))
    async with asyncio.timeout(SECONDS):
        assert await lease.keep(client)
        asked = Asked("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
        assert control.waiting.put(b"a change") is None
        pause = waiting.WaitingSwitch(b"a pause", asked, waiting.Switched("BTC", "pauses"))
        assert control.waiting.put_switch(pause) is None
        await lease.give_up(client)
        # Nobody else has had it, so nobody else has applied anything.
        assert await lease.keep(client)
        assert (control.waiting.changes, control.waiting.switches) == (1, 1)
        await lease.give_up(client)
        assert await other.keep(client)
        await other.give_up(client)
        assert await lease.keep(client)
    assert (control.waiting.changes, control.waiting.switches, control.waiting.dropped) == (0, 0, 2)
    assert "2 control messages that waited were left out" in caplog.text
    await client.aclose(close_connection_pool=True)
    await service.close()


async def test_what_was_received_is_applied_when_the_process_stops(redis: RunningRedis, tmp_path: Path) -> None:
    with RunningServer("--redis", redis.url, db=tmp_path / "v.db") as server:
        await asyncio.to_thread(eventually, lambda: listens(redis))
        changes = [{**CHANGE, "request_id": f"{number}"} for number in range(30)]
        with redis.listener(RESULTS) as results:
            publish(redis, *changes)
            server.process.send_signal(signal.SIGTERM)
            heard_of = {(await asyncio.to_thread(results.hear))["request_id"] for _ in changes}
            assert server.process.wait(SECONDS) == 0
        assert heard_of == {each["request_id"] for each in changes}
        server.start()
        assert {each["request_id"] for each in server.history()} >= heard_of


async def test_what_cannot_be_applied_when_the_process_stops_is_counted_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel, "FINISH_SECONDS", 0.1)
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ("BTC",))
    control = ControlChannel(Held(service), ControlNames(CONTROL), Lease(LEASE, "one"), Results(RESULTS))
    for _ in range(3):
        control.waiting.put(b"{}")
    await control.finish()
    assert control.waiting.dropped == 3
    assert "3 control messages that waited were left out: the process stops" in caplog.text
    await service.close()


async def test_results_wait_for_redis_and_beyond_a_number_the_oldest_are_left_out(
    redis: RunningRedis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(results_of_messages, "MOST_WAITING", 100)
    published, client = Results(RESULTS), Client(redis.url)
    for number in range(103):
        published.put(f'{{"number": {number}}}')
    assert published.dropped == 3
    assert "the oldest one is left out" in caplog.text
    with redis.listener(RESULTS) as results:
        running = asyncio.create_task(published.run(client, lambda: None))
        heard_of = [(await asyncio.to_thread(results.hear))["number"] for _ in range(100)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert heard_of == [*range(3, 103)]
    assert published.dropped == 3
    for _ in range(100):  # of messages that were too much: they leave half of the room
        published.put_refusal(lambda: "{}")
    assert published.dropped == 52
    await client.aclose(close_connection_pool=True)


@pytest.mark.parametrize("content", ["x", "[1]", '{"a":', "[" * 500, '{"type": "control"}'])
async def test_of_a_message_that_is_refused_nothing_stays(tmp_path: Path, content: str) -> None:
    """15 MB of each, until garbage was collected a minute later."""
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ("BTC",))
    messages, raw = ControlMessages(service), content.encode().ljust(300_000)
    gc.disable()
    try:
        before = sys.getrefcount(raw)
        for _ in range(3):
            assert messages.refuse_message(TooLarge("more wait than may"), raw).document["status"] == "error"
            assert (await messages.carry_out(raw)).document["status"] == "error"
        assert sys.getrefcount(raw) == before
    finally:
        gc.enable()
        await service.close()
