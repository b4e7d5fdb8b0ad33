"""Conversion of decisions to the types of the wire."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.agent.decision import Clarity
from vivienne.agent.signals.base import in_atr
from vivienne.times import iso
from vivienne.wire.chart import UNLISTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vivienne.agent.decided import Decided
    from vivienne.agent.decision import Decision
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.indicators import IndicatorRows
    from vivienne.live.made import Made
    from vivienne.market.feeds.base import Contact, Listing, MinuteSource
    from vivienne.market.types import Bars, FloatArray
    from vivienne.wire.chart import BarStatus, ChartBar, Listed
    from vivienne.wire.decision import BarDecision, DecisionEntry
    from vivienne.wire.explanation import Explanation
    from vivienne.wire.state import ContactEntry


_NO_CONTACT: ContactEntry = {"feed_status": None, "feed_status_reason": None, "data_delay": None}


def finite(value: float) -> float | None:
    """Convert a number for the wire: None for NaN, which JSON does not have."""
    return value if math.isfinite(value) else None


def decision_entry(decision: Decision, explanation: Explanation | None) -> DecisionEntry:
    """The entry of a decision, with its reasons."""
    return {
        "clarity_level": decision.level.word,
        "raw_clarity_level": decision.raw_level.word,
        "signal_confidence": _confidence(decision),
        "side": decision.side,
        "position_size": decision.size,
        "trend_direction": decision.trend,
        "volatility_status": decision.volatility,
        "levels_status": decision.levels,
        "blocked_by": [*decision.blocked_by],
        "explanation": explanation,
    }


def contact_entry(contact: Contact | None) -> ContactEntry:
    """How a feed stands with its exchange."""
    if contact is None:
        return _NO_CONTACT
    delay = contact.delay
    return {
        "feed_status": contact.state,
        "feed_status_reason": contact.reason,
        "data_delay": None if delay is None else round(delay, 3),
    }


def listed(listing: Listing | None) -> Listed:
    """What an exchange says of a market."""
    if listing is None:
        return UNLISTED
    exchange, symbol, quote_currency, tick_size = listing
    return {"exchange": exchange, "symbol": symbol, "quote_currency": quote_currency, "tick_size": tick_size}


def bar_decision(decision: Decision) -> BarDecision:
    """The short entry of a decision."""
    return {
        "clarity_level": decision.level.word,
        "raw_clarity_level": decision.raw_level.word,
        "signal_confidence": _confidence(decision),
        "side": decision.side,
        "position_size": decision.size,
        "held": decision.is_held,
    }


def undecided_bar() -> BarDecision:
    """The short entry of a bar without a decision: idle, with size 0."""
    idle = Clarity.IDLE.word
    return {
        "clarity_level": idle,
        "raw_clarity_level": idle,
        "signal_confidence": 0.0,
        "side": "none",
        "position_size": 0.0,
        "held": False,
    }


class Readings(NamedTuple):
    """Values that signals read on a bar, as a chart draws them below the candles.

    Attributes:
        rsi: 0 to 100.
        macd, macd_histogram: in ATR.
    """

    rsi: float
    macd: float
    macd_histogram: float


def reading_columns(evaluation: Evaluation) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The readings of an evaluation as columns, in the order of `Readings`; NaN until an indicator has a value."""
    now = evaluation.now
    return now.rsi, in_atr(now.macd, now.atr), in_atr(now.macd_histogram, now.atr)


def readings_of(now: IndicatorRows) -> Readings:
    """The readings of one bar, of indicators with plain values; NaN until an indicator has a value."""
    return Readings(now.rsi, in_atr(now.macd, now.atr), in_atr(now.macd_histogram, now.atr))


def readings(evaluation: Evaluation) -> list[Readings]:
    """The readings of every row of an evaluation, oldest first; NaN until an indicator has a value."""
    return list(map(Readings, *(column.tolist() for column in reading_columns(evaluation))))


