"""Caps on position sizes, which override the tunables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from vivienne.agent.decision import NO_CAP
from vivienne.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class SizeCaps:
    """The largest position size of each asset, in percent of equity.

    Attributes:
        most: the cap of assets that `by_asset` does not name.
        by_asset: the caps of individual assets.
    """

    most: float = NO_CAP
    by_asset: Mapping[str, float] = field(default_factory=dict)

    def of(self, asset: str) -> float:
        """The cap of an asset, in percent of equity."""
        return self.by_asset.get(asset, self.most)

    def __str__(self) -> str:
        """As it would be given."""
        return ",".join([f"{self.most:g}", *(f"{asset}={self.by_asset[asset]:g}" for asset in sorted(self.by_asset))])

    @classmethod
    def read(cls, text: str, assets: Collection[str]) -> Self:
        """Parse a setting such as ``25`` or ``25,BTC=10``: 10 percent for BTC, 25 for the others.

        Raises:
            SettingsError: the text is not valid, or names an asset that does not exist.
        """
        most: float | None = None
        by_asset: dict[str, float] = {}
        for part in text.split(","):
            name, equals, number = part.rpartition("=")
            asset, size = name.strip().upper(), _percent(number)
            if equals and asset not in assets:
                raise SettingsError(
                    f"--max-position-size: asset {asset!r} does not exist; the assets are {', '.join(assets)}"
                )
            if size is None or asset in by_asset or (not equals and most is not None):
                raise SettingsError(
                    f"--max-position-size: {text!r} is not valid; it must be a percentage of equity from 0 to 100, "
                    f"e.g. 25, or 25,BTC=10 to set one for an asset"
                )
            if equals:
                by_asset[asset] = size
            else:
                most = size
        return cls(NO_CAP if most is None else most, by_asset)


def _percent(text: str) -> float | None:
    try:
        size = float(text)
    except ValueError:
        return None
    return size if 0 <= size <= NO_CAP else None


UNCAPPED = SizeCaps()
"""Caps without effect: every size that a configuration can ask for is allowed."""
