"""A paper account as it goes out, with its measures."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from vivienne.record.judging.book import BEGINNING
from vivienne.record.judging.curves import MOST_POINTS, points
from vivienne.times import iso
from vivienne.wire.paper import SIMULATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.market.types import FloatArray
    from vivienne.record.judging.account import Account
    from vivienne.record.judging.book import PaperPosition
    from vivienne.record.judging.costs import Costs
    from vivienne.wire.paper import PaperAccount, PaperTrade

MOST_TRADES = 200
"""Largest number of trades that are listed; the newest are kept."""


def account_entry(
    found: Account,
    assets: Sequence[str],
    costs: Costs,
    *,
    most_points: int = MOST_POINTS,
    most_trades: int = MOST_TRADES,
) -> PaperAccount:
    """The entry of an account.

    Args:
        found: the account.
        assets: names of its assets.
        costs: those it was computed with.
        most_points: largest number of points of the curve.
        most_trades: largest number of trades that are listed.
    """
    ended = [trade for trade in found.trades if trade.ended_by is not None]
    wins = sum(trade.profit > 0 for trade in ended)
    fall, lowest = _drawdown(found.equity)
    exposure = found.exposure[found.is_bar]
    shown = points(len(found.time), most_points)
    return {
        "simulation": SIMULATION,
        "assets": [*assets],
        "begins": _time(found, 0),
        "ends": _time(found, -1),
        "bars": len(exposure),
        "fee": costs.fee,
        "slippage": costs.slippage,
        "equity": found.equity.item(-1) if len(found.equity) else BEGINNING,
        "trades": len(ended),
        "wins": wins,
        "hit_rate": wins / len(ended) if ended else None,
        "open": len(found.trades) - len(ended),
        "drawdown": fall,
        "drawdown_at": _time(found, lowest) if fall else None,
        "exposure": fsum(exposure.tolist()) / len(exposure) if len(exposure) else 0.0,
        "invested": int(np.count_nonzero(exposure)) / len(exposure) if len(exposure) else 0.0,
        "turnover": found.turnover,
        "paid": found.paid,
        "curve": {
            "times": [iso(time) for time in found.time[shown].tolist()],
            "equity": found.equity[shown].tolist(),
        },
        "newest_trades": [trade_entry(trade) for trade in found.trades[-most_trades:]],
    }


def trade_entry(trade: PaperPosition) -> PaperTrade:
    """The entry of one trade."""
    return {
        "asset": trade.asset,
        "side": "long" if trade.side > 0 else "short",
        "size": trade.size,
        "entered_at": iso(trade.entered_at),
        "entry_price": trade.entry_price,
        "exited_at": None if trade.exited_at is None else iso(trade.exited_at),
        "exit_price": trade.exit_price,
        "profit": trade.percent,
        "ended_by": trade.ended_by,
    }


def _time(found: Account, row: int) -> str | None:
    return iso(found.time.item(row)) if len(found.time) else None


def _drawdown(equity: FloatArray) -> tuple[float, int]:
    """The largest fall from the highest equity before, in percent of that, and the row of the lowest."""
    highest = np.maximum.accumulate(equity)  # nothing is held on the first bar, so the first is the beginning
    fall = (highest - equity) / highest * 100
    row = int(fall.argmax()) if len(fall) else 0
    return (fall.item(row) if len(fall) else 0.0), row
