"""Reads the fields of messages, and says which one was wrong."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from vivienne.market.feeds.exchange.adapter import UnknownMessage
from vivienne.rates import Quota
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vivienne.market.feeds.exchange.adapter import Instrument

_log = logging.getLogger(__name__)
_unreadable = Quota(_log, logging.INFO)

_MOST_SHOWN = 80
_MOST_DIGITS = 20
_LONGEST_NAME = 64
LONGEST_TEXT = 100
"""Longest text of a field: names of trades have 36 characters, topics and times fewer. Some of them are kept."""
_PARTS_OF_EACH = 12
"""Values of a candle or a trade, on average; those of an answer with 1,000 of them fit easily."""
_LARGEST_WHOLE = 2**63 - 1
_Meaning = TypeVar("_Meaning")


def number(source: Any, name: str | int) -> float:
    """A field that is a finite number, as such or as a text.

    Raises:
        UnknownMessage: it is absent, or no such number.
    """
    value = field(source, name)
    try:
        read = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        read = math.nan
    if not math.isfinite(read):
        raise UnknownMessage(f"{name} is {shown(value)}, not a number")
    return read


def whole(source: Any, name: str | int) -> int:
    """A field that is a whole number of at most 64 bits, as such or as a text.

    Raises:
        UnknownMessage: it is absent, or no such number.
    """
    value = field(source, name)
    read = int(value) if isinstance(value, str) and _is_whole(value) else value
    if not isinstance(read, int) or isinstance(read, bool) or abs(read) > _LARGEST_WHOLE:
        raise UnknownMessage(f"{name} is {shown(value)}, not a whole number")
    return read


def _is_whole(value: str) -> bool:
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS


def text(source: Any, name: str | int) -> str:
    """A field that is a text of at most `LONGEST_TEXT` characters.

    Raises:
        UnknownMessage: it is absent, or no such text.
    """
    value = field(source, name)
    if not isinstance(value, str):
        raise UnknownMessage(f"{name} is {shown(value)}, not a text")
    if len(value) > LONGEST_TEXT:
        raise UnknownMessage(f"{name} is {shown(value)}, longer than {LONGEST_TEXT} characters")
    return value


def rows(source: Any, name: str | int) -> list[Any]:
    """A field that is a list.

    Raises:
        UnknownMessage: it is absent, or no list.
    """
    value = field(source, name)
    if not isinstance(value, list):
        raise UnknownMessage(f"{name} is {shown(value)}, not a list")
    return value


def check_size(content: Any, most: int) -> None:
    """Refuse what has more parts than can be meant, before time is spent on them.

    Args:
        content: decoded from JSON.
        most: objects and lists, and values of each.

    Raises:
        UnknownMessage: it has more.
    """
    found = [content]
    for part in found:  # it grows
        if isinstance(part, (dict, list)):
            if len(part) > most:
                raise UnknownMessage(f"it has a list of {len(part):,}; at most {most:,} are expected")
            values = part.values() if isinstance(part, dict) else part
            found += [each for each in values if isinstance(each, (dict, list))]
        if len(found) > most:
            raise UnknownMessage(f"it has more than {most:,} rows")


def check_parts(content: bytes | bytearray | str, most: int) -> None:
    """Refuse JSON that has more parts than can be meant, before it is decoded: many small ones take long.

    Args:
        content: the text. Brackets and commas within its texts count too.
        most: objects and lists; each may have `_PARTS_OF_EACH` values.

    Raises:
        UnknownMessage: it has more.
    """
    if isinstance(content, str):
        each, values = content.count("{") + content.count("["), content.count(",")
    else:
        each, values = content.count(b"{") + content.count(b"["), content.count(b",")
    if each > most or values > _PARTS_OF_EACH * most:
        raise UnknownMessage(f"it has {each:,} objects and lists and {values:,} values; at most {most:,} are expected")


def moment(source: Any, name: str | int) -> int:
    """A field that is a time in ISO 8601 with a zone, in ms since the epoch, rounded down.

    Raises:
        UnknownMessage: it is absent, or no such time.
    """
    value = text(source, name)
    try:
        if value.endswith("Z"):  # nanoseconds are more than `datetime` reads
            seconds, _, rest = value[:-1].partition(".")
            return _second(seconds) + int(rest[:3].ljust(3, "0"))
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise UnknownMessage(f"{name} is {shown(value)}, not a time") from error
    if read.tzinfo is None:
        raise UnknownMessage(f"{name} is {shown(value)}, a time without a zone")
    return math.floor(read.timestamp() * 1_000_000 + 0.5) // 1_000


@lru_cache(maxsize=64)
def _second(seconds: str) -> int:
    """A time in UTC, in ms since the epoch; many messages are of the same second."""
    return round(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * 1_000


def until(source: Any, name: str | int) -> str:
    """A field that is the time something ends, in ms since the epoch, in words; nothing where it is absent."""
    said = source.get(name) if isinstance(source, dict) else None
    return f" until {iso(whole(source, name))}" if said else ""


def one_of(source: Any, name: str | int, meanings: Mapping[str, _Meaning]) -> _Meaning:
    """What a field means that has one of a few values.

    Raises:
        UnknownMessage: it is absent, or has another value.
    """
    value = field(source, name)
    if not isinstance(value, str) or value not in meanings:
        raise UnknownMessage(f"{name} is {shown(value)}, not one of {', '.join(meanings)}")
    return meanings[value]


def understood(parse: Callable[..., _Meaning], *about: Any) -> _Meaning:
    """What a pure function makes of a message or an answer, whose shape may be any.

    Raises:
        UnknownMessage: it has a shape that the function does not know, or did not think of.
    """
    try:
        return parse(*about)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise UnknownMessage(f"it has another shape than expected ({type(error).__name__})") from error


def readable(items: Iterable[Any], read: Callable[[Any], Instrument]) -> list[Instrument]:
    """The markets of a list. Those that cannot be read do not take the others with them: they are logged.

    Raises:
        UnknownMessage: none can be read.
    """
    found: list[Instrument] = []
    count, first = 0, ""
    for item in items:
        try:
            instrument = understood(read, item)
            _check_names(instrument)
            found.append(instrument)
        except UnknownMessage as error:
            count, first = count + 1, first or str(error)  # an error itself has a kilobyte
    if count and not found:
        raise UnknownMessage(first)
    if count:
        _unreadable.log("%d of %d markets cannot be read and are left out: %s", count, len(found) + count, first)
    return found


def _check_names(instrument: Instrument) -> None:
    for name in (instrument.symbol, instrument.stream_symbol, instrument.base, instrument.quote):
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            raise UnknownMessage(f"{shown(name)} is not 1 to {_LONGEST_NAME} printable characters")


def field(source: Any, name: str | int) -> Any:
    """A field of an object, or an element of a list.

    Raises:
        UnknownMessage: it is absent.
    """
    try:
        return source[name]
    except (KeyError, IndexError, TypeError) as error:
        raise UnknownMessage(f"{name} is missing in {shown(source)}") from error


def shown(value: Any) -> str:
    """A value for a log line, cut to a length that fits it."""
    written = ""
    for part in _written(value):  # not `repr`: of a whole message it takes milliseconds
        written += part
        if len(written) > _MOST_SHOWN:
            return f"{written[:_MOST_SHOWN]}..."
    return written


def _written(value: Any) -> Iterator[str]:
    """What `repr` gives, bit by bit."""
    if isinstance(value, dict):
        yield "{"
        for place, (name, each) in enumerate(value.items()):
            yield ", " if place else ""
            yield from _written(name)
            yield ": "
            yield from _written(each)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for place, each in enumerate(value):
            yield ", " if place else ""
            yield from _written(each)
        yield "]"
    else:
        yield repr(value[: _MOST_SHOWN + 1] if isinstance(value, (str, bytes)) else value)
