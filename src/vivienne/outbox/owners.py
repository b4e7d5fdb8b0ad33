"""Names of processes that deliver messages. Of those of this machine they tell which are gone."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def owner_name() -> str:
    """The name of this process, unlike that of any other."""
    return f"{_place()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def gone(owners: Iterable[str], owner: str) -> list[str]:
    """Of other processes than the owner, those that ran on this machine and do not any more.

    A container has processes of its own, whose numbers others have too: nothing is known of those of another one, or of
    the same one before it was started again.
    """
    return [other for other in owners if other != owner and _is_gone(other)]


def _is_gone(name: str) -> bool:
    place, _, rest = name.rpartition("-")[0].rpartition("-")
    if place != _place() or not rest.isdecimal():
        return False
    number = int(rest)
    if number == os.getpid():  # it has the number of one that was there before
        return True
    try:
        os.kill(number, 0)  # asks only
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's
        return False
    return False


def _place() -> str:
    """Where this process runs: its machine, since when that runs, and what of its processes can be seen.

    Machines may have one name, and copies of one have the same id; what they drew when they were started differs.
    """
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
        processes = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # this system has no such thing, so nothing is known of others
        return f"{socket.gethostname()[:50]}-{uuid.uuid4().hex[:12]}"
    return f"{socket.gethostname()[:50]}-{started}-{processes:x}"
