"""Held: bytes that are kept for clients, counted for each connection and caller until they are dropped."""

from __future__ import annotations

from collections import Counter
from typing import Generic, TypeVar

_C = TypeVar("_C")


class Held(Generic[_C]):
    """Bytes by connection.

    Args:
        most: bytes for all connections together.
        most_each: bytes for the connections of one caller; None for no limit of their own.
    """

    def __init__(self, most: int, most_each: int | None = None) -> None:
        self.most = most
        self.most_each = most if most_each is None else most_each
        self._sizes: dict[_C, tuple[str, int]] = {}
        self._by_caller: Counter[str] = Counter()
        self._all = 0

    def count(self, connection: _C, caller: str, size: int) -> None:
        """Note that so many bytes are kept for a connection, on account of a caller."""
        known_caller, known_size = self._sizes.pop(connection, (caller, 0))
        if known_size:
            self._by_caller[known_caller] -= known_size
            if not self._by_caller[known_caller]:
                del self._by_caller[known_caller]
        if size:
            self._sizes[connection] = (caller, size)
            self._by_caller[caller] += size
        self._all += size - known_size

    def of(self, connection: _C) -> int:
        """Bytes that are kept for a connection."""
        return self._sizes.get(connection, ("", 0))[1]

    def one_too_many(self, caller: str) -> _C | None:
        """The connection that has to go after bytes were counted for a caller; None while there are not too many.

        It is the one with most of the caller with most, so that many small ones of one caller do not end a large one
        of another.
        """
        if self._all > self.most:
            caller = max(self._by_caller, key=self._by_caller.__getitem__)
        elif self._by_caller[caller] <= self.most_each:
            return None
        theirs = (each for each, (whose, _) in self._sizes.items() if whose == caller)
        return max(theirs, key=lambda each: self._sizes[each][1])
