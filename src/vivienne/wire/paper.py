"""The paper account on the wire: a simulation of an account that follows the decisions."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from vivienne.wire.explanation import Side

TradeEnd = Literal["exit", "turn", "hole"]
"""Reason of an exit: the decision asked for no position; it asked for the other side; or bars are missing."""
SIMULATION = (
    "This is a simulation: nobody traded. It assumes that every order is filled in full at the open of the next bar "
    "at the costs given, and that it moves no price."
)
"""What every paper account says of itself."""


class PaperTrade(TypedDict):
    """A position of the paper account, from its entry to its exit.

    `size` is that of the entry, in percent of equity. `exited_at` and `ended_by` are null while the position is open;
    `exit_price` is then the last close. `profit` is in percent of the equity at the entry, less all costs so far.
    """

    asset: str
    side: Side
    size: float
    entered_at: str
    entry_price: float
    exited_at: str | None
    exit_price: float
    profit: float
    ended_by: TradeEnd | None


class EquityCurve(TypedDict):
    """Equity at the close of bars, by their open times; it begins with 100. The last value is the newest."""

    times: list[str]
    equity: list[float]


class PaperAccount(TypedDict):
    """What an account would have become that followed the decisions on closed bars.

    `fee` and `slippage` are in basis points. `equity` is the last one, where the beginning is 100. `trades` is the
    number of positions that ended, `wins` of those with a profit, and `hit_rate` the fraction; null without any.
    `open` is the number of positions that have not ended. `drawdown` is the largest fall of equity from its highest
    value before, in percent of that, and `drawdown_at` the time of the lowest. `exposure` is the mean value of all
    positions at the closes, in percent of equity, and `invested` the fraction of bars with a position. `turnover` is
    the traded value as a multiple of equity, and `paid` the costs in percent of the equity at the beginning.
    """

    simulation: str
    assets: list[str]
    begins: str | None
    ends: str | None
    bars: int
    fee: float
    slippage: float
    equity: float
    trades: int
    wins: int
    hit_rate: float | None
    open: int
    drawdown: float
    drawdown_at: str | None
    exposure: float
    invested: float
    turnover: float
    paid: float
    curve: EquityCurve
    newest_trades: list[PaperTrade]
