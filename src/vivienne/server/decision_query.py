"""The query parameters of recorded decisions, as a query of the record."""

from __future__ import annotations

from collections.abc import Sequence  # FastAPI reads the annotations
from datetime import datetime
from typing import Annotated, Literal, NoReturn

from fastapi import Query
from fastapi.exceptions import RequestValidationError

from vivienne.agent.filters import FILTERS
from vivienne.record.reading.exporting import can_write_parquet
from vivienne.record.reading.query import PER_PAGE, DecisionQuery, Place, milliseconds
from vivienne.wire.explanation import Level, Side
from vivienne.wire.numbers import HIGHEST

MOST_PER_PAGE = 1_000
Format = Literal["json", "csv", "ndjson", "parquet"]
FORMAT = "format"
_FILTERS = [each.name for each in FILTERS]

Moment = datetime | None
From = Annotated[
    Moment, Query(alias="from", description="Only bars that open at this time or later, ISO 8601; UTC without a zone.")
]
To = Annotated[Moment, Query(description="Only bars that open before this time.")]
Levels = Annotated[
    Sequence[Level], Query(alias="level", description="Only this clarity level; may be given several times.")
]
RawLevels = Annotated[
    Sequence[Level],
    Query(alias="raw_level", description="Only this level of the confidence alone; may be given several times."),
]
Sides = Annotated[Sequence[Side], Query(alias="side", description="Only this side; may be given several times.")]
BlockedBy = Annotated[
    Sequence[str],
    Query(
        description="Only entries that this filter blocks; may be given several times.",
        json_schema_extra={"items": {"type": "string", "enum": _FILTERS}},
    ),
]
Held = Annotated[bool | None, Query(description="Only entries that a filter holds back, or only others in effect.")]
Version = Annotated[int | None, Query(ge=0, le=HIGHEST, description="Only this version of the configuration.")]
Before = Annotated[
    str | None, Query(max_length=80, description="Only decisions after this place: `next` of a page, or a time.")
]
Limit = Annotated[
    int | None,
    Query(ge=1, le=HIGHEST, description=f"Largest number of decisions; on a page {PER_PAGE}, at most {MOST_PER_PAGE}."),
]
As = Annotated[Format, Query(alias=FORMAT, description="A page; or all decisions with all columns, oldest first.")]
Assets = Annotated[
    Sequence[str], Query(alias="asset", description="Only this asset, in any case; may be given several times.")
]
ONCE, SEVERAL = (
    ("from", "to", "held", "version", "before", "limit", FORMAT),
    ("level", "raw_level", "side", "blocked_by"),
)
"""Names of the parameters that are given once, and of those that may be given several times."""


def decision_query(
    begin: From = None,
    to: To = None,
    levels: Levels = (),
    raw_levels: RawLevels = (),
    sides: Sides = (),
    blocked_by: BlockedBy = (),
    held: Held = None,
    version: Version = None,
    before: Before = None,
    limit: Limit = None,
    form: As = "json",
) -> DecisionQuery:
    """The query that the parameters ask for, of all assets.

    Raises:
        RequestValidationError: a parameter is not valid.
    """
    for name in blocked_by:
        if name not in _FILTERS:
            _refuse("blocked_by", f"{name!r} is not a filter; there are {', '.join(_FILTERS)}")
    if form == "json" and (limit or 0) > MOST_PER_PAGE:
        _refuse("limit", f"A page has at most {MOST_PER_PAGE:,} decisions; ask for several, or for format=csv")
    if form != "json" and before is not None:
        _refuse("before", "It is of pages; a file begins at `from`, and has the oldest decisions first")
    if form == "parquet" and not can_write_parquet():
        _refuse("format", "To write Parquet, install the library for it on the server: pip install 'vivienne[parquet]'")
    return DecisionQuery(
        begin=moment_of("from", begin),
        end=moment_of("to", to),
        levels=tuple(levels),
        raw_levels=tuple(raw_levels),
        sides=tuple(sides),
        blocked_by=tuple(blocked_by),
        held=held,
        version=version,
        before=_place(before),
        limit=PER_PAGE if limit is None and form == "json" else limit,
    )


def bar_time(text: str, name: str = "time") -> int:
    """A time in an address, in ms since the epoch.

    Raises:
        RequestValidationError: it is none.
    """
    place = _place(text, name)
    return 0 if place is None else place.time


def moment_of(name: str, moment: datetime | None) -> int | None:
    """A moment in the query, in ms since the epoch."""
    try:
        return None if moment is None else milliseconds(moment)
    except OverflowError:
        _refuse(name, "It is before the year 1 or after 9999 in UTC")


def _place(text: str | None, name: str = "before") -> Place | None:
    if text is None:
        return None
    try:
        return Place.read(text)
    except ValueError as error:
        _refuse(name, str(error))


def _refuse(name: str, reason: str) -> NoReturn:
    """Refuse a parameter, as FastAPI does."""
    raise RequestValidationError([{"loc": ("query", name), "msg": reason, "type": "value_error"}])
