"""What takes the events of a stream, and what is counted of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import StreamEvent


class Listener(Protocol):
    """Takes what a stream has."""

    def take(self, event: StreamEvent) -> None:
        """An event."""

    def interrupted(self, reason: str) -> None:
        """Events may be missing from here on: the connection broke off, or left something out."""

    def refused(self, symbol: str | None, reason: str) -> None:
        """The exchange does not serve an instrument, and is asked again at a slow pace.

        Without a symbol it serves none, and events may be missing from here on, as with `interrupted`.
        """

    def served(self, symbol: str) -> None:
        """There is data of an instrument, for the first time on this connection or after an interruption."""

    def lost(self, symbol: str, reason: str) -> None:
        """Events of an instrument may be missing from here on, as with `interrupted`."""

    def outage(self, reason: str | None) -> None:
        """The exchange does not serve its markets for a while; None once it does."""


@dataclass(slots=True)
class Counts:
    """What happened on the stream so far.

    Attributes:
        messages: messages that came.
        connects: connections that were opened.
        breaks: those that broke off; tries that opened none are not among them.
        left_out: messages that could not be read, by the first reason of its kind.
        first_reasons: those, by kind.
    """

    messages: int = 0
    connects: int = 0
    breaks: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    first_reasons: dict[str, str] = field(default_factory=dict)
