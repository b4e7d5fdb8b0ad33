"""Names side by side: a pattern is compared with all of them at once.

There may be ten thousand names and a million patterns. One name at a time, a thousand patterns take ten milliseconds. A
regular expression would have to be compiled first, which takes a tenth of a second for a few hundred patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY, ONE = "*", "?"
"""In a pattern: any characters, and one character."""

Chosen = int
"""Some of the names: a bit for each, in their order."""


class Names:
    """Names that are written into one text, each with an end of its own.

    A number has a bit for each place in the text. It tells where the beginning of a pattern can lead to, so each
    character of a pattern takes a few operations for all names together.

    Args:
        given: the names.

    Attributes:
        all: all of them.
    """

    def __init__(self, given: Iterable[str]) -> None:
        self._given = tuple(dict.fromkeys(given))
        self._numbers = {name: number for number, name in enumerate(self._given)}
        self.all: Chosen = (1 << len(self._given)) - 1
        text = "".join(f"{name}\n" for name in self._given)
        self._backwards, self._letters_used = text[::-1], frozenset(text)
        self._whole = (1 << len(text)) - 1
        self._ends = _number("".join(f"{'0' * len(name)}1" for name in self._given)[::-1])
        self._begins = (self._ends << 1 | 1) & self._whole
        self._letters = self._whole ^ self._ends
        self._places: dict[str, int] = {}
        """By character, where it stands; found when it is first asked for."""
        self._digits_of_ends = _digits_of_ends(self._given)

    def among(self, wanted: Iterable[str]) -> Chosen:
        """Those of the names that are wanted."""
        bits = bytearray((len(self._given) + 7) // 8)
        for name in wanted:
            number = self._numbers.get(name)
            if number is not None:
                bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")

    def ends_of_fitting(self, pattern: str, *, has_one: bool) -> int:
        """The places at which the names end that fit a pattern.

        Args:
            pattern: has `*` for any characters.
            has_one: `?` stands for one character.
        """
        reached = self._begins
        for letter in pattern:
            if letter == ANY:
                reached |= self._after(reached)
            elif has_one and letter == ONE:
                reached = (reached & self._letters) << 1
            else:
                reached = (reached & self._places_of(letter)) << 1
            if not reached:
                return 0
        return reached & self._ends

    def ending(self, ends: int) -> Chosen:
        """The names that end at some of the places."""
        digits = f"{ends:0{len(self._backwards)}b}"
        return _number("".join([digits[number] for number in self._digits_of_ends]))

    def first(self, chosen: Chosen) -> str | None:
        """The first of some of the names."""
        return self._given[(chosen & -chosen).bit_length() - 1] if chosen else None

    def _after(self, reached: int) -> int:
        """The places after the first one that is reached, in each name that has one.

        To subtract its beginning from a name turns its bits up to the first that is set, and no others.
        """
        bounded = reached | self._ends
        return self._whole ^ bounded ^ (bounded - self._begins)

    def _places_of(self, letter: str) -> int:
        if letter not in self._letters_used:
            return 0
        if letter not in self._places:
            digits = dict.fromkeys(map(ord, self._letters_used), "0") | {ord(letter): "1"}
            self._places[letter] = _number(self._backwards.translate(digits)) & self._letters
        return self._places[letter]


def _number(digits: str) -> int:
    """The number of binary digits, of which there may be none."""
    return int(f"0{digits}", 2)


def _digits_of_ends(names: tuple[str, ...]) -> list[int]:
    """The ends of names in a number that is written down, which begins with the last one."""
    found, number = list[int](), 0
    for name in reversed(names):
        found.append(number)
        number += len(name) + 1
    return found
