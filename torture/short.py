"""What short forms share: they ask for what is right, never for how fast it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from measuring import Figure


def missed(figures: list[Figure]) -> list[Figure]:
    """Figures that are not what is wanted, those of speed and memory left out."""
    return [figure for figure in figures if figure.met is False and not figure.is_speed]
