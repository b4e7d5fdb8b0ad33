"""Finds the instrument that somebody means by the name of an asset."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.market.feeds.exchange.adapter import Instrument

_MOST_NEAR = 5
_MOST_COMPARED = 5_000
"""Names that are looked through for near ones; no exchange has as many markets."""
_SEPARATORS = re.compile(r"[-/_: ]")
_USUAL_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
"""Names that exchanges have for currencies, and the usual ones."""


class UnknownInstrument(Exception):
    """No instrument is meant by a name. The text says which names are near."""


def chosen(instruments: Iterable[Instrument], asset: str, *, quote: str, symbol: str | None = None) -> Instrument:
    """The instrument of an asset.

    Args:
        instruments: those of the exchange.
        asset: name of the asset, such as ``BTC``.
        quote: currency it is paid in, unless the name of the asset or the symbol says so.
        symbol: its name at the exchange, with any separator and in any case; None for asset and quote.

    Raises:
        UnknownInstrument: there is none.
    """
    instruments = list(instruments)
    by_name: dict[str, Instrument] = {}
    for each in instruments:
        for name in (each.symbol, each.stream_symbol, f"{each.base}/{each.quote}"):
            by_name.setdefault(_plain(name), each)
    meant = [symbol] if symbol is not None else [f"{asset}/{quote}", asset]
    for name in meant:
        found = by_name.get(_plain(name))
        if found is not None:
            return found
    near = _of_base(instruments, meant[0]) if _SEPARATORS.search(meant[0]) else nearest(instruments, meant[0])
    known = f"; near are {', '.join(near)}" if near else ""
    raise UnknownInstrument(f"there is no market {meant[0]!r}{known}")


def _of_base(instruments: list[Instrument], name: str) -> list[str]:
    """Symbols with the base currency of a name, else with one that is written nearly so.

    A market of another currency is not near because it is paid in the same one. Those with the quote currency of the
    name come first, then those with the quotes that are most usual at the exchange.
    """
    base, quote = (_plain(part) for part in _SEPARATORS.split(name, maxsplit=1))
    bases = _near(base, (_plain(each.base) for each in instruments), 3)
    wanted = [base] if base in bases else bases
    usual = Counter(each.quote for each in instruments)
    found = [each for each in instruments if _plain(each.base) in wanted]
    found.sort(key=lambda each: (_plain(each.quote) != quote, -usual[each.quote], each.symbol))
    return [each.symbol for each in found[:_MOST_NEAR]]


def nearest(instruments: Iterable[Instrument], search: str) -> list[str]:
    """Symbols that are written nearly like a text, or whose base currency is; the nearest first."""
    by_name: dict[str, list[str]] = {}
    for each in instruments:
        for name in {_plain(each.base), _plain(each.symbol)}:
            by_name.setdefault(name, []).append(each.symbol)
    names = _near(_plain(search), by_name, _MOST_NEAR)
    return list(dict.fromkeys(symbol for name in names for symbol in by_name[name]))[:_MOST_NEAR]


def _near(name: str, names: Iterable[str], most: int) -> list[str]:
    """Names that are written nearly like one, the nearest first."""
    return get_close_matches(name, [*islice(dict.fromkeys(names), _MOST_COMPARED)], n=most, cutoff=0.6)


def _plain(name: str) -> str:
    """A name without what differs between exchanges."""
    parts = [_USUAL_NAMES.get(part, part) for part in _SEPARATORS.split(name.upper())]
    return "".join(parts)


def listed(instruments: Iterable[Instrument], search: str) -> list[Instrument]:
    """The instruments that have a text in a name, in any case; all for an empty one. Sorted by symbol."""
    wanted = _plain(search)
    found = [
        each
        for each in instruments
        if any(wanted in _plain(name) for name in (each.symbol, f"{each.base}/{each.quote}"))
    ]
    return sorted(found, key=lambda each: each.symbol)
