"""Questions of gateways to agents: none keeps those of other kinds waiting, and what nobody waits for is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from batched import Batched
from vivienne.cluster import questions
from vivienne.cluster.answering import Answering
from vivienne.cluster.questions import (
    MOST_ANSWER_BYTES,
    Answer,
    Asking,
    Lane,
    Question,
    questions_to,
    read_question,
)
from vivienne.errors import AgentUnavailable
from vivienne.redis.client import Client

if TYPE_CHECKING:
    from redis_running import RunningRedis

JUDGED: Question = {"kind": "record", "count": 0, "record": {"about": "judged", "query": {"about": "account"}}}
PAGE: Question = {"kind": "record", "count": 0, "record": {"about": "decisions", "asset": "BTC", "query": {}}}
CLOSES: Question = {"kind": "closes", "count": 1}


class Sent(Batched):
    """A Redis that keeps what is published."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def publish(self, channel: str, message: bytes) -> int:  # noqa: ARG002  # as of every Redis
        self.messages.append(orjson.loads(message))
        return 1


async def turns_of_the_loop() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def asking(sent: Sent) -> Asking:
    asking = Asking()
    asking.connected(cast("Any", sent))
    return asking


async def test_questions_that_take_long_keep_no_others_waiting(asking: Asking, sent: Sent) -> None:
    """A push waits neither for pages of the record nor for judging, however many of these are asked for."""
    asked = [asyncio.create_task(asking.ask("one", JUDGED, "vic")) for _ in range(20)]
    asked += [asyncio.create_task(asking.ask("one", PAGE, "vic")) for _ in range(20)]
    await turns_of_the_loop()
    on_their_way = [each["record"]["about"] for each in sent.messages]
    assert sorted(on_their_way) == ["decisions", "decisions", "judged"]

    closes = asyncio.create_task(asking.ask("one", CLOSES, "fred"))
    await turns_of_the_loop()
    assert sent.messages[-1]["kind"] == "closes"
    asking.settle(Answer(answer=sent.messages[-1]["id"], content=7))
    assert await closes == 7
    asking.disconnected()
    assert {type(each) for each in await asyncio.gather(*asked[:1], return_exceptions=True)} == {AgentUnavailable}
    for each in asked:
        each.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_who_leaves_leaves_the_agent_no_more_to_do(asking: Asking, sent: Sent) -> None:
    """The agent still works on what was sent, so the next question waits until it has answered."""
    first = asyncio.create_task(asking.ask("one", JUDGED, "vic"))
    second = asyncio.create_task(asking.ask("one", JUDGED, "ann"))
    await turns_of_the_loop()
    first.cancel()
    await turns_of_the_loop()
    assert len(sent.messages) == 1

    asking.settle(Answer(answer=sent.messages[0]["id"], content=None))
    await turns_of_the_loop()
    assert len({each["whose"] for each in sent.messages}) == 2  # the agent lets all callers take turns
    asking.settle(Answer(answer=sent.messages[1]["id"], content=2))
    assert await second == 2


async def test_a_question_without_an_answer_holds_its_turn_as_long_as_the_agent_may_work_on_it(
    asking: Asking, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "JUDGED", Lane(1, 0.05, 30.0))
    with pytest.raises(AgentUnavailable, match="did not answer"):
        await asking.ask("one", JUDGED, "vic")
    second = asyncio.create_task(asking.ask("one", JUDGED, "ann"))
    await turns_of_the_loop()
    assert [each["within"] for each in sent.messages] == [0.05, 0.05]
    second.cancel()


