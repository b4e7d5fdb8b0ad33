"""Fan-out: the newest state of each asset to everyone who watches, nobody waiting for anybody.

A broadcast only puts the frame into each watcher's mailbox. Each watcher has a writer of its own that takes from the
mailbox when its connection can take more; until then a newer frame replaces the older one of the same asset. So a
slow client costs one frame per asset, gets the newest state when it reads again, and sees in `seq` what it missed.

Writers are woken some at a time, whoever has waited longest first. Between them the loop gets to everything else, so
that a request is answered soon however many watch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.metrics.registry import Metrics, Traffic
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from vivienne.wire.messages import AssetData

MOST_REPLIES = 64
"""Replies a client may leave unread before its next message is read."""
WOKEN_AT_ONCE = 50
"""Writers; they keep the loop from everything else for one or two milliseconds."""


class Frame:
    """One state of one asset; encoded when the first client needs it, then shared."""

    __slots__ = ("_text", "made", "message")

    def __init__(self, message: AssetData) -> None:
        self.message = message
        self.made = monotonic()
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The frame as JSON."""
        if self._text is None:
            self._text = encode(self.message)
        return self._text


class Mailbox:
    """What one client has still to be sent: replies in order, and the newest frame of each asset.

    Attributes:
        traffic: counts what goes through it.
    """

    def __init__(self, traffic: Traffic | None = None) -> None:
        self.traffic = traffic or Traffic()
        self._frames: dict[str, Frame] = {}
        self._replies: deque[str] = deque()
        self._assets: frozenset[str] | None = None
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def watch(self, assets: Iterable[str] | None) -> None:
        """From now on take frames of these assets only; None for all."""
        self._assets = None if assets is None else frozenset(assets)
        self._frames = {asset: frame for asset, frame in self._frames.items() if self._wants(asset)}

    def offer(self, asset: str, frame: Frame) -> None:
        """Take a frame in place of an older one of the same asset, and wake whoever waits for it; never blocks."""
        if self.put(asset, frame):
            self.wake()

    def put(self, asset: str, frame: Frame) -> bool:
        """Take a frame as `offer` does, and say whether somebody waits for it, who is to be woken."""
        if not self._wants(asset):
            return False
        if asset in self._frames:
            self.traffic.conflated += 1
        self._frames[asset] = frame
        return not self._filled.is_set()

    def wake(self) -> None:
        """There is something in it."""
        self._filled.set()

    async def reply(self, message: Mapping[str, Any]) -> None:
        """Take a reply; waits while too many are unread, which stops reading from that client only."""
        await self._room.wait()
        self._replies.append(encode(message))
        if len(self._replies) >= MOST_REPLIES:
            self._room.clear()
        self._filled.set()

    async def take(self) -> str:
        """The next text to send; waits for one. Replies go first."""
        while True:
            if self._replies:
                self._room.set()
                return self._replies.popleft()
            if self._frames:
                asset = next(iter(self._frames))
                return self._frames.pop(asset).text
            await self.filled()

    def take_frames(self) -> dict[str, Frame]:
        """The waiting frames by asset, for a watcher that sends many at once; may be none."""
        frames, self._frames = self._frames, {}
        return frames

    def unsent(self) -> int:
        """How much is in it."""
        return len(self._frames) + len(self._replies)

    async def filled(self) -> None:
        """Wait until there is something in it."""
        while not self._frames and not self._replies:
            self._filled.clear()
            await self._filled.wait()

    def _wants(self, asset: str) -> bool:
        return self._assets is None or asset in self._assets


class Hub:
    """Everyone who watches.

    Args:
        metrics: count what goes out.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self.metrics.traffic("state")
        self._mailboxes: set[Mailbox] = set()
        # In the order in which they were given something; each is in it once, so it is never longer than the set.
        self._to_wake: dict[Mailbox, None] = {}
        self._then: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._mailboxes)

    def join(self, stream: str = "state") -> Mailbox:
        """A mailbox for a new client; it is counted among those of this stream."""
        mailbox = Mailbox(self.metrics.traffic(stream))
        mailbox.traffic.clients += 1
        self._mailboxes.add(mailbox)
        return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """The client is gone."""
        if mailbox in self._mailboxes:
            self._mailboxes.remove(mailbox)
            self._to_wake.pop(mailbox, None)
            mailbox.traffic.clients -= 1
            mailbox.traffic.dropped += mailbox.unsent()

    def broadcast(self, asset: str, frame: Frame) -> None:
        """Offer a frame to everyone; never blocks."""
        is_waking = bool(self._to_wake)
        self._to_wake |= {mailbox: None for mailbox in self._mailboxes if mailbox.put(asset, frame)}
        if not is_waking:
            self._wake()
        if self.metrics.awaited:
            self.metrics.published(asset, frame.message["config_version"])

    def when_taken(self, then: Callable[[], None]) -> None:
        """Call something once every writer that waited has what was broadcast, in the next breath at the earliest.

        Who broadcasts the next state of an asset before that makes clients miss one that are not slow.
        """
        if self._to_wake:
            self._then.append(then)
        else:
            asyncio.get_running_loop().call_soon(then)

    def _wake(self) -> None:
        """Wake the next ones, and the others after whatever else the loop has to do."""
        for mailbox in list(islice(self._to_wake, WOKEN_AT_ONCE)):
            del self._to_wake[mailbox]
            mailbox.wake()
        if self._to_wake:
            asyncio.get_running_loop().call_soon(self._wake)
            return
        then, self._then = self._then, []
        for each in then:
            # Not now: those that were woken take something in the next breath.
            asyncio.get_running_loop().call_soon(each)
