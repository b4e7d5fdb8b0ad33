"""The signals, one file each. To add a signal, write its file and add its name to the list."""

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
"""All signals, in the order of the weights."""
SIGNAL = {each.name: each for each in SIGNALS}
"""All signals, by name."""
