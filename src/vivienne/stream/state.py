"""The latest state of each asset, with its number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vivienne.stream.frame import Earlier, Frame
from vivienne.stream.samples import state_samples
from vivienne.times import now, written
from vivienne.wire.messages import AGENT, AssetData

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vivienne.stream.hub import Hub
    from vivienne.stream.mailbox import Mailbox
    from vivienne.wire.document import Document
    from vivienne.wire.state import AssetState


class LatestStates(Protocol):
    """The latest state of each asset, for new clients."""

    def show(self, mailbox: Mailbox, assets: Iterable[str] | None = None) -> None:
        """Put the latest frames of these assets, or of all, into a mailbox. The hub delivers newer ones."""

    def latest(self, asset: str) -> AssetData | None:
        """The latest state of an asset; None while there is none."""


class _State(NamedTuple):
    data: AssetState
    config: Document
    config_version: int


class StateBoard:
    """Keeps the latest frame of each asset and broadcasts every new one.

    Several states of an asset that are published before the previous frames are delivered count as one: only the last
    gets a number. Otherwise a client could miss a number without being slow.

    Args:
        hub: delivers the frames.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._frames: dict[str, Frame] = {}
        self._seq: dict[str, int] = {}
        self._earlier: dict[str, Earlier] = {}
        self._new: dict[str, _State] = {}
        hub.metrics.long_source(lambda: state_samples(self._frames, self._frames.get))

    def publish(self, asset: str, *, data: AssetState, config: Document, config_version: int) -> None:
        """Give a new state the next number of its asset and broadcast it, in the next iteration of the event loop."""
        if not self._new:
            self._hub.when_taken(self._flush)
        elif asset in self._new and data["bar"] is None:
            data["bar"] = self._new[asset].data["bar"]  # not sent yet
        self._new[asset] = _State(data, config, config_version)

    async def handed_over(self, asset: str) -> None:
        """Wait until the last state of an asset has its number and every client that is not slow has taken it."""
        while asset in self._new:
            flushed = asyncio.Event()
            self._hub.when_taken(flushed.set)
            await flushed.wait()

    def show(self, mailbox: Mailbox, assets: Iterable[str] | None = None) -> None:
        """See `LatestStates`."""
        for asset in self._frames if assets is None else assets:
            if asset in self._frames:
                mailbox.offer(asset, self._frames[asset])

    def latest(self, asset: str) -> AssetData | None:
        """See `LatestStates`."""
        frame = self._frames.get(asset)
        return None if frame is None else frame.message

    def _flush(self) -> None:
        new, self._new = self._new, {}
        timestamp, most = written(now()), self._hub.most_earlier
        for asset, state in new.items():
            seq = self._seq[asset] = self._seq.get(asset, 0) + 1
            message: AssetData = {
                "type": "asset_data",
                "asset": asset,
                "timestamp": timestamp,
                "seq": seq,
                "config_version": state.config_version,
                "agents": {AGENT: {"data": state.data, "config": state.config}},
            }
            self._frames[asset] = Frame(message, self._earlier_of(asset), most_earlier=most)
        self._hub.broadcast_all({asset: self._frames[asset] for asset in new})

    def _earlier_of(self, asset: str) -> Earlier:
        if asset not in self._earlier:
            self._earlier[asset] = Earlier()
        return self._earlier[asset]
