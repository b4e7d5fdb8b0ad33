"""A pause that waits for the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.changes.pause.state import PauseInForce
    from vivienne.changes.requests import SwitchRequest


@dataclass(slots=True)
class Held:
    """A pause that is not stored yet.

    Attributes:
        pause: as it is in force.
        request: what asked for it.
        number: in the order of asking, resumptions counted too.
        was_held: whether storing it was tried before, by the request itself or by a retry.
    """

    pause: PauseInForce
    request: SwitchRequest
    number: int
    was_held: bool = False
