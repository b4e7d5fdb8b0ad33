"""Problems and warnings on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from vivienne.errors import Problem


class ProblemEntry(TypedDict):
    """One problem. `asset` is set if a global change would make the configuration of that asset invalid."""

    path: str
    message: str
    asset: NotRequired[str]


WarningId = Literal[
    "size_change", "idle_size", "sizes_not_rising", "wide_levels_buffer", "unknown_asset", "late_alerts", "more"
]
"""Kind of a warning: a position size changed by more than a factor of 5; a position size above 0 at `idle`; position
sizes that do not rise from `loaded` over `aim` to `bang`; a levels buffer above 2 % of price; a rule of alerts
for an asset that is not decided; one whose receiver cannot tell that an alert comes late; more warnings than are
listed."""


class WarningEntry(TypedDict):
    """A value that is valid and rarely meant. The change is made all the same.

    `asset` is set if a change for all assets, or an import, sets it for that asset.
    """

    id: WarningId
    path: str
    message: str
    asset: NotRequired[str]


def problem_entry(problem: Problem) -> ProblemEntry:
    """The entry of one problem."""
    entry: ProblemEntry = {"path": problem.path, "message": problem.message}
    if problem.asset is not None:
        entry["asset"] = problem.asset
    return entry
