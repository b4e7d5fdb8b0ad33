"""The filters, and the states of trend and volatility that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plain.equality import difference, is_above, is_below, is_known, sign
from plain.signals import breakout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plain.indicators import Reading


def trend(now: Reading) -> int:
    return sign(now.macd) if sign(now.macd) == sign(now.histogram) else 0


def volatility(now: Reading, tunables: dict[str, Any]) -> str:
    if not is_below(abs(now.bands.deviations), tunables["overextended_deviations"]):
        return "overextended"
    if is_below(now.bands.width, tunables["volatility_squeeze_threshold"]):
        return "squeeze"
    return "breakout" if is_above(now.bands.width, tunables["volatility_breakout_threshold"]) else "normal"


def blocks(
    now: Reading,
    direction: int,
    levels: tuple[float | None, float | None],
    tunables: dict[str, Any],
    minutes: int,
) -> Iterator[tuple[str, str]]:
    """Filters and scenarios that block an entry in this direction, in the order of the table."""
    filters = tunables["filters"]
    is_against_trend = trend(now) == -direction
    if filters["volatility"]["enable_bollinger_filter_for_entry"]:
        yield from _volatility_blocks(now, direction, tunables, is_against_trend=is_against_trend)
    if filters["trend"]["enable_trend_filter_for_entry"] and is_against_trend:
        yield "trend", "against_trend"
    ahead, close, buffer = levels[direction > 0], now.bar.close, filters["levels"]["levels_buffer_percent"]
    is_on = filters["levels"]["enable_levels_filter_for_entry"]
    if is_on and ahead is not None and is_below(abs(ahead - close) / close, buffer):
        yield "levels", "level_ahead"
    if now.bar.trade_count > 0:  # not so where it is unknown, NaN
        pace, average = now.bar.trade_count / minutes, now.bar.quote_volume / now.bar.trade_count
        chop = filters["underused_alpha"]
        is_busy = not is_below(pace, chop["retail_chop_trade_count_threshold"])
        is_small = is_known(average) and not is_above(average, chop["retail_chop_avg_trade_size_threshold"])
        if chop["enabled"] and is_busy and is_small:
            yield "underused_alpha", "retail_chop"
        if filters["combined_vwap"]["enabled"] and direction > 0 and now.vwap is not None:
            yield from _vwap_blocks(now, now.vwap, filters["combined_vwap"], pace, average)


def _volatility_blocks(
    now: Reading, direction: int, tunables: dict[str, Any], *, is_against_trend: bool
) -> Iterator[tuple[str, str]]:
    own = tunables["filters"]["volatility"]
    if is_below(now.bands.width, own["volatility_squeeze_threshold"]):
        yield "volatility", "squeeze"
    if is_against_trend and is_above(now.bands.width, own["volatility_breakout_threshold"]):
        yield "volatility", "breakout_against_trend"
    is_far = not is_below(now.bands.deviations * direction, own["overextended_deviations"])
    exempt = breakout(now, tunables["signals"]["bb_breakout_full_strength"]).direction == direction
    if own["bollinger_overextended_block"] and is_far and not exempt:
        yield "volatility", "overextended"


def _vwap_blocks(
    now: Reading, vwap: float, tunables: dict[str, Any], pace: float, average: float
) -> Iterator[tuple[str, str]]:
    bar = now.bar
    from_vwap = difference(bar.close, vwap, bar.close)
    is_pump = from_vwap > 0 and difference(bar.close, now.before.close, bar.close) > 0
    is_weak = is_below(pace, tunables["weak_pump_trade_count_threshold"]) and is_below(
        average, tunables["weak_pump_avg_trade_size_threshold"]
    )
    if is_pump and is_weak:
        yield "combined_vwap", "weak_pump"
    is_large = is_above(pace, tunables["distribution_trade_count_threshold"]) and is_above(
        average, tunables["distribution_avg_trade_size_threshold"]
    )
    bought = bar.taker_buy_volume / bar.volume if bar.volume > 0 else 1.0
    if from_vwap < 0 and is_large and is_below(bought, tunables["distribution_taker_buy_share"]):
        yield "combined_vwap", "distribution"
