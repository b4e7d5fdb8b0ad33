"""What may be wrong between this machine and an exchange: step by step, from its name to one closed minute."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vivienne.commands.minute_check import STEP, compare, document, unknown_of, watch
from vivienne.commands.reaching import reach
from vivienne.market.feeds.exchange.asking import candles_between, instruments_of
from vivienne.market.feeds.exchange.choosing import UnknownInstrument, chosen
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.rest import Refused, Rest
from vivienne.market.feeds.exchange.splicing import is_closed
from vivienne.market.types import MINUTE_MS
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.commands.diagnosis import Diagnosis
    from vivienne.commands.exchange import Place
    from vivienne.market.feeds.exchange.adapter import Instrument

_HISTORY_MINUTES = 10
_MOST_SKEW_MS = 2_000
"""Differences up to this need no remark: some exchanges tell their time in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A market to look at, and how.

    Attributes:
        asset, symbol, quote: as `chosen` takes them.
        seconds: longest time for everything.
        patience: how long the feed waits.
        clock: time of this machine, ms since the epoch.
        waiting: is told what is waited for, once a second.
    """

    asset: str
    symbol: str | None
    quote: str
    seconds: float
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], int] = lambda: int(time.time() * 1_000)
    waiting: Callable[[str], None] | None = None


async def diagnose_exchange(found: Diagnosis, place: Place, wanted: Wanted) -> None:
    """Look at everything, up to the first step that fails."""
    looking = _Looking(found, place, wanted)
    try:
        async with asyncio.timeout(wanted.seconds):
            await looking.run()
    except TimeoutError:
        found.add(
            "problem",
            f"{looking.step} was not done within {wanted.seconds:g} s (--timeout); a minute takes up to two minutes to "
            "close, and longer where hardly anybody trades",
        )
    except Refused as refused:
        again = "" if refused.advice.then == "give_up" else "; run this again in a minute"
        found.add("problem", f"{looking.step}: {refused.advice.reason}{again}")


class _Looking:
    """One look.

    Attributes:
        step: what it is at.
        ahead: how far the exchange's clock is ahead of this machine's, ms.
    """

    def __init__(self, found: Diagnosis, place: Place, wanted: Wanted) -> None:
        self._found = found
        self._place = place
        self._adapter = place.adapter
        self._wanted = wanted
        self.ahead = 0
        self.step = "The way to the exchange"

    async def run(self) -> None:
        if not await reach(self._found, self._place):
            return
        async with Rest(self._adapter, self._place.url, self._wanted.patience) as rest:
            now = await self._look_at_clock(rest)
            instrument = await self._look_at_instrument(rest)
            if instrument is None:
                return
            await self._look_at_history(rest, instrument, now)
            self.step = STEP
            minute = await watch(self._found, self._place, instrument, self._wanted, self)
            self.step = "The comparison of a minute"
            await compare(self._found, rest, self._adapter, instrument, minute, self._wanted.patience)

    async def _look_at_clock(self, rest: Rest) -> int:
        """The time of the exchange."""
        self.step = "REST"
        before = self._wanted.clock()
        now = await rest.time()
        took = self._wanted.clock() - before
        self._found.add("ok", f"REST: {self._adapter.title} answers within {took:,} ms")
        self.ahead = now - before - took // 2
        seconds = abs(self.ahead) / 1_000
        if abs(self.ahead) <= _MOST_SKEW_MS:
            self._found.add("ok", f"Clock: {seconds:.1f} s from that of {self._adapter.title}")
        else:
            self._found.add(
                "warning",
                f"Clock: this machine is {seconds:,.0f} s {'behind' if self.ahead > 0 else 'ahead of'} "
                f"{self._adapter.title}. Minutes close by the exchange's clock all the same, but times in logs and the "
                "lives of tokens are wrong; let the system set its clock (NTP)",
            )
        return now

    async def _look_at_instrument(self, rest: Rest) -> Instrument | None:
        self.step = "The list of markets"
        instruments = await instruments_of(rest, self._adapter)
        wanted = self._wanted
        try:
            found = chosen(instruments, wanted.asset, quote=wanted.quote, symbol=wanted.symbol)
        except UnknownInstrument as error:
            self._found.add("problem", f"Market: {error}; vivienne markets lists the {len(instruments):,} there are")
            return None
        size = f"tick size {found.tick_size:.12f}".rstrip("0").rstrip(".")
        about = f"Market: {found.symbol}, {found.base} paid in {found.quote}, {size}, {found.state}"
        if found.state != "trading":
            self._found.add("problem", f"{about}; the asset is not followed until it is trading. Choose another market")
            return None
        self._found.add("ok", about)
        return found

    async def _look_at_history(self, rest: Rest, instrument: Instrument, now: int) -> None:
        self.step = "The history"
        end = now - now % MINUTE_MS
        begin = end - _HISTORY_MINUTES * MINUTE_MS
        rows = await candles_between(rest, self._adapter, instrument, 1, begin, end)
        closed = [row.candle for row in rows if is_closed(row, now)]
        unknown = sorted({name for candle in closed for name in unknown_of(candle)})
        text = f"History: {len(closed)} of the last {_HISTORY_MINUTES} minutes by REST, up to {iso(end)}"
        if unknown:
            text += f"; it does not tell {' and '.join(unknown)}"
        if len(closed) < _HISTORY_MINUTES:
            self._found.add("warning", f"{text}. Where nobody trades some exchanges have no candle")
        else:
            self._found.add("ok", text)
        self._found.keep("history.json", [document(candle) for candle in closed])
