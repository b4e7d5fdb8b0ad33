"""Passes what a stream has on to those who follow its instruments."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vivienne.market.feeds.exchange.adapter import StreamEvent
    from vivienne.market.feeds.exchange.following import Following

_log = logging.getLogger(__name__)
_breaks = Quota(_log, logging.INFO)
_refusals = Quota(_log, logging.WARNING)


class Group:
    """See `vivienne.market.feeds.exchange.listener.Listener`.

    Args:
        followings: those who follow an instrument of the stream.
        look: what the exchange serves may have changed.
    """

    def __init__(self, followings: Sequence[Following], look: Callable[[], None]) -> None:
        self._by_symbol = {each.instrument.stream_symbol: each for each in followings}
        self._look = look

    def take(self, event: StreamEvent) -> None:
        """See `Listener`."""
        symbol = getattr(event, "symbol", None)
        if symbol is None:
            for each in self._by_symbol.values():
                each.take(event)
        elif symbol in self._by_symbol:
            self._by_symbol[symbol].take(event)

    def interrupted(self, reason: str) -> None:
        """See `Listener`."""
        _breaks.log("%s", reason)
        if not any(each.is_up for each in self._by_symbol.values()):  # another try failed: it may be more than a break
            self._look()
        for each in self._by_symbol.values():
            each.interrupted(reason)

    def refused(self, symbol: str | None, reason: str) -> None:
        """See `Listener`."""
        _refusals.log("%s%s", "" if symbol is None else f"{symbol}: ", reason)
        if symbol is None:
            for each in self._by_symbol.values():
                each.interrupted(reason)
                each.say("refusal", reason)
        elif symbol in self._by_symbol:
            self._by_symbol[symbol].say("subscription", reason)
        self._look()

    def served(self, symbol: str) -> None:
        """See `Listener`."""
        following = self._by_symbol[symbol]
        following.say("subscription", None)
        following.resumed()
        if following.trouble is not None:  # it may be over, as there is data
            self._look()

    def lost(self, symbol: str, reason: str) -> None:
        """See `Listener`."""
        self._by_symbol[symbol].interrupted(reason)

    def outage(self, reason: str | None) -> None:
        """See `Listener`."""
        for each in self._by_symbol.values():
            each.say("outage", reason)
        if reason is not None:
            self._look()
