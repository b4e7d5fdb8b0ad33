"""Figures as people read them."""

from __future__ import annotations

_EVERY_DIGIT = 17
"""So many tell any two floating-point numbers apart."""


def show(value: float | bool) -> str:
    """A value with four digits that count; switches as on and off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004  # a matter of looks


def show_apart(one: float | bool, other: float | bool) -> tuple[str, str]:
    """Two different values, with as many digits as it takes to tell them apart."""
    digits, texts = 4, (show(one), show(other))
    while texts[0] == texts[1] and digits < _EVERY_DIGIT:
        digits += 1
        texts = (f"{one:.{digits}g}", f"{other:.{digits}g}")
    return texts
