"""Where the comparison of several assets begins.

A change is in force for an asset from its next bar on. That is the same bar for all of them, unless the change came
between the closes of two assets, or one of them had no data. The bound of their sum must be known before the first
difference, so those that are compared begin together, with the last of those that begin soon after the first. Nothing
that was said before is taken back by that: in so few bars no verdict is possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TOGETHER_BARS = 8
"""Number of bars after the first begin within which others begin with it.

The bets of `confidence` do not reach their goal on so few bars, whatever the differences are.
"""


def common_begin(begins: Iterable[int], length_ms: int) -> int | None:
    """The open time of the bar from which on several assets are compared; None without any.

    Args:
        begins: of each asset, the open time of its first bar.
        length_ms: length of a bar.
    """
    known = [*begins]
    if not known:
        return None
    return max(each for each in known if each <= min(known) + TOGETHER_BARS * length_ms)
