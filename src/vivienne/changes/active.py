"""What is in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.config.layers import asset_of

if TYPE_CHECKING:
    from vivienne.changes.pause.state import PauseInForce
    from vivienne.config.layers import Layers
    from vivienne.config.schema import Configuration
    from vivienne.wire.document import Document


@dataclass(frozen=True, slots=True)
class Active:
    """What is in force for an asset, or for the global layer. One version, whole; immutable.

    Attributes:
        version: of the newest revision that bears on it; 0 while everything is default.
        config_id: of the configuration in force in its own layer, else in the global one, else None.
        document: all values, as they were sent.
        configuration: the same, for the agent.
        pause: what keeps it idle, with size 0, whatever is decided; None while nothing does.
    """

    layer: str
    version: int
    config_id: str | None
    document: Document
    configuration: Configuration
    layers: Layers
    pause: PauseInForce | None = None

    @property
    def sources(self) -> dict[str, str]:
        """By path, the layer a value comes from: ``default``, ``global`` or ``asset``."""
        return self.layers.sources(self.layer)

    @property
    def asset_symbol(self) -> str | None:
        """The asset, or None for the global layer."""
        return asset_of(self.layer)
