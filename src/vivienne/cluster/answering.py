"""Answers of an agent to the questions of gateways."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import orjson

from vivienne.agent.schema import Configuration
from vivienne.cluster.questions import MARKET, Answer, Question, lane_of, questions_to, read_question
from vivienne.cluster.record_questions import answer_about_record
from vivienne.errors import TooManyRequests
from vivienne.live.pushed import pushed
from vivienne.logs.defects import DEFECTS
from vivienne.rates import Quota
from vivienne.record.reading.view import NO_RECORD
from vivienne.redis.listening import heard
from vivienne.slices import SharedSlices

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.cluster.pushing import PushAnswer
    from vivienne.cluster.record_questions import RecordAnswer
    from vivienne.live.market import Market
    from vivienne.market.feeds.pushed.feed import PushedFeed
    from vivienne.record.reading.view import RecordView

Waiting = asyncio.Queue[tuple[float, Question, int]]
"""Questions, each with the moment at which it came, and its length."""
_log = logging.getLogger(__name__)
_MOST_READING = 64
"""Questions about the record that are answered at once; further ones are refused."""
_MOST_WAITING = 64
"""Questions about the market that wait; a gateway has no more than 8 on their way."""
_MOST_WAITING_BYTES = 16 * 1024 * 1024
"""Their length together; one that comes alone may be longer."""
_dropped = Quota(_log, logging.WARNING)
_BUSY = f"The agent answers {_MOST_READING} questions about its record already; retry in a second"


class Answering:
    """Answers questions about the assets of this agent, one after the other; beside them those about the record.

    Pushed data waits for no charts, and nothing is answered that no gateway waits for any longer.

    Args:
        agent: name of this one.
        market: decides them.
        feed: takes pushed market data; None for another feed.
        record: of this agent.
    """

    def __init__(
        self, agent: str, market: Market, feed: PushedFeed | None = None, record: RecordView = NO_RECORD
    ) -> None:
        self._channel = questions_to(agent)
        self._market = market
        self._feed = feed
        self._record = record
        self._reading: set[asyncio.Task[None]] = set()
        self._charts, self._pushes = _lane(), _lane()
        self._waiting_bytes = 0
        self._slices = SharedSlices()

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        self._charts, self._pushes, self._waiting_bytes = _lane(), _lane(), 0
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in (self._charts, self._pushes):
                    tasks.create_task(self._reply_to(redis, lane))
                async with aclosing(heard(redis, ready, self._channel)) as questions:
                    async for raw in questions:
                        if raw is not None and (question := read_question(raw)) is not None:
                            await self._take(redis, question, len(raw))
        finally:
            for reading in self._reading:
                reading.cancel()

    async def _take(self, redis: Redis, question: Question, size: int) -> None:
        """Let a question of some length wait for its turn; one about the record has a task of its own."""
        if question["kind"] != "record":
            self._wait(self._pushes if question["kind"] == "push" else self._charts, question, size)
            return
        if len(self._reading) >= _MOST_READING:
            busy: RecordAnswer = {"refused": "too_many", "reason": _BUSY}
            await redis.publish(question["answer_to"], orjson.dumps({"answer": question["id"], "content": busy}))
            return
        reading = asyncio.create_task(self._reply_in_time(redis, question), name="question about the record")
        self._reading.add(reading)
        reading.add_done_callback(self._end)

    def _wait(self, lane: Waiting, question: Question, size: int) -> None:
        is_too_long = bool(self._waiting_bytes) and self._waiting_bytes + size > _MOST_WAITING_BYTES
        if lane.full() or is_too_long:
            _dropped.log("%d questions of gateways wait already, so one is dropped", lane.qsize())
            return
        lane.put_nowait((monotonic(), question, size))
        self._waiting_bytes += size

    async def _reply_to(self, redis: Redis, lane: Waiting) -> None:
        """Answer what waits, one after the other."""
        while True:
            came, question, size = await lane.get()
            self._waiting_bytes -= size
            if monotonic() - came < min(question.get("within", MARKET.answer_seconds), MARKET.answer_seconds):
                await self._reply(redis, question)
            await asyncio.sleep(0)  # decisions come first

    def _end(self, reading: asyncio.Task[None]) -> None:
        self._reading.discard(reading)
        if not reading.cancelled() and (error := reading.exception()) is not None:
            _log.warning("An answer to a gateway about the record was not sent: %s", error)

    async def _reply_in_time(self, redis: Redis, question: Question) -> None:
        """Reply, unless the gateway no longer waits: what nobody waits for keeps others from the record."""
        with suppress(TimeoutError):
            async with asyncio.timeout(question.get("within", lane_of(question).answer_seconds)):
                await self._reply(redis, question)

    async def _reply(self, redis: Redis, question: Question) -> None:
        await redis.publish(question["answer_to"], orjson.dumps(await self._outcome(question)))

    async def _outcome(self, question: Question) -> Answer:
        try:
            return {"answer": question["id"], "content": await self._answer(question)}
        except Exception as error:  # noqa: BLE001  # a question must not end the agent; the gateway is told
            DEFECTS.tell(_log, "question", "A question of a gateway failed: %s", question["kind"], error=error)
            return {"answer": question["id"], "failed": "it failed; see its log"}

    async def _answer(self, question: Question) -> Any:
        if question["kind"] == "closes":
            listed = await self._slices.done(self._market.closes(question["count"]))
            return [orjson.Fragment(each) for each in listed]
        if question["kind"] == "chart":
            return self._market.chart(question["asset"], question["count"], question.get("before"))
        if question["kind"] == "push":
            return await self._pushed(question)
        if question["kind"] == "record":
            whose = question.get("whose", question["answer_to"])
            return await answer_about_record(self._record, question["record"], whose)
        candidate = Configuration.model_validate(question["candidate"])
        return self._market.compare(question["asset"], candidate, question["count"])[1]

    async def _pushed(self, question: Question) -> PushAnswer:
        """Push rows to the market; what keeps them from being taken is part of the answer."""
        if self._feed is None:
            return {"refused": "not_pushed"}
        try:
            return {"taken": await pushed(self._feed, question["rows"], question["pushed"])}
        except TooManyRequests as full:
            return {"refused": "full", "message": str(full)}


def _lane() -> Waiting:
    return asyncio.Queue(_MOST_WAITING)
