"""Numbers as text for people. The dashboard follows the same rules, in `web/src/parts/format.ts`."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_USUAL = 4
"""Significant digits of a value."""
_PLAIN_FROM, _PLAIN_BELOW = 0.0001, 999.0
"""Between these, Python's general format has no exponent, and no thousands to keep apart. It is faster."""
_EVERY_DIGIT = 17
"""Number of significant digits that tell any two floating-point numbers apart."""


def show(value: float | bool, unit: str = "", digits: int = _USUAL) -> str:
    """Format a value: switches are on or off, fractions and confidences in percent, the others as they are.

    Args:
        value: a number or a switch.
        unit: of a measure or a tunable.
        digits: significant ones; whole digits are never dropped.
    """
    if value is True or value is False:
        return "on" if value else "off"
    is_fraction, suffix = _form(unit)
    if is_fraction:
        value = float(f"{value * 100:.15g}")  # fifteen digits leave out those that the multiplication adds
    # Most values are of a size that needs no more care.
    if digits == _USUAL and (_PLAIN_FROM <= value < _PLAIN_BELOW or -_PLAIN_BELOW < value <= -_PLAIN_FROM):
        return f"{value:.4g}{suffix}"
    return _plain(value, digits) + suffix


@cache
def _form(unit: str) -> tuple[bool, str]:
    """Whether values of the unit are fractions, and the suffix of the text."""
    is_fraction = unit.startswith("fraction")
    return is_fraction, " %" if is_fraction or unit.startswith(("confidence", "percent of")) else ""


_show_tunable = lru_cache(maxsize=1_024, typed=True)(show)
"""Like `show`, for values that appear in one decision after another."""


def show_apart(value: float | bool, tunable: float | bool, unit: str = "") -> tuple[str, str]:
    """Format a value and a different one of a tunable with enough digits to tell them apart."""
    for digits in range(_USUAL, _EVERY_DIGIT):
        text, tunable_text = show(value, unit, digits), _show_tunable(tunable, unit, digits)
        if text != tunable_text:
            return text, tunable_text
    return show(value, unit, _EVERY_DIGIT), show(tunable, unit, _EVERY_DIGIT)


def show_confidence(confidence: float, thresholds: Sequence[float]) -> str:
    """Format a confidence in percent: one decimal, and more where it would else read as on another side of a threshold.

    Args:
        confidence: 0 to 1.
        thresholds: 0 to 100.
    """
    percent = float(f"{confidence * 100:.7f}")  # as it is compared with them
    reached = [percent >= limit for limit in thresholds]
    for places in range(1, 8):
        text = f"{percent:.{places}f}"
        shown = float(text)
        if [shown >= limit for limit in thresholds] == reached:
            break
    return f"{text} %"


def _plain(value: float, digits: int) -> str:
    """So many significant digits, thousands apart, without an exponent and needless zeros."""
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW and digits >= _USUAL:
        return f"{value:.{digits}g}"
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text
