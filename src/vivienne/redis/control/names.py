"""Names of the channels and keys of control messages; all follow from the name of the control channel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ControlNames:
    """Names in Redis.

    Attributes:
        channel: of control messages.
    """

    channel: str

    @property
    def results(self) -> str:
        """Channel of the outcomes."""
        return f"{self.channel}:results"

    @property
    def stream(self) -> str:
        """Stream of the same messages, which loses none."""
        return f"{self.channel}:stream"

    @property
    def stream_id(self) -> str:
        """Key with a name of the stream that no other stream had, so that no other entry has the same name."""
        return f"{self.channel}:stream:id"

    @property
    def lease(self) -> str:
        """Key with the name of the process that applies them."""
        return f"{self.channel}:lease"
