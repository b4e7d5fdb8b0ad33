"""A client that follows changes, written after RFC 7396 and the wire reference and nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """The result of a merge patch, in the steps of section 2 of the RFC."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target


def exact(value: Any) -> str:
    """A value as JSON, in which 1, 1.0 and true are different, whatever the order of fields."""
    return json.dumps(value, sort_keys=True)


class Follower:
    """Keeps the newest state of each asset, as a client has it.

    Attributes:
        states: by asset.
        wholes: number of whole states that came.
        changes: number of changes that came.
    """

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.wholes = self.changes = 0

    def hear(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Take a message; gives the state that it makes, if it is about one."""
        if message["type"] == "asset_data":
            self.wholes += 1
            self.states[message["asset"]] = message
            return message
        if message["type"] != "asset_changed":
            return None
        self.changes += 1
        before = self.states[message["asset"]]
        assert before["seq"] == message["base_seq"], "a change to a state that the client does not have"
        state: dict[str, Any] = merged(copy.deepcopy(before), message["patch"])
        assert (state["asset"], state["seq"]) == (message["asset"], message["seq"])
        self.states[message["asset"]] = state
        return state
