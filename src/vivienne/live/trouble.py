"""Reasons why the state of an asset cannot be relied on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vivienne.wire.state import ReasonId


class Trouble(NamedTuple):
    """A reason.

    Attributes:
        id: for programs.
        message: for people.
    """

    id: ReasonId
    message: str

    def __str__(self) -> str:
        """The message."""
        return self.message
