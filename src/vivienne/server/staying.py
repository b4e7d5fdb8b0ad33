"""Staying: a WebSocket may stay open when the application has returned, as thousands would each keep its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

STAYS = "vivienne.stays"
"""Key, in the scope of a WebSocket that stays open without the application, of what it is then."""


class Staying(Protocol):
    """A WebSocket that stays open."""

    def at_end(self, then: Callable[[], object]) -> None:
        """Call a function when it ends; at once if it has ended."""

    def refuse(self, reason: str) -> None:
        """End it because its client may have nothing more."""


def at_end(scope: Scope, then: Callable[[], object]) -> None:
    """Call a function when a WebSocket ends: now, as the application returns, unless it stays."""
    stays: Staying | None = scope.get(STAYS)
    if stays is None:
        then()
    else:
        stays.at_end(then)
