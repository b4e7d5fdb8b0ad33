"""What one who follows an instrument asks of the feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vivienne.market.feeds.base import History
    from vivienne.market.feeds.exchange.following import Following
    from vivienne.market.feeds.exchange.splicing import Splice


@dataclass(frozen=True, slots=True)
class Surroundings:
    """See above.

    Attributes:
        begin_again: reads the history again up to a latest time, however long it takes, and says why it is not there
            yet; with the splice that goes on from there.
        compare: it is time to compare minutes.
        doubt: the stream lacks trades, for a reason: subscribe on another connection.
        latest: the latest time that data may have now, in ms since the epoch, by the time that the exchange said.
    """

    begin_again: Callable[[Callable[[str, bool], None], Callable[[], float]], Awaitable[tuple[History, Splice]]]
    compare: Callable[[Following], None]
    doubt: Callable[[str], None]
    latest: Callable[[], float]
