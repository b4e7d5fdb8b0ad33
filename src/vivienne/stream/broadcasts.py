"""What was broadcast last of each asset, for clients that fetch it when they have their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.stream.waking import ROW, Waking

if TYPE_CHECKING:
    from vivienne.stream.frame import Frame


class Broadcasts:
    """The newest frame of each asset, and the turns in which clients get it.

    Attributes:
        number: of the newest frame.
        waking: has the turns.
        row: the frames after the number `row_after`, as the bytes of a WebSocket, and how many they are.
        row_after: see there; -1 while there is no such row.
    """

    def __init__(self) -> None:
        self.number = 0
        self.waking = Waking()
        self.row: tuple[bytes, int] = b"", 0
        self.row_after = -1
        self._frames: dict[str, Frame] = {}
        """The newest stands last."""
        # What was asked for last, and found: most clients ask for the same.
        self._asked = self._answered = 0
        self._found: dict[str, Frame] = {}

    def add(self, asset: str, frame: Frame) -> None:
        """Note the newest frame of an asset."""
        self.number += 1
        self.row_after = -1
        frame.number = self.number
        self._frames.pop(asset, None)
        self._frames[asset] = frame

    def since(self, number: int) -> dict[str, Frame]:
        """The frames after that number, oldest first; to be read only."""
        if self._asked != number or self._answered != self.number:
            new: dict[str, Frame] = {}
            for asset, frame in reversed(self._frames.items()):
                if frame.number <= number:
                    break
                new[asset] = frame
            self._found = dict(reversed(new.items()))
            self._asked, self._answered = number, self.number
        return self._found

    def make_row(self, number: int) -> bool:
        """Make `row` for that number, unless there is more than a row."""
        found = self.since(number)
        if len(found) > ROW:
            return False
        self.row = b"".join([frame.framed() for frame in found.values()]), len(found)
        self.row_after = number
        return True
