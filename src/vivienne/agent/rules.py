"""Rules between values, as data: the same list is applied by the server and handed to clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ordered:
    """Each value is at or below the next; with `strict`, below it."""

    paths: tuple[str, ...]
    strict: bool = False

    def as_document(self) -> dict[str, Any]:
        """The rule as clients get it."""
        return {"rule": "ordered", "paths": list(self.paths), "strict": self.strict}


@dataclass(frozen=True, slots=True)
class AnyPositive:
    """At least one of the values is above 0."""

    paths: tuple[str, ...]

    def as_document(self) -> dict[str, Any]:
        """The rule as clients get it."""
        return {"rule": "any_positive", "paths": list(self.paths)}


Rule = Ordered | AnyPositive
