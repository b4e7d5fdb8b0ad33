"""An exchange in a process of its own, where eight markets are busy and two are calm; it notes when it sends what.

It prints its address. At a line of its standard input it prints what it noted, and ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from exchange_agent import ASSETS, BARS
from fake_exchange import FakeExchange, FakeMarket

if TYPE_CHECKING:
    from fake_exchange import Dialect

NAME = "bybit"
CALM = ASSETS[-2:]
TRADES_A_SECOND = 1_000
_CALM_TRADES_A_SECOND = 4
_MINUTES = 10
_STEP_SECONDS = 0.01
_PARTS_WITH_TRADES = 6 / 7
"""Every seventh minute of such a market has none."""


class _Market(FakeMarket):
    """A market in which the calm ones have trades of their own."""

    def __init__(self) -> None:
        busy = round(TRADES_A_SECOND / (len(ASSETS) - len(CALM)) * 60 / _PARTS_WITH_TRADES)
        super().__init__(ASSETS, pace=1.0, past=BARS + 50, ahead=_MINUTES, a_minute=2, busy=busy)
        rate = round(_CALM_TRADES_A_SECOND * 60 / _PARTS_WITH_TRADES)
        calm = FakeMarket(CALM, seed=1, pace=1.0, past=BARS + 50, ahead=_MINUTES, a_minute=2, busy=rate)
        self.trades |= calm.trades
        self._times |= calm._times  # noqa: SLF001  # of the same class


class _Noting(FakeExchange):
    """Notes when the messages that close minutes, and trades of calm markets, are sent."""

    def __init__(self, market: FakeMarket) -> None:
        super().__init__(NAME, market, step=_STEP_SECONDS)
        self.closed: list[tuple[str, int, float]] = []
        self.traded: list[tuple[str, float, float]] = []
        self._told: dict[str, int] = {}

    def forming(self, dialect: Dialect, base: str, now: int) -> list[Any]:
        """Once a second, as this exchange does it, and of one market after the other."""
        second, tenth = divmod(now // 100, 10)
        if tenth < ASSETS.index(base) or self._told.get(base) == second:
            return []
        self._told[base] = second
        return super().forming(dialect, base, now)

    def sending(self, text: str) -> None:
        """See `FakeExchange`."""
        if '"confirm": true' in text:
            found = json.loads(text)
            self.closed.append((_base(found), found["data"][0]["start"] // 60_000, time.perf_counter()))
        elif text.startswith('{"topic": "publicTrade.') and _base(found := json.loads(text)) in CALM:
            self.traded.append((_base(found), float(found["data"][-1]["p"]), time.perf_counter()))


def _base(message: dict[str, str]) -> str:
    return message["topic"].rpartition(".")[2].removesuffix("USDT")


async def main() -> None:
    """Serve until there is a line to read. A look for garbage among half a million trades would hold messages up."""
    exchange = _Noting(_Market())
    gc.collect()
    gc.freeze()
    async with exchange:
        print(exchange.url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps({"closed": exchange.closed, "traded": exchange.traded}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
