"""Passes what a stream has on to those who follow its instruments."""

from __future__ import annotations

import logging
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
        self._by_symbol: defaultdict[str, list[Following]] = defaultdict(list)
        for each in followings:  # two assets may be of one market
            self._by_symbol[each.instrument.stream_symbol].append(each)
        self._look = look

    def _all(self) -> Iterator[Following]:
        return chain.from_iterable(self._by_symbol.values())

    def _of(self, symbol: str | None) -> Iterator[Following]:
        """Those whose instrument it is; None for all."""
        return self._all() if symbol is None else iter(self._by_symbol.get(symbol, ()))

    def take(self, event: StreamEvent) -> None:
        """See `Listener`."""
        for each in self._of(getattr(event, "symbol", None)):
            each.take(event)

    def interrupted(self, reason: str) -> None:
        """See `Listener`."""
        _breaks.log("%s", reason)
        if not any(each.is_up for each in self._all()):  # another try failed: it may be more than a break
            self._look()
        for each in self._all():
            each.interrupted(reason)

    def refused(self, symbol: str | None, reason: str) -> None:
        """See `Listener`."""
        _refusals.log("%s%s", "" if symbol is None else f"{symbol}: ", reason)
        for each in self._of(symbol):
            if symbol is None:
                each.interrupted(reason)
                each.say("refusal", reason)
            else:
                each.say("subscription", reason)
        self._look()

    def served(self, symbol: str) -> None:
        """See `Listener`."""
        for each in self._of(symbol):
            each.say("subscription", None)
            each.resumed()
            if each.trouble is not None:  # it may be over, as there is data
                self._look()

    def lost(self, symbol: str, reason: str) -> None:
        """See `Listener`."""
        for each in self._of(symbol):
            each.interrupted(reason)

    def outage(self, reason: str | None) -> None:
        """See `Listener`."""
        for each in self._all():
            each.announced(reason)
        if reason is not None:
            self._look()
