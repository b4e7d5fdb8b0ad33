"""Control messages that wait: changes in their order, and the pauses and resumptions of each asset in theirs."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vivienne.changes.asked import Asked

MOST_WAITING, MOST_WAITING_BYTES = 10_000, 8 * 1024 * 1024
"""Changes that wait, and their bytes; as many pauses and resumptions may wait beside them. More are refused."""
MOST_AT_ONCE, MOST_OF_ONE = 256, 32
"""Pauses and resumptions that are applied at once, of all assets and of one; more of them wait."""


class WaitingSwitch(NamedTuple):
    """A pause or a resumption that waits.

    Attributes:
        raw: the message.
        asked: when it was received.
    """

    raw: bytes
    asked: Asked


class WaitingMessages:
    """Messages that were received and not applied yet.

    Attributes:
        dropped: messages that were left out, because another process has applied messages since they came.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._changes: deque[bytes] = deque()
        # By asset; that which is next stands first.
        self._switches: dict[str, deque[WaitingSwitch]] = {}
        self._under_way: Counter[str] = Counter()
        self._bytes: Counter[bool] = Counter()
        self._count: Counter[bool] = Counter()
        self._change_came, self._switch_may_begin = asyncio.Event(), asyncio.Event()

    def put(self, raw: bytes, switched: str | None, asked: Asked) -> bytes | None:
        """Let a message wait.

        Args:
            raw: the message.
            switched: the asset that it pauses or resumes; None for a change.
            asked: when it was received.

        Returns:
            What is refused because too many wait: a change, or the newest message of the asset with the most.
        """
        is_switch = switched is not None
        self._note(raw, 1, is_switch=is_switch)
        if switched is None:
            self._changes.append(raw)
            self._change_came.set()
        else:
            self._switches.setdefault(switched, deque()).append(WaitingSwitch(raw, asked))
            self._switch_may_begin.set()
        if self._count[is_switch] <= MOST_WAITING and self._bytes[is_switch] <= MOST_WAITING_BYTES:
            return None
        refused = max(self._switches.values(), key=len).pop().raw if is_switch else self._changes.pop()
        self._note(refused, -1, is_switch=is_switch)
        return refused

    @property
    def changes(self) -> int:
        """Changes that wait."""
        return len(self._changes)

    @property
    def switches(self) -> int:
        """Pauses and resumptions that wait."""
        return self._count[True]

    def drop(self) -> int:
        """Leave out all that wait; return how many they were."""
        dropped = self.changes + self.switches
        self._changes.clear()
        self._switches.clear()
        self._bytes.clear()
        self._count.clear()
        self.dropped += dropped
        return dropped

    async def change_came(self) -> None:
        """Wait until a change waits."""
        while not self._changes:
            self._change_came.clear()
            await self._change_came.wait()

    def take_change(self) -> bytes | None:
        """The next change; None if there is none."""
        if not self._changes:
            return None
        raw = self._changes.popleft()
        self._note(raw, -1, is_switch=False)
        return raw

    async def switch_may_begin(self) -> None:
        """Wait until a pause or a resumption waits that may begin."""
        while self._next() is None:
            self._switch_may_begin.clear()
            await self._switch_may_begin.wait()

    def take_switch(self) -> tuple[str, WaitingSwitch] | None:
        """The next pause or resumption with its asset; None if none may begin. `end_switch` has to follow."""
        asset = self._next()
        if asset is None:
            return None
        waiting = self._switches.pop(asset)
        taken = waiting.popleft()
        if waiting:
            self._switches[asset] = waiting  # behind the other assets
        self._note(taken.raw, -1, is_switch=True)
        self._under_way[asset] += 1
        return asset, taken

    def end_switch(self, asset: str) -> None:
        """Note that a pause or a resumption was applied."""
        self._under_way[asset] -= 1
        if not self._under_way[asset]:
            del self._under_way[asset]
        self._switch_may_begin.set()

    def _next(self) -> str | None:
        if self._under_way.total() >= MOST_AT_ONCE:
            return None
        waiting = (asset for asset, messages in self._switches.items() if messages)
        return next((asset for asset in waiting if self._under_way[asset] < MOST_OF_ONE), None)

    def _note(self, raw: bytes, count: int, *, is_switch: bool) -> None:
        self._count[is_switch] += count
        self._bytes[is_switch] += count * len(raw)
