"""The nearest change: the smallest change of a single threshold or switch that alters the outcome.

The outcome is the clarity level, and whether a filter holds back an entry. Where several filters hold back an entry, it
is the smallest set of changes that releases it: one for each of these filters.
"""

from __future__ import annotations

import math
from itertools import chain, compress, count, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from vivienne.agent.blocking import CHECKS, CHECKS_OF, FILTER_OF, SCENARIOS, SCENARIOS_OF, is_met
from vivienne.agent.decision import Clarity, percent_of
from vivienne.agent.filters import FILTERS
from vivienne.agent.filters.levels import distance_ahead
from vivienne.agent.levels import newest_levels
from vivienne.agent.rules import Ordered
from vivienne.agent.schema import RULES, field_at
from vivienne.agent.tolerance import EQUAL
from vivienne.agent.wording import show_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vivienne.agent.blocking import FilterRow
    from vivienne.agent.decision import Decision
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import NearestChange, SingleChange

_LEVELS_BUFFER = "filters.levels.levels_buffer_percent"
"""The threshold that also affects the value compared with it, because it also merges levels."""
_LEVEL_AHEAD = next(place for place, check in enumerate(CHECKS) if check.path == _LEVELS_BUFFER)
_ORDERED = {
    path: [(rule, attrgetter(*rule.paths)) for rule in RULES if isinstance(rule, Ordered) and path in rule.paths]
    for path in chain.from_iterable(rule.paths for rule in RULES if isinstance(rule, Ordered))
}
"""For each value that must be in order with others, the rules that say so, and what reads their values."""
_LEVEL_PATHS = tuple(f"settings.state_threshold_{name}" for name in ("loaded", "aim", "bang"))


_PATHS = [check.path for check in CHECKS]
_IS_UPPER = [check.relation in ("<", "<=") for check in CHECKS]
"""For each check, whether its threshold is an upper limit."""
_IS_STRICT = [check.relation in ("<", ">") for check in CHECKS]
_CLARITIES = tuple(Clarity)
_LOADED, _BANG = Clarity.LOADED, Clarity.BANG


class Change(NamedTuple):
    """A change of one value that alters the outcome.

    Attributes:
        path: path of the tunable.
        old: its present value.
        new: the nearest value that alters the outcome.
        level: the resulting level.
        held: whether a filter would then hold back an entry.
        is_of_filter: whether the change makes a filter start or stop blocking.
    """

    path: str
    old: float | bool
    new: float | bool
    level: Clarity
    held: bool
    is_of_filter: bool = True

    @property
    def distance(self) -> float:
        """Size of the change relative to the present value; a switch counts as 1."""
        return abs(self.new - self.old) / abs(self.old) if self.old else 1.0 if self.new is True else math.inf

    @property
    def words(self) -> str:
        """The change in words, without its effect."""
        title, unit, *_ = field_at(self.path)
        new, old = show_apart(self.new, self.old, unit)
        return f"{title} {old} -> {new}"

    def as_single(self) -> SingleChange:
        """The change as it is written on the wire, without its effect."""
        return {"path": self.path, "from": self.old, "to": self.new}


_DISTANCE = attrgetter("distance")


def as_document(changes: Sequence[Change]) -> NearestChange:
    """Changes that have an effect together, as they are written on the wire; the first one also by itself."""
    first, several = changes[0], len(changes) > 1
    level = first.level.word
    effect = f"changes the level to {level}"
    if first.is_of_filter:
        released = f"let{'' if several else 's'} the entry through as {level}"
        effect = f"holds the entry back at {level}" if first.held else released
    return {
        "path": first.path,
        "from": first.old,
        "to": first.new,
        "changes": [change.as_single() for change in changes],
        "clarity_level": level,
        "held": first.held,
        "message": f"{' and '.join([change.words for change in changes])} {'together ' if several else ''}{effect}",
    }


