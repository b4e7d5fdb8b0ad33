"""The paper account: what an account would have become that followed the decisions.

The account begins with an equity of 100. At the open of each bar it takes the position that the bar before asks for, if
that differs from what the bar before that asked for. Between such changes the number of units stays, whatever the
price does. A position ends when the level is idle, the size 0 or the side another, and at the close of the last bar
before a hole. Several assets share one equity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.record.judging.book import BEGINNING, Book, PaperPosition
from vivienne.record.judging.grid import Followed, Grid, common_times, grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vivienne.market.types import BoolArray, FloatArray, IntArray
    from vivienne.record.columns import DecidedBars
    from vivienne.record.judging.costs import Costs
    from vivienne.slices import Pieces

_CHANGES = 50
"""Number of changes that are carried out at a time."""
_VALUES = 10_000
"""Number of prices that are turned into equity at a time."""


@dataclass(frozen=True, slots=True)
class Account:
    """A paper account on closed bars; the columns have one value for each time.

    Attributes:
        time: open times of the bars, ms since the epoch; after the last bar before a hole the time at which it closed.
        is_bar: True if some asset has a bar that opens then.
        equity: at the close of the bar; it begins with 100.
        exposure: value of all positions at the close, long and short alike, in percent of equity.
        trades: in the order of their beginning; those that have not ended are worth what the last close says.
        turnover: traded value as a multiple of equity.
        paid: fees and slippage, in units of the equity.
    """

    time: IntArray
    is_bar: BoolArray
    equity: FloatArray
    exposure: FloatArray
    trades: tuple[PaperPosition, ...]
    turnover: float
    paid: float


class _Course(NamedTuple):
    """Equity and units after each change, oldest first.

    Attributes:
        rows: rows of the changes; the first is row 0, before which there is none.
    """

    rows: IntArray
    equity: FloatArray
    units: FloatArray


def account(assets: Mapping[str, DecidedBars], length_ms: int, costs: Costs) -> Pieces[Account]:
    """Follow the decisions on some assets with one equity.

    Args:
        assets: bars with decisions by the name of the asset, looked up one after the other. The account begins with the
            first decision of all; assets without a bar since then are left out.
        length_ms: length of a bar.
        costs: of a trade.
    """
    followed: dict[str, Followed] = {}
    for name, decided in assets.items():
        followed[name] = Followed.of(decided)
        yield
    begins = [each.open_time[each.is_decided].item(0) for each in followed.values() if each.is_decided.any()]
    known = _kept(followed, min(begins)) if begins else {}
    if not known:
        nothing = np.empty(0)
        return Account(np.empty(0, np.int64), np.empty(0, np.bool_), nothing, nothing, (), 0.0, 0.0)
    times = yield from common_times(list(known.values()), length_ms)
    known = _kept(known, times.item(0))
    market = yield from grid(list(known.values()), times, length_ms)
    book = Book(list(known), costs)
    course = yield from _follow(book, market)
    equity, exposure = yield from _curves(course, market)
    return Account(
        time=market.time,
        is_bar=np.logical_or.reduce(market.is_bar, axis=1),
        equity=equity,
        exposure=exposure,
        trades=book.finish(market.close[-1].tolist()),
        turnover=book.turnover,
        paid=book.paid,
    )


def _kept(assets: Mapping[str, Followed], time: int) -> dict[str, Followed]:
    """The bars that open at or after a time, of the assets that have some."""
    return {name: kept for name, each in assets.items() if len((kept := each.since(time)).open_time)}


def _follow(book: Book, market: Grid) -> Pieces[_Course]:
    """Carry out all changes of positions."""
    rows = yield from _changed_rows(market.target)
    equity, units = np.full(len(rows), BEGINNING), np.zeros((len(rows), market.target.shape[1]))
    for number, row in enumerate(rows.tolist()[1:], 1):
        prices, targets = market.open[row].tolist(), market.target[row].tolist()
        changed = np.flatnonzero(market.target[row] != market.target[row - 1]).tolist()
        book.change(market.time.item(row), prices, targets, changed, market.is_bar[row].tolist())
        equity[number], units[number] = book.equity, book.units
        if number % _CHANGES == 0:
            yield
    return _Course(rows, equity, units)


def _changed_rows(target: FloatArray) -> Pieces[IntArray]:
    """The rows whose targets are not those of the row before, and row 0."""
    # Row 0 is the first of a run, where no position is held.
    found = [np.zeros(1, np.int64)]
    for rows in _pieces(target):
        is_changed = target[rows][1:] != target[rows][:-1]
        found.append(np.flatnonzero(np.logical_or.reduce(is_changed, axis=1)) + rows.start + 1)
        yield
    return np.concatenate(found)


def _curves(course: _Course, market: Grid) -> Pieces[tuple[FloatArray, FloatArray]]:
    """Equity and exposure at each close."""
    count = len(market.close)
    equity, exposure = np.empty(count), np.empty(count)
    latest = np.searchsorted(course.rows, np.arange(count), side="right") - 1
    for rows in _pieces(market.close):
        change, close = latest[rows], market.close[rows]
        units, price = course.units[change], market.open[course.rows[change]]
        worth = equity[rows] = course.equity[change] + _sum(units * (close - price))
        value = _sum(np.abs(units) * close)
        exposure[rows] = np.where(worth > 0, value * 100 / np.where(worth > 0, worth, 1.0), 0.0)
        yield
    return equity, exposure


def _pieces(table: FloatArray) -> Iterator[slice]:
    """Rows of a table, some at a time; each piece but the first begins with the last row of the one before."""
    count, columns = table.shape
    step = max(1, _VALUES // columns)
    return (slice(begin, min(begin + step + 1, count)) for begin in range(0, count, step))


def _sum(columns: FloatArray) -> FloatArray:
    """The sum over the assets, one asset after the other, so that it does not depend on the number of rows."""
    total: FloatArray = np.add.accumulate(columns, axis=1)[:, -1]
    return total
