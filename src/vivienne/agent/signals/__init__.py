"""The signals, a file each. To add one, write its file and put its name into the list."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivienne.agent.signals.base import Signal

SIGNALS: tuple[Signal, ...] = tuple(
    import_module(f"{__name__}.{name}").SIGNAL
    for name in (
        "ema_cross",
        "macd",
        "rsi",
        "bb_bounce",
        "bb_breakout",
        "ema_level",
        "vwap_anchor",
        "bb_level",
        "bb_breakout_level",
        "volume_confirmation",
        "macd_level",
        "rsi_cross",
        "rsi_level",
    )
)
"""Every signal, in the order of the weights."""
SIGNAL = {each.name: each for each in SIGNALS}
"""By name."""
