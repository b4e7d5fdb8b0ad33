"""Compares closed minutes with the exchange's own candles, once it has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vivienne.market.types import Candle

if TYPE_CHECKING:
    from collections.abc import Collection

_SAME = 1e-9
"""Relative difference up to which sums of the same trades in another order may differ."""
_SAME_WORTH = 1e-6
"""The same for quote volumes, which exchanges round."""


def differing(one: Candle, other: Candle, *, tick_size: float = 0.0, unknown: Collection[str] = ()) -> list[str]:
    """The columns that both candles of a minute know and in which they differ, by more than rounding.

    Args:
        one: a candle.
        other: another one.
        tick_size: of the instrument; exchanges that give a mean price round it to that.
        unknown: columns that are not compared.
    """
    found = []
    for name, mine, theirs in zip(Candle._fields, one, other, strict=True):
        is_worth = name == "quote_volume"
        within = max(_SAME, tick_size * one.volume) if is_worth else _SAME
        is_same = math.isclose(mine, theirs, rel_tol=_SAME_WORTH if is_worth else _SAME, abs_tol=within)
        if not (is_same or math.isnan(mine) or math.isnan(theirs) or name in unknown):
            found.append(name)
    return found
