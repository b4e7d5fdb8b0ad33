"""Names and patterns of names, read once: a rule may have a thousand, and is asked for each bar."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ANY = "*"


class Patterns:
    """Names, and patterns with `*` and `?`.

    Args:
        given: both kinds.
    """

    def __init__(self, given: Iterable[str]) -> None:
        patterns = {each for each in given if "*" in each or "?" in each}
        self._names = frozenset(given) - patterns
        self._is_any = _ANY in patterns
        joined = "|".join(translate(each) for each in sorted(patterns))
        self._pattern = re.compile(joined) if patterns and not self._is_any else None

    def fits(self, name: str) -> bool:
        """Tell whether a name is one of them, or fits one of them."""
        if self._is_any or name in self._names:
            return True
        return self._pattern is not None and self._pattern.fullmatch(name) is not None