def _beyond(value: float, *, up: bool, strict: bool, low: float, high: float) -> float | None:
    """The number with the fewest digits at or beyond `value`, near it and within bounds; clearly beyond if strict."""
    if value == 0 and not strict and low <= 0 <= high:
        return 0.0
    size = abs(value)
    clear = 2 * EQUAL * size
    exponent = math.floor(math.log10(size)) if value else 0
    towards = math.ceil if up else math.floor
    for digits in (2, 3, 4, 6, 9, 12):
        places = digits - 1 - exponent
        step = 10.0**-places
        candidate = round(towards(value / step) * step, places)
        moved = candidate - value if up else value - candidate
        is_beyond = moved > clear or (moved >= 0 and not strict)
        if is_beyond and moved <= size * 0.01 and low <= candidate <= high:
            return candidate
    candidate = value + (4 * EQUAL * size or EQUAL) * (1 if up else -1) if strict else value
    return candidate if low <= candidate <= high else None


def _threshold_changes(decision: Decision, config: Configuration) -> Iterator[Change]:
    """Level thresholds that alter the level when moved across the confidence. The thresholds stay in order."""
    settings, raw_level, blocked = config.settings, decision.raw_level, bool(decision.blocks)
    confidence = percent_of(decision.confidence)
    thresholds = (settings.state_threshold_loaded, settings.state_threshold_aim, settings.state_threshold_bang)
    if raw_level < _BANG and not (blocked and raw_level >= _LOADED):
        floor = thresholds[raw_level - 1] if raw_level else 0.0
        new = _beyond(confidence, up=False, strict=False, low=floor, high=100.0)
        if new is not None:
            path, level = _LEVEL_PATHS[raw_level], _CLARITIES[raw_level + 1]
            yield Change(path, thresholds[raw_level], new, level, blocked, is_of_filter=False)
    if raw_level and not (blocked and raw_level > _LOADED):
        ceiling = thresholds[raw_level] if raw_level < _BANG else 100.0
        new = _beyond(confidence, up=True, strict=True, low=0.0, high=ceiling)
        if new is not None:
            path, level = _LEVEL_PATHS[raw_level - 1], _CLARITIES[raw_level - 1]
            yield Change(path, thresholds[raw_level - 1], new, level, blocked and level > 0, is_of_filter=False)


def _filter_changes(decision: Decision, row: FilterRow) -> Iterator[Change]:
    """Changes that release an entry held back by one filter, or hold back an entry that is not held."""
    if not decision.raw_level:
        return
    if decision.blocks:
        for path, old, new in _releases(row, row.blocks.index(True)):
            yield Change(path, old, new, decision.raw_level, held=False)
    else:
        for path, old, new in _holds(row, is_long=decision.side == "long"):
            yield Change(path, old, new, Clarity.LOADED, held=True)


def _releases(row: FilterRow, number: int) -> Iterator[tuple[str, float | bool, float | bool]]:
    """Changes that make a filter stop blocking: path, old and new value."""
    scenarios = [each for each in SCENARIOS_OF[number] if row.scenario_blocks[each]]
    one = scenarios[0] if len(scenarios) == 1 else None
    # The narrower of two switches comes first, because equal distances keep their order.
    if one is not None and (switch := SCENARIOS[one].switch) is not None:
        yield switch, True, False
    yield FILTERS[number].switch, True, False
    for place in () if one is None else CHECKS_OF[one]:
        yield from _moved(row, place, met=False)


def _holds(row: FilterRow, *, is_long: bool) -> Iterator[tuple[str, float | bool, float | bool]]:
    """Changes that make a further scenario block: path, old and new value."""
    gates, met = row.gates, row.met
    for number, (scenario, checks) in enumerate(zip(SCENARIOS, CHECKS_OF, strict=True)):
        if scenario.longs_only and not is_long:
            continue
        unmet = met[checks.start : checks.stop].count(False)
        if gates.switched_on[number]:
            if unmet == 1:
                yield from _moved(row, met.index(False, checks.start), met=True)
        elif not unmet:
            # With both switches off, neither of them alone makes it block.
            each = FILTER_OF[number]
            if scenario.switch is not None and gates.enabled[each]:
                yield scenario.switch, False, True
            elif gates.selected[number]:
                yield FILTERS[each].switch, False, True


