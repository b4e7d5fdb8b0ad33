"""What alerts know of an asset after a closed bar."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self, get_args

import orjson

from vivienne.alerts.fields import signed
from vivienne.wire.explanation import Level, Side

if TYPE_CHECKING:
    from vivienne.agent.decision import Decision
    from vivienne.wire.alert import Previous

_LEVELS: tuple[Level, ...] = get_args(Level)
_SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an asset as its clients saw it when a bar closed.

    Attributes:
        bar_time: open time of the bar, ms since the epoch.
        level, side, confidence: of the decision; idle, none and 0 where it had no effect.
        size: target size in percent of equity.
        held: filters that hold an entry back.
        price: close of the bar.
        version: of the configuration.
    """

    bar_time: int
    level: Level
    side: Side
    confidence: float
    size: float
    held: tuple[str, ...]
    price: float
    version: int

    @property
    def target(self) -> float:
        """The target size; negative if it is short."""
        return signed(self.side, self.size)

    def text(self) -> str:
        """The standing as it is stored."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def load(cls, text: str) -> Self:
        """The standing of a stored text.

        Raises:
            ValueError: it is none.
        """
        try:
            found = orjson.loads(text)
            standing = cls(**{**found, "held": tuple(found["held"])})
        except (TypeError, KeyError, orjson.JSONDecodeError) as error:
            raise ValueError("not a stored standing") from error
        if standing.level not in _LEVELS or standing.side not in _SIDES:
            raise ValueError("not a stored standing")
        return standing

    def entry(self) -> Previous:
        """The standing as the bar before another one, on the wire."""
        return {
            "clarity_level": self.level,
            "side": self.side,
            "position_size": self.size,
            "signal_confidence": self.confidence,
        }


def standing_of(decision: Decision, price: float, version: int, *, has_effect: bool) -> Standing:
    """The standing after a decision.

    Args:
        decision: on a closed bar.
        price: close of the bar.
        version: of the configuration it was made with.
        has_effect: False if the asset was paused, stale or warming up, so that its clients saw it idle.
    """
    return Standing(
        bar_time=decision.open_time,
        level=decision.level.word if has_effect else "idle",
        side=decision.side if has_effect else "none",
        confidence=decision.confidence if has_effect else 0.0,
        size=decision.size if has_effect else 0.0,
        held=decision.blocked_by if has_effect and decision.is_held else (),
        price=price,
        version=version,
    )
