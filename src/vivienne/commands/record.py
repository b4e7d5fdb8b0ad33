"""Access of commands to a record."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vivienne.commands.options import option_of
from vivienne.errors import SettingsError
from vivienne.record.database import open_record
from vivienne.record.place import beside
from vivienne.record.reader import RecordReader
from vivienne.settings import parsing
from vivienne.settings.boot import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

record_option = option_of(SETTINGS["record"], "File of the record.  [default: the one that belongs to --db]")
"""`--record`, as `serve` has it."""


@contextmanager
def opened_record(db: str, record: str) -> Iterator[RecordReader]:
    """A record, open until the end of the block; a server may use it too.

    Args:
        db: the option `--db`.
        record: the option `--record`.

    Raises:
        SettingsError: there is none.
        RecordUnavailable: it cannot be opened.
    """
    named = parsing.record(record)
    if named == "off":
        raise SettingsError("--record off names no record; leave it out, or name the file")
    where = named or beside(parsing.database(db))
    if isinstance(where, Path) and not where.exists():
        raise SettingsError(f"There is no record {where}; name the database with --db, or the record with --record")
    reader = RecordReader(open_record(where, "to read"))
    try:
        yield reader
    finally:
        reader.close()
