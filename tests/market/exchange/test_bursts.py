"""However many ask, an exchange is not asked more often than it allows in any stretch of time."""

from __future__ import annotations

import asyncio

import pytest

from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.known import EXCHANGES


@pytest.mark.parametrize(
    ("name", "seconds", "most"), [("coinbase", 1.0, 10), ("okx", 2.0, 20), ("okx-swap", 2.0, 20), ("kraken", 3.0, 6)]
)
async def test_a_burst_after_a_rest_stays_within_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, seconds: float, most: int
) -> None:
    """Thirty at once were refused, and everything waited for a minute."""
    now = 1_000.0

    async def sleep(duration: float) -> None:
        nonlocal now
        now += duration + 1e-6  # a clock has a resolution

    monkeypatch.setattr(asyncio, "sleep", sleep)
    limits = EXCHANGES[name].limits
    budget = Budget(limits.weight_per_minute, lambda: now, limits.burst)
    moments = []
    for number in range(300):
        if number % 100 == 0:
            now += 60.0
        await budget.take(1)
        moments.append(now)
    assert all(sum(begin <= each < begin + seconds for each in moments) <= most for begin in moments)
