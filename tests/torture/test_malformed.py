"""What must not be taken is refused, and nothing breaks over it. The long form is `make torture ARGS=malformed`."""

from __future__ import annotations

from torture import malformed
from torture.short import missed


def test_malformed_messages_and_frames_are_refused_and_change_nothing() -> None:
    assert [] == missed(malformed.measure(messages=300, control=75, frames=15))
