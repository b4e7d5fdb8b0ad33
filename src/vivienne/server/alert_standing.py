"""What became of the alerts of all rules: when each fired last, and what has not arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vivienne.outbox.entries import undelivered
from vivienne.store.alert import NOTHING_SENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.changes.service import ConfigService
    from vivienne.store.alert import Lane, Stuck
    from vivienne.wire.alert import Undelivered

MOST_TOGETHER = 10_000
"""Messages that did not arrive, or were not sent, that are looked through at once; of more a part at a time."""
_DESCRIBED = 500
"""Messages that are read at a time."""
_EVERYBODY = ""
"""Who takes the turns: it is read once for all who ask at the same time."""


class AlertStanding(NamedTuple):
    """By rule, when it fired last, and what has not arrived."""

    fired: Mapping[str, str]
    undelivered: Mapping[str, list[Undelivered]]


async def alert_standing(service: ConfigService) -> AlertStanding:
    """Look what became of all alerts. Others have their turn between two looks.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    fired = await service.pages.read(_EVERYBODY, service.alert_store.last_fired_at)
    return AlertStanding(fired, undelivered(await find_stuck(service)))


async def find_stuck(service: ConfigService, most: int = MOST_TOGETHER) -> list[Stuck]:
    """Of each rule and channel whose messages wait, or whose last one did not arrive, one that tells why.

    Args:
        service: has the store.
        most: rows that are looked through at once.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    store = service.alert_store
    found = await service.pages.read(_EVERYBODY, store.stuck, most)
    if found is not None:
        return found
    lanes: dict[tuple[str, str], Lane] = {}
    after: int | None = 0
    while after is not None:
        part, after = await service.pages.read(_EVERYBODY, store.lanes, after, most)
        for name, lane in part.items():
            lanes[name] = lanes.get(name, NOTHING_SENT).followed_by(lane)
    telling = sorted((lane.telling, lane.unsent) for lane in lanes.values() if lane.telling is not None)
    described: list[Stuck] = []
    for start in range(0, len(telling), _DESCRIBED):
        numbers = dict(telling[start : start + _DESCRIBED])
        described += await service.pages.read(_EVERYBODY, store.stuck_of, numbers)
    return described
