"""Questions that gateways ask agents over Redis: what a chart draws, last closes, what a change would have done.

A question goes to the channel of an agent and names the channel for the answer. Both are forgotten where nobody hears
them; whoever asks waits for a limited time.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any, Literal, NotRequired

import orjson
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from vivienne.errors import AgentUnavailable
from vivienne.redis.link import LOST
from vivienne.wire.document import Document

if TYPE_CHECKING:
    from redis.asyncio import Redis

ANSWER_SECONDS = 5.0
"""How long an agent may take to answer."""
MOST_ASKED = 256
"""Questions of one gateway that may wait for an answer at once."""


class Question(TypedDict):
    """A question.

    Attributes:
        kind: ``closes`` of every asset of the agent; ``chart`` of an asset; ``compare`` a candidate with what is in
            force for an asset.
        count: bars or closes, at most.
        asset: for a chart or a comparison.
        candidate: the configuration to compare with, as a document.
        id: comes back with the answer.
        answer_to: channel for it.
    """

    kind: Literal["closes", "chart", "compare"]
    count: int
    asset: NotRequired[str]
    candidate: NotRequired[Document]
    id: NotRequired[str]
    answer_to: NotRequired[str]


_adapter = TypeAdapter(Question)


def read_question(raw: bytes) -> Question | None:
    """A question as it came; None for what is none, or names no way back."""
    try:
        question = _adapter.validate_json(raw)
    except ValidationError:
        return None
    return question if "id" in question and "answer_to" in question else None


class Answer(TypedDict):
    """An answer: its content, or why there is none."""

    answer: str
    content: NotRequired[Any]
    failed: NotRequired[str]


def questions_to(agent: str) -> str:
    """The channel an agent is asked on."""
    return f"vivienne:agent:{agent}"


class Asking:
    """Asks agents, and brings their answers to whoever waits for them."""

    def __init__(self) -> None:
        self.channel = f"vivienne:gateway:{uuid.uuid4().hex}"
        """Where answers come; somebody has to listen there and call `settle`."""
        self._redis: Redis | None = None
        self._asked: dict[str, asyncio.Future[Answer]] = {}

    def connected(self, redis: Redis) -> None:
        """Answers will be heard from now on."""
        self._redis = redis

    def disconnected(self) -> None:
        """No answer will come any more."""
        self._redis = None
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(AgentUnavailable("The connection to Redis broke while the agent was asked"))

    def settle(self, answer: Answer) -> None:
        """An answer came."""
        waiting = self._asked.get(str(answer["answer"]))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def ask(self, agent: str, question: Question) -> Any:
        """What an agent answers.

        Raises:
            AgentUnavailable: it does not, or failed at it.
        """
        redis = self._redis
        if redis is None:
            raise AgentUnavailable("There is no connection to Redis, over which agents are asked")
        if len(self._asked) >= MOST_ASKED:
            raise AgentUnavailable(f"{MOST_ASKED} questions wait for agents already; try again in a moment")
        number = uuid.uuid4().hex
        waiting = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                sent = {**question, "id": number, "answer_to": self.channel}
                if not await redis.publish(questions_to(agent), orjson.dumps(sent)):
                    raise AgentUnavailable(f"The agent {agent} does not listen")
                answer = await waiting
        except (*LOST, TimeoutError) as error:
            raise AgentUnavailable(f"The agent {agent} did not answer within {ANSWER_SECONDS:g} s") from error
        finally:
            del self._asked[number]
        if "failed" in answer:
            raise AgentUnavailable(f"The agent {agent} cannot answer: {answer['failed']}")
        return answer["content"]
