"""What was broadcast last of each asset, for clients that fetch it when they have their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.stream.subscription import Subscriptions
from vivienne.stream.waking import ROW, Waking

if TYPE_CHECKING:
    from vivienne.stream.frame import Frame
    from vivienne.stream.subscription import Row, Subscription

_MOST_ROWS = 64
"""Rows that are kept, of so many subscriptions: each may have 100 kB."""


class Broadcasts:
    """The newest frame of each asset, and the turns in which clients get it.

    Attributes:
        number: of the newest frame.
        following: how many get changes.
        subscriptions: of the clients.
        waking: has the turns.
    """

    def __init__(self) -> None:
        self.number = self.following = 0
        self.subscriptions = Subscriptions()
        self.waking = Waking()
        self._frames: dict[str, Frame] = {}
        """The newest stands last."""
        # What was asked for last, and found: most clients ask for the same.
        self._asked = self._answered = 0
        self._found: dict[str, Frame] = {}
        self._with_row: list[Subscription] = []

    def add(self, asset: str, frame: Frame) -> None:
        """Note the newest frame of an asset."""
        self.number += 1
        frame.number = self.number
        before = self._frames.pop(asset, None)
        if before is not None:
            frame.follows_number, frame.follows_seq = before.number, before.message["seq"]
        self._frames[asset] = frame
        if self._with_row:
            self._drop_rows()

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

    def make_row(self, subscription: Subscription, after: int) -> Row | None:
        """Make the row of a subscription after that number; None if not all have the same, or it would be too long."""
        found = [each for each in self.since(after).items() if subscription.wants(each[0])]
        if len(found) > ROW:
            return None
        # First: the subscription may be among those that have one, for clients that got more, or less.
        if len(self._with_row) >= _MOST_ROWS:
            self._drop_rows()
        row = subscription.make_row(found, after)
        if row is not None:
            self._with_row.append(subscription)
        return row

    def _drop_rows(self) -> None:
        for subscription in self._with_row:
            subscription.drop_row()
        self._with_row.clear()
