"""The latest state of each asset, numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.stream.hub import Frame, Hub, Mailbox
from vivienne.stream.messages import asset_data
from vivienne.stream.times import now, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.stream.messages import Message


class StateBoard:
    """Keeps the latest frame of each asset and passes every new one on.

    Args:
        hub: whom to tell.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._frames: dict[str, Frame] = {}
        self._seq: dict[str, int] = {}

    def publish(self, asset: str, *, data: Message, config: Message, config_version: int) -> None:
        """A new state: gets the next number of its asset and goes to everyone who watches."""
        seq = self._seq[asset] = self._seq.get(asset, 0) + 1
        message = asset_data(
            asset, seq=seq, timestamp=written(now()), data=data, config=config, config_version=config_version
        )
        frame = self._frames[asset] = Frame(message)
        self._hub.broadcast(asset, frame)

    def show(self, mailbox: Mailbox, assets: Iterable[str] | None = None) -> None:
        """Put the latest frames into a mailbox: of these assets, or of all."""
        for asset in self._frames if assets is None else assets:
            if asset in self._frames:
                mailbox.offer(asset, self._frames[asset])
