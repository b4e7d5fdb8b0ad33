"""Files as rows of text cells: CSV (plain, gzip, zip), JSON, and tables of Arrow.

A file has one source, an archive one for each of its members. A source can be read several times; each time it opens
its file again.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias

from vivienne.errors import MarketDataError
from vivienne.market.files import tables
from vivienne.market.files.lines import blocks_of_lines

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

Row = list[str]
Stream: TypeAlias = "io.BufferedReader | gzip.GzipFile | zipfile.ZipExtFile"
_HEAD_ROWS = 200
_OPEN_ARCHIVES = 4
"""Archives that are kept open."""
_ENDINGS = (".csv", ".tsv", ".json")
"""Of members of an archive that are read. Other ones are descriptions and checksums."""
_BOTH_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Source:
    """A table in a file.

    Attributes:
        path: the file.
        member: the file in an archive; None without one.
        style: ``text``, ``json``, ``arrow`` or ``parquet``.
    """

    path: Path
    member: str | None
    style: str

    @property
    def name(self) -> str:
        """The file and the member."""
        return str(self.path) if self.member is None else f"{self.path}, {self.member}"

    @property
    def unit(self) -> str:
        """What is counted to say where something is."""
        return "line" if self.style == "text" else "row"

    def error(self, reason: str, line: int | None = None) -> MarketDataError:
        """An error in this source."""
        return MarketDataError(self.path, reason, line=line, member=self.member, unit=self.unit)

    def blocks(self) -> Generator[Block, None, None]:
        """All rows, many at a time.

        Raises:
            MarketDataError: the file cannot be read.
        """
        with _translated(self), _opened(self) as stream:
            seen = 0
            if self.style != "text":
                for rows in tables.READERS[self.style](self.path, stream, self.error):
                    yield Block(self, seen, rows, None)
                    seen += len(rows)
                return
            with _text(stream) as text:
                for lines, is_quoted in blocks_of_lines(text, self.error):
                    yield Block(self, seen, None, lines, is_quoted=is_quoted)
                    seen += len(lines)

    def head(self) -> Block:
        """The first rows."""
        with closing(self.blocks()) as blocks:
            block = next(blocks, Block(self, 0, [], None))
        rows, lines = block.table, block.lines
        return replace(
            block,
            table=None if rows is None else rows[:_HEAD_ROWS],
            lines=None if lines is None else lines[:_HEAD_ROWS],
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a source, one for each line.

    Attributes:
        source: where it is from.
        seen: number of rows before it.
        table: the values of the rows; None for text.
        lines: the lines of text; None for tables.
        is_quoted: whether quotation marks may be in the lines.
    """

    source: Source
    seen: int
    table: list[Sequence[Any]] | None
    lines: list[str] | None
    is_quoted: bool = False

    def __len__(self) -> int:
        return len(self.lines or self.table or ())

    def rows(self, delimiter: str) -> list[Row]:
        """The rows as cells. That of an empty line has no cells.

        Raises:
            MarketDataError: a quotation mark is not closed.
        """
        if self.lines is None:
            return [[tables.cell(value) for value in row] for row in self.table or []]
        if not self.is_quoted:
            return [line.split(delimiter) if line else [] for line in self.lines]
        with _translated(self.source):
            rows = list(csv.reader(self.lines, delimiter=delimiter))
        if len(rows) != len(self.lines):
            odd = (place for place, line in enumerate(self.lines, self.seen + 1) if line.count('"') % 2)
            raise self.source.error("a quotation mark in this line is not closed", next(odd, self.seen + 1))
        return rows

    def after(self, count: int) -> Block:
        """The block without its first rows."""
        return replace(
            self,
            seen=self.seen + count,
            table=None if self.table is None else self.table[count:],
            lines=None if self.lines is None else self.lines[count:],
        )


def sources_of(path: Path) -> tuple[list[Source], list[str]]:
    """The sources in a file, and the members of an archive that are left out.

    Raises:
        MarketDataError: the file cannot be read, or has nothing to read.
    """
    whole = Source(path, None, "text")
    with _translated(whole):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise MarketDataError(path, "this is not a regular file")
        with path.open("rb") as raw:
            magic = raw.read(6)
    if magic[:4] != b"PK\x03\x04":
        return [Source(path, None, _style_of(whole, magic))], []
    with _translated(whole):
        names = sorted(name for name in _archive(path).namelist() if not name.endswith("/"))
    read = [name for name in names if _is_data(name)]
    if not read:
        raise MarketDataError(path, f"the archive does not contain a .csv file, but {', '.join(names) or 'nothing'}")
    found = [Source(path, name, "text") for name in read]
    return [Source(path, each.member, _style_of(each, b"")) for each in found], [n for n in names if n not in read]


def _is_data(name: str) -> bool:
    member = PurePosixPath(name)
    is_hidden = member.parts[0] == "__MACOSX" or any(part.startswith(".") for part in member.parts)
    return not is_hidden and member.suffix.lower() in _ENDINGS


def _style_of(source: Source, magic: bytes) -> str:
    if magic == b"ARROW1":
        return "arrow"
    if magic[:4] == b"PAR1":
        return "parquet"
    if magic[:4] == b"FEA1":
        raise source.error("Feather version 1 is not supported; write the table again with a newer library")
    with _translated(source), _opened(source) as stream:
        start = stream.read(64)
    return "json" if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{") else "text"


@contextmanager
def _opened(source: Source) -> Iterator[Stream]:
    if source.member is not None:
        with _member(source, _archive(source.path)) as stream:
            yield stream
        return
    with source.path.open("rb") as raw:
        if raw.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream
        else:
            yield raw


def _archive(path: Path) -> zipfile.ZipFile:
    """An opened archive; the members of one are read one after the other, and its directory is read once for them."""
    found = path.stat()
    return _opened_archive(path, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=_OPEN_ARCHIVES)
def _opened_archive(path: Path, *_content: int) -> zipfile.ZipFile:
    # Closed when it is neither kept here nor read: a member that is read has it.
    return zipfile.ZipFile(path)


def _member(source: Source, archive: zipfile.ZipFile) -> zipfile.ZipExtFile:
    try:
        return archive.open(source.member or "")  # type: ignore[return-value]  # it has `peek`
    except (RuntimeError, NotImplementedError) as error:
        raise source.error(f"it cannot be unpacked ({error}); unpack the archive and give the files in it") from error


def _text(stream: Stream) -> io.TextIOWrapper:
    encoding = "utf-16" if stream.peek(2)[:2] in _BOTH_MARKS else "utf-8-sig"
    return io.TextIOWrapper(stream, encoding=encoding)


@contextmanager
def _translated(source: Source) -> Iterator[None]:
    """Turn errors of files and of formats into `MarketDataError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise source.error("the file does not exist") from error
    except IsADirectoryError as error:
        raise source.error("this is a directory; list the files in it") from error
    except PermissionError as error:
        raise source.error("permission to read the file is denied") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise source.error(f"the compressed data is damaged ({error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise source.error(f"this is not a valid CSV file ({error})") from error
    except OSError as error:
        raise source.error(f"the file cannot be read ({error.strerror})") from error
