"""The partial file of a download. Whatever ended the program, what is whole of it is used again."""

from __future__ import annotations

import fcntl
import json
import math
import os
from typing import TYPE_CHECKING, Self

from vivienne.errors import NotNow, SettingsError, unwritable
from vivienne.market.download import rows
from vivienne.market.download.order import Holes
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedRandom
    from pathlib import Path
    from types import TracebackType

    from vivienne.market.download.order import Order
    from vivienne.market.types import Candle

_MARK = "# vivienne download "
_LONGEST_LINE = 1_000


class Partial:
    """The partial file beside a file that is downloaded. Use it as a context manager.

    Its first line says what is downloaded; a header and rows follow. A row that is not whole, and all after it, are
    taken away when it is opened. Only one process has it open.

    Args:
        target: the file that is downloaded.
        order: the download.

    Raises:
        FileUnreadable: it cannot be opened or written.
        SettingsError: it belongs to another download.
        NotNow: another process writes it, or the disk is full.

    Attributes:
        count: number of rows.
        first: open time of the first one, ms; None without any.
        last: the last one; None without any.
        unknown: names of columns that have an empty cell.
        holes: what is missing between the rows.
        taken_away: bytes that were not whole rows.
    """

    def __init__(self, target: Path, order: Order) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._order = order
        self._length = order.interval.milliseconds
        self.count = 0
        self.first: int | None = None
        self.last: Candle | None = None
        self.unknown: set[str] = set()
        self.holes = Holes(order.begin, self._length)
        self.taken_away = 0
        self._file = self._opened()
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def begin(self) -> int:
        """Open time of the next row, ms."""
        return self._order.begin if self.last is None else self.last.open_time + self._length

    def _opened(self) -> BufferedRandom:
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            file = os.fdopen(handle, "r+b")
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise self._in_use() from error
        if os.fstat(handle).st_uid != os.geteuid():
            file.close()
            raise SettingsError(f"{self.path} belongs to another user; remove it, or name another file")
        if os.fstat(handle).st_nlink == 0:  # it was finished and removed before this process had it
            file.close()
            raise self._in_use()
        return file

    def _in_use(self) -> NotNow:
        return NotNow(f"Another process downloads into {self.path}; wait for it, or name another file")

    def _read(self) -> None:
        first = self._file.readline(_LONGEST_LINE)
        mark = f"{_MARK}{json.dumps(self._order.identity)}\n".encode()
        if mark.startswith(first) and first != mark:  # empty, or the program ended while it was written
            self._begin_anew(mark)
            return
        if first != mark:
            raise SettingsError(self._other(first.decode(errors="replace")))
        header = self._file.readline(_LONGEST_LINE)
        if header != rows.HEADER.encode():
            self.taken_away = self._file.seek(0, os.SEEK_END) - len(mark)
            self._begin_anew(mark)
            return
        whole = self._file.tell()
        for raw in self._file:
            candle = rows.read(raw.decode(errors="replace"), self._length)
            if candle is None or candle.open_time < self.begin or candle.open_time % self._length:
                break
            self._count(candle)
            whole += len(raw)
        self._check_end()
        self.taken_away = self._file.seek(0, os.SEEK_END) - whole
        self._file.truncate(whole)
        self._file.seek(whole)

    def _begin_anew(self, mark: bytes) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._write(mark + rows.HEADER.encode())

    def _check_end(self) -> None:
        if self.last is not None and self.begin > self._order.end:
            raise SettingsError(
                f"{self.path} has candles up to {iso(self.begin)}, later than --to; give a later --to, or remove it"
            )

    def _other(self, first: str) -> str:
        what = first.removeprefix(_MARK).strip() if first.startswith(_MARK) else "something else"
        return (
            f"{self.path} is the beginning of another download ({what}); finish that with its options, remove the "
            "file, or name another one"
        )

    def _count(self, candle: Candle) -> None:
        self.count += 1
        self.first = candle.open_time if self.first is None else self.first
        self.last = candle
        self.holes.add(candle.open_time)
        named = zip(candle._fields, candle, strict=True)
        self.unknown.update(name for name, value in named if math.isnan(value))

    def append(self, candles: Iterable[Candle]) -> None:
        """Add rows; they are on the disk afterwards.

        Raises:
            FileUnreadable: they cannot be written.
            NotNow: the disk is full.
        """
        lines = []
        for candle in candles:
            self._count(candle)
            lines.append(rows.written(candle, self._length))
        if lines:
            self._write("".join(lines).encode())

    def _write(self, content: bytes) -> None:
        try:
            self._file.write(content)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def rows(self) -> BufferedRandom:
        """The file, at its header."""
        self._file.seek(0)
        self._file.readline()
        return self._file

    def remove(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