def chart_bars(
    bars: Bars,
    sources: Sequence[MinuteSource | None],
    evaluation: Evaluation,
    made: list[Made | None],
    first_closed: int | None,
) -> list[ChartBar]:
    """Bars with indicators and decisions.

    Args:
        bars: closed bars; the last ones are the rows of the evaluation.
        sources: where the bars came from.
        evaluation: made with the configuration in force.
        made: for each row, the decision that was made when the bar closed, or None.
        first_closed: open time of the first bar that closed since the start; None if none has.
    """
    read = readings(evaluation) if None in made else []
    before = math.inf if first_closed is None else first_closed
    table = _figures(bars, evaluation.now, len(made))
    return [
        _chart_bar(figures, source, evaluation.decision(row), read[row], None, before)
        if one is None
        else _chart_bar(figures, source, one.decision, one.readings, one, before)
        for row, (figures, source, one) in enumerate(zip(table, sources[-len(made) :], made, strict=True))
    ]


def decided_chart_bar(
    bars: Bars, source: MinuteSource | None, decided: Decided, made: Made | None, first_closed: int | None
) -> ChartBar:
    """The last bar, decided; see `chart_bars`."""
    now, before = decided.now, math.inf if first_closed is None else first_closed
    figures = (
        bars.open.item(-1), bars.high.item(-1), bars.low.item(-1), bars.close.item(-1), bars.volume.item(-1),
        bars.quote_volume.item(-1), *_drawn(now),
    )  # fmt: skip
    decision, read = (decided.decision, readings_of(now)) if made is None else (made.decision, made.readings)
    return _chart_bar(figures, source, decision, read, made, before)


def _drawn(now: IndicatorRows) -> tuple[Any, ...]:
    """The indicators that are drawn over the candles."""
    return now.ema_fast, now.ema_slow, now.bollinger_upper, now.bollinger_middle, now.bollinger_lower, now.vwap


def decided_chart_bars(
    bars: Bars, sources: Sequence[MinuteSource | None], now: IndicatorRows, made: Sequence[Made]
) -> list[ChartBar]:
    """Bars that were all decided when they closed; see `chart_bars`, which needs an evaluation for the others."""
    table = zip(_figures(bars, now, len(made)), sources[-len(made) :], made, strict=True)
    return [_chart_bar(figures, source, one.decision, one.readings, one, math.inf) for figures, source, one in table]


def _figures(bars: Bars, now: IndicatorRows, rows: int) -> Iterator[tuple[float, ...]]:
    """Prices, volumes and indicators of the last rows."""
    columns = bars.open, bars.high, bars.low, bars.close, bars.volume, bars.quote_volume, *_drawn(now)
    return zip(*(column[-rows:].tolist() for column in columns), strict=True)


def _chart_bar(
    figures: tuple[float, ...],
    source: MinuteSource | None,
    decision: Decision,
    read: Readings,
    made: Made | None,
    first_closed: float,
) -> ChartBar:
    opened, high, low, close, *rest = figures
    volume, quote_volume, fast, slow, upper, middle, lower, vwap = map(finite, rest)
    is_decided = made is not None or (decision.ready and decision.is_whole)
    status: BarStatus = "live" if is_decided else "warming_up" if decision.is_whole else "undecidable"
    bar: ChartBar = {
        "time": iso(decision.open_time),
        "open": opened,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "quote_volume": quote_volume,
        "source": source,
        "ema_fast": fast,
        "ema_slow": slow,
        "bollinger_upper": upper,
        "bollinger_middle": middle,
        "bollinger_lower": lower,
        "vwap": vwap,
        "support": finite(decision.support),
        "resistance": finite(decision.resistance),
        "rsi": finite(read.rsi),
        "macd_atr": finite(read.macd),
        "macd_histogram_atr": finite(read.macd_histogram),
        **(bar_decision(decision) if is_decided else undecided_bar()),
        "blocked": is_decided and bool(decision.blocks),
        "status": status,
        "config_version": None if made is None else made.config_version,
        "recomputed": made is None and (is_decided or decision.open_time < first_closed),
    }
    if made is not None and made.is_paused:
        bar["status"], bar["position_size"] = "paused", 0.0
    return bar


def _confidence(decision: Decision) -> float:
    return round(decision.confidence, 9)
