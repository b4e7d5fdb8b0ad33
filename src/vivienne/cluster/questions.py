"""Questions of gateways to agents over Redis: charts, last closes, comparisons, pushed rows, and the record.

A question goes to the channel of an agent and names the channel for the answer. Either is lost if nobody listens; the
gateway waits for a limited time.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

import orjson
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.cluster.record_questions import RecordQuestion  # pydantic reads the annotation
from vivienne.errors import AgentUnavailable
from vivienne.market.feeds.pushed.rows import Kind  # pydantic reads the annotation
from vivienne.redis.link import LOST
from vivienne.wire.document import Document
from vivienne.wire.numbers import HIGHEST

if TYPE_CHECKING:
    from redis.asyncio import Redis

ANSWER_SECONDS = 5.0
"""Longest time for an answer."""
_AT_ONCE = 8
"""Questions of one gateway to one agent that may be on their way at once; the callers take turns with them."""
_ANSWERS = "vivienne:gateway:"
"""First part of the channels of answers."""


class Question(TypedDict):
    """A question.

    Attributes:
        kind: ``closes`` of every asset of the agent; ``chart`` of an asset; ``compare`` a candidate with what is in
            force for an asset; ``push`` market data; something of the ``record``.
        count: bars, closes or rows, at most.
        asset: for a chart or a comparison.
        before: for a chart, the time before which its bars open, ms since the epoch.
        candidate: the configuration to compare with, as a document.
        rows: kind of the rows that are pushed.
        pushed: body of the push, with the rows of other agents.
        record: what of the record is asked for.
        id: comes back with the answer.
        answer_to: channel for it.
    """

    kind: Literal["closes", "chart", "compare", "push", "record"]
    count: Annotated[int, Field(ge=0, le=HIGHEST)]
    asset: NotRequired[str]
    before: NotRequired[int]
    candidate: NotRequired[Document]
    rows: NotRequired[Kind]
    pushed: NotRequired[dict[str, Any]]
    record: NotRequired[RecordQuestion]
    id: NotRequired[str]
    answer_to: NotRequired[str]


_adapter = TypeAdapter(Question)


def read_question(raw: bytes) -> Question | None:
    """A question as received; None if it is not valid, or its answer does not go to a gateway.

    Who may ask must not choose any other channel, because an agent may publish on channels that others may not.
    """
    try:
        question = _adapter.validate_json(raw)
    except ValidationError:
        return None
    return question if "id" in question and question.get("answer_to", "").startswith(_ANSWERS) else None


class Answer(TypedDict):
    """An answer: its content, or the reason why there is none."""

    answer: str
    content: NotRequired[Any]
    failed: NotRequired[str]


def questions_to(agent: str) -> str:
    """The channel of questions to an agent."""
    return f"vivienne:agent:{agent}"


class Asking:
    """Asks agents, and passes their answers to the waiting callers."""

    def __init__(self) -> None:
        self.channel = f"{_ANSWERS}{uuid.uuid4().hex}"
        """Channel of the answers; its listener calls `settle`."""
        self._redis: Redis | None = None
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._turns: dict[str, Turns] = {}
        """By agent, while it is asked."""

    def connected(self, redis: Redis) -> None:
        """Note that answers are received from now on."""
        self._redis = redis

    def disconnected(self) -> None:
        """Fail the waiting questions: no answer can be received."""
        self._redis = None
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(
                    AgentUnavailable("The connection to Redis broke before the agent answered; retry")
                )

    def settle(self, answer: Answer) -> None:
        """Take an answer."""
        waiting = self._asked.get(str(answer["answer"]))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def ask(self, agent: str, question: Question, whose: str = "") -> Any:
        """The answer of an agent.

        Args:
            agent: its name.
            question: to it.
            whose: key of the caller; the callers take turns.

        Raises:
            AgentUnavailable: it does not answer, or failed.
            TooManyRequests: the caller waits for too many answers of it already.
        """
        redis = self._redis
        if redis is None:
            raise AgentUnavailable(
                "There is no connection to Redis, which is needed to ask agents; retry once it is back"
            )
        turns = self._turns.setdefault(agent, Turns(at_once=_AT_ONCE, most_waiting=MOST_WAITING))
        try:
            async with asyncio.timeout(ANSWER_SECONDS), turns.turn(whose):
                answer = await self._answered(redis, agent, question)
        except (*LOST, TimeoutError) as error:
            raise AgentUnavailable(f"The agent {agent} did not answer within {ANSWER_SECONDS:g} s") from error
        finally:
            if turns.are_free and self._turns.get(agent) is turns:
                del self._turns[agent]
        if "failed" in answer:
            raise AgentUnavailable(f"The agent {agent} cannot answer: {answer['failed']}")
        return answer["content"]

    async def _answered(self, redis: Redis, agent: str, question: Question) -> Answer:
        number = uuid.uuid4().hex
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = waiting
        try:
            sent = {**question, "id": number, "answer_to": self.channel}
            if not await redis.publish(questions_to(agent), orjson.dumps(sent)):
                raise AgentUnavailable(f"The agent {agent} does not respond")
            return await waiting
        finally:
            del self._asked[number]
