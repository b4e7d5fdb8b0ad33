"""What a client gets, shared by all that get the same, so that its bytes are made once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vivienne.stream.frame import Frame


class Row(NamedTuple):
    """A few messages for those who got everything before them.

    Attributes:
        data: as the bytes of a WebSocket.
        messages: how many they are.
        bases: by asset, the `seq` of the state that a client must have got last; empty for whole states.
        seqs: by asset, the one that it has after them.
    """

    data: bytes
    messages: int
    bases: Mapping[str, int]
    seqs: Mapping[str, int]


_NO_ROW = Row(b"", 0, {}, {})


class Subscription:
    """What a client gets.

    Attributes:
        assets: of which; None for all.
        changes: whether as changes.
        deflated: whether compressed.
        row: what comes after the frame with the number `row_after`.
        row_after: see there; -1 while there is no row.
    """

    __slots__ = ("__weakref__", "assets", "changes", "deflated", "row", "row_after")

    def __init__(self, assets: frozenset[str] | None, *, changes: bool, deflated: bool) -> None:
        self.assets = assets
        self.changes = changes
        self.deflated = deflated
        self.row = _NO_ROW
        self.row_after = -1

    def wants(self, asset: str) -> bool:
        """Tell whether an asset is wanted."""
        return self.assets is None or asset in self.assets

    def make_row(self, frames: Iterable[tuple[str, Frame]], after: int) -> Row | None:
        """Make `row` of the newest frames after a number; None if not all who got that far had the same before."""
        data, bases, seqs = list[bytes](), dict[str, int](), dict[str, int]()
        for asset, frame in frames:
            if self.changes:
                if frame.follows_number > after:
                    return None  # some have got the frame between them
                seqs[asset] = frame.message["seq"]
                if frame.follows_seq is not None:
                    bases[asset] = frame.follows_seq
            data.append(frame.framed(bases.get(asset), deflated=self.deflated))
        self.row, self.row_after = Row(b"".join(data), len(data), bases, seqs), after
        return self.row

    def drop_row(self) -> None:
        """Keep no row."""
        self.row, self.row_after = _NO_ROW, -1


class Subscriptions:
    """All that clients have."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[frozenset[str] | None, bool, bool], Subscription]
        self._known = WeakValueDictionary()

    def of(self, assets: frozenset[str] | None, *, changes: bool = False, deflated: bool = False) -> Subscription:
        """The one subscription to these assets in this form."""
        key = assets, changes, deflated
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Subscription(assets, changes=changes, deflated=deflated)
        return known
