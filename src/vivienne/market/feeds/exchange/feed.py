"""The feed of an exchange: one supervised stream for every group of instruments, history by REST."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import Contact, ContactChanged, FeedEvent, FeedTrouble, History, HistoryRead, Listing
from vivienne.market.feeds.exchange.budget import Budget
from vivienne.market.feeds.exchange.comparing import Comparing
from vivienne.market.feeds.exchange.following import Following
from vivienne.market.feeds.exchange.group import Group
from vivienne.market.feeds.exchange.histories import Histories
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.regions import stream_of
from vivienne.market.feeds.exchange.rest import Rest
from vivienne.market.feeds.exchange.serving import Serving, choices
from vivienne.market.feeds.exchange.stream import Stream
from vivienne.market.feeds.exchange.surroundings import Surroundings
from vivienne.market.types import Bars

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from vivienne.market.feeds.exchange.adapter import Adapter, Instrument
    from vivienne.market.timeframe import Timeframe

_log = logging.getLogger(__name__)

INSTRUMENTS_IN_A_STREAM = 50
_LONGEST_SILENCE_SECONDS = 150.0
"""A minute and the time it takes to notice a broken connection and to open another one."""


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
    catches_up = False
    follows_again = True

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
        self.longest_silence = _LONGEST_SILENCE_SECONDS
        self.adapter = adapter
        self._symbols = symbols or {}
        self._quote = quote or adapter.quote
        self._url = url
        self._patience = patience or Patience()
        self.pace: float | None = self._patience.pace
        self._rest = Rest(adapter, url, self._patience, self._say_waiting)
        self._connects = Budget(adapter.limits.connects_per_minute)
        self.followings: dict[str, Following] = {}
        self._histories: dict[str, History] = {}
        self._is_there = {asset: asyncio.Event() for asset in assets}
        self._contacts = dict.fromkeys(assets, Contact("connecting"))
        self._listings = dict.fromkeys(assets, Listing(adapter.title))
        self._changed = {asset: asyncio.Event() for asset in assets}
        self.streams: list[Stream] = []
        self._streams: dict[str, Stream] = {}
        self._followed: dict[str, Instrument] = {}
        self._not_traded: set[str] = set()
        self._missed: set[str] = set()
        """Assets whose markets the newest list lacked."""
        self._is_to_look = asyncio.Event()
        self._serving = Serving(adapter, self._rest, self._patience, self._say_of_all)
        self._reading = Histories(adapter, self._rest, timeframe, bars, self._patience)
        self._comparing = Comparing(adapter, self._rest, self._patience)

    async def run(self) -> None:
        """Follow what the exchange serves of the assets, until cancelled. See `Feed`."""
        try:
            await self._run()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Forget everything that was followed; whoever follows it waits until it is there again."""
        for asset, following in self.followings.items():
            self._contacts[asset] = Contact("reconnecting", f"{self.adapter.title} is followed anew")
            self._is_there[asset].clear()
            following.end()
        self.followings.clear()
        self._histories.clear()
        self._serving.told = None
        self.streams.clear()
        self._streams.clear()
        self._followed.clear()
        self._not_traded.clear()
        self._missed.clear()
        self._comparing = Comparing(self.adapter, self._rest, self._patience)

    async def _run(self) -> None:
        async with self._rest, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._comparing.run())
            while True:
                await self._serving.ask_outage()
                for following in self.followings.values():
                    following.announced(self._serving.told)
                instruments = await self._serving.instruments(once=bool(self.followings))
                if instruments is not None:
                    # In a thread: names that are near are looked for among thousands.
                    found = await asyncio.to_thread(choices, instruments, self.assets, self._symbols, self._quote)
                    for group in self._to_follow(found):
                        tasks.create_task(self._follow_group(group))
                    self._leave_out()
                await self._next_look()

    def look(self) -> None:
        """What the exchange serves may have changed: see soon."""
        self._is_to_look.set()

    async def _next_look(self) -> None:
        """Wait until it is time to see what the exchange serves."""
        await asyncio.sleep(min(self._patience.first, self._patience.slow))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.slow):
                await self._is_to_look.wait()
        self._is_to_look.clear()

    def _to_follow(self, choices: dict[str, Instrument | str]) -> Iterator[dict[str, Instrument]]:
        """Say of every asset whether it can be followed; those that can, and are not yet, in groups for a stream."""
        new: dict[str, Instrument] = {}
        for asset, choice in choices.items():
            found, trouble = (None, choice) if isinstance(choice, str) else (choice, None)
            if found is not None and found.state != "trading":
                trouble = f"{found.symbol} is {found.state}"
            known = self._followed.get(asset)
            if known is not None and found is None and asset not in self._missed:
                self._missed.add(asset)  # one answer may lack it
                self.look()
                continue
            if known is not None and found is not None and found.symbol != known.symbol:
                trouble = f"{known.symbol} is called {found.symbol} now; restart to follow it"
            if trouble is not None:
                trouble = f"{self.adapter.title}: {trouble}"
            elif known is None and found is not None:
                new[asset] = found
                self._listings[asset] = Listing(self.adapter.title, found.symbol, found.quote, found.tick_size)
            if found is not None:
                self._missed.discard(asset)
            if trouble is None:
                self._not_traded.discard(asset)
            else:
                self._not_traded.add(asset)
            self._say_of_market(asset, trouble)
        self._followed |= new
        names = list(new)
        for begin in range(0, len(names), INSTRUMENTS_IN_A_STREAM):
            yield {asset: new[asset] for asset in names[begin : begin + INSTRUMENTS_IN_A_STREAM]}

    def _leave_out(self) -> None:
        """Have every stream leave out the markets that are not traded: one may spoil the subscription of others."""
        for stream in self.streams:
            assets = [asset for asset, of_asset in self._streams.items() if of_asset is stream]
            traded = {self._followed[asset].stream_symbol for asset in assets if asset not in self._not_traded}
            stream.leave_out({self._followed[asset].stream_symbol for asset in assets} - traded)

    def _say_of_market(self, asset: str, trouble: str | None) -> None:
        """Say whether the market of an asset is there."""
        if asset in self.followings:
            self.followings[asset].say("market", trouble)
        elif trouble is not None:
            self._say(asset, trouble, is_final=True)

    def _say(self, asset: str, trouble: str, *, is_final: bool) -> None:
        """Say why the history of an asset is not there yet."""
        self._contacts[asset] = Contact("blocked" if is_final else "connecting", trouble)
        self._changed[asset].set()

    def _say_of_all(self, trouble: str, is_final: bool) -> None:
        for asset in self.assets:
            self._say(asset, trouble, is_final=is_final)

    def _say_waiting(self, reason: str) -> None:
        """Say that no request is made for a while."""
        for asset in self.assets:
            following = self.followings.get(asset)
            if following is None:
                self._say(asset, reason, is_final=False)
            else:
                following.remark(reason)

    def _say_of_history(self, asset: str, trouble: str, is_final: bool) -> None:
        self._say(asset, trouble, is_final=is_final)

    async def _follow_group(self, instruments: dict[str, Instrument]) -> None:
        """History first, then the stream: what comes between is asked for by the splice.

        Those whose history takes long have a stream of their own, and keep no other waiting.
        """
        async with asyncio.TaskGroup() as tasks:
            loading = {tasks.create_task(self._load(asset, each)): asset for asset, each in instruments.items()}
            while loading:
                await asyncio.wait(loading, timeout=self._patience.first)
                done, _ = await asyncio.wait(loading, return_when=asyncio.FIRST_COMPLETED)
                there = [loading.pop(task) for task in list(loading) if task in done]
                followings = [self.followings[asset] for asset in there]
                for following in followings:
                    tasks.create_task(following.fill())
                of_stream = {instruments[asset].stream_symbol: instruments[asset] for asset in there}
                stream = Stream(
                    self.adapter, list(of_stream.values()), Group(followings, self.look),
                    url=stream_of(self.adapter, self._url), connects=self._connects, patience=self._patience,
                    now=self._reading.now, turns=self._rest.turns,
                )  # fmt: skip
                self.streams.append(stream)
                self._streams |= dict.fromkeys(there, stream)
                self._leave_out()
                tasks.create_task(stream.run())

    async def _load(self, asset: str, instrument: Instrument) -> None:
        """Ask for the history of an asset until it comes."""
        history, splice = await self._reading.begun(instrument, partial(self._say_of_history, asset), lambda: math.inf)
        self._histories[asset] = history
        surroundings = Surroundings(
            begin_again=partial(self._reading.begun, instrument),
            compare=self._comparing.add,
            doubt=partial(self._doubt, asset),
            latest=self._reading.latest,
        )
        self.followings[asset] = Following(
            self.adapter, self._rest, instrument, splice, self._patience, surroundings
        )  # fmt: skip
        self.followings[asset].announced(self._serving.told)
        self._is_there[asset].set()
        self._changed[asset].set()

    def _doubt(self, asset: str, reason: str) -> None:
        self._streams[asset].doubt(self._followed[asset].stream_symbol, reason)

    def counts(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """What happened so far: name of the metric, values of its labels, and number.

        It may go on between any two; the numbers of an asset are of one moment.
        """
        counts = [stream.counts for stream in self.streams]
        yield "vivienne_exchange_connects_total", (), sum(each.connects for each in counts)
        yield "vivienne_exchange_breaks_total", (), sum(each.breaks for each in counts)
        yield "vivienne_exchange_left_out_total", (), sum(each.left_out.total() for each in counts)
        for asset, each in list(self.followings.items()):
            minutes, delay = list(each.counts()), each.contact.delay
            for kind, number in minutes:
                yield "vivienne_exchange_minutes_total", (asset, kind), number
            if delay is not None:
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
        """See `Feed`. It goes on with a new history after `run` was called again, and when it is called again."""
        while True:
            async for contact in self._contacts_until_there(asset):
                yield FeedTrouble(contact.reason)
                yield ContactChanged()
            following = self.followings[asset]
            if asset not in self._histories:  # it was taken by a call that failed
                say = partial(self._say_of_history, asset)
                self._histories[asset] = await self._reading.at_last(following.instrument, say)
            yield HistoryRead(self._histories.pop(asset))
            yield FeedTrouble(None)
            async for event in following.events():
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
