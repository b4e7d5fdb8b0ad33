"""The whole benchmark: `make bench ARGS="fanout"`; see `measure` for its sizes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fanout.candidates import programs
from fanout.changing import measure_many, measure_single
from fanout.compiled import compiler
from fanout.connecting import measure_handshakes, measure_memory
from fanout.delivering import measure_one, measure_patches, measure_several, measure_sizes
from fanout.pictures import draw
from fanout.rows import Row, markdown
from fanout.scene import Scene, Sizes, set_up
from measuring import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PARTS: dict[str, Callable[[Scene], Iterator[Row]]] = {
    "one": measure_one,
    "several": measure_several,
    "patches": measure_patches,
    "sizes": measure_sizes,
    "changes": measure_many,
    "change": measure_single,
    "handshakes": measure_handshakes,
    "memory": measure_memory,
}


def measure(
    *,
    rounds: float = 7,
    clients: float = 1_000,
    idle: float = 2_000,
    seconds: float = 0.8,
    changes: float = 30,
    before: str = "",
    only: str = "",
    into: str = "",
) -> list[Figure]:
    """Measure the program beside a server in C, and beside another checkout of it.

    Args:
        rounds: in which each has its turn.
        clients: that are connected.
        idle: clients whose memory is measured.
        seconds: of a turn in which deliveries are counted.
        changes: made in a turn.
        before: path of the other checkout, with its environment; empty for none.
        only: parts to measure, separated by commas; empty for all.
        into: folder to write the table and the pictures into; empty for none.
    """
    if compiler() is None:
        return [Figure("skipped: the server to compare with is compiled by gcc, which is not here", "")]
    sizes = Sizes(int(rounds), int(clients), int(idle), float(seconds), int(changes))
    wanted = only.split(",") if only else list(_PARTS)
    if unknown := [each for each in wanted if each not in _PARTS]:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(_PARTS)}")
    rows, skipped = list[Row](), list[Figure]()
    with tempfile.TemporaryDirectory() as folder, set_up(Path(folder), sizes, programs(before)) as scene:
        size = scene.payload.stat().st_size
        for part in wanted:
            found = list(_PARTS[part](scene))
            rows += found
            if not found:
                skipped.append(Figure(f"{part}: skipped, this program does not have them yet", ""))
    if into:
        Path(into).mkdir(parents=True, exist_ok=True)
        Path(into, "fanout.md").write_text(markdown(rows))
        draw(rows, Path(into))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    about = [Figure("size of a state", f"{size:,} bytes"), Figure("load of the machine, 1, 5, 15 minutes", load)]
    return [*about, *(figure for row in rows for figure in row.figures()), *skipped]
