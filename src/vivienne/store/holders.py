"""Names who holds a database: processes with a lock on a file, and the owner of one that cannot be opened."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_LOCKS = Path("/proc/locks")


def holders(path: Path) -> str:
    """The other processes with a lock on a file, as words: ``process 4711 (sqlite3, user ann)``.

    Empty where there is none, or the system does not tell.
    """
    try:
        file = path.stat()
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return ""
    device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    # "7: POSIX  ADVISORY  READ 4711 fe:00:2179294 0 EOF"; a process that waits for a lock has an arrow after the colon.
    found = [words for words in map(str.split, lines) if words[1] != "->" and device in words]
    others = sorted({int(words[4]) for words in found} - {os.getpid()})
    return ", ".join(_process(number) for number in others)


def _process(number: int) -> str:
    folder = Path(f"/proc/{number}")
    try:
        about = f" ({(folder / 'comm').read_text().strip()}, user {user_name(folder.stat().st_uid)})"
    except OSError:  # it has ended, or may not be seen
        about = ""
    return f"process {number}{about}"


def belongs_to_another(*paths: Path) -> str:
    """Why this process may not write files: they belong to somebody else. Empty if that is not the reason.

    Args:
        paths: files, which need not exist, or their folder.
    """
    me = os.geteuid()
    for path in paths:
        try:
            owner = path.stat().st_uid
        except OSError:
            continue
        if owner != me and not os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            mine, theirs = user_name(me), user_name(owner)
            way = "" if owner == 0 else f"run this as {theirs}, or "
            return (
                f"{path} belongs to {theirs}, and this process runs as {mine}, who may not write it; {way}give the "
                f"database and the files beside it to {mine} with chown"
            )
    return ""


def user_name(number: int) -> str:
    """The name of a user, or the number of one without a name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
