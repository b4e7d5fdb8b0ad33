"""Limits of the answers and messages of a Redis server, which are checked before the library keeps any of them.

The library, hiredis, takes texts as long as a server says, and makes a list of as many elements as a server says before
the first one is there. So headers are read here first. Contents may look like headers, and are skipped by their length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import hiredis  # noqa: F401  # the library can do without, but its own parser has no bounds
from redis._parsers import _AsyncHiredisParser
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.exceptions import ConnectionError as BrokenOff
from redis.exceptions import InvalidResponse, RedisError
from typing_extensions import override

from vivienne.logs.records import one_line, short

if TYPE_CHECKING:
    from weakref import WeakSet

    from vivienne.slices import SharedSlices

MOST_BYTES = 32 * 1024 * 1024
"""Longest answer or message. Redis with the settings of docs/redis.md takes no longer entry, and passes on no longer
message."""
MOST_PARTS = 100_000
"""Elements of the lists of an answer, over all levels. Lists that are asked for have a few thousand."""
MOST_BYTES_TOGETHER = 64 * 1024 * 1024
"""Of the answers and messages that all connections await at the same time."""
_LARGE = 1024 * 1024
"""Bytes of an answer that may be the one too many: others go on."""
_MOST_NESTING = 16
"""Lists in lists; answers to a read of streams have four."""
_LONGEST_LINE = 16 * 1024
"""Longest status, error, number or header."""
LONGEST_ERROR = 500
"""Letters that are kept of the text of an error."""
_HEAD_BYTES = 512
"""Bytes that are kept of the beginning of an answer."""

# `$` and `*` without a length are null. Other kinds belong to a version of the protocol that is not asked for.
_LINE = re.compile(rb"\$(\d{1,18})\r\n|\*(\d{1,18})\r\n|((?:[+-][^\r\n]{0,%d}|:-?\d{1,20}|[$*]-1)\r\n)" % _LONGEST_LINE)
_TEXT, _LIST = 1, 2
_USUAL_TEXT = re.compile(rb"\$(\d{1,7})\r\n").match
_ENTRY = re.compile(rb"\*2\r\n\$\d+\r\n(\d+-\d+)\r\n")


class AnswerTooLarge(RedisError):
    """The server sent more than an answer may have; the connection is ended.

    Args:
        message: says so.
        head: beginning of the answer.
    """

    def __init__(self, message: str, head: bytes) -> None:
        super().__init__(message)
        self._head = head

    @property
    def entry_id(self) -> bytes | None:
        """Number of the first entry of a stream in it; None if there is none, or not in the beginning."""
        found = _ENTRY.search(self._head)
        return None if found is None else found[1]


class Bounds:
    """Follows what one connection receives from header to header.

    Args:
        together: the bounds of all connections, to which these are added.

    Attributes:
        awaited: bytes of the answer that has not come as a whole, as far as its headers say.
    """

    def __init__(self, together: WeakSet[Bounds]) -> None:
        self._line = b""
        """The beginning of a line whose end has not come."""
        self._next = 0
        """Where the next header begins, in what comes next."""
        self._end = MOST_BYTES
        """Where the answer must have ended, in what comes next."""
        self._left = 1
        """Elements of the innermost list that are still to come."""
        self._outer: list[int] = []
        """The same of the lists around it, each with the one in it."""
        self._parts = 0
        self._usual = b""
        """How the last list began that was one of texts: all but its last element."""
        self._head = b""
        self._whole = 0
        """Bytes of the last answer whose headers are all there."""
        self.awaited = 0
        self._together = together
        together.add(self)

    def check(self, data: bytes) -> None:
        """Look at what has come, before it is used.

        Raises:
            AnswerTooLarge: an answer has too much, or all connections await too much.
            InvalidResponse: this is not the protocol.
        """
        if self._line:
            data, self._line = self._line + data, b""
        # This is done for every header of every message, so there are few calls in it.
        match, size = _LINE.match, len(data)
        begin = place = self._next
        while place < size:
            if self._usual and not self._outer and data.startswith(self._usual, place):
                begin, place = self._after_usual(data, place)
            found = match(data, place)
            if found is None:
                self._unfinished(data, place)
                break
            place, kind = found.end(), found.lastindex
            if kind == _LIST and (count := int(found[_LIST])):
                self._begin_list(count, data, begin)
                continue
            if kind == _TEXT:
                place += int(found[_TEXT]) + 2
            if place > self._end:
                raise _too_large(f"longer than {MOST_BYTES // 1024**2} MB", self._head or data[begin:])
            self._left -= 1
            if not self._left:
                begin = self._end_lists(data, begin, found, place)
        self._pause(data, begin, place)

    def _after_usual(self, data: bytes, place: int) -> tuple[int, int]:
        """Pass over messages that begin as the last list did, up to its last element: the same bytes mean the same.

        Thousands a second come on the same channel, and differ in their last element only.
        """
        usual, long, begin = self._usual, len(self._usual), place
        while data.startswith(usual, place) and (found := _USUAL_TEXT(data, place + long)) is not None:
            begin, place = place, found.end() + int(found[1]) + 2
        self._whole, self._end = place - begin, place + MOST_BYTES
        return place, place

    def _begin_list(self, count: int, data: bytes, begin: int) -> None:
        self._parts += count
        if self._parts > MOST_PARTS:
            raise _too_large(f"with more than {MOST_PARTS:,} parts", self._head or data[begin:])
        if len(self._outer) == _MOST_NESTING:
            raise _too_large(f"nested deeper than {_MOST_NESTING} levels", self._head or data[begin:])
        self._outer.append(self._left)
        self._left = count

    def _end_lists(self, data: bytes, begin: int, last: re.Match[bytes], place: int) -> int:
        """End the lists whose last element this is; give where the answer begins, which may be the next one."""
        if last.lastindex == _TEXT and len(self._outer) == 1 and not self._head:
            self._usual = data[begin : last.start()]
        while not self._left:
            if not self._outer:
                self._whole = MOST_BYTES - self._end + place
                self._left, self._end, self._parts, self._head = 1, place + MOST_BYTES, 0, b""
                return place
            self._left = self._outer.pop() - 1
        return begin

    def _unfinished(self, data: bytes, place: int) -> None:
        """Keep the beginning of a line until its end comes."""
        line = data[place : place + _LONGEST_LINE + 2]
        if b"\r\n" in line or line[:1] not in b"+-:$*":
            raise InvalidResponse("Redis sent something that is not its protocol")
        if len(line) > _LONGEST_LINE:
            raise AnswerTooLarge(f"Redis sent a line longer than {_LONGEST_LINE // 1024} kB", b"")
        self._line = line

    def _pause(self, data: bytes, begin: int, place: int) -> None:
        """Go on with what comes next."""
        if begin < place:
            self._head = self._head or data[begin : begin + _HEAD_BYTES]
            self.awaited = MOST_BYTES - self._end + place
        else:
            self.awaited = self._whole if place > len(data) else 0
        # A line that has begun comes again.
        seen = len(data) - len(self._line)
        self._next, self._end = place - seen, self._end - seen
        if self.awaited > _LARGE and sum(each.awaited for each in self._together) > MOST_BYTES_TOGETHER:
            # No entry is to blame for that, so none is refused.
            raise AnswerTooLarge(
                f"Redis sent answers and messages of more than {MOST_BYTES_TOGETHER // 1024**2} MB at once", b""
            )

    def close(self) -> None:
        """The connection is closed: nothing is awaited."""
        self._together.discard(self)


def _too_large(what: str, answer: bytes) -> AnswerTooLarge:
    return AnswerTooLarge(f"Redis sent an answer or a message {what}", answer[:_HEAD_BYTES])


class BoundedParser(_AsyncHiredisParser):
    """The parser of the library, which gets what has been checked.

    Args:
        slices: of the work of all connections, so that others have their turn however much each of them receives.
        together: the bounds of all connections.
        socket_read_size: bytes that are read at once.
    """

    def __init__(self, slices: SharedSlices, together: WeakSet[Bounds], socket_read_size: int) -> None:
        super().__init__(socket_read_size=socket_read_size)
        self._slices = slices
        self._together = together
        self._bounds = Bounds(together)

    @override
    def on_connect(self, connection: Any) -> None:
        """See the base class."""
        super().on_connect(connection)  # type: ignore[no-untyped-call]  # it has no types
        self._bounds.close()
        self._bounds = Bounds(self._together)

    @override
    def on_disconnect(self) -> None:
        """See the base class."""
        super().on_disconnect()  # type: ignore[no-untyped-call]  # it has no types
        self._bounds.close()

    @override
    async def read_from_socket(self) -> bool:
        """See the base class."""
        await self._slices.rest()
        stream: Any = self._stream
        data = await stream.read(self._read_size)
        if not data:
            raise BrokenOff("Connection closed by server")
        self._bounds.check(data)
        reader: Any = self._reader
        reader.feed(data)
        return True

    def ready(self) -> Any:
        """An answer or a message that has come whole and was not read; None without one."""
        reader: Any = self._reader
        found = reader.gets()
        return None if found is NOT_ENOUGH_DATA else found

    @classmethod
    @override
    def parse_error(cls, response: str) -> Any:
        """An error of the server, with a text that may be kept and shown."""
        return super().parse_error(one_line(short(response, LONGEST_ERROR)))  # type: ignore[no-untyped-call]  # it has no types
