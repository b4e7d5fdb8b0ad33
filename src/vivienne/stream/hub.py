"""Fan-out: the newest state of each asset to all clients, without any client delaying another.

A broadcast only notes the frame. Each client has a mailbox that fetches what is new when it has its turn
(`vivienne.stream.waking`). Until it is sent, a newer frame replaces the older one of the same asset. A slow client
therefore costs one frame for each asset, gets the newest state when it reads again, and sees in `seq` how many states
it missed. A client that asked for changes gets what changed since the state that it was sent last; its mailbox
remembers the number of that state only.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vivienne.metrics.registry import Metrics
from vivienne.stream.broadcasts import Broadcasts
from vivienne.stream.frame import MOST_EARLIER
from vivienne.stream.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vivienne.stream.frame import Frame


class Hub:
    """The mailboxes of all clients.

    Args:
        metrics: counts clients and messages.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self.metrics.traffic("state")
        self._by_caller: dict[str, dict[Mailbox, None]] = {}
        self._count = 0
        self._broadcasts = Broadcasts()
        self._is_again = False
        """True if something was broadcast while the clients were woken for what came before."""

    def __len__(self) -> int:
        return self._count

    @property
    def most_earlier(self) -> int:
        """How many earlier states of an asset to keep, from which changes may start: none while nobody gets changes."""
        return MOST_EARLIER if self._broadcasts.following else 0

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Keep earlier states for somebody who makes changes of frames."""
        self._broadcasts.following += 1
        try:
            yield
        finally:
            self._broadcasts.following -= 1

    def join(self, stream: str = "state", keeps: Callable[[int], None] | None = None, whose: str = "") -> Mailbox:
        """Add a new client of a caller, counted for this stream, and return its mailbox, which tells what it keeps."""
        mailbox = Mailbox(self.metrics.traffic(stream), keeps, self._broadcasts, whose)
        mailbox.traffic.clients += 1
        self._by_caller.setdefault(whose, {})[mailbox] = None
        self._count += 1
        return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """Remove a client that has disconnected."""
        theirs = self._by_caller.get(mailbox.whose, {})
        if mailbox in theirs:
            del theirs[mailbox]
            if not theirs:
                del self._by_caller[mailbox.whose]
            self._count -= 1
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
            waking.wake_all(self._by_caller)
        elif not self._is_again:
            # Some have had their turn already. They get another one after the others, however much comes until then.
            self._is_again = True
            waking.when_awake(self._wake_again)

    def _wake_again(self) -> None:
        self._is_again = False
        if not self._broadcasts.waking.is_waking:  # otherwise a later broadcast has begun to wake everybody
            self._broadcasts.waking.wake_all(self._by_caller)

    def when_taken(self, then: Callable[[], None]) -> None:
        """Call a function once all waiting writers have taken the broadcast frames; never within this call.

        A state that is broadcast earlier may replace one that a client was ready to take.
        """
        self._broadcasts.waking.when_awake(then)
