"""Whole configurations out of a database into a file, and out of a file into a database."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vivienne.changes.requests import Replacement
from vivienne.changes.service import ConfigService
from vivienne.channels.envelope import open_envelope
from vivienne.commands.yaml.layers import read_layers
from vivienne.commands.yaml.reading import LARGEST_FILE
from vivienne.commands.yaml.updating import update
from vivienne.commands.yaml.writing import header, scalar, tree, write
from vivienne.config.layers import GLOBAL
from vivienne.errors import FileUnreadable, ImportRefused, InvalidConfiguration, SettingsError
from vivienne.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.store.address import PostgresUrl
    from vivienne.wire.answers import LayerChange, Replaced, ValueChange

STANDARD = "-"
"""Stands for standard input or output, where a file is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What to do with a file.

    Attributes:
        replace_all: whether layers that are not in it are emptied.
        is_dry_run: whether only to say what would change.
        author: who does it; None for the user of the system.
    """

    file: str
    replace_all: bool = False
    is_dry_run: bool = False
    reason: str | None = None
    author: str | None = None


def export_configuration(db: Path | PostgresUrl, file: str) -> str:
    """What every layer of a database sets, as the text of a YAML file.

    A file that is there already is brought up to date, with its comments and in its order.

    Args:
        db: where it comes from.
        file: where it goes to; `STANDARD` writes none.

    Raises:
        StoreUnusable: the database cannot be opened.
        StoreUnavailable: it cannot be read.
        SettingsError: there is none.
        FileUnreadable: the file is no configuration, or cannot be written.
    """
    if _is_missing(db):
        raise SettingsError(f"There is no database {db}; name another one with --db")
    store = open_store(db)
    try:
        heads = store.heads()
    finally:
        store.close()
    newest = max(heads, key=lambda head: head.version, default=None)
    first_line = header(newest.version, newest.created_at) if newest else header(0, None)
    whole = tree({head.layer: head.document for head in heads})
    if file == STANDARD:
        return write(whole, first_line)
    path = Path(file)
    text = update(_read(file), file, whole, first_line) if path.exists() else write(whole, first_line)
    _write(path, text)
    return text


async def import_configuration(db: Path | PostgresUrl, order: ImportOrder) -> Replaced:
    """Let the layers of a database set what a YAML file says, all of it or nothing.

    It does not matter which assets are decided: all layers of the file and of the database must hold.

    Raises:
        StoreUnusable: the database cannot be opened.
        FileUnreadable: the file cannot be read.
        ImportRefused: what it says cannot be in force.
        NotStored: the database did not take it.
    """
    found = read_layers(_read(order.file), order.file)
    asked = Replacement(found.documents, order.replace_all, **_signed(order))
    is_new = _is_missing(db)
    try:
        if order.is_dry_run or is_new or found.findings:  # with findings, to tell what else is wrong
            answer = await _try(db, asked, is_new=is_new)
        if found.findings:
            raise ImportRefused(order.file, found.findings)
        if not order.is_dry_run:
            async with _service(db) as service:
                answer = await service.replace(asked)
    except InvalidConfiguration as refused:
        raise ImportRefused(order.file, [*found.findings, *found.located(refused.problems)]) from refused
    return answer


def _is_missing(db: Path | PostgresUrl) -> bool:
    return isinstance(db, Path) and not db.exists()


def report(answer: Replaced) -> list[str]:
    """What an import did or would do, in lines for people."""
    lines = []
    for layer in answer["layers"]:
        lines += [_title(layer), *(f"  {_change(change)}" for change in layer["changed"])]
    return [*lines, answer["message"]]


def _title(layer: LayerChange) -> str:
    version = layer.get("version")
    return (layer["asset_symbol"] or GLOBAL) + (f" (version {version})" if version else "")


def _change(change: ValueChange) -> str:
    old, new = (_shown(change, side) for side in ("old", "new"))
    return f"{change['path']}: {old} -> {new}"


def _shown(change: Any, side: str) -> str:
    return scalar(change[side]) if side in change else "inherited"


def _signed(order: ImportOrder) -> dict[str, Any]:
    """By whom and why, as every channel takes it."""
    given = {"author": order.author or user_of_system(), "reason": order.reason}
    try:
        envelope = open_envelope({name: text for name, text in given.items() if text is not None})
    except InvalidConfiguration as refused:
        raise SettingsError("; ".join(f"--{problem.message}" for problem in refused.problems)) from refused
    return {"author": envelope.author, "reason": envelope.reason}


def user_of_system() -> str | None:
    """The user of the system, where it has a name."""
    import getpass  # noqa: PLC0415  # only an import without --author asks

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None


@asynccontextmanager
async def _service(db: Path | PostgresUrl) -> AsyncIterator[ConfigService]:
    """A service for every asset that has a layer."""
    store = open_store(db)
    service = ConfigService(store, sorted({head.layer for head in store.heads()} - {GLOBAL}))
    try:
        yield service
    finally:
        await service.close()


async def _try(db: Path | PostgresUrl, asked: Replacement, *, is_new: bool) -> Replaced:
    """What a replacement would do; in place of a file that is not there an empty one is asked, so that none is made."""
    with tempfile.TemporaryDirectory() as folder:
        async with _service(Path(folder) / "empty.db" if is_new else db) as service:
            return await service.try_replacement(asked)


def _read(file: str) -> str:
    try:
        if file == STANDARD:
            raw = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(LARGEST_FILE + 1)
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise FileUnreadable(file, f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        if len(error.object) > LARGEST_FILE:  # cut within a sign
            raise FileUnreadable(file, f"it is larger than {LARGEST_FILE:,} bytes; a configuration is not") from error
        line = error.object.count(b"\n", 0, error.start) + 1
        raise FileUnreadable(file, "it is no text in UTF-8", line=line) from error


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: a person's comments are in it."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():  # such as /dev/stdout
            target.write_text(text, encoding="utf-8", newline="")
            return
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
                opened.write(text)
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
        raise FileUnreadable(str(path), f"it cannot be written: {error.strerror}") from error


def _umask() -> int:
    """What permissions new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
