"""Messages that a client has not been sent yet. A slow client loses its oldest ones and is told how many."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from vivienne.stream.waking import ROW
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.metrics.registry import Traffic
    from vivienne.stream.waking import Waking

MOST_UNREAD = 1_000
"""Number of unread messages of a client beyond which its oldest are dropped."""
MOST_UNREAD_CHARACTERS = 4 * 1024 * 1024
"""Length of all of them, beyond which the same is done; but for the newest, which may be longer alone."""


class Shared:
    """A message for many clients. It is encoded once, for all of them."""

    __slots__ = ("_text", "message")

    def __init__(self, message: Mapping[str, Any]) -> None:
        self.message = message
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The message as JSON."""
        if self._text is None:
            self._text = encode(self.message)
        return self._text


class Unread:
    """The unsent messages of one client; the oldest are dropped if it is too slow.

    Args:
        traffic: see below.
        waking: has the turns of all clients.
        whose: see below.

    Attributes:
        traffic: counts the messages.
        whose: the caller who gets them.
        waits: see `vivienne.stream.waking.Sleeper`.
    """

    def __init__(self, traffic: Traffic, waking: Waking, whose: str) -> None:
        self.traffic = traffic
        self.whose = whose
        self.waits = False
        self._waking = waking
        self._turn = asyncio.Event()
        self._unread: deque[Shared] = deque()
        self._characters = 0
        self._dropped = 0
        self._filled = asyncio.Event()

    def put(self, message: Shared) -> bool:
        """Add a message; True if the writer waits and must be woken."""
        self._unread.append(message)
        self._characters += len(message.text)
        while len(self._unread) > MOST_UNREAD or (self._characters > MOST_UNREAD_CHARACTERS and len(self._unread) > 1):
            self._take_first()
            self._dropped += 1
            self.traffic.dropped += 1
        return not self._filled.is_set()

    def wake(self) -> int:
        """Give the writer its turn; gives the number of messages that it may send."""
        self._filled.set()
        self._turn.set()
        return min(ROW, len(self._unread))

    async def turn(self) -> None:
        """Wait for a turn, to send more messages in a row."""
        self._turn.clear()
        self._waking.wake_again(self)
        await self._turn.wait()

    def unsent(self) -> int:
        """Number of unsent messages."""
        return len(self._unread)

    async def take(self) -> str:
        """Wait for the next message and return it as JSON. After a loss, ``dropped`` is the number of lost ones."""
        while not self._unread:
            self._filled.clear()
            await self._filled.wait()
        message = self._take_first()
        if not self._dropped:
            return message.text
        dropped, self._dropped = self._dropped, 0
        return encode({**message.message, "dropped": dropped})

    def _take_first(self) -> Shared:
        message = self._unread.popleft()
        self._characters -= len(message.text)
        return message
