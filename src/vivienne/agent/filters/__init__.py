"""The filters, a file each. To add one, write its file and put its name into the list."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.agent.filters.base import Filter

FILTERS: tuple[Filter, ...] = tuple(
    import_module(f"{__name__}.{name}").FILTER
    for name in ("volatility", "trend", "levels", "underused_alpha", "combined_vwap")
)
"""Every filter, in the order in which they are explained."""
FILTER = {each.name: each for each in FILTERS}
"""By name."""
