"""Compares closed minutes of all instruments with the exchange's own candles, once it has them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.asking import candles_between
from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.rest import Refused
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import Adapter
    from vivienne.market.feeds.exchange.following import Following
    from vivienne.market.feeds.exchange.patience import Patience
    from vivienne.market.feeds.exchange.rest import Rest

_log = logging.getLogger(__name__)

_SHARE = 0.25
"""Part of the exchange's budget that comparing may take."""


class Comparing:
    """Compares the minutes of all instruments of an exchange, with one request at a time.

    Args:
        adapter: of the exchange.
        rest: its REST side.
        patience: how long it waits until the exchange has a minute.
    """

    def __init__(self, adapter: Adapter, rest: Rest, patience: Patience) -> None:
        self._adapter = adapter
        self._rest = rest
        self._patience = patience
        self._budget = Budget(adapter.limits.weight_per_minute * _SHARE)
        self._due: dict[Following, float] = {}  # by the time of the loop, the earliest first
        self._is_due = asyncio.Event()
        self._all: dict[Following, None] = {}
        self._block: str | None = None

    def add(self, following: Following) -> None:
        """It is time to compare the minutes of an instrument, once the exchange has settled them."""
        self._due.setdefault(following, asyncio.get_running_loop().time() + self._patience.settled)
        self._is_due.set()
        if following not in self._all:
            self._all[following] = None
            following.remark(self._block)

    async def run(self) -> None:
        """Compare, until it is cancelled."""
        while True:
            await self._is_due.wait()
            following, time = next(iter(self._due.items()))
            await asyncio.sleep(time - asyncio.get_running_loop().time())
            del self._due[following]
            if not self._due:
                self._is_due.clear()
            await self._compare(following)

    async def _compare(self, following: Following) -> None:
        span = following.made.unconfirmed.span()
        if span is None:
            return
        request = self._adapter.history_request(following.instrument, 1, *span)
        pages = -(-(span[1] - span[0]) // (MINUTE_MS * self._adapter.history_rows))
        await self._budget.take(request.weight * pages)
        try:
            rows = await candles_between(self._rest, self._adapter, following.instrument, 1, *span)
        except Refused as refused:  # they are compared with the next ones
            _log.debug("%s: minutes were not compared: %s", following.instrument.symbol, refused)
            if refused.advice.then == "give_up" and refused.advice.concerns == "host":
                self._say_block(refused.advice.reason)
                self.add(following)
                await asyncio.sleep(self._patience.slow)
        else:
            self._say_block(None)
            following.confirm(rows)
            if following.made.unconfirmed.is_open:
                self.add(following)

    def _say_block(self, reason: str | None) -> None:
        """Say of all instruments that answers are refused while their data goes on; None once they are not."""
        said = None if reason is None else f"{reason}; closed minutes are not compared"
        if said not in (None, self._block):
            _log.warning("%s", said)
        self._block = said
        for following in self._all:
            following.remark(said)
