"""Takes the list of an exchange's markets apart: it may have megabytes, and is read a few markets at a time.

Decoded at once, a list keeps everybody waiting, and a hostile one takes a hundred times its size. So only its brackets
are looked at first: they say where each market begins and ends, and what is around the list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from vivienne.market.feeds.exchange.adapter import UnknownMessage
from vivienne.market.feeds.exchange.fields import check_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.slices import Pieces

MOST_MARKETS = 50_000
"""Most markets of an exchange; the one with most has 3,500."""
MOST_BRACKETS = 500_000
"""Most objects and lists in all markets, each with two brackets; 3,500 markets have 40,000."""
_MOST_AROUND_BYTES, _MOST_AROUND = 256 * 1024, 2_000
"""Longest text around the list, and most objects and lists in it."""
_MOST_MARKET_BYTES, _MOST_MARKET_PARTS = 64 * 1024, 2_000
"""Longest text of a market, and most objects and lists in it. One with hundreds of permissions has 5 kB and 20."""
_LOOKED_AT = 1_000
"""Brackets that are looked at until others may have a turn."""
_DECODED, _DECODED_BYTES = 50, 64 * 1024
"""So many markets are decoded at once, or so much of them."""

_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+[\[\]{}]', re.DOTALL)
"""Everything up to a bracket that is in no text. It looks at no byte twice."""
_NAME = re.compile(rb'"([^"\\]{1,40})"\s{0,9}:\s{0,9}[\[{]\Z')
_NAME_BYTES = 64
_OPENING = b"[{"


class MarketList:
    """The markets of an answer, and what is around them.

    Args:
        content: the answer, in JSON.
        place: names of the fields that lead to the list. It may be an object: its values are the markets then.

    Attributes:
        around: the answer with an empty list, decoded from JSON; None where it is no JSON.
        bytes: length of the answer.
        brackets: number of brackets that were looked at.
    """

    def __init__(self, content: bytearray, place: Sequence[str]) -> None:
        self._content = content
        self._place = place
        self._markets: list[tuple[int, int]] = []
        self.around: Any = None
        self.bytes = len(content)
        self.brackets = 0

    def find(self) -> Pieces[None]:
        """Find where the markets are, and decode what is around them.

        Raises:
            UnknownMessage: there is more than an exchange can mean.
        """
        content, begin = self._content, self._sought()
        if begin is None:
            end = begin = len(content)
        else:
            end = yield from self._ended(begin)
        if begin + len(content) - end > _MOST_AROUND_BYTES:
            raise UnknownMessage(f"it has more than {_MOST_AROUND_BYTES:,} bytes beside its markets")
        around = content[:begin] + content[end:]
        check_parts(around, _MOST_AROUND)
        try:
            self.around = orjson.loads(around)
        except orjson.JSONDecodeError:
            self.around = None

    def _sought(self) -> int | None:
        """Where the list begins, after its bracket; None where there is none."""
        place, path = 0, list[str]()
        while (found := self._to_bracket(place, min(place + _MOST_MARKET_BYTES, _MOST_AROUND_BYTES))) is not None:
            place = found
            if self._content[place - 1] not in _OPENING:
                del path[-1:]
                continue
            name = _NAME.search(self._content[max(0, place - _NAME_BYTES) : place])
            path.append("" if name is None else name[1].decode(errors="replace"))
            if len(path) == len(self._place) + 1 and path[1:] == [*self._place]:
                return place
            if self.brackets > 2 * _MOST_AROUND:
                break
        return None

    def _to_bracket(self, place: int, end: int) -> int | None:
        """The place after the next bracket; None where there is none before an end."""
        found = _TO_BRACKET.match(self._content, place, end)
        if found is None:
            return None
        self.brackets += 1
        return found.end()

    def _ended(self, place: int) -> Pieces[int]:
        """Where the list ends, before its bracket. What is in it is noted on the way."""
        depth = begin = first = rested = 0
        while (found := self._to_bracket(place, place + _MOST_MARKET_BYTES)) is not None:
            place = found
            depth += 1 if self._content[place - 1] in _OPENING else -1
            if depth < 0:
                return place - 1
            if depth == 1 and not first:
                begin, first = place - 1, self.brackets
            elif depth == 0:
                self._note(begin, place)
                first = 0
            elif place - begin > _MOST_MARKET_BYTES or self.brackets - first > 2 * _MOST_MARKET_PARTS:
                break
            if self.brackets % _LOOKED_AT == 0 or place - rested > _MOST_MARKET_BYTES:
                rested = place
                yield
        kilobytes = _MOST_MARKET_BYTES // 1_024
        raise UnknownMessage(f"a market has more than {kilobytes} kB or {_MOST_MARKET_PARTS:,} parts, or no end")

    def _note(self, begin: int, end: int) -> None:
        self._markets.append((begin, end))
        if len(self._markets) > MOST_MARKETS:
            raise UnknownMessage(f"it has more than {MOST_MARKETS:,} markets")
        if self.brackets > 2 * MOST_BRACKETS:
            raise UnknownMessage(f"its markets have more than {MOST_BRACKETS:,} parts")

    def portions(self) -> Iterator[Any]:
        """Answers with a few markets each, decoded from JSON; one without any where there is none.

        A portion that is no JSON is None.
        """
        if not self._markets:
            yield self.around
        some: list[bytearray] = []
        size = 0
        for begin, end in self._markets:
            some.append(self._content[begin:end])
            size += end - begin
            if size >= _DECODED_BYTES or len(some) >= _DECODED:
                yield self._answer(some)
                some, size = [], 0
        if some:
            yield self._answer(some)

    def _answer(self, markets: Sequence[bytearray]) -> Any:
        try:
            found: Any = orjson.loads(b"[" + b",".join(markets) + b"]")
        except orjson.JSONDecodeError:
            return None
        for name in reversed(self._place):
            found = {name: found}
        return found
