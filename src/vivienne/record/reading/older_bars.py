"""Recorded bars as a chart draws them: with their decisions, and indicators of the periods now in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vivienne.agent.evaluate import MOST_HISTORY, evaluate, indicator_rows
from vivienne.live.entries import chart_bars, decided_chart_bars
from vivienne.live.made import Made
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import Bars
from vivienne.record.reader import Range

if TYPE_CHECKING:
    from vivienne.agent.schema import Configuration
    from vivienne.record.reader import RecordReader, Series
    from vivienne.record.rows import RecordedBar
    from vivienne.wire.chart import ChartBar


class InForce(NamedTuple):
    """What decides the bars of an asset now, and draws its indicators.

    Attributes:
        configuration: all tunables.
        cap: the largest position size, in percent of equity.
    """

    configuration: Configuration
    cap: float


def older_bars(reader: RecordReader, series: Series, before: int, limit: int, now: InForce) -> list[ChartBar]:
    """The newest recorded bars that open before a time, at most `limit`, oldest first.

    Args:
        reader: of the record.
        series: of the asset.
        before: ms since the epoch.
        limit: number of bars.
        now: decides the bars that nobody decided.
    """
    page = reader.bars(series, Range(before=before, limit=limit))
    if not page:
        return []
    history = reader.candles(series, Range(before=page[0].bar.open_time, limit=MOST_HISTORY))
    bars = Bars.joined([history, Bars.from_candles(each.bar for each in page)])
    timeframe = Timeframe(series.timeframe)
    breaks = np.flatnonzero(np.diff(bars.open_time) != timeframe.milliseconds) + 1
    first_decided = next((each.bar.open_time for each in page if each.made is not None), None)
    found: list[ChartBar] = []
    for begin, end in zip([0, *breaks.tolist()], [*breaks.tolist(), len(bars)], strict=True):
        rows = page[max(begin - len(history), 0) : max(end - len(history), 0)]
        if rows:
            is_cut = begin == 0 and was_cut(reader, series, bars.open_time.item(0))
            found += _charted(bars[begin:end], rows, timeframe, now, first_decided, is_cut=is_cut)
    return found


def _charted(
    run: Bars, rows: list[RecordedBar], timeframe: Timeframe, now: InForce, first_decided: int | None, *, is_cut: bool
) -> list[ChartBar]:
    """The last bars of a run without a hole."""
    sources, made = [each.source for each in rows], [_made(each) for each in rows]
    decided = [each for each in made if each is not None]
    if len(decided) == len(rows):
        indicators = indicator_rows(run, now.configuration, timeframe.minutes, len(rows))
        return decided_chart_bars(run, sources, indicators, decided)
    evaluation = evaluate(run, now.configuration, timeframe.minutes, len(rows), cap=now.cap, is_cut=is_cut)
    return chart_bars(run, sources, evaluation, made, first_decided)


def was_cut(reader: RecordReader, series: Series, first: int) -> bool:
    """Tell whether there were bars before the first one, as far as anybody knows: who decided first knew it."""
    time = series.segments[0].begins_at
    made = next((each.made for each in reader.bars(series, Range(first=time, last=time))), None)
    if made is None or not made.decision.is_whole:
        return True
    return time - (made.used - 1) * Timeframe(series.timeframe).milliseconds != first


def _made(bar: RecordedBar) -> Made | None:
    made = bar.made
    if made is None or not made.decision.ready or made.status == "warming_up":
        return None
    return Made(made.decision, made.config_version, made.is_paused, made.readings)
