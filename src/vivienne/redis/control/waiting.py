"""Control messages that wait: changes in their order, and the pauses and the resumptions of each asset in theirs."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container

    from vivienne.changes.asked import Asked

MOST_WAITING, MOST_WAITING_BYTES = 10_000, 8 * 1024 * 1024
"""Changes that wait, and their bytes; as many pauses may wait beside them, and as many resumptions; no more."""
MOST_UNSEEN = 100
"""Pauses of an asset, and resumptions, that wait before it is seen whether they are valid."""
MOST_AT_ONCE, MOST_OF_ONE = 256, 32
"""Pauses that are applied at once, of all assets and of one; more of them wait, but none that is the first of its
asset: while the store hangs, each is under way for seconds. Of resumptions, as many."""

SwitchKind = Literal["pauses", "resumptions"]
Kind = Literal["changes"] | SwitchKind


class Switched(NamedTuple):
    """What a pause or a resumption is of.

    Attributes:
        asset: its name; `ALL`, or one for all that are unknown.
        kind: whether it is a pause.
    """

    asset: str
    kind: SwitchKind


class WaitingSwitch(NamedTuple):
    """A pause or a resumption that waits.

    Attributes:
        raw: the message.
        asked: when it was received.
        switched: what it is of.
    """

    raw: bytes
    asked: Asked
    switched: Switched


class TooMany(NamedTuple):
    """What is refused because too many wait.

    Attributes:
        raw: the message.
        kind: of what too many wait.
        waiting: how many wait.
    """

    raw: bytes
    kind: Kind
    waiting: int


class _Switches:
    """Pauses, or resumptions: those of an asset are begun in their order, and the assets take turns.

    Args:
        first_begins: whether the first of an asset begins, however many are under way.
    """

    def __init__(self, *, first_begins: bool) -> None:
        self._first_begins = first_begins
        # By asset; that which is next stands first.
        self._waiting: dict[str, deque[WaitingSwitch]] = {}
        self._under_way: Counter[str] = Counter()
        self.count = self.bytes = 0

    def __contains__(self, asset: object) -> bool:
        """Whether one of an asset waits."""
        return asset in self._waiting

    def put(self, switch: WaitingSwitch) -> None:
        self._waiting.setdefault(switch.switched.asset, deque()).append(switch)
        self._note(switch, 1)

    def waiting(self, asset: str) -> int:
        """Number of those of an asset that wait."""
        return len(self._waiting.get(asset, ()))

    def is_most(self, asset: str) -> bool:
        """Whether an asset is one of those with the most."""
        return asset in self._waiting and len(self._waiting[asset]) >= len(self._waiting[self._with_most()])

    def take_newest(self) -> WaitingSwitch:
        """The newest one of the asset with the most."""
        asset = self._with_most()
        taken = self._waiting[asset].pop()
        if not self._waiting[asset]:
            del self._waiting[asset]
        self._note(taken, -1)
        return taken

    def may_begin(self, behind: Container[str]) -> bool:
        """Whether one may begin; those of some assets may not."""
        return self._next(behind) is not None

    def take(self, behind: Container[str]) -> WaitingSwitch | None:
        asset = self._next(behind)
        if asset is None:
            return None
        waiting = self._waiting.pop(asset)
        taken = waiting.popleft()
        if waiting:
            self._waiting[asset] = waiting  # behind the other assets
        self._note(taken, -1)
        self._under_way[asset] += 1
        return taken

    def end(self, asset: str) -> None:
        self._under_way[asset] -= 1
        if not self._under_way[asset]:
            del self._under_way[asset]

    def drop(self) -> None:
        self._waiting.clear()
        self.count = self.bytes = 0

    def _with_most(self) -> str:
        return max(self._waiting, key=lambda each: len(self._waiting[each]))

    def _next(self, behind: Container[str]) -> str | None:
        is_room = self._under_way.total() < MOST_AT_ONCE
        if not is_room and not self._first_begins:
            return None
        most = MOST_OF_ONE if is_room else 1
        return next((each for each in self._waiting if self._under_way[each] < most and each not in behind), None)

    def _note(self, switch: WaitingSwitch, count: int) -> None:
        self.count += count
        self.bytes += count * len(switch.raw)


class WaitingMessages:
    """Messages that were received and not applied yet.

    A pause waits for no resumption. One that came before it ends it neither, because it has its place in their order.

    Attributes:
        dropped: messages that were left out, because another process has applied messages since they came.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._changes: deque[bytes] = deque()
        self._changes_bytes = 0
        self._pauses, self._resumptions = _Switches(first_begins=True), _Switches(first_begins=False)
        self._change_came, self._switch_may_begin = asyncio.Event(), asyncio.Event()

    def put(self, raw: bytes) -> TooMany | None:
        """Let a change wait; what is refused, if too many wait."""
        self._changes.append(raw)
        self._changes_bytes += len(raw)
        self._change_came.set()
        if len(self._changes) <= MOST_WAITING and self._changes_bytes <= MOST_WAITING_BYTES:
            return None
        refused = self._changes.pop()
        self._changes_bytes -= len(refused)
        return TooMany(refused, "changes", len(self._changes))

    def are_many(self, switched: Switched) -> bool:
        """Whether so many wait, of an asset or of all together, that none is taken which would be refused."""
        switches = self._of(switched.kind)
        is_half_full = 2 * switches.count >= MOST_WAITING or 2 * switches.bytes >= MOST_WAITING_BYTES
        return is_half_full or switches.waiting(switched.asset) >= MOST_UNSEEN

    def too_many(self, raw: bytes, switched: Switched) -> TooMany | None:
        """The refusal of a pause or a resumption that `put_switch` would refuse: then it need not be made."""
        switches = self._of(switched.kind)
        if switches.count < MOST_WAITING or not switches.is_most(switched.asset):
            return None
        return TooMany(raw, switched.kind, switches.count)

    def put_switch(self, switch: WaitingSwitch) -> TooMany | None:
        """Let a pause or a resumption wait; what is refused if too many wait: the newest of that with the most."""
        kind = switch.switched.kind
        switches = self._of(kind)
        switches.put(switch)
        self._switch_may_begin.set()
        if switches.count <= MOST_WAITING and switches.bytes <= MOST_WAITING_BYTES:
            return None
        return TooMany(switches.take_newest().raw, kind, switches.count)

    @property
    def changes(self) -> int:
        """Changes that wait."""
        return len(self._changes)

    @property
    def switches(self) -> int:
        """Pauses and resumptions that wait."""
        return self._pauses.count + self._resumptions.count

    def drop(self) -> int:
        """Leave out all that wait; return how many they were."""
        dropped = self.changes + self.switches
        self._changes.clear()
        self._changes_bytes = 0
        self._pauses.drop()
        self._resumptions.drop()
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
        self._changes_bytes -= len(raw)
        return raw

    async def switch_may_begin(self) -> None:
        """Wait until a pause or a resumption waits that may begin."""
        while not (self._pauses.may_begin(()) or self._resumptions.may_begin(self._pauses)):
            self._switch_may_begin.clear()
            await self._switch_may_begin.wait()

    def take_switch(self) -> WaitingSwitch | None:
        """The next pause, else the next resumption; None if none may begin. `end_switch` has to follow.

        A resumption waits for the pauses of its asset: those before it would come after it.
        """
        return self._pauses.take(()) or self._resumptions.take(self._pauses)

    def end_switch(self, switched: Switched) -> None:
        """Note that a pause or a resumption was applied."""
        self._of(switched.kind).end(switched.asset)
        self._switch_may_begin.set()

    def _of(self, kind: SwitchKind) -> _Switches:
        return self._pauses if kind == "pauses" else self._resumptions
