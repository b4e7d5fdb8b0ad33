"""Names and patterns of names, read once: a rule may have a thousand, and is asked for each bar.

They are looked for part by part. A regular expression would have to be compiled first, which takes a tenth of a second
for a few hundred patterns, while others wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ANY, _ONE = "*", "?"


class Patterns:
    """Names, and patterns: `*` stands for any characters.

    Args:
        given: both kinds.
        has_one: `?` stands for one character.
    """

    def __init__(self, given: Iterable[str], *, has_one: bool = False) -> None:
        patterns = {each for each in given if _ANY in each or (has_one and _ONE in each)}
        self._names = frozenset(given) - patterns
        self._is_any = _ANY in patterns
        self._patterns = tuple(patterns)  # not their parts, which would take five times the memory
        self._has_one = has_one

    def fits(self, name: str) -> bool:
        """Tell whether a name is one of them, or fits one of them."""
        return self._is_any or name in self._names or any(self._fits(name, each.split(_ANY)) for each in self._patterns)

    def _fits(self, name: str, parts: list[str]) -> bool:
        """Tell whether a name has these parts in this order, with anything between them."""
        first, last = parts[0], parts[-1]
        end = len(name) - len(last)
        if len(parts) == 1:
            return not end and self._is(name, last)
        if end < len(first) or not self._is(name[: len(first)], first) or not self._is(name[end:], last):
            return False
        place = len(first)
        for part in parts[1:-1]:
            found = self._find(name[:end], part, place)
            if found < 0:
                return False
            place = found + len(part)
        return True

    def _find(self, name: str, part: str, begin: int) -> int:
        """The first place of a part in a name, from a place on; -1 if there is none."""
        if not self._has_one or _ONE not in part:
            return name.find(part, begin)
        places = range(begin, len(name) - len(part) + 1)
        return next((place for place in places if self._is(name[place : place + len(part)], part)), -1)

    def _is(self, text: str, part: str) -> bool:
        """Tell whether a text of the same length is a part."""
        if not self._has_one or _ONE not in part:
            return text == part
        return all(wanted in (_ONE, letter) for letter, wanted in zip(text, part, strict=True))
