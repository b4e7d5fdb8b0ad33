"""The files of one asset, or one file by itself: its parts in order of time, and what is said of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.errors import MarketDataError
from vivienne.market.files.ordering import Once, placed, put_in_order_by_and_by
from vivienne.market.files.part import MOST_SORTED, Part
from vivienne.market.files.partial import count_partial, has_whole_minute
from vivienne.market.files.report import Report
from vivienne.market.files.rows import Rows
from vivienne.market.files.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vivienne.market.files.fields import Kind

_log = logging.getLogger(__name__)
_LARGE = 200_000_000
"""Bytes of a file whose reading takes long enough to be announced."""


class Stretch(NamedTuple):
    """Rows in order of time, each there once.

    Attributes:
        kind: what they are.
        length: length of a candle, ms; 0 for trades.
        rows: the rows. Those that are not valid are left out, and mark where data is missing.
    """

    kind: Kind
    length: int
    rows: Rows


class AssetFiles:
    """Files of one asset, looked through before anything of them is used.

    Args:
        paths: the files, in any order.
        skip: leave wrong rows out; otherwise the first of them is an error when it is reached.

    Raises:
        MarketDataError: a file is missing, cannot be read, or not as the market of one asset.

    Attributes:
        reports: what each part was taken for, and what of it is left out.
        longest: length of the longest candles, ms; 0 if there are only trades.
    """

    def __init__(self, paths: Sequence[Path], *, skip: bool = False) -> None:
        self._parts: list[Part] = []
        left_out: dict[Path, list[str]] = {}
        for path in paths:
            sources, left_out[path] = sources_of(path)
            if path.stat().st_size > _LARGE:
                _log.info("Reading %s (%.1f GB)", path, path.stat().st_size / 1e9)
            self._parts += [Part(source, skip=skip) for source in sources]
        empty = [part for part in self._parts if part.first is None]
        self._parts = sorted((part for part in self._parts if part.first is not None), key=lambda part: part.first or 0)
        self._groups = self._grouped()
        self._drop_unclosed()
        self._count_repeated()
        self._in_memory = {number: self._sorted(group) for number, group in enumerate(self._groups) if _is_mixed(group)}
        count_partial(self._parts)
        self.longest = max((part.length for part in self._parts), default=0)
        self.reports = [Report.of(part, left_out[part.source.path]) for part in [*self._parts, *empty]]
        self._check_not_empty(paths)

    def _check_not_empty(self, paths: Sequence[Path]) -> None:
        used = [part for part in self._parts if not (part.drops_last and part.first == part.last)]
        for path in paths:
            if not any(part.source.path == path for part in used):
                raise MarketDataError(path, "the file does not contain a closed minute; at least one is needed")

    @property
    def gives_candles(self) -> bool:
        """True if candles come of the files; trades of two minutes give none."""
        return any(map(has_whole_minute, self._parts))

    def _grouped(self) -> list[list[Part]]:
        """Parts that share a span of time are one group, which has to be sorted together."""
        groups: list[list[Part]] = []
        end = -1
        for part in self._parts:
            first, last = part.first or 0, part.last or 0
            group = groups[-1] if groups else []
            overlaps = first < end or (first == end and part.kind == "candles")
            if group and first == end and part.kind == group[-1].kind == "trades":
                part.ids_before = part.first_ids & group[-1].last_ids
                part.counts.repeated += len(part.ids_before)
            if group and overlaps:
                _check_alike(group[-1], part)
                group.append(part)
                part.is_in_order = False
            else:
                groups.append([part])
            end = max(end, last)
        return groups

    def _drop_unclosed(self) -> None:
        """Leave out the last candle before a hole, and the very last, where nothing says that it is closed."""
        for number, group in enumerate(self._groups):
            part = max(group, key=lambda each: each.last or 0)
            end = (part.last or 0) + part.length
            is_continued = number + 1 < len(self._groups) and self._groups[number + 1][0].first == end
            part.drops_last = not part.last_is_closed and not is_continued
            part.counts.unclosed += part.drops_last

    def _count_repeated(self) -> None:
        """Count what is there twice in parts that are put in order while they are read."""
        for group in self._groups:
            if not _is_mixed(group) and group[0].lag:
                once = Once(group[0].kind)
                for rows in _blocks_in_order(group[0]):
                    once.add(rows)
                once.end()
                group[0].count(once)

    def _sorted(self, group: Sequence[Part]) -> Rows:
        """The rows of a group in order, each once."""
        if sum(part.counts.rows for part in group) > MOST_SORTED and len(group) > 1:
            raise group[1].source.error(
                f"it begins before {group[0].source.name} ends, and both have too many rows to sort them; cut the "
                "files so that they follow each other"
            )
        rows = Rows.joined([_without_earlier(part, part.in_memory()) for part in group])
        if len(group) > 1:
            rows = rows[rows.time.argsort(kind="stable")]
        once = Once(group[0].kind)
        kept = [once.add(rows), once.end()]
        group[-1].count(once)
        return Rows.joined([each for each in kept if each is not None])

    def stretches(self) -> Iterator[Stretch]:
        """All rows in order of time, many at a time.

        Raises:
            MarketDataError: a file cannot be read any further, or a row is wrong and must not be left out.
        """
        for number, group in enumerate(self._groups):
            kind, length = group[0].kind, group[0].length
            for rows in [self._in_memory.pop(number)] if number in self._in_memory else _read(group[0]):
                drop = next((part.last for part in group if part.drops_last), None)
                kept = rows if drop is None or not len(rows) or rows.time[-1] < drop else rows[rows.time != drop]
                if len(kept):
                    yield Stretch(kind, length, kept)


def _is_mixed(group: Sequence[Part]) -> bool:
    return len(group) > 1 or not (group[0].is_in_order or group[0].lag)


def _blocks_in_order(part: Part) -> Iterator[Rows]:
    if not part.lag:
        return part.blocks()
    return put_in_order_by_and_by(part.blocks(), lag=part.lag, kind=part.kind, length=part.length)


def _read(part: Part) -> Iterator[Rows]:
    """The rows of a part that is in order, or nearly, each once."""
    once = Once(part.kind)
    before: int | None = None
    for block in _ending_with_valid_rows(_blocks_in_order(part)):
        rows = placed(block, part.length, before)
        if len(rows):
            before = int(rows.time[-1])
        yield once.add(_without_earlier(part, rows))
    rest = once.end()
    if rest is not None:
        yield rest


def _without_earlier(part: Part, rows: Rows) -> Rows:
    """The rows without trades that the part before has too."""
    if not part.ids_before or not len(rows) or rows.time[0] != part.first:
        return rows
    return rows[~(np.isin(rows.ids, list(part.ids_before)) & (rows.time == part.first))]


def _ending_with_valid_rows(blocks: Iterator[Rows]) -> Iterator[Rows]:
    """The same rows in blocks that end with valid ones: the time of a row that cannot be used depends on the next."""
    held: Rows | None = None
    for block in blocks:
        rows = block if held is None else Rows.joined([held, block])
        if len(rows) and rows.valid[-1]:
            held = None
            yield rows
            continue
        end = int(np.flatnonzero(rows.valid)[-1]) + 1 if rows.valid.any() else 0
        held = rows[end:]
        if end:
            yield rows[:end]
    if held is not None:
        yield held


def _check_alike(one: Part, other: Part) -> None:
    """Parts of the same span of time must be of the same kind and length."""
    if (one.kind, one.length) == (other.kind, other.length):
        return
    raise other.source.error(
        f"it has {Report.of(other, []).what}, and {one.source.name} has {Report.of(one, []).what} of the same time; "
        "give one of them"
    )
