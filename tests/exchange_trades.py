"""Trades of an exchange, and the minutes they make."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from vivienne.market.bars import CandleBuilder
from vivienne.market.feeds.exchange.adapter import NumberedTrade
from vivienne.market.types import MINUTE_MS, Candle, Trade

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = 1_700_000_040_000
assert BEGIN % MINUTE_MS == 0


def made_trades(seed: int, count: int = 200, *, minutes: int = 8) -> list[NumberedTrade]:
    """Trades of some minutes, numbered without a hole, some of them within the same millisecond."""
    rng = random.Random(seed)  # noqa: S311
    times = sorted(BEGIN + rng.randrange(minutes * MINUTE_MS) for _ in range(count))
    return [
        NumberedTrade(
            str(number), number, 1,
            Trade(time, 100 + rng.randrange(-500, 500) / 100, rng.randrange(1, 1000) / 1000, rng.random() < 0.5),
        )
        for number, time in enumerate(times, 5_000)
    ]  # fmt: skip


def expected(trades: Sequence[NumberedTrade], close: float, minutes: int) -> list[Candle]:
    """What trades in order make, by the converter for files, with quiet minutes between."""
    builder = CandleBuilder()
    builder.add(Trade(BEGIN - 1, close, 1.0, False))
    # The minute of the first trade counts as seen in part.
    end = Trade(BEGIN + minutes * MINUTE_MS, 1.0, 1.0, False)
    closed = {candle.open_time: candle for each in [*(t.trade for t in trades), end] if (candle := builder.add(each))}
    found: list[Candle] = []
    for minute in range(BEGIN, BEGIN + minutes * MINUTE_MS, MINUTE_MS):
        candle = closed.get(minute, Candle(minute, close, close, close, close, 0.0, 0.0, 0.0, 0.0))
        close = candle.close
        found.append(candle)
    return found
