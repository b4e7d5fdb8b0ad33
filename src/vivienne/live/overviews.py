"""Lists of all assets with their last closes: made a little at a time, and once for all who wait for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from vivienne.changes.shared_answers import SharedAnswers
from vivienne.slices import slices_of_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from vivienne.slices import Pieces

MOST_CLOSES = 100_000
"""Closes of all assets together in one list, which is a megabyte; of many assets the list has fewer of each."""
_LEAST_CLOSES = 48
"""Closes of each asset that a list may have in any case."""


def closes_of_each(asked: int, assets: int) -> int:
    """The number of closes of each asset in a list, if so many are asked for."""
    return min(asked, max(_LEAST_CLOSES, MOST_CLOSES // max(1, assets)))


class Overviews:
    """Lists, in turn; see `SharedAnswers`.

    Args:
        turn: waits for the turn of a caller, and holds it.
        make: makes a list with so many closes of each asset, for a caller.
        assets: number of assets.
    """

    def __init__(
        self,
        turn: Callable[[str], AbstractAsyncContextManager[None]],
        make: Callable[[int, str], Coroutine[Any, Any, bytes]],
        assets: int,
    ) -> None:
        self._lists = SharedAnswers[int](turn)
        self._make = make
        self._assets = assets

    async def one(self, closes: int, whose: str) -> bytes:
        """A list as JSON: `AssetList`.

        Args:
            closes: of each asset, at most; see `closes_of_each`.
            whose: key of the caller; the callers take turns.

        Raises:
            TooManyRequests: the caller waits for too many already.
        """
        closes = closes_of_each(closes, self._assets)
        return await self._lists.one(closes, whose, lambda: self._make(closes, whose))


async def encoded(feed: str, timeframe: str, assets: Pieces[list[bytes]]) -> bytes:
    """A list as JSON.

    Args:
        feed: name of the feed.
        timeframe: of the bars.
        assets: encodes each asset, one at a time.
    """
    # A list that nobody waits for any longer is not made to its end.
    entries = [orjson.Fragment(each) for each in await slices_of_loop(gives_way=True).done(assets)]
    return orjson.dumps({"feed": feed, "timeframe": timeframe, "assets": entries})
