"""The unsent messages of one client.

They are written to the outlet of the client when it has its turn. A client without one has a writer that takes them.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from sys import intern, maxsize
from typing import TYPE_CHECKING, Protocol

from vivienne.metrics.registry import Traffic
from vivienne.stream.broadcasts import Broadcasts
from vivienne.stream.framing import framed
from vivienne.stream.waking import ROW
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from vivienne.stream.frame import Frame
    from vivienne.stream.subscription import Row

MOST_REPLIES = 64
"""Number of unread replies at which no further message of the client is read."""
MOST_REPLY_BYTES = 64 * 1024
"""The same in bytes."""


class Outlet(Protocol):
    """Where the messages of a client go without a writer.

    Attributes:
        is_free: False while nothing may be written. Once something may, the outlet lets the mailbox go on.
        inflates: whether the client takes compressed messages.
        write: takes messages as the bytes of a WebSocket. What cannot be sent at once is kept there, and the outlet is
            not free.
    """

    is_free: bool
    inflates: bool
    write: Callable[[bytes], None]


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
        waits: see `vivienne.stream.waking.Sleeper`.
    """

    __slots__ = (
        "_broadcasts", "_fetched", "_filled", "_frames", "_keeps", "_kept", "_outlet", "_replies", "_room", "_sent",
        "_subscription", "_taken", "_turn", "_wants", "traffic", "waits", "whose",
    )  # fmt: skip

    def __init__(
        self,
        traffic: Traffic | None = None,
        keeps: Callable[[int], None] | None = None,
        broadcasts: Broadcasts | None = None,
        whose: str = "",
    ) -> None:
        self.traffic = traffic or Traffic()
        self.whose = whose
        self.waits = False
        self._broadcasts = broadcasts or Broadcasts()
        self._fetched = self._broadcasts.number
        """The newest frame that was fetched, or offered with all that are wanted."""
        self._keeps = keeps or _do_nothing
        self._frames: dict[str, Frame] = {}
        self._replies: list[bytes] = []
        self._kept = self._taken = 0
        """Bytes of the replies that are not sent, and of them the one that was taken."""
        self._subscription = self._broadcasts.subscriptions.of(None)
        self._wants = self._subscription.wants
        self._sent: dict[str, int] | None = None
        """By asset, the `seq` of the state that was taken last; None for a client that gets whole states."""
        self._outlet: Outlet | None = None
        # There only while somebody waits: thousands of clients do not.
        self._filled: asyncio.Event | None = None
        self._turn: asyncio.Event | None = None
        self._room: asyncio.Event | None = None

    def watch(self, assets: Iterable[str] | None, *, changes: bool = False) -> None:
        """Narrow the mailbox to frames of these assets; None for all assets.

        With `changes`, what it gives of each is the whole state first, and then what changed since the one before.
        """
        if self._has_left:
            return
        self._follow(changes=changes)
        self._subscribe(None if assets is None else frozenset(map(intern, assets)))  # thousands may name the same ones
        self._frames = {asset: frame for asset, frame in self._frames.items() if self._wants(asset)}

    def _follow(self, *, changes: bool) -> None:
        self._broadcasts.following += changes - (self._sent is not None)
        self._sent = {} if changes else None

    def _subscribe(self, assets: frozenset[str] | None) -> None:
        deflated = self._outlet is not None and self._outlet.inflates
        of = self._broadcasts.subscriptions.of
        self._subscription = of(assets, changes=self._sent is not None, deflated=deflated)
        self._wants = self._subscription.wants

    @property
    def _has_left(self) -> bool:
        """True once nothing more is sent; what the client has said is answered still."""
        return self._fetched == maxsize

    # What comes in

    def offer(self, asset: str, frame: Frame) -> None:
        """Put a frame, replacing an older one of the same asset. Never blocks.

        With the newest one of each wanted asset the client has all there is, and nothing older is fetched.
        """
        if self._has_left:
            return
        self._fetched = max(self._fetched, frame.number)
        self._put(asset, frame)
        if self._frames:
            self._tell()

    async def reply(self, message: Mapping[str, Any]) -> None:
        """Put a reply. Waits while too much is unread, so that no further message of this client is read."""
        while self._room is not None:
            await self._room.wait()
        if self._has_left:
            self.traffic.dropped += 1
            return
        self._replies.append(encode(message).encode())  # as bytes: in memory a text may have four times as many
        self._kept += len(self._replies[-1])
        if self._outlet is not None and self._outlet.is_free:
            # Not in turn: who waits for an answer has asked for one, and was charged.
            self._write(self._outlet, *self._framed_replies())
            return
        if len(self._replies) >= MOST_REPLIES or self._kept >= MOST_REPLY_BYTES:
            self._room = asyncio.Event()
        self._keeps(self._kept)
        self._tell()

    def _tell(self) -> None:
        """Let somebody see to it that it is sent."""
        if self._outlet is not None:
            self.go_on()
        elif self._filled is not None:
            self._filled.set()

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

    # What goes to an outlet

    def goes_to(self, outlet: Outlet) -> None:
        """Write to an outlet from now on, in place of a writer that takes."""
        self._outlet = outlet
        self._subscribe(self._subscription.assets)
        self.go_on()

    def go_on(self) -> None:
        """Have a turn, because there is something to write, or the outlet is free again."""
        self._broadcasts.waking.wake_again(self)

    def wake(self) -> int:
        """Write a row, or give the writer its turn; gives the number of messages that are sent, or may be."""
        outlet = self._outlet
        if outlet is None:
            return self._wake_writer()
        if not outlet.is_free:
            self._fetch()  # what the client misses is counted
            return 0
        if self._frames or self._replies:
            return self._write_own(outlet)
        # As most clients: all who have the same subscription, and got as much, get the same.
        subscription, after = self._subscription, self._fetched
        row = subscription.row if subscription.row_after == after else self._broadcasts.make_row(subscription, after)
        if row is None or not self._goes_on_with(row):
            return self._write_own(outlet)
        self._fetched = self._broadcasts.number
        if count := row.messages:
            outlet.write(row.data)
            self.traffic.sent += count
        return count

    def _goes_on_with(self, row: Row) -> bool:
        """Take a row, if its changes start from the states that this client has."""
        if self._sent is None:
            return True
        if not row.bases.items() <= self._sent.items():
            return False
        self._sent.update(row.seqs)
        return True

    def _write_own(self, outlet: Outlet) -> int:
        self._fetch()
        row, replies = self._framed_replies()
        frames = list(islice(self._frames, max(0, ROW - replies)))
        row.extend(self._framed(asset, self._frames.pop(asset)) for asset in frames)
        if row:
            self._write(outlet, row, len(row))
        if self._frames:
            self.go_on()
        return len(row)

    def _write(self, outlet: Outlet, row: list[bytes], count: int) -> None:
        self.traffic.sent += count
        outlet.write(b"".join(row))

    def _framed_replies(self) -> tuple[list[bytes], int]:
        """All replies, which are few, and their number."""
        row = [framed(reply) for reply in self._replies]
        if row:
            self._replies.clear()
            self._kept = 0
            self._make_room()
        return row, len(row)

    def _framed(self, asset: str, frame: Frame) -> bytes:
        """A frame as this client gets it, as bytes."""
        return frame.framed(self._base_of(asset, frame), deflated=self._subscription.deflated)

    def _base_of(self, asset: str, frame: Frame) -> int | None:
        """The state from which a frame is a change for this client, which has the frame after it; None for none."""
        if self._sent is None:
            return None
        base, self._sent[asset] = self._sent.get(asset), frame.message["seq"]
        return base

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None
        self._keeps(self._kept)

    # What a writer takes

    def _wake_writer(self) -> int:
        self._fetch()
        if (self._frames or self._replies) and self._filled is not None:
            self._filled.set()
        if self._turn is not None:
            self._turn.set()
            self._turn = None
        return min(ROW, self.unsent())

    async def turn(self) -> None:
        """Wait for a turn, to send more messages in a row."""
        turn = self._turn = asyncio.Event()
        self.go_on()
        await turn.wait()

    async def filled(self) -> None:
        """Wait until there is an unsent message."""
        self._fetch()
        while not self._frames and not self._replies:
            self._filled = asyncio.Event()
            await self._filled.wait()
        self._filled = None

    async def take(self) -> str:
        """Wait for the next text to send and return it; the one before is sent. Replies come first."""
        if self._taken:
            self._kept -= self._taken
            self._taken = 0
            if self._kept < MOST_REPLY_BYTES:
                self._make_room()
            else:
                self._keeps(self._kept)
        while True:
            if self._replies:
                reply = self._replies.pop(0)
                self._taken = len(reply)
                return reply.decode()
            self._fetch()
            if self._frames:
                asset = next(iter(self._frames))
                frame = self._frames.pop(asset)
                return frame.since(self._base_of(asset, frame))
            await self.filled()

    def take_frames(self) -> dict[str, Frame]:
        """Remove and return all waiting frames by asset, for a writer that sends many at once."""
        self._fetch()
        frames, self._frames = self._frames, {}
        return frames

    def unsent(self) -> int:
        """Number of unsent messages."""
        return len(self._frames) + len(self._replies)

    # Its end

    def end(self) -> None:
        """Fetch and write nothing more, and let nothing wait for a client that has left."""
        self._fetched = maxsize
        self._outlet = None
        self._follow(changes=False)
        self._frames.clear()
        self._replies.clear()
        self._make_room()


def _do_nothing(_size: int) -> None:
    """Nobody counts what is kept."""
