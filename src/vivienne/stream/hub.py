"""Fan-out: the newest state of each asset to all clients, without any client delaying another.

A broadcast only puts the frame into the mailbox of each client. Each client has its own writer, which takes frames from
the mailbox when the connection is ready. Until then, a newer frame replaces the older one of the same asset. A slow
client therefore costs one frame for each asset, gets the newest state when it reads again, and sees in `seq` how many
states it missed.

Writers are woken in batches (`vivienne.stream.waking`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.metrics.registry import Metrics, Traffic
from vivienne.stream.waking import Waking
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from vivienne.wire.messages import AssetData

MOST_REPLIES = 64
"""Number of unread replies at which no further message of the client is read."""
MOST_REPLY_BYTES = 64 * 1024
"""The same in bytes."""


class Frame:
    """One state of one asset. It is encoded once, for the first client that needs it, and shared by all clients."""

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
    """The unsent messages of one client: replies in order, and the newest frame of each asset.

    Args:
        traffic: see below.
        keeps: called with the bytes of replies that are not sent, when they change.

    Attributes:
        traffic: counts the messages that pass through.
    """

    def __init__(self, traffic: Traffic | None = None, keeps: Callable[[int], None] | None = None) -> None:
        self.traffic = traffic or Traffic()
        self._keeps = keeps or _do_nothing
        self._frames: dict[str, Frame] = {}
        self._replies: deque[bytes] = deque()
        self._kept = self._taken = 0
        """Bytes of the replies that are not sent, and of them the one that was taken."""
        self._assets: frozenset[str] | None = None
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def watch(self, assets: Iterable[str] | None) -> None:
        """Narrow the mailbox to frames of these assets; None for all assets."""
        self._assets = None if assets is None else frozenset(assets)
        self._frames = {asset: frame for asset, frame in self._frames.items() if self._wants(asset)}

    def offer(self, asset: str, frame: Frame) -> None:
        """Put a frame, replacing an older one of the same asset, and wake the writer. Never blocks."""
        if self.put(asset, frame):
            self.wake()

    def put(self, asset: str, frame: Frame) -> bool:
        """Put a frame like `offer`, without waking the writer; True if the writer waits and must be woken."""
        if not self._wants(asset):
            return False
        if asset in self._frames:
            self.traffic.conflated += 1
        self._frames[asset] = frame
        return not self._filled.is_set()

    def wake(self) -> None:
        """Wake the writer."""
        self._filled.set()

    async def reply(self, message: Mapping[str, Any]) -> None:
        """Put a reply. Waits while too much is unread, so that no further message of this client is read."""
        await self._room.wait()
        self._replies.append(encode(message).encode())  # as bytes: in memory a text may have four times as many
        self._kept += len(self._replies[-1])
        if len(self._replies) >= MOST_REPLIES or self._kept >= MOST_REPLY_BYTES:
            self._room.clear()
        self._keeps(self._kept)
        self._filled.set()

    async def take(self) -> str:
        """Wait for the next text to send and return it; the one before is sent. Replies come first."""
        if self._taken:
            self._kept -= self._taken
            self._taken = 0
            if self._kept < MOST_REPLY_BYTES:
                self._room.set()
            self._keeps(self._kept)
        while True:
            if self._replies:
                reply = self._replies.popleft()
                self._taken = len(reply)
                return reply.decode()
            if self._frames:
                asset = next(iter(self._frames))
                return self._frames.pop(asset).text
            await self.filled()

    def take_frames(self) -> dict[str, Frame]:
        """Remove and return all waiting frames by asset, for a writer that sends many at once."""
        frames, self._frames = self._frames, {}
        return frames

    def unsent(self) -> int:
        """Number of unsent messages."""
        return len(self._frames) + len(self._replies)

    async def filled(self) -> None:
        """Wait until there is an unsent message."""
        while not self._frames and not self._replies:
            self._filled.clear()
            await self._filled.wait()

    def _wants(self, asset: str) -> bool:
        return self._assets is None or asset in self._assets


class Hub:
    """The mailboxes of all clients.

    Args:
        metrics: counts clients and messages.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self.metrics.traffic("state")
        self._mailboxes: set[Mailbox] = set()
        self._waking = Waking()

    def __len__(self) -> int:
        return len(self._mailboxes)

    def join(self, stream: str = "state", keeps: Callable[[int], None] | None = None) -> Mailbox:
        """Add a new client, counted for this stream, and return its mailbox, which tells what it keeps."""
        mailbox = Mailbox(self.metrics.traffic(stream), keeps)
        mailbox.traffic.clients += 1
        self._mailboxes.add(mailbox)
        return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """Remove a client that has disconnected."""
        if mailbox in self._mailboxes:
            self._mailboxes.remove(mailbox)
            self._waking.forget(mailbox)
            mailbox.traffic.clients -= 1
            mailbox.traffic.dropped += mailbox.unsent()

    def broadcast(self, asset: str, frame: Frame) -> None:
        """Put a frame into all mailboxes. Never blocks."""
        self._waking.wake([mailbox for mailbox in self._mailboxes if mailbox.put(asset, frame)])
        if self.metrics.awaited:
            self.metrics.published(asset, frame.message["config_version"])

    def when_taken(self, then: Callable[[], None]) -> None:
        """Call a function once all waiting writers have taken the broadcast frames; never within this call.

        A state that is broadcast earlier may replace one that a client was ready to take.
        """
        self._waking.when_awake(then)


def _do_nothing(_size: int) -> None:
    """Nobody counts what is kept."""
