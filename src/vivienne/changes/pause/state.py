"""Which layers are paused. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from vivienne.config.layers import GLOBAL, asset_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vivienne.changes.requests import SwitchRequest
    from vivienne.store.revision import Revision
    from vivienne.wire.pause import PauseEntry


@dataclass(frozen=True, slots=True)
class PauseInForce:
    """A pause of an asset, or of all assets.

    Attributes:
        config_id: of its revision, also before that is stored.
        version: None until it is stored.
        created_at: when it was asked for, ISO 8601 UTC.
        author: the name of the caller's token; without one, what the caller said.
        claimed_author: what a caller with a token said, where it was something else.
    """

    config_id: str
    layer: str
    version: int | None
    created_at: str
    author: str
    claimed_author: str | None
    channel: str
    reason: str | None

    @classmethod
    def stored(cls, revision: Revision) -> Self:
        """The pause that a revision is."""
        return cls(
            revision.config_id,
            revision.layer,
            revision.version,
            revision.created_at,
            revision.author,
            revision.claimed_author,
            revision.channel,
            revision.reason,
        )

    @classmethod
    def asked(cls, request: SwitchRequest, layer: str, config_id: str, created_at: str) -> Self:
        """The pause that a request asks for."""
        return cls(
            config_id,
            layer,
            None,
            created_at,
            request.author,
            request.claimed_author,
            request.channel,
            request.reason,
        )

    def sentence(self, trouble: str | None = None) -> str:
        """The pause in words.

        Args:
            trouble: why the data of the asset cannot be relied on, if so; it is said too.
        """
        scope = "paused" if self.layer != GLOBAL else "paused with all assets"
        why = "" if self.reason is None else f": {self.reason}"
        number = "not stored yet" if self.version is None else f"version {self.version}"
        besides = "" if trouble is None else f"; besides, {trouble}"
        return f"{scope} by {self.author} ({self.channel}, {number}){why}{besides}"

    def entry(self) -> PauseEntry:
        """The pause as it goes out on the wire."""
        return {
            "config_id": self.config_id,
            "version": self.version,
            "stored": self.version is not None,
            "asset_symbol": asset_of(self.layer),
            "created_at": self.created_at,
            "author": self.author,
            "claimed_author": self.claimed_author,
            "channel": self.channel,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class PausesInForce:
    """The pauses of all layers at one moment. Immutable: a switch makes new ones.

    Attributes:
        stored: by layer, those on disk; a resumption takes them out.
        held: those that are in force and that the store did not take yet, the latest last.
    """

    stored: Mapping[str, PauseInForce] = field(default_factory=dict)
    held: tuple[PauseInForce, ...] = ()

    @classmethod
    def load(cls, switches: Iterable[Revision]) -> Self:
        """The pauses that follow from the newest switch of each layer."""
        return cls({each.layer: PauseInForce.stored(each) for each in switches if each.action == "pause"})

    def followed(self, revision: Revision) -> Self:
        """After a stored switch; nothing else alters them."""
        if not revision.is_switch:
            return self
        stored = {layer: pause for layer, pause in self.stored.items() if layer != revision.layer}
        if revision.action == "pause":
            stored[revision.layer] = PauseInForce.stored(revision)
        return replace(self.released(revision.config_id), stored=stored)

    def holding(self, pause: PauseInForce) -> Self:
        """With a pause that is not stored yet."""
        known = any(each.config_id == pause.config_id for each in self.held)
        return self if known else replace(self, held=(*self.held, pause))

    def released(self, config_id: str) -> Self:
        """Without one that was not stored yet."""
        return replace(self, held=tuple(each for each in self.held if each.config_id != config_id))

    def of(self, layer: str) -> PauseInForce | None:
        """The pause that bears on an asset or, for the global layer, on all of them; of several the latest."""
        held = [pause for pause in self.held if pause.layer in (layer, GLOBAL)]
        if held:
            return held[-1]
        stored = [pause for each, pause in self.stored.items() if each in (layer, GLOBAL)]
        return max(stored, key=lambda pause: pause.version or 0, default=None)

    def own(self, layer: str) -> PauseInForce | None:
        """The pause of a layer itself."""
        held = [pause for pause in self.held if pause.layer == layer]
        return held[-1] if held else self.stored.get(layer)

    def all(self) -> list[PauseInForce]:
        """Every pause in force, that of all assets first, one for each layer."""
        layers = dict.fromkeys((*self.stored, *(pause.layer for pause in self.held)))
        found = [self.own(layer) for layer in sorted(layers, key=lambda layer: (layer != GLOBAL, layer))]
        return [pause for pause in found if pause is not None]

    def paused(self, assets: Iterable[str]) -> list[str]:
        """The paused ones among these assets."""
        return [asset for asset in assets if self.of(asset) is not None]
