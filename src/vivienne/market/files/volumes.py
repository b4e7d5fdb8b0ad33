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
_OF_A_CURRENCY = re.compile(r"vol(?:ume)?_([a-z0-9]+)")
_QUOTE_NAMES = {"currency", "quote", "usd", "usdt", "usdc", "eur", "gbp", "jpy", "busd", "fdusd"}


def is_candle(figures: Mapping[str, float]) -> bool:
    """True if prices are those of a candle, and the volumes belong to them."""
    opened, high, low, close = (figures[name] for name in ("open", "high", "low", "close"))
    if not 0 < low <= min(opened, close) <= max(opened, close) <= high < math.inf or not figures["volume"] >= 0:
        return False
    quote = figures.get("quote_volume")
    if quote is None or figures["volume"] == 0:
        return True
    return any(_is_average(quote, figures.get(name, 0.0), low, high) for name in ("volume", "coins")) or quote == 0


def _is_average(quote: float, base: float, low: float, high: float) -> bool:
    return base > 0 and low * (1 - _TOLERANCE) <= quote / base <= high * (1 + _TOLERANCE)


def chosen(rows: Sequence[Row], places: Mapping[str, int]) -> dict[str, int]:
    """The volume in coins, where `volume` counts contracts, and the real one, where it counts ticks."""
    if "coins" in places and "quote_volume" in places:
        for name in ("volume", "coins"):
            if _agree(rows, places, places[name], places["quote_volume"]):
                return {"volume": places[name]}
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
    symbols = [names.index(name) for name in SYMBOL if name in names]
    base = [
        place
        for place in free
        if any(row[symbols[0]].upper().startswith(found[place].upper()) for row in rows[:1] if symbols)
    ]
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
