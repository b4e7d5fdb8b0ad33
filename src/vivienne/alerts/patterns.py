"""Names and patterns of names, as conditions of rules: a rule may have a thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.alerts.names import ANY, ONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.alerts.names import Chosen, Names
    from vivienne.slices import Pieces


class Patterns:
    """Names, and patterns: `*` stands for any characters.

    Args:
        given: both kinds.
        has_one: `?` stands for one character.
    """

    def __init__(self, given: Iterable[str], *, has_one: bool = False) -> None:
        wanted = frozenset(given)
        self._patterns = frozenset(each for each in wanted if ANY in each or (has_one and ONE in each))
        self._names = wanted - self._patterns
        self._has_one = has_one

    def among(self, names: Names) -> Pieces[Chosen]:
        """Choose the names that are one of them, or fit one of them; a pattern at a time."""
        if ANY in self._patterns:
            return names.all
        ends = 0
        for pattern in self._patterns:
            ends |= names.ends_of_fitting(pattern, has_one=self._has_one)
            yield
        return names.among(self._names) | names.ending(ends)
