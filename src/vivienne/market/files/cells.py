"""Cells of text, a column at a time: times, numbers, flags and sides."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from vivienne.market.types import END_OF_TIME_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from vivienne.market.types import FloatArray, IntArray

Column: TypeAlias = "Sequence[str] | NDArray[Any]"
"""Cells of a column: text, or what a fast reader has already read of them."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_COMPACT_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_ZONE_WORD = re.compile(r"\s*(\+0000 )?(UTC|GMT)$", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|" + _COMPACT_DATE.pattern)
_DOTTED = re.compile(r"\d{4}\.\d\d?\.\d\d?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")
_BARE_CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d){2}")
_NANOSECONDS, _MICROSECONDS, _MILLISECONDS = 10**17, 10**14, 10**11
_LARGEST = 10**20
_EARLIEST_EPOCH = 631_152_000_000
"""1990 in ms. A smaller number is a price, an id, the number of a row or a date of a spreadsheet, not a time."""
_MOMENT = r"(?:19|20)\d\d-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_BARE_ISO = re.compile(_MOMENT)
_ISO = re.compile(_MOMENT + r"(\+00:00|Z|)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

FLAGS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "t": 1.0, "f": 0.0}
SIDES = {"buy": 0.0, "sell": 1.0, "b": 0.0, "s": 1.0, "bid": 0.0, "ask": 1.0, "unknown": math.nan, "": math.nan}
"""By the side that took: whether the buyer was the maker."""


def numbers(cells: Column) -> FloatArray:
    """Numbers.

    Raises:
        ValueError: a cell is not a number.
    """
    if isinstance(cells, np.ndarray):
        return np.ascontiguousarray(cells, dtype=np.float64)
    return np.fromiter(map(float, cells), np.float64, len(cells))


def known_numbers(cells: Column) -> FloatArray:
    """Numbers of which some may be unknown: an empty cell is NaN.

    Raises:
        ValueError: a cell is not a number.
    """
    try:
        return numbers(cells)
    except ValueError:
        return numbers([cell if cell.strip() else "nan" for cell in cells])


def words(cells: Column, meaning: Mapping[str, float]) -> FloatArray:
    """Flags or sides as numbers.

    Raises:
        ValueError: a cell has no meaning.
    """
    if isinstance(cells, np.ndarray):
        return _many_words(cells, meaning)
    found = [meaning.get(cell.strip().lower()) for cell in cells]
    if None in found:
        raise ValueError(f"{cells[found.index(None)]!r} is not one of {', '.join(filter(None, meaning))}")
    return np.array(found, dtype=np.float64)


def _many_words(cells: Any, meaning: Mapping[str, float]) -> FloatArray:
    """Few different words in a long column."""
    found, left = np.empty(len(cells)), np.full(len(cells), fill_value=True)
    while left.any():
        word = cells[np.argmax(left)]
        if word.strip().lower() not in meaning:
            raise ValueError(f"{str(word)!r} is not one of {', '.join(filter(None, meaning))}")
        same = cells == word
        found[same] = meaning[word.strip().lower()]
        left &= ~same
    return found


def times(cells: Column) -> IntArray:
    """Times, ms since the epoch. Parts of a millisecond are cut off.

    Raises:
        ValueError: a cell is not a time.
    """
    try:
        found = cells if isinstance(cells, np.ndarray) else np.fromiter(map(int, cells), np.int64, len(cells))
    except (ValueError, OverflowError):
        return _text_times(list(cells))
    if found.dtype != np.int64:
        return _text_times(found.tolist())
    scaled = _scaled(np.ascontiguousarray(found))
    if np.any(scaled < _EARLIEST_EPOCH):  # dates without separators, and numbers that are not times
        return np.fromiter(map(milliseconds, map(str, found.tolist())), np.int64, len(found))
    return scaled


