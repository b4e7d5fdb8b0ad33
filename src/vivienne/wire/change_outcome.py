"""What came of a change for all assets that it decided, on the wire."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.comparison import ScoreComparison

LeftOut = Literal["nothing_before", "later", "no_position"]


class ChangedAsset(TypedDict):
    """The bars of one asset that a version decided, and the version before it there.

    `begins` and `ends` are the open times of the first and the last bar, and `bars` is their number. `left_out` is the
    reason for which the asset is not compared: `nothing_before`, no version before is recorded; `later`, its bars begin
    more than eight bars after the first, or it has none where the comparison begins; `no_position`, neither version may
    have a position, or no bar has an ATR. Null if it is compared.
    """

    asset: str
    before: int | None
    begins: str
    ends: str
    bars: int
    left_out: LeftOut | None


class ChangeOutcome(TypedDict):
    """What came of a version for all assets that it decided, as one equity, beside the versions before it.

    The score of a time is the sum of the scores of all assets at that time, so `comparison` is that of the equity they
    share. It is null if no asset can be compared. `assets` is empty if the version decided no bar that is recorded.
    """

    version: int
    timeframe: str
    assets: list[ChangedAsset]
    comparison: ScoreComparison | None
