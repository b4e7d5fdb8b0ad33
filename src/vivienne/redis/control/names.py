"""What the channels and keys of control messages are called; all follow from the name of the control channel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControlNames:
    """Names in Redis.

    Attributes:
        channel: where control messages come.
    """

    channel: str

    @property
    def results(self) -> str:
        """Channel on which it is said what came of each message."""
        return f"{self.channel}:results"

    @property
    def stream(self) -> str:
        """Stream of the same messages, for those who need that none is lost."""
        return f"{self.channel}:stream"

    @property
    def lease(self) -> str:
        """Key with the name of the process that carries them out."""
        return f"{self.channel}:lease"
