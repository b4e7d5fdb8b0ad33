"""Costs of trading."""

from __future__ import annotations

from typing import NamedTuple


class Costs(NamedTuple):
    """Costs of a simulated trade, in basis points (hundredths of a percent) of the traded value.

    Attributes:
        fee: the exchange's fee.
        slippage: difference of the price paid from the open, to one's disadvantage. It is counted as a cost; prices of
            trades are the opens.
    """

    fee: float
    slippage: float

    @property
    def rate(self) -> float:
        """Both costs as a fraction of the traded value."""
        return (self.fee + self.slippage) / 10_000


USUAL_COSTS = Costs(fee=10.0, slippage=2.0)
"""The fee that most exchanges take of an account without a discount, and half of a usual spread."""
