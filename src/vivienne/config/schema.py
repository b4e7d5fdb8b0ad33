"""The one definition of every tunable: type, default, bounds, unit, title, description, flat name.

Form fields, the parameter reference, the JSON Schema, the flat names and the texts of errors are derived from here, by
`vivienne.config.tunables`.
A document on the wire or in the store may leave anything out; what is left out is inherited.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from vivienne.config.rules import AnyPositive, Ordered, Rule

LONGEST_DESCRIPTION = 500


def _whole(value: object) -> object:
    """JSON knows one kind of number: 14.0 is the whole number 14."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


def _tunable(
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
    """A field with everything there is to know about it."""
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


def _description(default: str | None = None) -> Any:
    return Field(
        default,
        title="Description",
        description="A note for people; kept as it was sent, without effect.",
        max_length=LONGEST_DESCRIPTION,
    )


def _threshold(default: float, level: str, meaning: str) -> Any:
    return _tunable(
        default,
        f"{level.capitalize()} threshold",
        f"Confidence from which the level is `{level}`: {meaning}.",
        unit="confidence, 0 to 100",
        bounds=(0, 100),
        step=1,
        flat=f"{level}_threshold",
    )


def _size(default: float, level: str) -> Any:
    return _tunable(
        default,
        f"Position size ({level})",
        f"Size of a position at level `{level}` that no filter blocks.",
        unit="percent of equity",
        bounds=(0, 100),
        step=0.1,
    )


def _weight(default: float, signal: str, reading: str) -> Any:
    return _tunable(
        default,
        f"Signal weight {signal}",
        f"How much the vote of `{signal}` counts ({reading}); 0 takes its vote away.",
        unit="weight, 0 to 1",
        bounds=(0, 1),
        step=0.05,
        flat=f"{signal}_weight",
    )


def _period(default: int, title: str, description: str, *, lowest: int = 2, highest: int = 100) -> Any:
    return _tunable(default, title, description, unit="bars", bounds=(lowest, highest), step=1)


_FRACTION_OF_PRICE = "it is a fraction: 1.5 % is 0.015"
_TRADES = "trades per minute"
_QUOTE = "quote currency"


def _bandwidth(default: float, title: str, description: str) -> Any:
    return _tunable(
        default, title, description, unit="fraction of price", bounds=(0, 0.4), step=0.001, hint=_FRACTION_OF_PRICE
    )


def _trades_per_minute(default: float, title: str, description: str) -> Any:
    return _tunable(default, title, description, unit=_TRADES, bounds=(0, 1_000_000), step=10)


def _trade_size(default: float, title: str, description: str) -> Any:
    return _tunable(default, title, description, unit=_QUOTE, bounds=(0, 1_000_000_000), step=10)


class Section(BaseModel):
    """A group of tunables: unknown names refused, strings are not numbers, nothing infinite."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=False,
        json_schema_serialization_defaults_required=False,
    )


class Settings(Section):
    """Levels and position sizes."""

    description: str | None = _description("Which confidence earns which level, and how large a position is there.")
    state_threshold_bang: float = _threshold(80, "bang", "act now")
    state_threshold_aim: float = _threshold(70, "aim", "an entry is near")
    state_threshold_loaded: float = _threshold(50, "loaded", "the signals lean one way")
    position_size_bang: float = _size(0.5, "bang")
    position_size_aim: float = _size(0.2, "aim")
    position_size_loaded: float = _size(0.1, "loaded")
    position_size_idle: float = _size(0, "idle")


class VolatilityFilter(Section):
    """Blocks by the width of the Bollinger bands."""

    description: str | None = _description("Holds entries back while the Bollinger bands say the moment is wrong.")
    enable_bollinger_filter_for_entry: bool = _tunable(
        True, "Volatility filter", "Whether this filter may block an entry."
    )
    volatility_squeeze_threshold: float = _bandwidth(
        0.015, "Volatility squeeze threshold", "Blocks every entry while the bandwidth is below it: nothing moves."
    )
    volatility_breakout_threshold: float = _bandwidth(
        0.025,
        "Volatility breakout threshold",
        "Blocks entries against the trend while the bandwidth is above it: something runs.",
    )
    bollinger_overextended_block: bool = _tunable(
        True,
        "Block when overextended",
        "Whether to block entries in the direction in which the close has left the middle band too far behind, "
        "unless `bb_breakout` votes for them.",
    )
    overextended_deviations: float = _tunable(
        3.0,
        "Overextended from",
        "Distance of the close from the middle band that counts as overextended.",
        unit="standard deviations",
        bounds=(1, 10),
        step=0.1,
    )


class TrendFilter(Section):
    """Blocks entries against the MACD trend."""

    description: str | None = _description("Holds back entries that go against the MACD trend.")
    enable_trend_filter_for_entry: bool = _tunable(True, "Trend filter", "Whether this filter may block an entry.")


class LevelsFilter(Section):
    """Blocks entries that run into a level."""

    description: str | None = _description("Holds back entries with a support or resistance level right ahead.")
    enable_levels_filter_for_entry: bool = _tunable(True, "Levels filter", "Whether this filter may block an entry.")
    levels_buffer_percent: float = _tunable(
        0.003,
        "Levels buffer",
        "Blocks an entry while the nearest level ahead is nearer than this; levels nearer to each other than this "
        "are one.",
        unit="fraction of price",
        bounds=(0, 0.1),
        step=0.0005,
        hint="it is a fraction: 0.3 % is 0.003",
    )


class UnderusedAlphaFilter(Section):
    """Blocks entries into many small trades."""

    description: str | None = _description("Holds entries back while many small trades chop the market.")
    enabled: bool = _tunable(
        True, "Retail chop filter", "Whether this filter may block an entry.", flat="underused_alpha_enabled"
    )
    retail_chop_trade_count_threshold: float = _trades_per_minute(
        100,
        "Retail chop trade count",
        "Trading counts as retail chop from this many trades on, if they are small as well.",
    )
    retail_chop_avg_trade_size_threshold: float = _trade_size(
        50,
        "Retail chop average trade size",
        "Trading counts as retail chop up to this average trade, if trades are many as well.",
    )


class CombinedVwapFilter(Section):
    """Blocks long entries by where the close stands to the VWAP and who trades."""

    description: str | None = _description("Holds back longs into a pump nobody backs and into selling by the large.")
    enabled: bool = _tunable(
        True, "VWAP filter", "Whether this filter may block an entry.", flat="combined_vwap_enabled"
    )
    weak_pump_trade_count_threshold: float = _trades_per_minute(
        50,
        "Weak pump trade count",
        "A rise above the VWAP is weak with fewer trades than this, if they are small as well.",
    )
    weak_pump_avg_trade_size_threshold: float = _trade_size(
        100,
        "Weak pump average trade size",
        "A rise above the VWAP is weak below this average trade, if trades are few as well.",
    )
    distribution_trade_count_threshold: float = _trades_per_minute(
        200, "Distribution trade count", "Distribution below the VWAP needs more trades than this."
    )
    distribution_avg_trade_size_threshold: float = _trade_size(
        500, "Distribution average trade size", "Distribution below the VWAP needs an average trade above this."
    )
    distribution_taker_buy_share: float = _tunable(
        0.45,
        "Distribution taker-buy share",
        "Distribution below the VWAP needs less than this part of the volume to be bought by aggressors.",
        unit="fraction of volume",
        bounds=(0, 1),
        step=0.01,
    )


class Filters(Section):
    """What can hold an entry back."""

    description: str | None = _description()
    volatility: VolatilityFilter = Field(default_factory=VolatilityFilter, title="Volatility")
    trend: TrendFilter = Field(default_factory=TrendFilter, title="Trend")
    levels: LevelsFilter = Field(default_factory=LevelsFilter, title="Support and resistance")
    underused_alpha: UnderusedAlphaFilter = Field(default_factory=UnderusedAlphaFilter, title="Retail chop")
    combined_vwap: CombinedVwapFilter = Field(default_factory=CombinedVwapFilter, title="VWAP")


class SignalWeights(Section):
    """How much each signal counts."""

    description: str | None = _description()
    ema_cross: float = _weight(0.75, "ema_cross", "fast against slow average")
    macd: float = _weight(0.75, "macd", "sign and size of the histogram")
    rsi: float = _weight(0.5, "rsi", "reversal from oversold and overbought")
    bb_bounce: float = _weight(0.6, "bb_bounce", "return into the Bollinger bands")
    bb_breakout: float = _weight(0.8, "bb_breakout", "escape from the Bollinger bands")


class Signals(Section):
    """Where the strength of each signal begins and where it is full."""

    description: str | None = _description("Where the strength of each signal begins and where it is full.")
    ema_cross_full_strength: float = _tunable(
        1.0,
        "EMA cross at full strength",
        "Distance between the averages that gives strength 1.",
        unit="ATR",
        bounds=(0.01, 10),
        step=0.05,
    )
    macd_full_strength: float = _tunable(
        0.35,
        "MACD at full strength",
        "Size of the histogram that gives strength 1.",
        unit="ATR",
        bounds=(0.01, 10),
        step=0.05,
    )
    rsi_begin: float = _tunable(
        40,
        "RSI begins to vote",
        "The RSI votes long below this, short above 100 minus this; strength 0 there.",
        unit="RSI, 0 to 50",
        bounds=(0, 50),
        step=1,
    )
    rsi_half: float = _tunable(
        30, "RSI at half strength", "RSI that gives strength 0.5 (mirrored for short).", unit="RSI, 0 to 50",
        bounds=(0, 50), step=1,
    )  # fmt: skip
    rsi_full: float = _tunable(
        15, "RSI at full strength", "RSI that gives strength 1 (mirrored for short).", unit="RSI, 0 to 50",
        bounds=(0, 50), step=1,
    )  # fmt: skip
    bb_bounce_full_strength: float = _tunable(
        0.25,
        "Bounce at full strength",
        "How far outside the bands the bar before was, for strength 1.",
        unit="band widths",
        bounds=(0.01, 10),
        step=0.05,
    )
    bb_breakout_full_strength: float = _tunable(
        0.3,
        "Breakout at full strength",
        "How far outside the bands the close is, for strength 1.",
        unit="band widths",
        bounds=(0.01, 10),
        step=0.05,
    )


class Indicators(Section):
    """Periods of the indicators. The window is kept, so a new period has its history at once."""

    description: str | None = _description("Periods of the indicators under the signals and filters.")
    ema_fast_period: Whole = _period(9, "EMA fast", "Period of the fast average.")
    ema_slow_period: Whole = _period(21, "EMA slow", "Period of the slow average.", highest=200)
    macd_fast_period: Whole = _period(12, "MACD fast", "Period of the fast average of the MACD.")
    macd_slow_period: Whole = _period(26, "MACD slow", "Period of the slow average of the MACD.", highest=200)
    macd_signal_period: Whole = _period(9, "MACD signal", "Period of the signal line.")
    rsi_period: Whole = _period(14, "RSI period", "Wilder's smoothing of gains and losses.")
    atr_period: Whole = _period(14, "ATR period", "Wilder's smoothing of the true range.")
    bollinger_period: Whole = _period(20, "Bollinger period", "Bars under the bands.", lowest=5, highest=200)
    bollinger_deviations: float = _tunable(
        2.0,
        "Bollinger deviations",
        "Distance of each band from the middle.",
        unit="standard deviations",
        bounds=(0.5, 5),
        step=0.1,
    )
    vwap_minutes: Whole = _tunable(
        60, "VWAP span", "Time under the volume-weighted average price.", unit="minutes", bounds=(1, 480), step=5
    )
    pivot_bars: Whole = _period(
        5, "Pivot bars", "Bars on each side that make a high or low a level; known only that many bars later.",
        lowest=1, highest=50,
    )  # fmt: skip


class Configuration(Section):
    """Everything that shapes a decision."""

    description: str | None = _description()
    settings: Settings = Field(default_factory=Settings, title="Settings")
    filters: Filters = Field(default_factory=Filters, title="Filters")
    signal_weights: SignalWeights = Field(default_factory=SignalWeights, title="Signal weights")
    signals: Signals = Field(default_factory=Signals, title="Signals")
    indicators: Indicators = Field(default_factory=Indicators, title="Indicators")


RULES: tuple[Rule, ...] = (
    Ordered(("settings.state_threshold_loaded", "settings.state_threshold_aim", "settings.state_threshold_bang")),
    Ordered(("filters.volatility.volatility_squeeze_threshold", "filters.volatility.volatility_breakout_threshold")),
    Ordered(("indicators.ema_fast_period", "indicators.ema_slow_period"), strict=True),
    Ordered(("indicators.macd_fast_period", "indicators.macd_slow_period"), strict=True),
    Ordered(("signals.rsi_full", "signals.rsi_half", "signals.rsi_begin"), strict=True),
    AnyPositive(tuple(f"signal_weights.{name}" for name in SignalWeights.model_fields if name != "description")),
)
"""What must hold between values. Data, so that every client can apply the same."""