def _moved(row: FilterRow, place: int, *, met: bool) -> Iterator[tuple[str, float, float]]:
    """The threshold of a check moved across its value, so that the check becomes met or unmet."""
    path, value = _PATHS[place], row.values[place]
    if path is None or math.isnan(value):
        return
    low, high = field_at(path).bounds
    is_upper, is_strict = _IS_UPPER[place], _IS_STRICT[place]
    new = _beyond(value, up=is_upper == met, strict=is_strict == met, low=low, high=high)
    if new is not None:
        yield path, row.gates.thresholds[place], new


def _keeps_rules(config: Configuration, change: Change) -> bool:
    """True if the changed configuration is valid, that is, values that must be in order still are."""
    for rule, values_of in _ORDERED.get(change.path, ()):
        values = list(values_of(config))
        values[rule.paths.index(change.path)] = change.new
        for one, other in pairwise(values):
            if one > other or (rule.strict and one == other):
                return False
    return True


def nearest_changes(decision: Decision, row: FilterRow, bars: Bars, config: Configuration) -> tuple[Change, ...]:
    """The threshold or switch whose smallest relative change alters the outcome.

    A change of the levels buffer, which also merges levels, is tried out before it is returned.

    Args:
        decision: the decision on the last bar.
        row: the results of the filters on it.
        bars: the bars it was made from.
        config: the tunables it was made with.

    Returns:
        One change. If several filters hold back the entry, one change for each of them, the smallest that release it
        together. Nothing if no signal votes.
    """
    return next(alternatives(decision, row, bars, config), ())


def alternatives(decision: Decision, row: FilterRow, bars: Bars, config: Configuration) -> Iterator[tuple[Change, ...]]:
    """All changes that `nearest_changes` chooses from, the smallest first; each of them has an effect by itself.

    A threshold is moved no further than needed for the first effect, so each path comes once. Where several filters
    hold back the entry, the changes that release it together come first, then those of level thresholds.
    """
    if decision.side == "none":
        return
    of_filters: Iterable[Change] = ()
    if decision.raw_level and row.blocks.count(True) > 1:
        yield _release_of_several(decision, row, bars, config)
    else:
        of_filters = _filter_changes(decision, row)
    seen: set[str] = set()
    for change in _nearest_first([*of_filters, *_threshold_changes(decision, config)]):
        is_new = change.path not in seen
        if is_new and _keeps_rules(config, change) and _are_true((change,), decision, bars, config):
            seen.add(change.path)
            yield (change,)


def _nearest_first(changes: Iterable[Change]) -> list[Change]:
    found = list(changes)
    if len(found) > 1:
        found.sort(key=_DISTANCE)
    return found


def _release_of_several(decision: Decision, row: FilterRow, bars: Bars, config: Configuration) -> tuple[Change, ...]:
    """The smallest changes, one for each filter that holds back the entry, that release it together.

    The filters have no thresholds in common, so the smallest change of each gives the smallest set.
    """
    of_filters = []
    for number in compress(count(), row.blocks):
        releases = (Change(*values, decision.raw_level, held=False) for values in _releases(row, number))
        of_filters.append([change for change in _nearest_first(releases) if _keeps_rules(config, change)])
    first = tuple(changes[0] for changes in of_filters)
    if _are_true(first, decision, bars, config):
        return first
    return tuple(
        next(change for change in changes if change.path != _LEVELS_BUFFER) for changes in of_filters
    )  # a switch at the latest


def _are_true(changes: tuple[Change, ...], decision: Decision, bars: Bars, config: Configuration) -> bool:
    """True if the changes have their effect together; only one of the levels buffer could fail to."""
    for change in changes:
        if change.path == _LEVELS_BUFFER:
            return _is_true_of_buffer(change, decision, bars, config)
    return True


def _is_true_of_buffer(change: Change, decision: Decision, bars: Bars, config: Configuration) -> bool:
    """True if a change of the levels buffer has its effect on levels merged with it."""
    buffer = change.new
    support, resistance = newest_levels(bars, config.indicators.pivot_bars, buffer)
    side = 1.0 if decision.side == "long" else -1.0
    ahead = distance_ahead(side, bars.close.item(-1), support, resistance)
    return is_met(_LEVEL_AHEAD, ahead, buffer) == change.held
