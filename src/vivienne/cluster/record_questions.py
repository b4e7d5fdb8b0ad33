"""Questions of gateways to agents about the record, and their answers.

What keeps an agent from answering is part of the answer, so that the gateway can say it as if the record were its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from vivienne.errors import NotRecorded, RecordUnavailable, TooManyRequests, UnknownDecision
from vivienne.record.reading.judging_query import JudgingQuery
from vivienne.record.reading.query import DecisionQuery
from vivienne.wire.numbers import HIGHEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.record.reading.view import RecordView


class RecordQuestion(TypedDict):
    """A question about the record.

    Attributes:
        about: a page of ``decisions`` on one asset; a page of ``signals`` of all assets of the agent; one decision
            ``explained``; ``rows`` of an export; ``bars`` of a chart; what came of decisions, ``judged``.
        query: for decisions, signals and rows; for what is judged.
        asset: for decisions, one that is explained, and bars.
        time: of the bar that is explained, or before which bars open; ms since the epoch.
        limit: number of bars.
    """

    about: Literal["decisions", "signals", "explained", "rows", "bars", "judged"]
    query: NotRequired[dict[str, Any]]
    asset: NotRequired[str]
    time: NotRequired[Annotated[int, Field(ge=-HIGHEST, le=HIGHEST)]]
    limit: NotRequired[Annotated[int, Field(ge=1, le=HIGHEST)]]


class RecordAnswer(TypedDict):
    """What was asked for, or why it cannot be had."""

    content: NotRequired[Any]
    refused: NotRequired[Literal["not_recorded", "unavailable", "unknown_decision", "too_many"]]
    reason: NotRequired[str]


_queries, _judging = TypeAdapter(DecisionQuery), TypeAdapter(JudgingQuery)


def written_query(query: DecisionQuery | JudgingQuery) -> dict[str, Any]:
    """A query, as it is sent."""
    adapter: TypeAdapter[Any] = _judging if isinstance(query, JudgingQuery) else _queries
    found: dict[str, Any] = adapter.dump_python(query, mode="json")
    return found


async def answer_about_record(record: RecordView, question: RecordQuestion, whose: str) -> RecordAnswer:
    """Answer a question from a record.

    Args:
        record: of this agent.
        question: to answer.
        whose: key of the caller.
    """
    try:
        return {"content": await _content(record, question, whose)}
    except NotRecorded as error:
        return {"refused": "not_recorded", "reason": str(error)}
    except RecordUnavailable as error:
        return {"refused": "unavailable", "reason": error.reason}
    except UnknownDecision as error:
        return {"refused": "unknown_decision", "reason": str(error)}
    except TooManyRequests as error:
        return {"refused": "too_many", "reason": str(error)}


def content_of(agent: str, answer: Mapping[str, Any]) -> Any:
    """The content of an answer.

    Raises:
        VivienneError: what kept the agent from answering.
    """
    reason = str(answer.get("reason"))
    match answer.get("refused"):
        case "not_recorded":
            raise NotRecorded(reason)
        case "unavailable":
            raise RecordUnavailable(f"of the agent {agent}", reason)
        case "unknown_decision":
            raise UnknownDecision(reason)
        case "too_many":
            raise TooManyRequests(reason)
    return answer["content"]


async def _content(record: RecordView, question: RecordQuestion, whose: str) -> Any:
    about = question["about"]
    if about == "explained":
        return await record.explained(question["asset"], question["time"], whose=whose)
    if about == "bars":
        return await record.bars(question["asset"], question["time"], question["limit"], whose=whose)
    if about == "judged":
        return await record.judged(_judging.validate_python(question["query"]), whose=whose)
    query = _queries.validate_python(question["query"])
    if about == "rows":
        return await record.rows(query, whose=whose)
    if about == "signals":
        return await record.signals(query, whose=whose)
    return await record.decisions(question["asset"], query, whose=whose)
