"""Queries of recorded decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from vivienne.market.types import ASSET_NAME
from vivienne.times import iso
from vivienne.wire.explanation import Level, Side  # noqa: TC001  # pydantic reads the annotations

if TYPE_CHECKING:
    from typing import Self

ENTRIES: tuple[Level, ...] = ("loaded", "aim", "bang")
"""The raw levels of an entry, held back or not."""
PER_PAGE = 100
"""Number of decisions on a page, where a query names none."""


class Place(NamedTuple):
    """A place in the order of decisions: newest first, and those of one time by the name of the asset.

    Attributes:
        time: open time of the bar, ms since the epoch.
        asset: of the decision that is there; empty behind all of this time.
    """

    time: int
    asset: str = ""

    @property
    def order(self) -> tuple[int, bool, str]:
        """What places are sorted by."""
        return -self.time, not self.asset, self.asset

    def written(self) -> str:
        """The place as clients get it, and send it back."""
        return f"{iso(self.time)},{self.asset}" if self.asset else iso(self.time)

    @classmethod
    def read(cls, text: str) -> Self:
        """The place that a client sends.

        Raises:
            ValueError: it is not one; the message says what would be right.
        """
        moment, _, asset = text.partition(",")
        if asset and not ASSET_NAME.fullmatch(asset):
            raise ValueError(_NO_PLACE)
        try:
            return cls(milliseconds(datetime.fromisoformat(moment)), asset)
        except (ValueError, OverflowError):
            raise ValueError(_NO_PLACE) from None


_LAST = 253_402_300_799_999
"""The last millisecond of the year 9999: later ones cannot be written."""
_NO_PLACE = "It should be the `next` of a page, or a time such as 2026-01-06T14:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionQuery:
    """The decisions that are asked for. Those that meet every condition that is given.

    Attributes:
        assets: of these assets; empty for all.
        begin, end: of bars that open at or after the one and before the other, ms since the epoch.
        levels: the clarity level is one of these; empty for any.
        raw_levels: the level that the confidence alone gives is one of these; empty for any.
        sides: the side is one of these; empty for any.
        blocked_by: one of these filters blocked the entry; empty for any, and for none.
        held: whether a filter held back an entry; False only of decisions in effect; None for all.
        version: the version of the configuration; None for any.
        before: only decisions behind this place, that is, older ones; None from the newest on.
        limit: largest number of decisions; None for all.
    """

    assets: tuple[str, ...] = ()
    begin: int | None = None
    end: int | None = None
    levels: tuple[Level, ...] = ()
    raw_levels: tuple[Level, ...] = ()
    sides: tuple[Side, ...] = ()
    blocked_by: tuple[str, ...] = ()
    held: bool | None = None
    version: int | None = None
    before: Place | None = None
    limit: int | None = None


def entries_only(query: DecisionQuery) -> DecisionQuery:
    """The query for entries only, held back or not, unless it names a level."""
    return query if query.levels or query.raw_levels else replace(query, raw_levels=ENTRIES)


def milliseconds(moment: datetime) -> int:
    """A moment in ms since the epoch, rounded up; without a zone it is in UTC.

    Raises:
        OverflowError: in UTC it is before the year 1 or after 9999.
    """
    since = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    rounded = -(-((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) // 1_000)
    return min(rounded, _LAST)
