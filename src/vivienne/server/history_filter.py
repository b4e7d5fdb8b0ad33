"""The query parameters of the history, as a filter of revisions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query

from vivienne.changes.looking_back import RevisionFilter
from vivienne.errors import Malformed
from vivienne.times import written

FILTERS = ("since", "until", "field", "author", "reason", "channel")
"""Names of the parameters."""
_LONGEST = 200

Moment = datetime | None
Since = Annotated[Moment, Query(description="Only changes from this moment on, ISO 8601; UTC if it names no zone.")]
Until = Annotated[Moment, Query(description="Only changes before this moment.")]
Field = Annotated[
    str | None,
    Query(
        max_length=_LONGEST,
        description="Only changes of this value: its path, its flat name, or the section that it is in.",
    ),
]
Author = Annotated[str | None, Query(max_length=_LONGEST, description="Only authors with this in their name.")]
Reason = Annotated[str | None, Query(max_length=_LONGEST, description="Only changes with this in their reason.")]
Channel = Annotated[
    Literal["rest", "websocket", "control", "redis", "import", "cli"] | None,
    Query(description="Only changes over this channel."),
]
Own = Annotated[
    bool, Query(description="Only changes of one layer itself: that of the asset, without one that of all assets.")
]


def history_filter(
    since: Since = None,
    until: Until = None,
    field: Field = None,
    author: Author = None,
    reason: Reason = None,
    channel: Channel = None,
) -> RevisionFilter:
    """The filter that the query asks for.

    Raises:
        Malformed: there is no such field, or no such moment in UTC.
    """
    return RevisionFilter(_moment("since", since), _moment("until", until), field, author, reason, channel)


def _moment(name: str, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    try:
        return written(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC))
    except OverflowError:
        raise Malformed(f"{name} is before the year 1 or after 9999 in UTC", path=name) from None
