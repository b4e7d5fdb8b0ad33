"""Declaration of tunables: fields of a section with title, description, unit, bounds and step.

Settings, indicators, signals and filters declare their tunables with these functions. `vivienne.agent.schema` assembles
them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_DESCRIPTION = 500
FRACTION_OF_PRICE = "fraction of price"
QUOTE = "quote currency"


def _whole(value: object) -> object:
    """Convert 14.0 to 14, because JSON has only one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


class Section(BaseModel):
    """A group of tunables. It rejects unknown names, strings in place of numbers, and infinite numbers."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=False,
        json_schema_serialization_defaults_required=False,
    )


def tunable(
    default: float | bool,
    title: str,
    description: str,
    *,
    unit: str = "",
    bounds: tuple[float, float] | None = None,
    step: float | None = None,
    flat: str | None = None,
    hint: str | None = None,
) -> Any:
    """A field of a section.

    Args:
        default: its value unless it is set; it determines the type of the tunable.
        title: its name in forms.
        description: a sentence for forms and documents.
        unit: unit of the number.
        bounds: the lowest and highest allowed value.
        step: step size in forms.
        flat: its name in flat messages, if it differs from the field name.
        hint: a sentence for errors that a wrong unit may have caused.
    """
    extra = {"unit": unit, "step": step, "flat_name": flat, "hint": hint}
    low, high = bounds or (None, None)
    return Field(
        default,
        title=title,
        description=description,
        ge=low,
        le=high,
        json_schema_extra={key: value for key, value in extra.items() if value not in (None, "")},
    )


def description(default: str | None = None) -> Any:
    """The field for a note, which every section has."""
    return Field(
        default,
        title="Description",
        description="A note for people. It is stored as sent and has no effect.",
        max_length=LONGEST_DESCRIPTION,
    )


def period(default: int, title: str, text: str, *, lowest: int = 2, highest: int = 100) -> Any:
    """A number of bars."""
    return tunable(default, title, text, unit="bars", bounds=(lowest, highest), step=1)


def atr_distance(default: float, title: str, text: str) -> Any:
    """A distance in units of the average true range (ATR)."""
    return tunable(default, title, text, unit="ATR", bounds=(0.01, 10), step=0.05)


def band_widths(default: float, title: str, text: str) -> Any:
    """A distance in widths of the Bollinger bands."""
    return tunable(default, title, text, unit="band widths", bounds=(0.01, 10), step=0.05)


def rsi_points(default: float, title: str, text: str) -> Any:
    """A distance on the scale of the RSI, up to its middle."""
    return tunable(default, title, text, unit="RSI, 0 to 50", bounds=(0, 50), step=1)


def trades_per_minute(default: float, title: str, text: str) -> Any:
    """A number of trades per minute."""
    return tunable(default, title, text, unit="trades per minute", bounds=(0, 1_000_000), step=10)


def trade_size(default: float, title: str, text: str) -> Any:
    """The size of an average trade."""
    return tunable(default, title, text, unit=QUOTE, bounds=(0, 1_000_000_000), step=10)


def filter_switch(title: str, *, flat: str | None = None) -> Any:
    """The switch of a filter."""
    return tunable(True, title, "Allows this filter to block entries.", flat=flat)
