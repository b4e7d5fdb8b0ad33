"""The parts that are measured one after the other, each with the number of its target."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fanout.changing import measure_many, measure_single
from fanout.connecting import measure_handshakes, measure_memory
from fanout.delivering import measure_one, measure_several, measure_sizes
from targets.changing_all import measure_pieces, measure_waits
from targets.day import measure_day
from targets.deciding import measure_deciding
from targets.gateway import measure_gateway
from targets.many_assets import measure_many_assets
from targets.starting import measure_starting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanout.rows import Row
    from fanout.scene import Scene
    from targets.setting import Setting


@dataclass(frozen=True)
class Part:
    """What is measured at once.

    Attributes:
        number: of its target.
        name: by which it is selected.
        measure: gives its rows.
        needs_scene: whether it needs many clients, and so a compiler.
    """

    number: str
    name: str
    measure: Callable[[Setting], Iterator[Row]]
    needs_scene: bool = False


def _with_clients(number: str, name: str, measure: Callable[[Scene], Iterator[Row]]) -> Part:
    def measured(setting: Setting) -> Iterator[Row]:
        if setting.scene is None:
            raise RuntimeError("it needs gcc, which is not installed")
        return measure(setting.scene)

    return Part(number, name, measured, needs_scene=True)


PARTS = (
    _with_clients("1", "sizes", measure_sizes),
    Part("2", "day", lambda given: measure_day(given.programs, given.minute)),
    _with_clients("3", "one", partial(measure_one, with_libraries=False)),
    _with_clients("4", "several", measure_several),
    _with_clients("5", "changes", measure_many),
    _with_clients("6", "change", measure_single),
    _with_clients("7", "handshakes", measure_handshakes),
    _with_clients("8", "memory", measure_memory),
    Part("9", "deciding", lambda given: measure_deciding(given.programs, given.rounds, given.repeats)),
    Part("10", "waits", lambda given: measure_waits(given.programs, given.rounds, given.assets)),
    Part("10", "pieces", lambda given: measure_pieces(given.programs, given.rounds, given.assets)),
    Part("11", "many", lambda given: measure_many_assets(given.programs, given.many, given.minute)),
    Part("12", "gateway", lambda given: measure_gateway(given.programs, given.rounds, given.busy)),
    Part("13", "starting", lambda given: measure_starting(given.programs, given.rounds)),
)
