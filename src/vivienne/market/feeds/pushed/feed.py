"""The feed of candles and trades that other programs push."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from time import monotonic, time
from typing import TYPE_CHECKING

from vivienne.errors import TooManyRequests
from vivienne.market.feeds.base import FeedEvent, FeedTrouble, History, HistoryRead
from vivienne.market.feeds.pushed.asset import PushedAsset, Tally
from vivienne.market.feeds.pushed.minutes import Room
from vivienne.market.feeds.pushed.rows import read_push
from vivienne.market.types import Bars
from vivienne.slices import SharedSlices, in_slices

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
    from typing import Any

    from vivienne.market.feeds.base import Contact, Listing
    from vivienne.market.feeds.pushed.rows import Kind, Push, Refused
    from vivienne.market.timeframe import Timeframe
    from vivienne.slices import Pieces

MOST_WAITING = 5_000
"""Events of an asset that wait to be decided on; while there are more, pushes are refused."""
RETRY_SECONDS = 1.0
_LONGEST_SILENCE_SECONDS = 150.0
"""A minute and the time it takes to notice a broken feeder and to start another one."""
_COLLECTING = "history is pushed; decisions begin with the first live candle or trade"
RESULTS = ("accepted", "doubled", "late", "refused", "forgotten")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a push.

    Attributes:
        rows: counts them.
        assets: by asset of the push, whether minutes are decided, and the end of the newest closed one, in ms.
    """

    rows: Tally
    assets: dict[str, tuple[bool, int | None]]


@dataclass(slots=True)
class _Waiting:
    """Events of one asset that were not taken yet."""

    events: deque[FeedEvent] = field(default_factory=deque)
    is_there: asyncio.Event = field(default_factory=asyncio.Event)
    is_empty: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, events: list[FeedEvent]) -> None:
        for event in events:
            self.events.append(event)
        if events:
            self.is_empty.clear()
            self.is_there.set()


class PushedFeed:
    """See `vivienne.market.feeds.base.Feed`.

    Args:
        assets: names of the assets.
        timeframe: of the bars.
        bars: number of bars that are kept.
        others: assets that are decided elsewhere; their rows are left out.
        now: the clock of this machine, in ms since the epoch; see `PushedAsset`.
        clock: a monotonic clock, in seconds.
    """

    name = "push"
    pace: float | None = 1.0
    longest_silence = _LONGEST_SILENCE_SECONDS
    catches_up = True
    follows_again = True

    def __init__(
        self,
        assets: tuple[str, ...],
        *,
        timeframe: Timeframe,
        bars: int,
        others: Collection[str] = (),
        now: Callable[[], int] = lambda: round(time() * 1000),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.assets = assets
        self._timeframe = timeframe
        self._others = frozenset(others)
        room = Room(len(assets))
        self._lines = {asset: PushedAsset(asset, timeframe, bars, now=now, clock=clock, room=room) for asset in assets}
        self._waiting = {asset: _Waiting() for asset in assets}
        self._turn = asyncio.Lock()
        self._slices = SharedSlices(replaces=False)  # rows are kept for a while
        self._told_of_history: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()

    async def push(self, kind: Kind, body: Mapping[str, Any], *, is_history: bool | None = None) -> Taken:
        """Take a push, and tell what became of its rows.

        One may close the minutes of all assets, with all their trades, so others have a turn after each slice of the
        work. Pushes are taken one after the other.

        Args:
            kind: of its rows.
            body: as it came.
            is_history: whether the rows are history, whatever the push says.

        Raises:
            TooManyRequests: the market has to take what was pushed before; nothing of this push was taken.
            ChangeRefused: it is not a push; nothing of it was taken.
        """
        read = read_push(kind, body, self.assets, self._timeframe, self._others)
        if is_history is not None:
            read.is_history = is_history
        async with self._turn:
            self._check_room(read)
            return await in_slices(self._take(read))

    def _take(self, read: Push) -> Pieces[Taken]:
        tally = Tally()
        refused: dict[str | None, list[Refused]] = {}
        for each in read.refused:
            refused.setdefault(each.asset, []).append(each)
        for asset in read.assets:
            tally.add((yield from self._take_of(asset, read, refused.get(asset, []))))
        self._counts["unknown", "refused"] += len(refused.get(None, ()))
        tally.refused += len(read.refused)
        tally.problems += [each.problem for each in read.refused]
        return Taken(
            tally, {asset: (self._lines[asset].is_begun, self._lines[asset].closed_until) for asset in read.assets}
        )

    def _take_of(self, asset: str, read: Push, refused: list[Refused]) -> Pieces[Tally]:
        """Take the rows of an asset."""
        tally = Tally()
        events = yield from self._lines[asset].take(
            read.rows.get(asset, ()), refused, read.clock.get(asset), is_history=read.is_history, tally=tally
        )
        self._put(asset, events)
        self._count(asset, tally, len(refused))
        return tally

    def _check_room(self, read: Push) -> None:
        for asset, rows in read.rows.items():
            waiting = len(self._waiting[asset].events)
            if waiting and waiting + len(rows) > MOST_WAITING:
                raise TooManyRequests(
                    f"{waiting:,} minutes and prices of {asset} wait to be taken; the limit is {MOST_WAITING:,}. "
                    f"Nothing was taken. Retry in {RETRY_SECONDS:g} s",
                    retry_after=RETRY_SECONDS,
                )

    def _put(self, asset: str, events: list[FeedEvent]) -> None:
        waiting, line = self._waiting[asset], self._lines[asset]
        if line.is_begun and asset in self._told_of_history:
            self._told_of_history.discard(asset)
            place = int(bool(events) and isinstance(events[0], HistoryRead))
            events = [*events[:place], FeedTrouble(None), *events[place:]]
        elif not line.is_begun and asset not in self._told_of_history:
            self._told_of_history.add(asset)
            events = [FeedTrouble(_COLLECTING)]
        waiting.put(events)

    def _count(self, asset: str, tally: Tally, refused: int) -> None:
        for result in RESULTS:
            self._counts[asset, result] += getattr(tally, result)
        self._counts[asset, "refused"] += refused

    def refuse(self) -> None:
        """Count what could not be read at all as a row of no known asset."""
        self._counts["unknown", "refused"] += 1

    async def taken(self) -> None:
        """Wait until the market has taken everything that was pushed."""
        for waiting in self._waiting.values():
            if waiting.events:
                await waiting.is_empty.wait()

    def counts(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """What became of all rows so far: name of the metric, values of its labels, and number.

        Rows may be pushed between any two; the numbers of an asset are of one moment.
        """
        for asset in (*self.assets, "unknown"):
            results = RESULTS if asset != "unknown" else ("refused",)
            for result, number in [(result, self._counts[asset, result]) for result in results]:
                yield "vivienne_pushed_rows_total", (asset, result), number

    def listing(self, asset: str) -> Listing | None:
        """None: who pushes does not say. See `Feed`."""
        del asset
        return None

    def contact(self, asset: str) -> Contact | None:
        """None: others connect to it. See `Feed`."""
        del asset
        return None

    async def run(self) -> None:
        """Nothing goes on beside the events. See `Feed`."""

    def history(self, asset: str, *, least: int, most: int) -> History:
        """See `Feed`: it is pushed later, as the first event."""
        del asset, least, most
        return History(Bars.from_candles([]), is_whole=True)

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        """What is pushed, without end. See `Feed`."""
        waiting = self._waiting[asset]
        while True:
            if not waiting.events:
                waiting.is_empty.set()
                waiting.is_there.clear()
                await waiting.is_there.wait()
            await self._slices.rest()
            yield waiting.events.popleft()
