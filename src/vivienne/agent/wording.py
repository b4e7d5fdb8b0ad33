"""Numbers as text for people."""

from __future__ import annotations

_LARGE = 10_000.0
"""From here on, numbers read better with separators than with four digits."""
_EVERY_DIGIT = 17
"""Number of significant digits that tell any two floating-point numbers apart."""


def show(value: float | bool) -> str:
    """Format a value with four significant digits; switches are on or off."""
    if value is True or value is False:
        return "on" if value else "off"
    return f"{value:.4g}" if -_LARGE < value < _LARGE else f"{value:,.0f}"


def show_apart(one: float | bool, other: float | bool) -> tuple[str, str]:
    """Format two different values with enough digits to tell them apart."""
    digits, text, other_text = 4, show(one), show(other)
    while text == other_text and digits < _EVERY_DIGIT:
        digits += 1
        text, other_text = f"{one:.{digits}g}", f"{other:.{digits}g}"
    return text, other_text
