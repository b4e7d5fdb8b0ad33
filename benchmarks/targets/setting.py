"""What the rows are measured with: the programs, the sizes, and the scene of many clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanout.candidates import Vivienne
    from fanout.scene import Scene


@dataclass(frozen=True)
class Setting:
    """Everything is ready.

    Attributes:
        programs: that of today, and that of the other checkout.
        scene: the clients and the reference in C; None without a compiler.
        rounds: in which each program has its turn.
        assets: that one change is for.
        many: assets that are computed at once.
        minute: seconds over which the bytes of a dashboard, and the states of many assets, are counted.
        busy: seconds of a turn in which a process is busy.
        repeats: of decisions in a turn.
    """

    programs: list[Vivienne]
    scene: Scene | None
    rounds: int
    assets: int
    many: int
    minute: float
    busy: float
    repeats: int
