"""Fan-out: the newest state of each asset to all clients, without any client delaying another.

A broadcast only notes the frame. Each client has its own writer, and a mailbox that fetches what is new when the writer
has its turn (`vivienne.stream.waking`) or takes the next frame. Until it is sent, a newer frame replaces the older one
of the same asset. A slow client therefore costs one frame for each asset, gets the newest state when it reads again,
and sees in `seq` how many states it missed. A client that asked for changes gets what changed since the state that it
was sent last; its mailbox remembers the number of that state only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from sys import maxsize
from typing import TYPE_CHECKING

from vivienne.metrics.registry import Metrics, Traffic
from vivienne.stream.waking import ROW, Waking
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from vivienne.stream.frame import Frame

MOST_REPLIES = 64
"""Number of unread replies at which no further message of the client is read."""
MOST_REPLY_BYTES = 64 * 1024
"""The same in bytes."""


class Broadcasts:
    """What was broadcast last of each asset, and the turns in which clients get it.

    Attributes:
        number: of the newest frame.
        waking: has the turns.
    """

    def __init__(self) -> None:
        self.number = 0
        self.waking = Waking()
        self._frames: dict[str, Frame] = {}
        """The newest stands last."""

    def add(self, asset: str, frame: Frame) -> None:
        """Note the newest frame of an asset."""
        self.number += 1
        frame.number = self.number
        self._frames.pop(asset, None)
        self._frames[asset] = frame

    def since(self, number: int) -> dict[str, Frame]:
        """The frames after that number, oldest first."""
        new: dict[str, Frame] = {}
        for asset, frame in reversed(self._frames.items()):
            if frame.number <= number:
                break
            new[asset] = frame
        return dict(reversed(new.items()))


class Mailbox:
    """The unsent messages of one client: replies in order, and the newest frame of each asset.

    Args:
        traffic: see below.
        keeps: called with the bytes of replies that are not sent, when they change.
        broadcasts: where new frames are fetched from the next one on; None if they are only offered.
        whose: see below.

    Attributes:
        traffic: counts the messages that pass through.
        whose: the caller who gets them.
    """

    def __init__(
        self,
        traffic: Traffic | None = None,
        keeps: Callable[[int], None] | None = None,
        broadcasts: Broadcasts | None = None,
        whose: str = "",
    ) -> None:
        self.traffic = traffic or Traffic()
        self.whose = whose
        self._broadcasts = broadcasts or Broadcasts()
        self._fetched = self._broadcasts.number
        """The newest frame that was fetched, or offered with all that are wanted."""
        self._keeps = keeps or _do_nothing
        self._frames: dict[str, Frame] = {}
        self._replies: deque[bytes] = deque()
        self._kept = self._taken = 0
        """Bytes of the replies that are not sent, and of them the one that was taken."""
        self._assets: frozenset[str] | None = None
        self._sent: dict[str, int] | None = None
        """By asset, the `seq` of the state that was taken last; None for a client that gets whole states."""
        self._filled = asyncio.Event()
        self._turn = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def watch(self, assets: Iterable[str] | None, *, changes: bool = False) -> None:
        """Narrow the mailbox to frames of these assets; None for all assets.

        With `changes`, what it gives of each is the whole state first, and then what changed since the one before.
        """
        self._sent = {} if changes else None
        self._assets = None if assets is None else frozenset(assets)
        self._frames = {asset: frame for asset, frame in self._frames.items() if self._wants(asset)}

    def offer(self, asset: str, frame: Frame) -> None:
        """Put a frame, replacing an older one of the same asset, and wake the writer. Never blocks.

        With the newest one of each wanted asset the client has all there is, and nothing older is fetched.
        """
        self._fetched = max(self._fetched, frame.number)
        self._put(asset, frame)
        if self._frames:
            self._filled.set()

    def wake(self) -> int:
        """Give the writer its turn; gives the number of messages that it may send."""
        self._fetch()
        if self._frames or self._replies:
            self._filled.set()
        self._turn.set()
        return min(ROW, self.unsent())

    async def turn(self) -> None:
        """Wait for a turn, to send more messages in a row."""
        self._turn.clear()
        self._broadcasts.waking.wake_again(self)
        await self._turn.wait()

    def end(self) -> None:
        """Fetch nothing more."""
        self._fetched = maxsize

    def _fetch(self) -> None:
        """Fetch the frames that were broadcast since the last time."""
        if self._fetched < self._broadcasts.number:
            for asset, frame in self._broadcasts.since(self._fetched).items():
                self._put(asset, frame)
            self._fetched = self._broadcasts.number

    def _put(self, asset: str, frame: Frame) -> None:
        if self._wants(asset):
            if asset in self._frames:
                self.traffic.conflated += 1
            self._frames[asset] = frame

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
            self._fetch()
            if self._frames:
                asset = next(iter(self._frames))
                return self._text(asset, self._frames.pop(asset))
            await self.filled()

    def _text(self, asset: str, frame: Frame) -> str:
        """A frame as this client gets it."""
        if self._sent is None:
            return frame.text
        base, self._sent[asset] = self._sent.get(asset), frame.message["seq"]
        return frame.since(base)

    def take_frames(self) -> dict[str, Frame]:
        """Remove and return all waiting frames by asset, for a writer that sends many at once."""
        self._fetch()
        frames, self._frames = self._frames, {}
        return frames

    def unsent(self) -> int:
        """Number of unsent messages."""
        return len(self._frames) + len(self._replies)

    async def filled(self) -> None:
        """Wait until there is an unsent message."""
        self._fetch()
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
        self._broadcasts = Broadcasts()
        self._is_again = False
        """True if something was broadcast while the clients were woken for what came before."""

    def __len__(self) -> int:
        return len(self._mailboxes)

    def join(self, stream: str = "state", keeps: Callable[[int], None] | None = None, whose: str = "") -> Mailbox:
        """Add a new client of a caller, counted for this stream, and return its mailbox, which tells what it keeps."""
        mailbox = Mailbox(self.metrics.traffic(stream), keeps, self._broadcasts, whose)
        mailbox.traffic.clients += 1
        self._mailboxes.add(mailbox)
        return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """Remove a client that has disconnected."""
        if mailbox in self._mailboxes:
            self._mailboxes.remove(mailbox)
            self._broadcasts.waking.forget(mailbox)
            mailbox.traffic.clients -= 1
            mailbox.traffic.dropped += mailbox.unsent()
            mailbox.end()

    def broadcast(self, asset: str, frame: Frame) -> None:
        """Pass a frame on to all clients. Never blocks."""
        self.broadcast_all({asset: frame})

    def broadcast_all(self, frames: Mapping[str, Frame]) -> None:
        """Pass a frame of each of these assets on to all clients. Never blocks."""
        for asset, frame in frames.items():
            self._broadcasts.add(asset, frame)
            if self.metrics.awaited:
                self.metrics.published(asset, frame.message["config_version"])
        waking = self._broadcasts.waking
        if not waking.is_waking:
            waking.wake(self._mailboxes)
        elif not self._is_again:
            # Some have had their turn already. They get another one after the others, however much comes until then.
            self._is_again = True
            waking.when_awake(self._wake_again)

    def _wake_again(self) -> None:
        self._is_again = False
        self._broadcasts.waking.wake(self._mailboxes)

    def when_taken(self, then: Callable[[], None]) -> None:
        """Call a function once all waiting writers have taken the broadcast frames; never within this call.

        A state that is broadcast earlier may replace one that a client was ready to take.
        """
        self._broadcasts.waking.when_awake(then)


def _do_nothing(_size: int) -> None:
    """Nobody counts what is kept."""
