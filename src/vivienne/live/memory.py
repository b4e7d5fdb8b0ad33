"""What earlier processes knew of the market, and decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.live.made import Made
    from vivienne.market.types import Bars
    from vivienne.market.window import SourceArray


class Recalled(NamedTuple):
    """What an earlier process knew of an asset.

    Attributes:
        bars: closed bars that follow each other, oldest first; at least one.
        sources: where they came from.
        made: the decisions on them that are on a chart, oldest first.
    """

    bars: Bars
    sources: SourceArray
    made: Sequence[Made]


class Memory(Protocol):
    """Knows what earlier processes decided."""

    def recall(self, asset: str, most: int) -> Recalled | None:
        """The newest bars of an asset, at most so many, and the decisions on them; None if nothing is known."""
