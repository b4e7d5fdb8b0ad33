"""Which of the two subscriptions of each instrument has its data: that to trades, and that to candles of a minute.

Either tells of the other: a candle with a volume has trades, and a trade has a candle. A quiet market has neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vivienne.market.feeds.exchange.adapter import Traded
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import CandleSeen

Channel = Literal["trades", "candles"]


class Channels:
    """See above. Instruments are named as in the stream.

    Args:
        has_candles: whether the stream has candles; else nothing is known of either.
    """

    def __init__(self, *, has_candles: bool) -> None:
        self._has_candles = has_candles
        self._trades: dict[str, int] = {}
        self._candles: dict[str, int] = {}
        self._candles_with_trades: dict[str, int] = {}
        self._behind: dict[str, tuple[Channel, float]] = {}
        self._dead: set[str] = set()

    def take(self, event: Traded | CandleSeen, now: float) -> None:
        """Take what is new of an instrument.

        Args:
            event: trades, of which there is one at least, or a candle.
            now: when it came, by a monotonic clock, in seconds.
        """
        if not self._has_candles:
            return
        symbol = event.symbol
        if isinstance(event, Traded):
            time = max(each.trade.time for each in event.trades)
            _advance(self._trades, symbol, time - time % MINUTE_MS)
        else:
            # The trades of its first minute may have been made before the subscription.
            self._trades.setdefault(symbol, event.candle.open_time)
            _advance(self._candles, symbol, event.candle.open_time)
            if event.candle.volume > 0:
                _advance(self._candles_with_trades, symbol, event.candle.open_time)
        self._compare(symbol, now)

    def _compare(self, symbol: str, now: float) -> None:
        trades = self._trades[symbol]
        behind: Channel | None = None
        if trades > self._candles.get(symbol, -1):
            behind = "candles"
        elif self._candles_with_trades.get(symbol, -1) > trades:
            behind = "trades"
        if behind is None:
            self._behind.pop(symbol, None)
            self._dead.discard(symbol)
        elif self.behind(symbol) != behind:
            self._behind[symbol] = behind, now

    def behind(self, symbol: str) -> Channel | None:
        """The subscription that lacks what the other one tells of, be it for a moment; None if neither does."""
        return self._behind[symbol][0] if symbol in self._behind else None

    def behind_since(self, time: float) -> list[str]:
        """Instruments of which one subscription lacks data since before a time."""
        return [symbol for symbol, (_, since) in self._behind.items() if since < time]

    def distrust(self, symbol: str) -> None:
        """One of the two is dead until it has caught up with the other one."""
        if symbol in self._behind:
            self._dead.add(symbol)

    def are_there(self, symbol: str) -> bool:
        """Whether the stream has candles of an instrument, if it has any at all, and neither subscription is dead."""
        return not self._has_candles or (symbol in self._candles and symbol not in self._dead)

    def is_dead(self, symbol: str) -> bool:
        """Whether one of its subscriptions is dead."""
        return symbol in self._dead


def _advance(times: dict[str, int], symbol: str, time: int) -> None:
    times[symbol] = max(times.get(symbol, time), time)
