"""How one instrument stands with its exchange: whether there is data, since when not, and why."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.market.feeds.base import Contact
from vivienne.market.feeds.exchange.troubles import Troubles

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.market.feeds.exchange.troubles import TroubleKind

_TRADED_SECONDS = 60.0
"""An outage that is announced is not of a market that was traded within so long: it may be of another kind."""


class Standing:
    """See above.

    Args:
        late: seconds since the connection broke off before that is a trouble.
        changed: is called when the contact or the trouble may have changed.

    Attributes:
        is_up: whether the stream has data of it.
        has_caught_up: whether nothing is missing besides.
        breaks: how often the stream broke off, tries included.
    """

    def __init__(self, late: float, changed: Callable[[], None]) -> None:
        self._late_after = late
        self._changed = changed
        self._troubles = Troubles()
        self._broke: str | None = None
        self._remark: str | None = None
        self._outage: str | None = None
        """What the exchange announces."""
        self._traded_at = -_TRADED_SECONDS
        self._late: asyncio.TimerHandle | None = None
        self.is_up = self.has_caught_up = False
        self.breaks = 0

    @property
    def trouble(self) -> str | None:
        """Why there is no data to rely on; None while there is."""
        return self._troubles.reason

    def contact(self, delay: float | None) -> Contact:
        """How it stands with the exchange at this moment.

        Args:
            delay: seconds by which the newest message came later than the quickest.
        """
        if self._troubles.is_blocked:
            return Contact("blocked", self.trouble)
        if not self.is_up:
            return Contact("connecting" if self.breaks == 0 else "reconnecting", self._broke)
        return Contact("connected" if self.has_caught_up else "catching_up", self.trouble or self._remark, delay)

    def say(self, kind: TroubleKind, reason: str | None) -> None:
        """Why there is no data, as far as a part knows; None once it is good."""
        if self._troubles.say(kind, reason):
            self._changed()

    def remark(self, reason: str | None) -> None:
        """What does not work though data goes on; None once it does."""
        if reason != self._remark:
            self._remark = reason
            self._changed()

    def announced(self, outage: str | None) -> None:
        """The exchange announces an outage; None once it does not. Where trades go on it is only a remark."""
        self._outage = outage
        if outage is not None and self.is_up and monotonic() - self._traded_at < _TRADED_SECONDS:
            self.remark(f"{outage}, as it says; trades go on")
            outage = None
        self.say("outage", outage)

    def traded(self) -> None:
        """There is a new trade of it."""
        self._traded_at = monotonic()
        if self.of("outage") is not None:
            self.announced(self._outage)

    def of(self, kind: TroubleKind) -> str | None:
        """The reason of one kind."""
        return self._troubles.of(kind)

    def interrupted(self, reason: str) -> None:
        """The stream broke off, or could not be opened again. That is a trouble only where it lasts."""
        self.is_up = self.has_caught_up = False
        self.breaks += 1
        self._broke = reason
        self.announced(self._outage)
        self._changed()
        if self._late is None:
            self._late = asyncio.get_running_loop().call_later(self._late_after, self._say_broken)
        elif self.of("stream") is not None:
            self._say_broken()

    def _say_broken(self) -> None:
        self.say("stream", self._broke)

    def resumed(self) -> None:
        """The stream is there again."""
        self.is_up = True
        self.end()
        self.say("stream", None)
        self.say("refusal", None)
        self._changed()

    def caught_up(self) -> None:
        """Nothing is missing any longer."""
        if not self.has_caught_up:
            self.has_caught_up = True
            self._changed()

    def end(self) -> None:
        """A break that lasts is not said any longer."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
