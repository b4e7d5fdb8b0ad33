"""The finished file of a download: CSV, plain or gzip, or Parquet. It appears whole, or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from vivienne.errors import SettingsError, unwritable
from vivienne.market.download.rows import COLUMNS

if TYPE_CHECKING:
    from io import BufferedRandom, BufferedWriter
    from pathlib import Path

    from vivienne.market.download.partial import Partial

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_WHOLE_NUMBERS = ("open_time", "close_time")
_BATCH_ROWS = 50_000


def check_target(path: Path) -> None:
    """Check that a file can be downloaded into, before anything is asked for.

    Raises:
        SettingsError: its name says no format, it is there already, or a library is missing.
    """
    if not path.name.lower().endswith(_ENDINGS):
        raise SettingsError(f"{path} must end with {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}, which says its format")
    if path.exists() or path.is_symlink():
        raise SettingsError(f"{path} is there already and is not overwritten; remove it, or name another file")
    if not path.parent.is_dir():
        raise SettingsError(f"{path.parent} is not a folder; make it, or name another file")
    if path.name.lower().endswith(".parquet") and find_spec("arro3.io") is None:
        raise SettingsError("to write Parquet, install the library for it: pip install 'vivienne[parquet]'")


def finish(partial: Partial, target: Path) -> None:
    """Write the finished file from the rows of a partial one, which is removed.

    Raises:
        FileUnreadable: it cannot be written.
        NotNow: the disk is full.
        SettingsError: there is one of this name by now.
    """
    # Whatever is there under this name is the rest of an earlier try: the partial file is held by this process.
    temporary = partial.path.with_name(f"{partial.path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:  # never through a link of another user
            _write(partial, file, target.name.lower())
            file.flush()
            os.fsync(file.fileno())
        check_target(target)  # it may have come meanwhile
        temporary.replace(target)
        partial.remove()
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(partial: Partial, file: BufferedWriter, name: str) -> None:
    rows = partial.rows()
    if name.endswith(".parquet"):
        import_module("arro3.io").write_parquet(_table(rows), file)
    elif name.endswith(".gz"):
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
            shutil.copyfileobj(rows, packed)
    else:
        shutil.copyfileobj(rows, file)


def _table(rows: BufferedRandom) -> Any:
    """The rows as a table of Arrow. What is unknown is null."""
    core = import_module("arro3.core")
    kinds = [core.DataType.int64() if name in _WHOLE_NUMBERS else core.DataType.float64() for name in COLUMNS]
    rows.readline()
    batches = []
    # As Python's objects they take ten times the memory: so not all of them at once.
    while lines := list(islice(rows, _BATCH_ROWS)):
        cells = zip(*(line.decode().rstrip("\n").split(",") for line in lines), strict=True)
        columns = [
            core.Array([_number(name, cell) for cell in column], type=kind)
            for name, kind, column in zip(COLUMNS, kinds, cells, strict=True)
        ]
        batches.append(core.RecordBatch.from_pydict(dict(zip(COLUMNS, columns, strict=True))))
    return core.Table.from_batches(batches)


def _number(name: str, cell: str) -> float | None:
    if not cell:
        return None
    return int(cell) if name in _WHOLE_NUMBERS else float(cell)
