"""The open files that the system allows this process, and the part of them that messages to receivers may use."""

from __future__ import annotations

import resource

SHARE = 8
"""One of so many files is for messages to receivers, as connections or pipes of processes."""
LEAST_FOR_MESSAGES = 40
"""As many there are however few the system allows."""


def allowed() -> int | None:
    """The open files that the system allows; None for any number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def for_messages(files: int | None, most: int) -> int:
    """Of so many open files, those for messages to receivers, at most `most`."""
    return most if files is None else min(most, max(LEAST_FOR_MESSAGES, files // SHARE))
