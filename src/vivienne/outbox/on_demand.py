"""What people ask of deliveries: a test message, a message once more, or at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic, time
from typing import TYPE_CHECKING

from vivienne.errors import TooManyRequests
from vivienne.outbox.delivering import UNDONE
from vivienne.outbox.sending import Attempt, Message
from vivienne.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.alerts.rule import Rule
    from vivienne.outbox.delivering import Deliveries
    from vivienne.outbox.sending import AnyChannel, Sender
    from vivienne.store.alert import AlertStore
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.alert import AlertEvent, ChannelType, TestResult

TEST_SECONDS = 12.0
"""Longest time of a test."""
TESTS_PER_MINUTE = 12
"""Tests of one caller: each sends to others."""
MOST_TESTS = 4
"""Tests at the same time."""


class OnDemand:
    """Tests rules, and sends messages once more.

    Args:
        senders: by type of channel.
        store: of alerts.
        calls: of the store.
        deliveries: of this process; None where another one delivers.
        owner: name of this process, if it delivers.
    """

    def __init__(
        self,
        senders: Mapping[ChannelType, Sender],
        store: AlertStore,
        calls: StoreCalls,
        deliveries: Deliveries | None = None,
        owner: str | None = None,
    ) -> None:
        self._senders = senders
        self._store = store
        self._calls = calls
        self._deliveries = deliveries
        self._owner = owner
        self._rate = Rate(TESTS_PER_MINUTE, 60.0, monotonic)
        self._running = 0

    async def test(self, rule: Rule, event: AlertEvent, channel: str | None, whose: str) -> list[TestResult]:
        """Really send a test to the channels of a rule, or to one of them.

        Raises:
            TooManyRequests: the caller, or all together, have tested too much.
        """
        if wait := self._rate.take(whose):
            raise TooManyRequests(f"At most {TESTS_PER_MINUTE} tests a minute; wait {wait:.0f} s", retry_after=wait)
        if self._running >= MOST_TESTS:
            raise TooManyRequests(f"{MOST_TESTS} tests are under way; wait until one has ended", retry_after=1.0)
        wanted = [each for each in rule.channels if channel is None or each.id == channel]
        self._running += 1
        try:
            return await asyncio.gather(*(self._tested(each, event) for each in wanted))
        finally:
            self._running -= 1

    async def resend(self, delivery_id: str) -> bool:
        """Send a message again, or attempt one at once that waits; False if there is none of this name.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        found = await self._calls.look_up(self._store.delivery, delivery_id)
        if found is None:
            return False
        if found.delivery.status in UNDONE:
            await self._attempt_now(delivery_id)
            return True
        moment = time()
        again = replace(
            found.delivery, status="waiting", due_at=moment, first_at=moment, attempts=0, delivered_at=None,
            latency_ms=None, status_code=None, answer=None, together=1,
        )  # fmt: skip
        await self._calls.run(self._store.update_deliveries, [again], self._owner)
        if self._deliveries is not None:
            self._deliveries.take([found._replace(delivery=again)])
        return True

    async def _attempt_now(self, delivery_id: str) -> None:
        if self._deliveries is None or not self._deliveries.attempt_now(delivery_id):
            # The process that has it looks into the store.
            await self._calls.run(self._store.bring_forward, delivery_id, time())

    async def _tested(self, channel: AnyChannel, event: AlertEvent) -> TestResult:
        begin = monotonic()
        attempt = await self._attempt(channel, event)
        return {
            "channel": channel.id,
            "type": channel.type,
            "status": "delivered" if attempt.outcome == "delivered" else "failed",
            "status_code": attempt.status_code,
            "latency_ms": round((monotonic() - begin) * 1_000, 1),
            "answer": attempt.answer,
        }

    async def _attempt(self, channel: AnyChannel, event: AlertEvent) -> Attempt:
        sender = self._senders.get(channel.type)
        if sender is None:
            needed = "; start it with --redis" if channel.type == "redis" else ""
            return Attempt("failed", f"This server sends nothing to channels of the type {channel.type}{needed}")
        try:
            async with asyncio.timeout(TEST_SECONDS):
                return await sender.send(Message(event["id"], event, channel))
        except TimeoutError:
            return Attempt("failed", f"No answer within {TEST_SECONDS:g} s")