def _text_times(cells: Sequence[str]) -> IntArray:
    """Times as text. Most files have all of them in UTC and written alike, and these are read at once."""
    zone = _ISO.fullmatch(cells[0])
    if zone is None:
        return np.fromiter(map(milliseconds, cells), np.int64, len(cells))
    end = len(zone[1])
    bare = [cell[: len(cell) - end] for cell in cells if cell.endswith(zone[1])]
    if len(bare) == len(cells) and all(map(_BARE_ISO.fullmatch, bare)):
        found: IntArray = np.array(bare, dtype="datetime64[us]").astype(np.int64) // 1_000
        return found
    return np.fromiter(map(milliseconds, cells), np.int64, len(cells))


def _scaled(found: IntArray) -> IntArray:
    low, high = int(found.min(initial=_MILLISECONDS)), int(found.max(initial=0))
    if low >= _MILLISECONDS and high < _MICROSECONDS:
        return found
    return np.where(
        found >= _NANOSECONDS,
        found // 1_000_000,
        np.where(
            found >= _MICROSECONDS, found // 1_000, np.where(found >= _MILLISECONDS, found, found * 1_000)
        ),
    )  # fmt: skip


def milliseconds(cell: str) -> int:
    """A time, ms since the epoch. The size of a number gives its unit; text is ISO 8601 or like it, by default UTC.

    Raises:
        ValueError: it is not a time, not between 1970 and 2100, or a number that would be a time before 1990.
    """
    text = cell.strip()
    time = _of_number(text) if _NUMBER.fullmatch(text) and not _COMPACT_DATE.fullmatch(text) else _of_text(text)
    if not 0 <= time < END_OF_TIME_MS:
        raise ValueError(f"{cell} is not a valid time; it must be between 1970 and 2100")
    return time


def _of_number(text: str) -> int:
    number = Decimal(text)
    if not -_LARGEST < number < _LARGEST:
        raise ValueError(f"{text} is not a valid time; it must be between 1970 and 2100")
    if number >= _MICROSECONDS:
        number /= 1_000_000 if number >= _NANOSECONDS else 1_000
    elif number < _MILLISECONDS:
        number *= 1_000
    if 0 <= number < _EARLIEST_EPOCH:
        raise ValueError(f"{text} is not a valid time; as s, ms, us or ns since 1970 it would be before 1990")
    return int(number.to_integral_value(ROUND_FLOOR))


def _of_text(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _unusual(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def _unusual(text: str) -> datetime:
    """A time as it is usual in files, though not ISO 8601: with dots or slashes, or with the word UTC."""
    plain = _ZONE_WORD.sub("+00:00", text)
    plain = _YEAR_FIRST.sub(lambda found: f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}", plain, count=1)
    plain = _YEAR_LAST.sub(r"\3-\2-\1", plain, count=1)
    try:
        return datetime.fromisoformat(plain)
    except ValueError:
        raise ValueError(f"{text!r} is not a valid time; it must be ISO 8601, or s, ms, us or ns since 1970") from None


# What a cell looks like


def is_number(cell: str) -> bool:
    """A number, also NaN."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_time(cell: str) -> bool:
    """A moment: a date with or without a time of day, or a number that is one since 1990."""
    try:
        time = milliseconds(cell)
    except ValueError:
        return False
    return time >= _EARLIEST_EPOCH or not is_number(cell)


def is_epoch(cell: str) -> bool:
    """A moment as a number."""
    return is_number(cell) and is_time(cell)


def is_date(cell: str) -> bool:
    """A date without a time of day."""
    return _DATE.fullmatch(cell.strip()) is not None


def has_dots(cell: str) -> bool:
    """A date with dots, year first, with or without a time of day."""
    return _DOTTED.match(cell.strip()) is not None


def is_clock(cell: str) -> bool:
    """A time of day without a date."""
    return _CLOCK.fullmatch(cell.strip()) is not None


def is_bare_clock(cell: str) -> bool:
    """A time of day as six digits, as in 235900: only its name tells it from a number."""
    return _BARE_CLOCK.fullmatch(cell.strip()) is not None


def is_flag(cell: str) -> bool:
    """True or false, in words."""
    return cell.strip().lower() in {"true", "false"}


def is_side(cell: str) -> bool:
    """A side of a trade."""
    return cell.strip() != "" and cell.strip().lower() in SIDES
