"""The largest position sizes, whatever a tunable says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from vivienne.agent.decision import NO_CAP
from vivienne.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True)
class SizeCaps:
    """The largest position size, in percent of equity.

    Attributes:
        most: of every asset.
        by_asset: of some, where it is another one.
    """

    most: float = NO_CAP
    by_asset: Mapping[str, float] = field(default_factory=dict)

    def of(self, asset: str) -> float:
        """That of an asset."""
        return self.by_asset.get(asset, self.most)

    @classmethod
    def read(cls, text: str, assets: Collection[str]) -> Self:
        """From ``25`` or ``25,BTC=10``: 10 percent for BTC, 25 for the others.

        Raises:
            SettingsError: it is none, or names an asset that is not there.
        """
        most: float | None = None
        by_asset: dict[str, float] = {}
        for part in text.split(","):
            name, equals, number = part.rpartition("=")
            asset, size = name.strip().upper(), _percent(number)
            if equals and asset not in assets:
                raise SettingsError(f"--max-position-size: there is no asset {asset!r}; there are {', '.join(assets)}")
            if size is None or asset in by_asset or (not equals and most is not None):
                raise SettingsError(
                    f"--max-position-size must be percent of equity from 0 to 100, as in 25, or 25,BTC=10 where an "
                    f"asset has another one, not {text!r}"
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
"""As much as a configuration can ask for."""
