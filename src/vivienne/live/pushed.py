"""Answers to pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.times import iso
from vivienne.wire.problem import problem_entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from vivienne.market.feeds.pushed.feed import PushedFeed
    from vivienne.market.feeds.pushed.rows import Kind
    from vivienne.wire.pushed import Pushed

MOST_NAMED = 20
"""Late and refused rows that an answer names; all are counted."""


async def pushed(feed: PushedFeed, kind: Kind, body: Mapping[str, Any], *, is_history: bool | None = None) -> Pushed:
    """Push to a feed; the answer tells what became of the rows. See `PushedFeed.push`."""
    taken = await feed.push(kind, body, is_history=is_history)
    rows = taken.rows
    return {
        "status": "success" if not rows.refused else "refused",
        "accepted": rows.accepted,
        "doubled": rows.doubled,
        "late": rows.late,
        "refused": rows.refused,
        "late_rows": [problem_entry(each) for each in rows.late_rows[:MOST_NAMED]],
        "errors": [problem_entry(each) for each in rows.problems[:MOST_NAMED]],
        "assets": {
            asset: {"deciding": is_begun, "closed_until": None if until is None else iso(until)}
            for asset, (is_begun, until) in taken.assets.items()
        },
    }
