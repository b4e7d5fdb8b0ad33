"""Values of pushed rows, read strictly. An error names the field, the value and what would be right."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from vivienne.market.checks import LARGEST
from vivienne.market.types import END_OF_TIME_MS

Row = Mapping[str, Any]
"""A row: a JSON object."""

LONGEST_ID = 64
_FIRST_MS = 100_000_000_000
"""1973. A smaller number is in seconds."""
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
_MOST_SHOWN = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WrongValue(Exception):
    """A value cannot be used.

    Attributes:
        field: its name.
        message: what it is, and what would be right.
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(message)


def shown(value: object) -> str:
    """A value as an error shows it: the beginning of it."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def number(row: Row, field: str, *, least: str = "above 0") -> float:
    """A number that has to be there.

    Args:
        row: the row.
        field: name of the field.
        least: what it must be: ``above 0`` or ``from 0``.

    Raises:
        WrongValue: it is not one.
    """
    value = row.get(field)
    found = _figure(value)
    if not (0 < found < LARGEST or (found == 0 and least == "from 0")):
        missing = "is missing" if field not in row else f"is {shown(value)}"
        raise WrongValue(field, f"{field} {missing}; it must be a number {least} and below {LARGEST:.0e}")
    return found


def known_number(row: Row, field: str) -> float:
    """A number from 0, or NaN where it is missing or null.

    Raises:
        WrongValue: it is something else.
    """
    if row.get(field) is None:
        return math.nan
    return number(row, field, least="from 0")


def _figure(value: object) -> float:
    """A number, or the decimal text that exchanges send for one; NaN for anything else."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def moment(row: Row, field: str) -> int:
    """A time, in ms since the epoch.

    Raises:
        WrongValue: it is not one.
    """
    value = row.get(field)
    found = value
    if isinstance(value, str):
        found = _of_text(value)
    elif isinstance(value, float) and value.is_integer():
        found = int(value)
    if isinstance(found, bool) or not isinstance(found, int):
        missing = "is missing" if field not in row else f"is {shown(value)}"
        raise WrongValue(
            field,
            f"{field} {missing}; it must be a time: ms since 1970, as in 1767268800000, or ISO 8601 with its zone, as "
            "in 2026-01-01T12:00:00Z",
        )
    if not _FIRST_MS <= found < END_OF_TIME_MS:
        raise WrongValue(field, f"{field} is {shown(value)}; it must be in ms since 1970, after 1973 and before 2100")
    return found


def _of_text(text: str) -> int | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    passed = found - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000 + passed.microseconds // 1_000


def flag(row: Row, field: str) -> bool | None:
    """True, false, or None where it is missing or null.

    Raises:
        WrongValue: it is something else.
    """
    value = row.get(field)
    if value is None or isinstance(value, bool):
        return value
    raise WrongValue(field, f"{field} is {shown(value)}; it must be true or false")


def one_of(row: Row, *fields: str) -> str:
    """The field that a row has of several for the same value.

    Raises:
        WrongValue: it has two of them.
    """
    given = [field for field in fields if field in row]
    if len(given) > 1:
        raise WrongValue(given[1], f"{given[0]} and {given[1]} are the same value; give one of them")
    return given[0] if given else fields[0]


def key(row: Row) -> tuple[str, int | None]:
    """The id of a trade, and the same as a number where it is one.

    Raises:
        WrongValue: it is not one.
    """
    value = row.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        missing = "is missing" if "id" not in row else f"is {shown(value)}"
        raise WrongValue(
            "id",
            f"id {missing}; it must be the exchange's number or name of the trade, at most {LONGEST_ID} letters; by "
            "it a trade that comes twice counts once",
        )
    return value, int(value) if value.isascii() and value.isdigit() else None
