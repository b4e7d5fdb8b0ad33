"""Reasons for the status of an asset, such as missing data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vivienne.wire.state import ReasonId


class Trouble(NamedTuple):
    """A reason for the status of an asset.

    Attributes:
        id: its name for programs.
        message: a sentence for people.
    """

    id: ReasonId
    message: str

    def __str__(self) -> str:
        """The message."""
        return self.message
