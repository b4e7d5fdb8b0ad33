"""The book of a paper account: units and equity, change by change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.record.judging.costs import Costs
    from vivienne.wire.paper import TradeEnd

BEGINNING = 100.0
"""Equity at the beginning, so that a profit of 1 is one percent of it."""


@dataclass(slots=True)
class PaperPosition:
    """A position from its entry to its exit; changes of its size belong to it.

    Attributes:
        asset: name of the asset.
        side: +1 long, -1 short.
        size: in percent of equity, at the entry.
        equity: at the entry, before its cost.
        entered_at, entry_price: time and price of the entry.
        exited_at, exit_price: of the exit; without one None and the last close.
        profit: less all costs so far, in units of the equity.
        ended_by: reason of the exit; None without one.
    """

    asset: str
    side: int
    size: float
    equity: float
    entered_at: int
    entry_price: float
    exited_at: int | None = None
    exit_price: float = 0.0
    profit: float = 0.0
    ended_by: TradeEnd | None = None

    @property
    def percent(self) -> float:
        """Profit in percent of the equity at the entry."""
        return self.profit / self.equity * 100


class Book:
    """Units and equity of an account. Trades are carried out at the prices given, with costs.

    Args:
        assets: names of the assets.
        costs: of a trade.
    """

    def __init__(self, assets: Sequence[str], costs: Costs) -> None:
        self._assets = assets
        self._rate = costs.rate
        self._prices: list[float] = [0.0] * len(assets)
        self._positions: dict[int, PaperPosition] = {}
        self._trades: list[PaperPosition] = []
        self.units: list[float] = [0.0] * len(assets)
        """Number of units of each asset, below 0 for a short position."""
        self.equity = BEGINNING
        self.turnover = 0.0
        """Traded value as a multiple of the equity at the time."""
        self.paid = 0.0
        """Sum of all costs."""

    def change(
        self,
        time: int,
        prices: list[float],
        targets: Sequence[float],
        changed: Sequence[int],
        is_bar: Sequence[bool],
    ) -> None:
        """Take other positions.

        Args:
            time: ms since the epoch.
            prices: of all assets.
            targets: positions in percent of equity, of all assets.
            changed: numbers of the assets whose position changes.
            is_bar: False for an asset without a bar, whose position ends for that reason.
        """
        self._mark(prices)
        equity = max(self.equity, 0.0)  # nothing is bought with less
        for number in changed:
            price, before = prices[number], self.units[number]
            units = self.units[number] = targets[number] / 100 * equity / price
            if before * units > 0:
                self._pay(number, abs(units - before) * price, equity)
                continue
            self._pay(number, abs(before) * price, equity)
            self._exit(number, time, price, "turn" if units else "exit" if is_bar[number] else "hole")
            if units:
                side, size = (1 if units > 0 else -1), abs(targets[number])
                self._enter(number, PaperPosition(self._assets[number], side, size, equity, time, price))
                self._pay(number, abs(units) * price, equity)

    def finish(self, prices: list[float]) -> tuple[PaperPosition, ...]:
        """All trades; those without an exit are worth what the prices given say."""
        self._mark(prices)
        for number, position in self._positions.items():
            position.exit_price = prices[number]
        return tuple(self._trades)

    def _mark(self, prices: list[float]) -> None:
        """Count the gains since the last change."""
        for number, position in sorted(self._positions.items()):
            gain = self.units[number] * (prices[number] - self._prices[number])
            position.profit += gain
            self.equity += gain
        self._prices = prices

    def _pay(self, number: int, value: float, equity: float) -> None:
        """Pay for trading so much of an asset."""
        position = self._positions.get(number)
        if position is None or value == 0:
            return
        cost = value * self._rate
        position.profit -= cost
        self.equity -= cost
        self.paid += cost
        self.turnover += value / equity if equity else 0.0

    def _exit(self, number: int, time: int, price: float, why: TradeEnd) -> None:
        position = self._positions.pop(number, None)
        if position is not None:
            position.exited_at, position.exit_price, position.ended_by = time, price, why

    def _enter(self, number: int, position: PaperPosition) -> None:
        self._positions[number] = position
        self._trades.append(position)
