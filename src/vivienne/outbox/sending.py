"""What all ways of sending have in common: a message, and what came of an attempt to send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from vivienne.logs.records import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.alerts.channels import Apprise, Browser, ToRedis, Webhook
    from vivienne.wire.alert import AlertEvent, SeveralAlerts

    AnyChannel = Webhook | Apprise | Browser | ToRedis

ATTEMPT_SECONDS = 10.0
"""Longest time of an attempt, however its bytes trickle."""
MOST_LETTERS = 300
"""Letters of an answer that are kept."""
_SHORTEST_SECRET = 6
"""Letters of a part that is hidden; shorter ones are in every text."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a channel at once.

    Attributes:
        id: names it; the same in every attempt.
        event: one alert, or several together.
        channel: of its rule.
    """

    id: str
    event: AlertEvent | SeveralAlerts
    channel: AnyChannel


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        outcome: `gone`: the receiver wants no more.
        answer: of the receiver, or why there is none; fit for a terminal, and without secrets.
        status_code: of HTTP.
        retry_after: seconds that the receiver asks for.
    """

    outcome: Literal["delivered", "failed", "gone"]
    answer: str = ""
    status_code: int | None = None
    retry_after: float | None = None


class Sender(Protocol):
    """A way of sending. It raises nothing that is not a defect."""

    async def send(self, message: Message) -> Attempt:
        """Send a message once."""

    def destination(self, channel: AnyChannel) -> str:
        """The name of what receives it, which few attempts are made to at a time; no secret."""


@runtime_checkable
class HasConnections(Protocol):
    """A way of sending that keeps connections."""

    async def open(self) -> None:
        """Prepare what takes a while, so that the first alert need not wait for it."""

    async def close(self) -> None:
        """Close them; they are opened again when they are needed."""


class Missing:
    """Stands for a way of sending that this process does not have.

    Args:
        reason: why, and what to do.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def send(self, message: Message) -> Attempt:
        """See `Sender`."""
        del message
        return Attempt("failed", self._reason)

    def destination(self, channel: AnyChannel) -> str:
        """See `Sender`."""
        return channel.type


def kept(text: str | bytes, secrets: Iterable[str] = ()) -> str:
    """What is kept of an answer: its beginning on one line, without secrets that it repeats."""
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    for secret in sorted(secrets, key=len, reverse=True):  # a shorter one may be part of a longer one
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    line = one_line(text[:MOST_LETTERS].strip())
    return line if len(line) <= MOST_LETTERS else line[: MOST_LETTERS - 3] + "..."
