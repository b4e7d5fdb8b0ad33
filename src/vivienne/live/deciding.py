"""Decisions of one configuration on the bars of one asset. A second one can run beside it on the same bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.agent.decision import NO_CAP
from vivienne.agent.evaluate import FULL_HISTORY, bars_used, evaluate, history_needed
from vivienne.agent.explain import explain
from vivienne.agent.newest import evaluate_newest
from vivienne.live.entries import Readings, chart_bars, decided_chart_bar, decision_entry, readings, readings_of
from vivienne.live.made import Made, MadeDecisions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.agent.decided import Decided
    from vivienne.agent.decision import Decision
    from vivienne.agent.evaluate import Evaluation
    from vivienne.agent.schema import Configuration
    from vivienne.changes.in_force import Active
    from vivienne.market.feeds.base import MinuteSource
    from vivienne.market.timeframe import Timeframe
    from vivienne.market.types import Bars, Candle
    from vivienne.market.window import BarWindow, Held
    from vivienne.wire.chart import ChartBar
    from vivienne.wire.decision import DecisionEntry
    from vivienne.wire.preview import LevelSizes


class Basis(NamedTuple):
    """The bars that a decision was made from, and what it read of them.

    Attributes:
        held: all bars up to the one that was decided.
        used: number of the last ones that it was made from.
        readings: values that its signals read.
        atr: average true range, in quote currency; NaN until there is one.
        cap: the largest position size, in percent of equity.
    """

    held: Held
    used: int
    readings: Readings
    atr: float
    cap: float


class Deciding:
    """Decides bars with the configuration in force.

    Args:
        window: the closed bars.
        timeframe: timeframe of the bars.
        cap: the largest position size, in percent of equity; it overrides the configuration.
        require_full_history: make no decision until the history of a bar is full.

    Attributes:
        decision: the newest decision; None before the first bar.
        entry: its entry in states, with the reasons for it.
    """

    def __init__(
        self, window: BarWindow, timeframe: Timeframe, *, cap: float = NO_CAP, require_full_history: bool = False
    ) -> None:
        self._window = window
        self._timeframe = timeframe
        self._cap = cap
        self._least_history = FULL_HISTORY if require_full_history else 0
        self._made = MadeDecisions(window.length)
        self._first: int | None = None
        self._latest: tuple[Bars, Decided] | None = None
        self.decision: Decision | None = None
        self.entry: DecisionEntry | None = None
        self._needed: tuple[Configuration, int] | None = None

    def bars_needed(self, config: Configuration) -> int:
        """Number of bars that a decision needs."""
        if self._needed is None or self._needed[0] is not config:  # every state says it
            self._needed = config, max(history_needed(config, self._timeframe.minutes), self._least_history)
        return self._needed[1]

    @property
    def is_ready(self) -> bool:
        """True if there were enough bars for the newest decision."""
        decision = self.decision
        return decision is not None and decision.ready and decision.history >= self._least_history

    def recall(self, made: Iterable[Made]) -> None:
        """Know decisions that an earlier process made, oldest first."""
        for each in made:
            self._made.add(each)

    def forget(self) -> None:
        """Drop the newest decision, after the bars were dropped."""
        self._latest = self.decision = self.entry = None

    def decide_closed(self, active: Active, followed_by: int = 0) -> Decision:
        """Decide a newly closed bar and keep the decision.

        Args:
            active: the configuration and the pause in force.
            followed_by: number of bars that closed after it.
        """
        bars = self._window.bars()
        if self._first is None:
            self._first = int(bars.open_time[-1 - followed_by])
        decided = self._decide(bars[: len(bars) - followed_by] if followed_by else bars, active)
        if self.is_ready:
            is_paused = active.pause is not None
            self._made.add(Made(decided.decision, active.version, is_paused, readings_of(decided.now)))
        return decided.decision

    def decide_again(self, active: Active, open_bar: Candle | None = None) -> None:
        """Decide the newest bar again, or the open bar if it is given. The decision is not kept."""
        bars = self._window.bars()
        self._decide(bars if open_bar is None else bars.followed_by(open_bar), active)

    def newest_bar(self) -> ChartBar:
        """The bar of the newest decision as a chart draws it.

        Raises:
            LookupError: there is no decision yet.
        """
        if self._latest is None:
            raise LookupError("no decision has been made yet")
        bars, decided = self._latest
        [known] = self._made.at([decided.decision.open_time])
        return decided_chart_bar(bars, self._window.source(len(bars) - 1), decided, known, self._first)

    def basis(self) -> Basis:
        """The basis of the newest decision.

        Raises:
            LookupError: there is no decision yet.
        """
        if self._latest is None:
            raise LookupError("no decision has been made yet")
        bars, decided = self._latest
        held = self._window.held()
        held = held._replace(bars=bars, sources=held.sources[: len(bars)])
        used = bars_used(int(bars.open_time[-1]), self._timeframe.minutes, len(bars))
        return Basis(held, used, readings_of(decided.now), decided.now.atr, self._cap)

    def chart_bars(self, active: Active, limit: int, before: int | None = None) -> list[ChartBar]:
        """The last closed bars as a chart draws them, at most `limit`; only those that open before a time, if given."""
        bars, window = self._window.bars(), self._window
        end = len(bars) if before is None else int(bars.open_time.searchsorted(before))
        if not end or not limit:
            return []
        evaluation = self._evaluate(bars[:end], active.configuration, min(limit, end))
        return chart_bars(bars[:end], window.sources()[:end], evaluation, self._known(evaluation), self._first)

    def decided_after(self, active: Active, open_time: int, most: int) -> list[tuple[Made, float]]:
        """The decisions on the closed bars that open after a time, at most the last `most`, each with its close.

        Those that were made when their bars closed are as they were made; the others are made with the configuration.
        """
        bars = self._window.bars()
        rows = min(most, len(bars) - int(bars.open_time.searchsorted(open_time, side="right")))
        if rows <= 0:
            return []
        evaluation = self._evaluate(bars, active.configuration, rows)
        is_paused, read = active.pause is not None, readings(evaluation)
        found = [
            Made(evaluation.decision(row), active.version, is_paused, read[row]) if known is None else known
            for row, known in enumerate(self._known(evaluation))
        ]
        return list(zip(found, bars.close[-rows:].tolist(), strict=True))

    def sources(self) -> dict[int, MinuteSource | None]:
        """Where the closed bars came from, by their open time."""
        return dict(zip(self._window.bars().open_time.tolist(), self._window.sources(), strict=True))

    def evaluate(self, config: Configuration, limit: int) -> Evaluation | None:
        """Decide the last closed bars, at most `limit`, with any configuration; None without bars."""
        bars = self._window.bars()
        return self._evaluate(bars, config, min(limit, len(bars))) if len(bars) and limit else None

    def sizes(self, config: Configuration) -> LevelSizes:
        """Position size at each level, at most the cap."""
        settings, cap = config.settings, self._cap
        return {
            "idle": min(settings.position_size_idle, cap),
            "loaded": min(settings.position_size_loaded, cap),
            "aim": min(settings.position_size_aim, cap),
            "bang": min(settings.position_size_bang, cap),
        }

    def _evaluate(self, bars: Bars, config: Configuration, rows: int) -> Evaluation:
        return evaluate(bars, config, self._timeframe.minutes, rows, cap=self._cap, is_cut=self._window.is_cut)

    def _decide(self, bars: Bars, active: Active) -> Decided:
        config, minutes = active.configuration, self._timeframe.minutes
        decided = evaluate_newest(bars, config, minutes, cap=self._cap, is_cut=self._window.is_cut)
        self._latest = bars, decided
        self.decision = decided.decision
        self.entry = decision_entry(decided.decision, explain(decided, bars, config))
        return decided

    def _known(self, evaluation: Evaluation) -> list[Made | None]:
        return self._made.at(evaluation.open_time.tolist())
