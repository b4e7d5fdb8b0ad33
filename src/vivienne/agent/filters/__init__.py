"""The filters, one file each. To add a filter, write its file and add its name to the list."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.agent.filters.base import Filter

FILTERS: tuple[Filter, ...] = tuple(
    import_module(f"{__name__}.{name}").FILTER
    for name in ("volatility", "trend", "levels", "underused_alpha", "combined_vwap")
)
"""All filters, in the order of the explanation."""
FILTER = {each.name: each for each in FILTERS}
"""All filters, by name."""