class Slow:
    """A record that answers when it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.waiting = 0

    async def judged(self, _query: object, *, whose: str) -> str:
        self.waiting += 1
        try:
            await self.may.wait()
        finally:
            self.waiting -= 1
        return whose


def received(number: int, question: Question, **more: Any) -> Question:
    return cast("Question", {**question, "id": str(number), "answer_to": "vivienne:gateway:1", **more})


async def test_an_agent_drops_what_no_gateway_waits_for(sent: Sent) -> None:
    record = Slow()
    answering = Answering("one", cast("Any", None), record=cast("Any", record))
    for number in range(3):
        await answering._take(cast("Any", sent), received(number, JUDGED, within=0.01), 100)
    reading = {*answering._reading}
    assert len(reading) == 3
    await asyncio.wait(reading, timeout=30)
    assert (record.waiting, sent.messages, answering._reading) == (0, [], set())


async def test_more_questions_about_the_record_than_an_agent_takes_hold_up_no_push(sent: Sent) -> None:
    """They are refused at once: the same task hears pushes, charts, and comparisons."""
    record = Slow()
    answering = Answering("one", cast("Any", None), record=cast("Any", record))
    async with asyncio.timeout(30):
        for number in range(100):
            await answering._take(cast("Any", sent), received(number, JUDGED), 100)
    assert {each["content"]["refused"] for each in sent.messages} == {"too_many"}
    refused = len(sent.messages)
    record.may.set()
    await asyncio.wait({*answering._reading}, timeout=30)
    assert len(sent.messages) == 100
    assert 0 < refused < 100


async def test_only_an_answer_that_somebody_waits_for_is_read(asking: Asking, sent: Sent) -> None:
    """Others could take seconds to read, as millions of empty lists do."""
    asked = asyncio.create_task(asking.ask("one", CLOSES))
    await turns_of_the_loop()
    number = sent.messages[0]["id"]
    assert asking.awaits(orjson.dumps({"answer": number, "content": [[]] * 1_000}))
    assert not asking.awaits(orjson.dumps({"answer": number, "content": "x" * MOST_ANSWER_BYTES}))
    others: list[Any] = [{"answer": "0" * 32}, {"content": [], "answer": number}, {"answer": 7}, []]
    for other in others:
        assert not asking.awaits(orjson.dumps(other))
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


def test_a_question_has_no_more_parts_than_a_push() -> None:
    rows = [{"asset": "BTC", "low": 1.0}] * 1_000
    whole = received(1, {"kind": "push", "count": 0, "pushed": {"candles": rows}})
    assert read_question(orjson.dumps(whole)) is not None
    all_odd: list[Any] = [[[]] * 100_000, [{}] * 100_000, [1] * 100_000, "x" * 6_000_000]
    assert read_question(orjson.dumps({**whole, "count": 1_001})) is None
    for odd in all_odd:
        assert read_question(orjson.dumps({**whole, "pushed": {"candles": odd}})) is None


async def test_of_long_questions_so_many_bytes_wait(sent: Sent) -> None:
    answering = Answering("one", cast("Any", None))
    for number in range(64):
        await answering._take(cast("Any", sent), received(number, {"kind": "push", "count": 0}), 4 * 1024 * 1024)
    assert answering._pushes.qsize() == 4


class Charts:
    """A market whose charts may be asked for once they are let go."""

    def __init__(self) -> None:
        self.asked = 0

    def chart(self, _asset: str, _count: int, _before: object) -> list[object]:
        self.asked += 1
        return []


async def test_a_flood_of_questions_is_over_as_soon_as_it_is_heard(redis: RunningRedis) -> None:
    """Of what whoever may publish there has asked, a few are answered; a push waits for none of them."""
    market, client, listens = Charts(), Client(redis.url), asyncio.Event()
    answering = asyncio.create_task(Answering("one", cast("Any", market)).run(client, listens.set))
    chart: Question = {"kind": "chart", "asset": "BTC", "count": 1_000}
    async with asyncio.timeout(60):
        await listens.wait()
        with redis.listener("vivienne:gateway:1") as answers:
            with redis.client.pipeline(transaction=False) as batch:
                for number in range(5_000):
                    batch.publish(questions_to("one"), orjson.dumps(received(number, chart)))
                batch.publish(questions_to("one"), orjson.dumps(received(-1, {"kind": "push", "count": 0})))
                await asyncio.to_thread(batch.execute)
            heard = None
            while heard is None or heard["answer"] != "-1":
                heard = await asyncio.to_thread(answers.hear)
    assert heard["content"] == {"refused": "not_pushed"}
    assert market.asked < 2_500
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)
    await client.aclose(close_connection_pool=True)
