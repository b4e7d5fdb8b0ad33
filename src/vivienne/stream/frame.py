"""Frames: states as they are sent, whole or as what has changed, each encoded once for all clients."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from vivienne.stream.framing import framed
from vivienne.wire.merge_patch import merge_patch
from vivienne.wire.messages import encode

if TYPE_CHECKING:
    from vivienne.wire.messages import AssetChanged, AssetData

MOST_EARLIER = 16
"""Earlier states of an asset that a change can start from. A client that is further behind gets the whole state."""
_SURELY_SHORTER = 1024
"""Length of a change that is not compared with that of its state, which has a whole configuration in it."""


class Earlier:
    """The last states of one asset, by `seq`. They share the parts that did not change."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: dict[int, AssetData] = {}
        """The oldest stands first."""

    def keep(self, state: AssetData, most: int) -> None:
        """Keep one more, and drop the oldest until so many are earlier than it."""
        self._states[state["seq"]] = state
        while len(self._states) > most + 1:
            del self._states[next(iter(self._states))]

    def find(self, seq: int) -> AssetData | None:
        """The state with this number; None if it is not kept any more."""
        return self._states.get(seq)


class Frame:
    """One state of one asset. It is encoded once, for the first client that needs it, and shared by all clients.

    Attributes:
        message: the state.
        number: in the order of broadcasts, over all assets; 0 before it is broadcast.
        follows_number, follows_seq: those of the frame of the same asset that was broadcast before; None for the `seq`
            of the first one.
        made: time by a monotonic clock.
    """

    __slots__ = ("_earlier", "_framed", "_since", "_text", "follows_number", "follows_seq", "made", "message", "number")

    def __init__(self, message: AssetData, earlier: Earlier | None = None, *, most_earlier: int = MOST_EARLIER) -> None:
        self.message = message
        self.number = self.follows_number = 0
        self.follows_seq: int | None = None
        self.made = monotonic()
        self._text: str | None = None
        self._earlier = earlier
        self._since: dict[int, str | None] | None = None
        self._framed: dict[tuple[int | None, bool], bytes] = {}
        if earlier is not None:
            earlier.keep(message, most_earlier)

    @property
    def text(self) -> str:
        """The frame as JSON."""
        if self._text is None:
            self._text = encode(self.message)
        return self._text

    def since(self, base: int | None) -> str:
        """The frame as JSON for a client that has the state with the number `base`: what changed, or the whole state.

        It is the whole state if that is shorter, if no patch says the change, or if the client is too far behind.
        """
        return self._changed_since(base) or self.text

    def framed(self, base: int | None = None, *, deflated: bool = False) -> bytes:
        """The same as the bytes of a WebSocket, for a client that inflates or not."""
        changed = self._changed_since(base)
        key = (None if changed is None else base, deflated)
        if (known := self._framed.get(key)) is None:
            known = self._framed[key] = framed((changed or self.text).encode(), deflated=deflated)
        return known

    def _changed_since(self, base: int | None) -> str | None:
        """What changed since a state, as JSON; None if the whole state is to be sent."""
        if base is None or self._earlier is None or base >= self.message["seq"]:
            return None
        before = self._earlier.find(base)
        if before is None:  # nothing is kept for each client that is so far behind
            return None
        if self._since is None:
            self._since = {}
        if base not in self._since:
            self._since[base] = self._encoded(before, base)
        return self._since[base]

    def _encoded(self, before: AssetData, base: int) -> str | None:
        state = self.message
        patch = merge_patch(before, state)
        if patch is None:
            return None
        changed: AssetChanged = {
            "type": "asset_changed", "asset": state["asset"], "seq": state["seq"], "base_seq": base, "patch": patch,
        }  # fmt: skip
        text = encode(changed)
        return text if len(text) < _SURELY_SHORTER or len(text) < len(self.text) else None
