"""Files of configurations, read and written whole."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vivienne.commands.yaml.reading import LARGEST_FILE
from vivienne.errors import FileUnreadable, unwritable
from vivienne.store.private import refuse_special

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD = "-"
"""File name of standard input or output."""


def read_file(file: str) -> str:
    """The text of a file of a configuration.

    Raises:
        FileUnreadable: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        if file == STANDARD:
            raw = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            refuse_special(Path(file))
            with Path(file).open("rb") as opened:
                raw = opened.read(LARGEST_FILE + 1)
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise FileUnreadable(file, f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        if len(error.object) > LARGEST_FILE:  # cut within a character
            raise FileUnreadable(file, f"it exceeds the limit of {LARGEST_FILE:,} bytes for a configuration") from error
        line = error.object.count(b"\n", 0, error.start) + 1
        raise FileUnreadable(file, "the text is not UTF-8", line=line) from error


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all: a person's comments are in it.

    Raises:
        FileUnreadable: it cannot be written.
    """
    with written_whole(path) as file:
        file.write(text.encode())


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which appears whole at the end of the block, or not at all.

    Raises:
        FileUnreadable: it cannot be written.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():  # such as /dev/stdout
            with target.open("wb") as opened:
                yield opened
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as opened:
                yield opened
                opened.flush()
                os.fsync(opened.fileno())
            if target.exists():
                shutil.copymode(target, name)
            else:
                Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def _umask() -> int:
    """Permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
