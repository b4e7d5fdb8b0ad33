"""A problem on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from vivienne.errors import Problem


class ProblemEntry(TypedDict):
    """One problem. `asset` is set if a global change would make the configuration of that asset invalid."""

    path: str
    message: str
    asset: NotRequired[str]


def problem_entry(problem: Problem) -> ProblemEntry:
    """The entry of one problem."""
    entry: ProblemEntry = {"path": problem.path, "message": problem.message}
    if problem.asset is not None:
        entry["asset"] = problem.asset
    return entry
