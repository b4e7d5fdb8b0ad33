"""Answers of an agent to the questions of gateways."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson

from vivienne.agent.schema import Configuration
from vivienne.cluster.questions import Answer, Question, questions_to, read_question
from vivienne.errors import TooManyRequests
from vivienne.live.pushed import pushed
from vivienne.redis.listening import heard

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

    from vivienne.cluster.pushing import PushAnswer
    from vivienne.live.market import Market
    from vivienne.market.feeds.pushed.feed import PushedFeed

_log = logging.getLogger(__name__)


class Answering:
    """Answers questions about the assets of this agent, one after the other.

    Args:
        agent: name of this one.
        market: decides them.
        feed: takes pushed market data; None for another feed.
    """

    def __init__(self, agent: str, market: Market, feed: PushedFeed | None = None) -> None:
        self._channel = questions_to(agent)
        self._market = market
        self._feed = feed

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """See `vivienne.redis.link.Part`."""
        async with aclosing(heard(redis, ready, self._channel)) as questions:
            async for raw in questions:
                question = None if raw is None else read_question(raw)
                if question is not None:
                    await redis.publish(question["answer_to"], orjson.dumps(await self._outcome(question)))
                    await asyncio.sleep(0)  # decisions come first

    async def _outcome(self, question: Question) -> Answer:
        try:
            return {"answer": question["id"], "content": await self._answer(question)}
        except Exception:  # noqa: BLE001  # a question must not end the agent; the gateway is told
            _log.exception("A question of a gateway failed: %s", question["kind"])
            return {"answer": question["id"], "failed": "it failed; see its log"}

    async def _answer(self, question: Question) -> Any:
        if question["kind"] == "closes":
            return self._market.overview(question["count"])["assets"]
        if question["kind"] == "chart":
            return self._market.chart(question["asset"], question["count"], question.get("before"))
        if question["kind"] == "push":
            return await self._pushed(question)
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
