"""Warnings: values that are valid and rarely meant. A change with warnings is made all the same."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from vivienne.agent.tolerance import EQUAL
from vivienne.agent.wording import show, show_apart
from vivienne.config.documents import leaves
from vivienne.config.flat import MOST_TOLD
from vivienne.config.layers import GLOBAL
from vivienne.config.tunables import TUNABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vivienne.config.layers import Layers
    from vivienne.slices import Pieces
    from vivienne.wire.document import Document
    from vivienne.wire.problem import WarningEntry

MOST_USUAL_FACTOR = 5.0
"""A position size that grows or shrinks by more than this factor is warned of."""
MOST_USUAL_BUFFER = 0.02
"""A `levels_buffer_percent` above this is warned of."""

_IDLE = "settings.position_size_idle"
_RISING = tuple(f"settings.position_size_{level}" for level in ("loaded", "aim", "bang"))
_SIZES = (_IDLE, *_RISING)
_BUFFER = "filters.levels.levels_buffer_percent"
_WATCHED = frozenset((*_SIZES, _BUFFER))


def warnings_of(before: Document, after: Document, touched: Collection[str]) -> list[WarningEntry]:
    """Warn of values that a change sets.

    Args:
        before: the document in force, in which nothing is left out.
        after: the document in force afterwards.
        touched: paths that the change sets. It does not warn of other values.
    """
    concerned = _WATCHED.intersection(touched)
    if not concerned:
        return []
    old, new = leaves(before), leaves(after)
    return [*_of_sizes(old, new), *_of_state(new, concerned)]


def warnings_of_change(
    before: Layers, after: Layers, touched: Mapping[str, Collection[str]], *, names_assets: bool = False
) -> Pieces[list[WarningEntry]]:
    """Warn of values that a change of one or more layers sets, an asset at a time.

    Args:
        before: all layers.
        after: all layers afterwards.
        touched: by layer, the paths that the change sets.
        names_assets: whether each warning names its asset. Those of a change for all assets always do.

    Returns:
        What an asset inherits is a warning of the global layer only. The list is limited.
    """
    if all(_WATCHED.isdisjoint(paths) for paths in touched.values()):
        return []
    inherited = touched.get(GLOBAL, ())
    found = warnings_of(before.effective(GLOBAL), after.effective(GLOBAL), inherited) if GLOBAL in touched else []
    known = {(each["id"], each["message"]) for each in found}
    of_assets: list[WarningEntry] = []
    for asset in before.assets:
        yield
        if asset in touched or (GLOBAL in touched and not _WATCHED.isdisjoint(leaves(after.document(asset)))):
            paths = {*inherited, *touched.get(asset, ())}
            own = warnings_of(before.effective(asset), after.effective(asset), paths)
            own = [each for each in own if (each["id"], each["message"]) not in known]
            of_assets += [_named(each, asset) for each in own] if names_assets or GLOBAL in touched else own
    return _limited([*found, *of_assets])


def _of_sizes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[WarningEntry]:
    for path in _SIZES:
        low, high = sorted((old[path], new[path]))
        if (path == _IDLE and low == 0) or high <= low * MOST_USUAL_FACTOR * (1 + EQUAL):
            continue
        title, factor = TUNABLES[path].title, f", by a factor of {_factor(high / low)}" if low else ""
        message = f"{title} changes from {_size(old[path])} to {_size(new[path])} of equity{factor}"
        yield {"id": "size_change", "path": path, "message": message}


def _of_state(new: Mapping[str, Any], concerned: frozenset[str]) -> Iterator[WarningEntry]:
    if _IDLE in concerned and new[_IDLE] > 0:
        message = f"{TUNABLES[_IDLE].title} is {_size(new[_IDLE])}: a position would be held while there is no entry"
        yield {"id": "idle_size", "path": _IDLE, "message": message}
    falling = next(((low, high) for low, high in pairwise(_RISING) if new[low] >= new[high]), None)
    if falling is not None and not concerned.isdisjoint(_RISING):
        sizes = ", ".join(_size(new[path]) for path in _RISING)
        path = falling[0] if falling[0] in concerned and falling[1] not in concerned else falling[1]
        message = f"Position sizes do not rise from loaded over aim to bang: {sizes}"
        yield {"id": "sizes_not_rising", "path": path, "message": message}
    if _BUFFER in concerned and new[_BUFFER] > MOST_USUAL_BUFFER:
        unit = TUNABLES[_BUFFER].unit
        size, usual = show_apart(new[_BUFFER], MOST_USUAL_BUFFER, unit)
        message = (
            f"{TUNABLES[_BUFFER].title} is {size} of price, above {usual}: most entries have a level nearer than that"
        )
        yield {"id": "wide_levels_buffer", "path": _BUFFER, "message": message}


def _factor(factor: float) -> str:
    """Two digits, or as many as tell it from what is usual."""
    rounded = show(factor, digits=2)
    is_told = rounded != show(MOST_USUAL_FACTOR, digits=2)
    return rounded if is_told else show_apart(factor, MOST_USUAL_FACTOR)[0]


def _size(value: float) -> str:
    return show(value, TUNABLES[_IDLE].unit)


def _named(warning: WarningEntry, asset: str) -> WarningEntry:
    return {**warning, "message": f"{asset}: {warning['message']}", "asset": asset}


def _limited(found: list[WarningEntry]) -> list[WarningEntry]:
    more = len(found) - MOST_TOLD
    if more <= 0:
        return found
    return [*found[:MOST_TOLD], {"id": "more", "path": "", "message": f"... and {more:,} more warnings"}]
