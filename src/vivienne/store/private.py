"""Files and folders that only their owner may open, whatever the umask.

A database tells who changed what from where. Somebody who may only read it could still hold a lock on it, and with that
stop every change, or the next start.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from vivienne.store.holders import user_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_FILE, _FOLDER = 0o600, 0o700
_OTHERS, _OF_GROUP, _WRITE_OF_OTHERS = 0o077, 0o070, 0o022
_PART = 1024 * 1024


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, for their owner alone. An existing one stays as it is.

    Raises:
        OSError: that is not possible.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            each.mkdir(mode=_FOLDER)
            each.chmod(_FOLDER)
            _give_to_owner_of_folder(each)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "its folder is a file", str(folder))


def make_file(path: Path) -> bool:
    """Make an empty file for its owner alone; False if there is one already, which stays as it is.

    Raises:
        OSError: that is not possible.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FILE)
    except FileExistsError:
        return False
    try:
        os.fchmod(handle, _FILE)
    finally:
        os.close(handle)
    _give_to_owner_of_folder(path)
    return True


def withdraw_from_others(path: Path) -> bool:
    """Take all rights to a file from everybody but its owner; False if there is no file, or nothing to take.

    Raises:
        OSError: it belongs to another user.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return False
    if not mode & _OTHERS:
        return False
    path.chmod(mode & ~_OTHERS)
    return True


def _give_to_owner_of_folder(path: Path) -> None:
    """What the superuser makes in the folder of a service belongs to the service, which could not open it otherwise."""
    if os.geteuid() != 0:
        return
    owner = path.parent.stat()
    if owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def replacing(path: Path, around: Callable[[], AbstractContextManager[None]] = nullcontext) -> Iterator[Path]:
    """A private file beside `path`, empty. At the end of the block it is synced and takes the place of `path`.

    If the block fails, it is removed and `path` is as before. A file that is replaced passes on its owner and its
    group, but no right of anybody else.

    Args:
        path: what is replaced, or a new file.
        around: entered once the file is complete on disk, while it takes the place.

    Raises:
        OSError: that is not possible, or somebody else may have put there what is replaced.
    """
    target = path.resolve()
    for each in (path, target):
        _refuse_planted(each)
    # Before the block: what comes there in the meantime passes on nothing.
    earlier = target.stat() if target.exists() else None
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    make_file(temporary)
    try:
        yield temporary
        if earlier is not None and target.exists():
            if (earlier.st_uid, earlier.st_gid) != (temporary.stat().st_uid, temporary.stat().st_gid):
                os.chown(temporary, earlier.st_uid, earlier.st_gid)
            temporary.chmod(_FILE | stat.S_IMODE(earlier.st_mode) & _OF_GROUP)
        with naming(path):
            sync(temporary)
        with around():
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    try:
        sync(target.parent)
    except OSError as error:
        why = f"it has its new content, which may not outlast a power cut ({error.strerror})"
        raise OSError(error.errno, why, str(path)) from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name a file in errors of the block: those of the system often name none, or a temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def refuse_special(path: Path) -> None:
    """Refuse what is there and no file: reading a device or a pipe may never end.

    Raises:
        OSError: it is one.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def copy_file(source: Path, target: Path, called: Path | None = None) -> None:
    """Copy the content of a file into another one. An error names the one that could not be read or written.

    Args:
        source: read.
        target: written.
        called: the name of the target in errors.

    Raises:
        OSError: that is not possible.
    """
    refuse_special(source)
    with naming(source):
        reading = source.open("rb")
    with reading, target.open("wb", buffering=0) as writing:
        while True:
            with naming(source):
                part = memoryview(reading.read(_PART))
            if not part:
                return
            with naming(called or target):
                while part:  # on a full disk a part of it may be written, and the next time nothing
                    part = part[writing.write(part) :]


def _refuse_planted(path: Path) -> None:
    """Refuse a file or link of another user, who would get what is written, or choose where.

    The superuser replaces those in a folder of the same user, and in one of its own where nobody else can put anything.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    user = os.geteuid()
    if found.st_uid == user or (stat.S_ISLNK(found.st_mode) and found.st_uid == 0):
        return
    folder = path.parent.stat()
    is_closed = folder.st_uid == 0 and not folder.st_mode & _WRITE_OF_OTHERS
    if user == 0 and (folder.st_uid == found.st_uid or is_closed):
        return
    why = f"it belongs to {user_name(found.st_uid)}, who may have put it there; remove it, or name a file of your own"
    raise PermissionError(errno.EPERM, why, str(path))


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk.

    Raises:
        OSError: the disk reports an error.
    """
    with naming(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
