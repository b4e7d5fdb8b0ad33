"""Numbers as text for people."""

from __future__ import annotations

_EVERY_DIGIT = 17
"""Number of significant digits that tell any two floating-point numbers apart."""


def show(value: float | bool) -> str:
    """Format a value with four significant digits; switches are on or off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004  # larger numbers read better with separators


def show_apart(one: float | bool, other: float | bool) -> tuple[str, str]:
    """Format two different values with enough digits to tell them apart."""
    digits, texts = 4, (show(one), show(other))
    while texts[0] == texts[1] and digits < _EVERY_DIGIT:
        digits += 1
        texts = (f"{one:.{digits}g}", f"{other:.{digits}g}")
    return texts
