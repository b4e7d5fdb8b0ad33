"""States that agents publish as changes, each applied to the last state of the same agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from vivienne.cluster.published import MOST_STATE_BYTES, has_fields, is_deep, is_number, read
from vivienne.redis.publishing import MOST_IN_BATCH, PUBLISHED_BY
from vivienne.wire.merge_patch import patched

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.wire.messages import AssetData

MOST_BATCH_BYTES = 2 * MOST_STATE_BYTES
"""Longest message with changes; one of an agent has about a quarter of it."""
MOST_GROWN_BYTES = 1024 * 1024
"""Bytes of changes after which the whole state is read again: each could add something to it that stays."""


class Batch:
    """The states of one message of an agent, changed or whole.

    Attributes:
        agent: its name.
        entries: as `/ws/state` sends them to a client that asked for changes.
    """

    def __init__(self, agent: str, entries: list[dict[str, Any]]) -> None:
        self.agent = agent
        self.entries = entries


def batch_of(raw: bytes) -> Batch | None:
    """The batch that a message is; None if it is not one, or longer than those of agents."""
    message = read(raw) if len(raw) <= MOST_BATCH_BYTES else None
    if message is None:
        return None
    agent, entries = message.get(PUBLISHED_BY), message.get("states")
    if message.get("type") != "states_changed" or not isinstance(agent, str) or not isinstance(entries, list):
        return None
    if len(entries) > MOST_IN_BATCH or not all(isinstance(entry, dict) for entry in entries):
        return None
    if len(raw) > MOST_STATE_BYTES:
        entries = [entry for entry in entries if not is_deep(entry) and len(orjson.dumps(entry)) <= MOST_STATE_BYTES]
    return Batch(agent, entries)


class StateChanges:
    """Applies changes.

    Args:
        last: the last state that an agent published of an asset, if that is the last of the asset.
    """

    def __init__(self, last: Callable[[str, str], AssetData | None]) -> None:
        self._last = last
        self._grown: dict[str, int] = {}
        """By asset, the bytes of the changes since the last whole state."""

    def is_whole(self, asset: str) -> None:
        """Note that a whole state came."""
        self._grown.pop(asset, None)

    def applied(self, agent: str, change: dict[str, Any]) -> dict[str, Any] | None:
        """The state that a change makes of the last one; None if it does not fit, so that the whole one is needed."""
        asset, seq, base, patch = (change.get(name) for name in ("asset", "seq", "base_seq", "patch"))
        before = self._last(str(asset), agent)
        if before is None or before["seq"] != base or not is_number(seq) or not isinstance(patch, dict):
            return None
        if is_deep(patch) or not self._may_grow(str(asset), len(orjson.dumps(patch))):
            return None
        state = patched(before, patch)
        is_next = state.get("asset") == asset and state.get("seq") == seq and has_fields(state)
        return state if is_next and seq > base else None

    def _may_grow(self, asset: str, size: int) -> bool:
        grown = self._grown[asset] = self._grown.get(asset, 0) + size
        return size <= MOST_STATE_BYTES and grown <= MOST_GROWN_BYTES
