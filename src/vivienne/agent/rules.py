"""Rules between values, as data: the server applies them and sends them to clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ordered:
    """A rule: each value must be at or below the next one; with `strict`, below it."""

    paths: tuple[str, ...]
    strict: bool = False

    def as_document(self) -> dict[str, Any]:
        """The rule as clients get it."""
        return {"rule": "ordered", "paths": list(self.paths), "strict": self.strict}


@dataclass(frozen=True, slots=True)
class AnyPositive:
    """A rule: at least one of the values must be above 0."""

    paths: tuple[str, ...]

    def as_document(self) -> dict[str, Any]:
        """The rule as clients get it."""
        return {"rule": "any_positive", "paths": list(self.paths)}


Rule = Ordered | AnyPositive
