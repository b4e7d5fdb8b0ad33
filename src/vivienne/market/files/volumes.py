"""Which column is the volume in base currency, and which in quote currency."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from vivienne.market.files.cells import is_number
from vivienne.market.files.fields import SYMBOL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vivienne.market.files.sources import Row

_TOLERANCE = 0.01
"""An average price may be outside of low and high by this fraction, where volumes are rounded."""
_CONTRACTS = (10, 100)
"""Worth of a contract of Binance's COIN-M futures, in dollars."""
_OF_A_CURRENCY = re.compile(r"vol(?:ume)?_([a-z0-9]+)")
_QUOTE_NAMES = {"currency", "quote", "usd", "usdt", "usdc", "eur", "gbp", "jpy", "busd", "fdusd"}


def is_candle(figures: Mapping[str, float]) -> bool:
    """True if prices are those of a candle."""
    opened, high, low, close = (figures[name] for name in ("open", "high", "low", "close"))
    return 0 < low <= min(opened, close) <= max(opened, close) <= high < math.inf and figures["volume"] >= 0


def _is_average(quote: float, base: float, low: float, high: float) -> bool:
    return base > 0 and low * (1 - _TOLERANCE) <= quote / base <= high * (1 + _TOLERANCE)


def is_paid(figures: Mapping[str, float]) -> bool:
    """True if the quote volume is what was paid for the volume; nothing, if nothing was traded."""
    quote, base = figures["quote_volume"], figures["volume"]
    return quote == base == 0 or _is_average(quote, base, figures["low"], figures["high"])


def is_worth(price: float, quantity: float, contracts: float) -> bool:
    """True if contracts are worth a quantity of coins."""
    paid = price * quantity
    return paid > 0 and any(abs(paid - contracts * worth) <= _TOLERANCE * paid for worth in _CONTRACTS)


def in_contracts(rows: Sequence[Row], places: Mapping[str, int]) -> dict[str, int] | None:
    """The columns of klines whose volume counts contracts, as of Binance's COIN-M futures; None for others.

    There the columns of quote volumes have volumes in coins. A contract is worth a fixed sum.
    """
    if not {"volume", "quote_volume", "taker_buy_quote"} <= set(places) or _agree(
        rows, places, places["volume"], places["quote_volume"]
    ):
        return None
    traded = next((row for row in rows if _figure(row, places["volume"]) > 0), None)
    if traded is None or not is_worth(*(_figure(traded, places[name]) for name in ("close", "quote_volume", "volume"))):
        return None
    moved = {"quote_volume", "taker_buy_quote"}
    return {field: place for field, place in places.items() if field not in moved} | {
        "volume": places["quote_volume"],
        "taker_buy_volume": places["taker_buy_quote"],
    }


def chosen(rows: Sequence[Row], places: Mapping[str, int]) -> dict[str, int]:
    """The volume in coins, where `volume` counts contracts or dollars, and the real one, where it counts ticks."""
    if "coins" in places and "quote_volume" in places:
        for name in ("volume", "coins"):
            if _agree(rows, places, places[name], places["quote_volume"]):
                return {"volume": places[name]}
    if {"volume", "quote_volume"} <= set(places):
        volume, quote = places["volume"], places["quote_volume"]
        if not _agree(rows, places, volume, quote) and _agree(rows, places, quote, volume):
            return {"volume": quote, "quote_volume": volume}
    real = places.get("real_volume")
    if real is not None and any(_figure(row, real) > 0 for row in rows):
        return {"volume": real}
    return {}


def named(names: Sequence[str], rows: Sequence[Row], places: Mapping[str, int]) -> dict[str, int]:
    """Volumes whose columns are named after a currency, as in ``Volume BTC, Volume USDT``."""
    found = {place: match[1] for place, name in enumerate(names) if (match := _OF_A_CURRENCY.fullmatch(name))}
    free = [place for place in found if place not in places.values()]
    if not free or {"volume", "quote_volume"} <= set(places):
        return chosen(rows, places)
    if "volume" in places:
        quotes = [place for place in free if found[place] in _QUOTE_NAMES]
        return {"quote_volume": quotes[0]} if quotes else {}
    symbol = next((names.index(name) for name in SYMBOL if name in names), None)
    market = "" if symbol is None or not rows or len(rows[0]) <= symbol else rows[0][symbol].strip().lower()
    base = [place for place in free if market.startswith(found[place])]
    if not base:
        base = [place for place in free if found[place] not in _QUOTE_NAMES] or free
    quotes = [place for place in free if place != base[0]]
    return {"volume": base[0]} | ({"quote_volume": quotes[0]} if quotes else {})


def _agree(rows: Sequence[Row], places: Mapping[str, int], base: int, quote: int) -> bool:
    """True if the quote volume over the volume lies between low and high, in most rows with trades."""
    judged = [
        _is_average(_figure(row, quote), _figure(row, base), _figure(row, places["low"]), _figure(row, places["high"]))
        for row in rows
        if _figure(row, base) > 0
    ]
    return sum(judged) * 2 > len(judged)


def _figure(row: Row, place: int) -> float:
    return float(row[place]) if len(row) > place and is_number(row[place]) else math.nan
