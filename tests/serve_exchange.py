"""The tests' exchange as a program of its own, for tests in a browser.

    python tests/serve_exchange.py binance BTC,ETH 20

prints where it is. At each line of its standard input it is gone until a minute of the market is over that nobody
heard. It ends with its input.
"""

from __future__ import annotations

import asyncio
import sys

from fake_exchange import FakeExchange, FakeMarket


async def main(name: str, bases: str, pace: str) -> None:
    """Serve until the input ends."""
    market = FakeMarket(tuple(bases.split(",")), pace=float(pace), past=1_200, ahead=600)
    async with FakeExchange(name, market) as exchange:
        print(exchange.url, flush=True)  # noqa: T201
        while await asyncio.to_thread(sys.stdin.readline):
            await exchange.leave_for_a_minute()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
