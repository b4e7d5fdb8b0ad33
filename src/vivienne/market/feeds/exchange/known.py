"""The exchanges that can be watched, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.market.feeds.exchange.binance import Binance
from vivienne.market.feeds.exchange.bybit import Bybit
from vivienne.market.feeds.exchange.coinbase import Coinbase
from vivienne.market.feeds.exchange.kraken import Kraken
from vivienne.market.feeds.exchange.okx import Okx

if TYPE_CHECKING:
    from vivienne.market.feeds.exchange.adapter import Adapter

_ADAPTERS: tuple[Adapter, ...] = (
    Binance(),
    Binance(is_futures=True),
    Bybit(),
    Bybit("linear"),
    Okx(),
    Okx("SWAP"),
    Kraken(),
    Coinbase(),
)
EXCHANGES: dict[str, Adapter] = {adapter.name: adapter for adapter in _ADAPTERS}
"""The adapters, by the names that the command line takes."""
