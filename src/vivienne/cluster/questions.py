"""Questions of gateways to agents over Redis: charts, last closes, comparisons, pushed rows, and the record.

A question goes to the channel of an agent and names the channel for the answer. Either is lost if nobody listens; the
gateway waits for a limited time.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NotRequired

import orjson
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from vivienne.changes.turns import MOST_WAITING, Turns
from vivienne.cluster.record_questions import RecordQuestion  # pydantic reads the annotation
from vivienne.errors import AgentUnavailable
from vivienne.live.view import MOST_BARS
from vivienne.market.feeds.pushed.rows import MOST_VALUES, Kind  # pydantic reads the annotation
from vivienne.redis.link import LOST
from vivienne.redis.together import Together
from vivienne.wire.document import Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis


class Lane(NamedTuple):
    """Questions of a kind to one agent. They wait for each other, and for no others; the callers take turns.

    Attributes:
        at_once: questions of one gateway that may be on their way at once.
        answer_seconds: longest time for an answer, from the sending on; then nobody needs it any more.
        seconds: the same, with the time until it is sent.
    """

    at_once: int
    answer_seconds: float
    seconds: float


MARKET = Lane(8, 5.0, 5.0)
"""Charts, last closes, comparisons, and pushed rows."""
RECORD = Lane(2, 5.0, 5.0)
"""Pages, explanations, bars, and exports of the record."""
JUDGED = Lane(1, 15.0, 25.0)
"""What came of decisions, which may take seconds; one may be before it, and it arrives within --answer-seconds."""
MOST_ANSWER_BYTES = 16 * 1024 * 1024
"""Length of an answer; charts with all their columns, and pages of the record, are far below."""
_MOST_QUESTION_BYTES = 5 * 1024 * 1024
"""Length of a question. A push is the longest, and may be as long as `--max-message-bytes` at most."""
_BEGINNING = re.compile(rb'\{"answer":"([0-9a-f]{32})"')
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
        within: seconds after which nobody waits for the answer any more.
        whose: digest of the key of the caller; the callers of all gateways take turns.
        id: comes back with the answer.
        answer_to: channel for it.
    """

    kind: Literal["closes", "chart", "compare", "push", "record"]
    count: Annotated[int, Field(ge=0, le=MOST_BARS)]
    asset: NotRequired[str]
    before: NotRequired[int]
    candidate: NotRequired[Document]
    rows: NotRequired[Kind]
    pushed: NotRequired[dict[str, Any]]
    record: NotRequired[RecordQuestion]
    within: NotRequired[Annotated[float, Field(gt=0, le=60)]]
    whose: NotRequired[Annotated[str, Field(max_length=64)]]
    id: NotRequired[str]
    answer_to: NotRequired[str]


_adapter = TypeAdapter(Question)
_MOST_VALUES = MOST_VALUES + 10_000
"""Of a question, whose rows are those of a push; a configuration has fewer."""


def read_question(raw: bytes) -> Question | None:
    """A question as received; None if it is not valid, or its answer does not go to a gateway.

    Who may ask must not choose any other channel, because an agent may publish on channels that others may not.
    """
    # As in `read_object`: thousands of empty lists take longer than anything else.
    if (
        len(raw) > _MOST_QUESTION_BYTES
        or raw.count(b"{") + raw.count(b"[") > _MOST_VALUES
        or raw.count(b",") > _MOST_VALUES
    ):
        return None
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
    """Asks agents, and passes their answers to the waiting callers. Questions to many agents go out together."""

    def __init__(self) -> None:
        self.channel = f"{_ANSWERS}{uuid.uuid4().hex}"
        """Channel of the answers; its listener calls `settle`."""
        self._sending: Together | None = None
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._turns: dict[tuple[str, Lane], Turns] = {}
        """By agent and lane, while it is asked."""

    def connected(self, redis: Redis) -> None:
        """Note that answers are received from now on."""
        self._sending = Together(redis)

    def disconnected(self) -> None:
        """Fail the waiting questions: no answer can be received."""
        if self._sending is not None:
            self._sending.close()
            self._sending = None
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(
                    AgentUnavailable("The connection to Redis broke before the agent answered; retry")
                )

    def awaits(self, raw: bytes) -> bool:
        """Whether somebody waits for an answer. Nobody else knows its number, so others are not even read."""
        found = _BEGINNING.match(raw)
        return found is not None and len(raw) <= MOST_ANSWER_BYTES and found[1].decode() in self._asked

    def settle(self, answer: Answer) -> None:
        """Take an answer."""
        waiting = self._asked.get(str(answer["answer"]))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def ask(
        self, agent: str, question: Question, whose: str = "", check: Callable[[], None] | None = None
    ) -> Any:
        """The answer of an agent.

        Args:
            agent: its name.
            question: to it.
            whose: key of the caller; the callers take turns.
            check: raises what refuses it when its turn has come.

        Raises:
            AgentUnavailable: it does not answer, or failed.
            TooManyRequests: the caller waits for too many answers of it already.
        """
        sending = self._sending
        if sending is None:
            raise AgentUnavailable(
                "There is no connection to Redis, which is needed to ask agents; retry once it is back"
            )
        lane = lane_of(question)
        turns = self._turns.setdefault((agent, lane), Turns(at_once=lane.at_once, most_waiting=MOST_WAITING))
        sent: Question = {**question, "whose": blake2b(whose.encode(), digest_size=8).hexdigest()}
        try:
            async with asyncio.timeout(lane.seconds):
                await turns.take(whose)
                try:
                    if check is not None:
                        check()
                except BaseException:
                    turns.hand_on()
                    raise
                answer = await self._answered(sending, agent, sent, turns)
        except (*LOST, TimeoutError) as error:
            raise AgentUnavailable(f"The agent {agent} did not answer within {lane.seconds:g} s") from error
        finally:
            self._tidy(agent, lane, turns)
        if "failed" in answer:
            raise AgentUnavailable(f"The agent {agent} cannot answer: {answer['failed']}")
        return answer["content"]

    async def _answered(self, sending: Together, agent: str, question: Question, turns: Turns) -> Answer:
        """Send a question whose turn has come.

        The turn lasts until the answer has come or its time is over, even if the caller leaves: the agent works on it.
        """
        number, lane = uuid.uuid4().hex, lane_of(question)
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer] = loop.create_future()
        timer = loop.call_later(lane.answer_seconds, _give_up, waiting)
        self._asked[number] = waiting

        def end(answered: asyncio.Future[Answer]) -> None:
            timer.cancel()
            del self._asked[number]
            if not answered.cancelled():
                answered.exception()  # whoever still waits has it
            turns.hand_on()
            self._tidy(agent, lane, turns)

        waiting.add_done_callback(end)
        sent: Question = {**question, "id": number, "answer_to": self.channel, "within": lane.answer_seconds}
        try:
            is_heard = await sending.publish(questions_to(agent), partial(orjson.dumps, sent))
        except LOST:
            waiting.cancel()
            raise
        if not is_heard:
            waiting.cancel()
            raise AgentUnavailable(f"The agent {agent} does not respond")
        return await asyncio.shield(waiting)

    def _tidy(self, agent: str, lane: Lane, turns: Turns) -> None:
        if turns.are_free and self._turns.get((agent, lane)) is turns:
            del self._turns[agent, lane]


def lane_of(question: Question) -> Lane:
    """The lane in which a question waits."""
    if "record" not in question:
        return MARKET
    return JUDGED if question["record"]["about"] == "judged" else RECORD


def _give_up(waiting: asyncio.Future[Answer]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
