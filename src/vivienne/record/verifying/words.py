"""Differences that a verification found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.wire.record import DecisionDifference, MissingDecisions


def said(each: DecisionDifference) -> str:
    """A difference as a sentence that begins with the bar."""
    bar, field = f"{each['asset']} {each['timeframe']} {each['time']}", each["field"]
    recorded, decided = _shown(each["recorded"]), _shown(each["decided"])
    if each["found_by"] == "decision":
        return f"{bar}: {field} was recorded as {recorded}, and is decided as {decided}"
    if each["found_by"] == "value":
        return f"{bar}: {field} is {recorded}, which nothing records"
    if field in ("bar", "decision"):
        return f"{bar}: the {field} was altered after it was recorded: its checksum is {recorded} instead of {decided}"
    return f"{bar}: {field} was altered after it was recorded: it is {recorded} instead of {decided}"


def said_missing(each: MissingDecisions) -> str:
    """What is missing, and where."""
    where = " and ".join(filter(None, (each["after"], each["before"])))
    place = "between" if each["after"] and each["before"] else "after" if each["after"] else "before"
    return f"{each['asset']} {each['timeframe']}: {each['count']:,} are missing {place} {where}: {each['reason']}"


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, float) else str(value)
