"""Which markets are said to be near one that an exchange does not have."""

from __future__ import annotations

import pytest

from vivienne.market.feeds.exchange.adapter import Instrument
from vivienne.market.feeds.exchange.choosing import UnknownInstrument, chosen


def listed(*names: str) -> list[Instrument]:
    pairs = [name.split("/") for name in names]
    return [
        Instrument(symbol=base + quote, stream_symbol=base + quote, base=base, quote=quote, tick_size=0.01)
        for base, quote in pairs
    ]


MARKETS = listed("BTC/EUR", "BTC/USDT", "WBTC/USDT", "ETH/USD", "SOL/USDT", "PEPE/EUR", "PEPE/USDT")


@pytest.mark.parametrize(
    ("asset", "quote", "symbol", "said"),
    [
        ("BTC", "XYZ", None, "there is no market 'BTC/XYZ'; near are BTCUSDT, BTCEUR"),
        ("DOGE", "USD", None, "there is no market 'DOGE/USD'"),
        ("DOGE", "USDT", "DOGE/USD", "there is no market 'DOGE/USD'"),
        ("PEPEE", "EUR", None, "there is no market 'PEPEE/EUR'; near are PEPEEUR, PEPEUSDT"),
        ("SOL", "USDT", "SOLUSD", "there is no market 'SOLUSD'; near are SOLUSDT"),
    ],
)
def test_markets_of_the_same_currency_are_near_and_none_of_another(
    asset: str, quote: str, symbol: str | None, said: str
) -> None:
    with pytest.raises(UnknownInstrument) as unknown:
        chosen(MARKETS, asset, quote=quote, symbol=symbol)
    assert str(unknown.value) == said
