"""The tests' exchange as a program of its own, for tests in a browser.

    python tests/serve_exchange.py binance BTC,ETH 20

prints where it is, and then does what each line of its standard input says: `stop` and `start`. It ends with its input.
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
        while line := await asyncio.to_thread(sys.stdin.readline):
            await {"stop": exchange.stop, "start": exchange.start}[line.strip()]()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
