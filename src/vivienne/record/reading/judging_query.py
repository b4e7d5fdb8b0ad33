"""Questions of what came of recorded decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vivienne.record.judging.curves import MOST_POINTS
from vivienne.wire.setups import HeatUnit  # noqa: TC001  # pydantic reads the annotation

About = Literal["versions", "version", "change", "account", "setups", "filters"]
"""The versions that decided an asset; what came of one; the same for all assets as one equity; the paper account;
setups; how much each filter blocked."""
MOST_BARS = 35_040
"""Largest number of bars of an asset that are judged at once, the newest ones: a year of 15 minutes."""
MOST_BARS_OF_ALL = 200_000
"""The same of all assets together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingQuery:
    """What is to be judged.

    Attributes:
        about: what is asked for.
        assets: of these assets; empty for all.
        version: for `version` and `change`: which.
        begin, end: bars that open at or after the one and before the other, ms since the epoch; not for versions.
        fee, slippage: costs of a trade, in basis points; for `version`, `change` and `account`.
        points: for `version` and `change`: largest number of points of the curves.
        unit: for `filters`: the length of the spans of time.
        before, limit: for `versions`: only versions below it, and at most so many.
    """

    about: About
    assets: tuple[str, ...] = ()
    version: int | None = None
    begin: int | None = None
    end: int | None = None
    fee: float = 0.0
    slippage: float = 0.0
    points: int = MOST_POINTS
    unit: HeatUnit = "day"
    before: int | None = None
    limit: int = 100
