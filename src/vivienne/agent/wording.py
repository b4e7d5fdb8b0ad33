"""Figures as people read them."""

from __future__ import annotations


def show(value: float | bool) -> str:
    """A value with four digits that count; switches as on and off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004  # a matter of looks
