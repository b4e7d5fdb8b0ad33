"""The feed of an exchange: one supervised stream for every group of instruments, history by REST."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import Contact, ContactChanged, FeedEvent, FeedTrouble, History, HistoryRead, Listing
from vivienne.market.feeds.exchange.adapter import Advice
from vivienne.market.feeds.exchange.asking import instruments_of
from vivienne.market.feeds.exchange.choosing import UnknownInstrument, chosen
from vivienne.market.feeds.exchange.following import Following
from vivienne.market.feeds.exchange.past import past
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.rest import Budget, Refused, Rest
from vivienne.market.feeds.exchange.splicing import FromCandles, FromTrades
from vivienne.market.feeds.exchange.stream import Stream
from vivienne.market.types import MINUTE_MS, Bars

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument, StreamEvent
    from vivienne.market.timeframe import Timeframe

_log = logging.getLogger(__name__)

INSTRUMENTS_IN_A_STREAM = 50
_LONGEST_SILENCE_SECONDS = 150.0
"""A minute and the time it takes to notice a broken connection and to open another one."""


class _Group:
    """Passes what a stream has on to those who follow its instruments."""

    def __init__(self, followings: Sequence[Following]) -> None:
        self._by_symbol = {each.instrument.stream_symbol: each for each in followings}

    def take(self, event: StreamEvent) -> None:
        symbol = getattr(event, "symbol", None)
        if symbol is None:
            for each in self._by_symbol.values():
                each.take(event)
        elif symbol in self._by_symbol:
            self._by_symbol[symbol].take(event)

    def interrupted(self, reason: str) -> None:
        _log.info("%s", reason)
        for each in self._by_symbol.values():
            each.interrupted(reason)

    def resumed(self) -> None:
        for each in self._by_symbol.values():
            each.resumed()

    def refused(self, symbol: str | None, reason: str) -> None:
        _log.warning("%s", reason)
        for each in [self._by_symbol[symbol]] if symbol in self._by_symbol else self._by_symbol.values():
            each.refused(reason)


class ExchangeFeed:
    """See `vivienne.market.feeds.base.Feed`. It needs `run` beside it.

    Args:
        adapter: of the exchange.
        assets: names of the assets.
        symbols: names at the exchange, of assets that are not simply their name and the quote currency.
        quote: currency that assets are paid in; None for the usual one of the exchange.
        timeframe: of the bars.
        bars: number of bars of history.
        url: scheme and host in place of the exchange's own.
        patience: how long its streams wait.
    """

    name = "exchange"

    def __init__(
        self,
        adapter: Adapter,
        assets: tuple[str, ...],
        *,
        timeframe: Timeframe,
        bars: int,
        symbols: Mapping[str, str] | None = None,
        quote: str | None = None,
        url: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.assets = assets
        self.pace: float | None = None
        self.longest_silence = _LONGEST_SILENCE_SECONDS
        self.adapter = adapter
        self._timeframe = timeframe
        self._count = bars
        self._symbols = symbols or {}
        self._quote = quote or adapter.quote
        self._url = url
        self._patience = patience or Patience()
        self._rest = Rest(adapter, url, self._patience)
        self._connects = Budget(adapter.limits.connects_per_minute)
        self.followings: dict[str, Following] = {}
        self._histories: dict[str, History] = {}
        self._is_there = {asset: asyncio.Event() for asset in assets}
        self._contacts = dict.fromkeys(assets, Contact("connecting"))
        self._listings = dict.fromkeys(assets, Listing(adapter.title))
        self._changed = {asset: asyncio.Event() for asset in assets}
        self.streams: list[Stream] = []

    async def run(self) -> None:
        """Find the instruments, and keep their streams open until cancelled."""
        async with self._rest, asyncio.TaskGroup() as tasks:
            instruments = await self._instruments()
            found: dict[str, Instrument] = {}
            for asset in self.assets:
                try:
                    # In a thread: names that are near are looked for among thousands.
                    found[asset] = await asyncio.to_thread(self._chosen, instruments, asset)
                except UnknownInstrument as error:
                    self._say(asset, f"{self.adapter.title}: {error}", is_final=True)
            names = list(found)
            for begin in range(0, len(names), INSTRUMENTS_IN_A_STREAM):
                group = names[begin : begin + INSTRUMENTS_IN_A_STREAM]
                tasks.create_task(self._follow_group({asset: found[asset] for asset in group}))
            await asyncio.Event().wait()

    async def _instruments(self) -> list[Instrument]:
        """All instruments; asked for until they come."""
        tries = 0
        while True:
            try:
                return await instruments_of(self._rest, self.adapter)
            except Refused as refused:
                slow = refused.advice.then == "give_up"
                for asset in self.assets:
                    self._say(asset, refused.advice.reason, is_final=slow)
                _log.warning("%s", refused.advice.reason)
                await asyncio.sleep(self._patience.slow if slow else self._patience.pause(tries))
                tries += 1

    def _chosen(self, instruments: list[Instrument], asset: str) -> Instrument:
        found = chosen(instruments, asset, quote=self._quote, symbol=self._symbols.get(asset))
        if found.state != "trading":
            raise UnknownInstrument(f"{found.symbol} is {found.state}")
        self._listings[asset] = Listing(self.adapter.title, found.symbol, found.quote, found.tick_size)
        return found

    def _say(self, asset: str, trouble: str, *, is_final: bool) -> None:
        self._contacts[asset] = Contact("blocked" if is_final else "connecting", trouble)
        self._changed[asset].set()

    async def _follow_group(self, instruments: dict[str, Instrument]) -> None:
        """History first, then the stream: what comes between is asked for by the splice."""
        async with asyncio.TaskGroup() as tasks:
            loading = [tasks.create_task(self._load(asset, each)) for asset, each in instruments.items()]
            await asyncio.wait(loading)
            followings = [self.followings[asset] for asset in instruments]
            for following in followings:
                tasks.create_task(following.fill())
            stream = Stream(
                self.adapter, list(instruments.values()), _Group(followings), url=self._stream_url(),
                connects=self._connects, patience=self._patience,
            )  # fmt: skip
            self.streams.append(stream)
            tasks.create_task(stream.run())

    def _stream_url(self) -> str | None:
        """The host of the stream in place of the exchange's own: ws goes with http, wss with https."""
        return None if self._url is None else self._url.replace("http", "ws", 1)

    async def _load(self, asset: str, instrument: Instrument) -> None:
        """Ask for the history of an asset until it comes."""
        tries = 0
        while True:
            try:
                history = await self._history(instrument)
                break
            except Refused as refused:
                slow = refused.advice.then == "give_up"
                self._say(asset, refused.advice.reason, is_final=slow)
                await asyncio.sleep(self._patience.slow if slow else self._patience.pause(tries))
                tries += 1
        begin, close = self._end(history)
        splice = FromCandles(begin) if self.adapter.candle_is_minute else FromTrades(begin, close)
        self._histories[asset] = history
        self.followings[asset] = Following(self.adapter, self._rest, instrument, splice, self._patience)
        self._is_there[asset].set()
        self._changed[asset].set()

    def _end(self, history: History) -> tuple[int, float]:
        """The end of what is known, in ms, and the last price."""
        if len(history.minutes) or history.bars is None:
            return int(history.minutes.open_time[-1]) + MINUTE_MS, float(history.minutes.close[-1])
        return int(history.bars.open_time[-1]) + self._timeframe.milliseconds, float(history.bars.close[-1])

    async def _history(self, instrument: Instrument) -> History:
        found = await past(self._rest, self.adapter, instrument, self._timeframe, self._count)
        if found.bars is None or not len(found.bars):
            raise Refused(Advice("retry", f"{self.adapter.title} has no history of {instrument.symbol}"))
        return found._replace(source="filled")

    def counts(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """What happened so far: name of the metric, values of its labels, and number."""
        counts = [stream.counts for stream in self.streams]
        yield "vivienne_exchange_connects_total", (), sum(each.connects for each in counts)
        yield "vivienne_exchange_breaks_total", (), sum(each.breaks for each in counts)
        yield "vivienne_exchange_left_out_total", (), sum(each.left_out.total() for each in counts)
        for asset, each in self.followings.items():
            for kind, number in (
                ("filled", each.filled), ("incomplete", each.incomplete), ("mismatched", each.mismatches),
                ("dropped", each.dropped),
            ):  # fmt: skip
                yield "vivienne_exchange_minutes_total", (asset, kind), number
            if (delay := each.contact.delay) is not None:
                yield "vivienne_exchange_delay_seconds", (asset,), delay

    def listing(self, asset: str) -> Listing:
        """See `Feed`."""
        return self._listings[asset]

    def contact(self, asset: str) -> Contact:
        """See `Feed`."""
        following = self.followings.get(asset)
        return self._contacts[asset] if following is None else following.contact

    def history(self, asset: str, *, least: int, most: int) -> History:
        """See `Feed`: it comes later, as the first event."""
        del asset, least, most
        return History(Bars.from_candles([]), is_whole=False)

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """See `Feed`."""
        async for contact in self._contacts_until_there(asset):
            yield FeedTrouble(contact.reason)
            yield ContactChanged()
        yield HistoryRead(self._histories.pop(asset))
        yield FeedTrouble(None)
        async for event in self.followings[asset].events():
            yield event

    async def _contacts_until_there(self, asset: str) -> AsyncIterator[Contact]:
        """Why there is no history yet, each time it changes, until it is there."""
        told = Contact("connecting")
        while not self._is_there[asset].is_set():
            contact = self._contacts[asset]
            if contact != told:
                told = contact
                yield contact
            self._changed[asset].clear()
            await self._changed[asset].wait()
