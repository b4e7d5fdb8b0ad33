"""`vivienne` whose prices move as fast as clients take their states: it differs from the program in that alone.

    python benchmarks/fanout/saturated.py serve --assets BTC ...

All assets move at once, and again as soon as their states are handed over. SIGUSR1 begins it, SIGUSR2 ends it.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING

from typing_extensions import override

from vivienne.commands.main import main
from vivienne.live.market import Market
from vivienne.roles import market

if TYPE_CHECKING:
    from vivienne.live.asset import LiveAsset

_STEPS = 50
"""Prices after which they come again."""


class _Saturated(Market):
    """A market in which prices move all the time."""

    @override
    async def _publish_prices(self) -> None:
        is_moving = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, is_moving.set)
        loop.add_signal_handler(signal.SIGUSR2, is_moving.clear)
        begin = {asset: _price(self.seen(asset)) for asset in self.assets}
        for number in count():
            await is_moving.wait()
            for asset, (price, time) in begin.items():
                self.seen(asset).move(round(price * (1 + number % _STEPS / 10_000), 2), time)
                self._publish_safely(asset)
            for asset in self.assets:
                await self._board.handed_over(asset)
            await asyncio.sleep(0)  # sockets have their turn, whatever that has waited for


def _price(live: LiveAsset) -> tuple[float, int]:
    """The price of an asset, and its time in ms."""
    state = live.data()
    price, time = state["price"], state["price_time"]
    assert price is not None
    assert time is not None
    return price, int(datetime.fromisoformat(time).timestamp() * 1000)


if __name__ == "__main__":
    vars(market)["Market"] = _Saturated  # the role makes its market of what it finds here
    main()
