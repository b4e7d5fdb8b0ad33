"""Market data that is pushed at a gateway: it is passed to the agents that decide the assets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict

from vivienne.errors import AgentUnavailable, NotPushed, TooManyRequests
from vivienne.live.pushed import MOST_NAMED
from vivienne.market.feeds.pushed.feed import RETRY_SECONDS
from vivienne.market.feeds.pushed.rows import read_push
from vivienne.wire.problem import ProblemEntry, problem_entry
from vivienne.wire.pushed import Pushed  # part of a type that may be read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.access.caller import Caller
    from vivienne.cluster.agents import Agents
    from vivienne.cluster.questions import Asking, Question
    from vivienne.market.feeds.pushed.rows import Kind, Push
    from vivienne.market.timeframe import Timeframe


class PushAnswer(TypedDict):
    """The answer of an agent to a push: what became of its rows, or why none was taken."""

    taken: NotRequired[Pushed]
    refused: NotRequired[Literal["not_pushed", "full"]]
    message: NotRequired[str]


class RemotePushes:
    """Passes pushes on. Each agent gets all of a push, and leaves out the rows of others.

    Args:
        assets: those that agents decide.
        timeframe: of their bars.
        agents: knows which decides what.
        asking: asks them.
    """

    def __init__(self, assets: tuple[str, ...], timeframe: Timeframe, agents: Agents, asking: Asking) -> None:
        self._assets = assets
        self._timeframe = timeframe
        self._agents = agents
        self._asking = asking

    async def push(self, kind: Kind, body: Mapping[str, Any], caller: Caller) -> Pushed:
        """See `vivienne.server.pushing.Pushes`. While an agent is gone, nothing of its rows is taken."""
        read = read_push(kind, body, self._assets, self._timeframe)
        answers = await asyncio.gather(*(self._ask(agent, kind, body, caller) for agent in self._agents_of(read)))
        return _joined(read, answers)

    def _agents_of(self, read: Push) -> set[str]:
        found: set[str] = set()
        for asset in read.assets:
            beat = self._agents.of(asset)
            if beat is None:
                raise AgentUnavailable(f"The agent of {asset} does not respond; nothing was taken. Push it again later")
            found.add(beat["agent"])
        return found

    async def _ask(self, agent: str, kind: Kind, body: Mapping[str, Any], caller: Caller) -> Pushed:
        question: Question = {"kind": "push", "count": 0, "rows": kind, "pushed": dict(body)}
        answer: PushAnswer = await self._asking.ask(agent, question, caller.key, caller.check)
        if answer.get("refused") == "full":
            raise TooManyRequests(answer.get("message", "The market has no room"), retry_after=RETRY_SECONDS)
        if "taken" not in answer:
            raise NotPushed(f"The agent {agent} was not started with --feed push")
        return answer["taken"]


def _joined(read: Push, answers: list[Pushed]) -> Pushed:
    """The answers of several agents as one. Each has refused the rows of no known asset, which count once."""
    unknown = [problem_entry(each.problem) for each in read.refused if each.asset is None]
    refused = len(unknown) + sum(each["refused"] - len(unknown) for each in answers)
    errors: dict[str, ProblemEntry] = {}
    for entry in [*unknown, *(entry for each in answers for entry in each["errors"])]:
        errors.setdefault(entry["path"], entry)
    return {
        "status": "refused" if refused else "success",
        "accepted": sum(each["accepted"] for each in answers),
        "doubled": sum(each["doubled"] for each in answers),
        "late": sum(each["late"] for each in answers),
        "refused": refused,
        "late_rows": [entry for each in answers for entry in each["late_rows"]][:MOST_NAMED],
        "errors": list(errors.values())[:MOST_NAMED],
        "assets": {asset: position for each in answers for asset, position in each["assets"].items()},
    }
