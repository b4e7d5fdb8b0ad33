"""A paper account: positions that follow targets in percent of equity, and the orders that this takes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = "*"
"""Stands for all assets."""


@dataclass(frozen=True)
class Order:
    """An order that was filled on paper.

    Attributes:
        asset: the asset.
        amount: units of it; negative if it was sold.
        price: of the fill.
        fee: in the currency of the account.
    """

    asset: str
    amount: float
    price: float
    fee: float

    def __str__(self) -> str:
        return f"{'buy' if self.amount > 0 else 'sell'} {abs(self.amount):.6g} {self.asset} at {self.price:g}"


@dataclass
class Account:
    """A paper account.

    Attributes:
        cash: in the currency of prices; less than nothing while a position is larger than the equity.
        fee: share of an order's value.
        amounts: units of each asset; negative if it is short.
        prices: newest price of each asset.
        targets: the target that each position was made for, in percent of equity; negative if it is short.
        acted_on: by asset, time and version of the configuration of the last alert that was acted on.
        paused: the same of the last pause, by asset; that of all assets is at EVERYTHING.
    """

    cash: float
    fee: float = 0.001
    amounts: dict[str, float] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    acted_on: dict[str, tuple[float, int]] = field(default_factory=dict)
    paused: dict[str, tuple[float, int]] = field(default_factory=dict)

    @property
    def equity(self) -> float:
        """Cash and positions, at the newest prices."""
        return self.cash + sum(amount * self.prices[asset] for asset, amount in self.amounts.items())

    def follow(self, asset: str, target: float, price: float) -> Order | None:
        """Bring a position to its target; None if it is there.

        The order is what is missing between the position and the target. So a target that comes twice changes nothing,
        and one that was lost is made up for by the next. A position that has only drifted with the price is left alone.

        Args:
            asset: the asset.
            target: percent of equity; negative for a short position.
            price: of the fill.
        """
        self.prices[asset] = price
        if target == self.targets.get(asset, 0.0):
            return None
        held = self.amounts.get(asset, 0.0)
        wanted = max(self.equity, 0.0) * target / 100 / price
        self.targets[asset] = target
        amount = wanted - held
        if not amount:
            return None
        cost = abs(amount) * price * self.fee
        self.cash -= amount * price + cost
        self.amounts[asset] = wanted
        return Order(asset, amount, price, cost)

    def save(self, file: Path) -> None:
        """Write the account, whole or not at all."""
        part = file.with_name(file.name + ".part")
        part.write_text(json.dumps(asdict(self)))
        part.replace(file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """The account that was saved.

        Raises:
            OSError: there is none.
            ValueError: the file is none.
        """
        try:
            account = cls(**json.loads(file.read_text()))
            for noted in (account.acted_on, account.paused):
                noted.update({asset: (decided, version) for asset, (decided, version) in noted.items()})
        except (TypeError, AttributeError) as error:
            raise ValueError("the file has no account") from error
        return account
