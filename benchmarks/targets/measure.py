"""The whole benchmark: `make bench ARGS="targets before=OTHER_CHECKOUT into=FOLDER"`; see `measure` for its sizes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from fanout.candidates import programs
from fanout.compiled import compiler
from fanout.scene import Sizes, set_up
from measuring import Figure, machine
from targets.parts import PARTS, Part
from targets.setting import Setting
from targets.table import Measured, markdown, text

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE = "targets.md"


def measure(
    *,
    before: str = "",
    into: str = "",
    only: str = "",
    rounds: float = 5,
    clients: float = 1_000,
    idle: float = 2_000,
    seconds: float = 0.8,
    changes: float = 30,
    assets: float = 10_000,
    many: float = 2_000,
    minute: float = 60,
    busy: float = 5,
    repeats: float = 25,
) -> list[Figure]:
    """Measure each target beside another checkout, and print the table; figures are what could not be measured.

    Args:
        before: path of the other checkout, with its environment; empty for none.
        into: folder to write the table into as it grows; empty for none.
        only: parts to measure, separated by commas; empty for all.
        rounds: in which each program has its turn; two at most where each turn needs a long start.
        clients: of states.
        idle: clients whose memory is measured.
        seconds: of a turn in which deliveries are counted.
        changes: made in a turn.
        assets: that one change is for.
        many: assets that are computed at once.
        minute: seconds over which the bytes of a dashboard, and the states of many assets, are counted.
        busy: seconds of a turn in which a process is busy.
        repeats: of decisions in a turn.
    """
    parts, found = _selected(only), programs(before)
    with ExitStack() as opened:
        scene = None
        if compiler() is not None and any(each.needs_scene for each in parts):
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            sizes = Sizes(int(rounds), int(clients), int(idle), seconds, int(changes))
            scene = opened.enter_context(set_up(folder, sizes, found))
        setting = Setting(found, scene, int(rounds), int(assets), int(many), minute, busy, int(repeats))
        measured, skipped = run(parts, setting, Path(into) if into else None)
    print("\n".join(text(measured)), flush=True)
    return [Figure(each, "") for each in skipped]


def _selected(only: str) -> list[Part]:
    names = only.split(",") if only else [each.name for each in PARTS]
    if unknown := set(names) - {each.name for each in PARTS}:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(each.name for each in PARTS)}")
    return [each for each in PARTS if each.name in names]


def run(parts: Sequence[Part], setting: Setting, into: Path | None) -> tuple[list[Measured], list[str]]:
    """Measure part by part, and write the table after each.

    Args:
        parts: in order.
        setting: what they are measured with.
        into: folder to write the table into; None for none.

    Returns:
        What was measured, and a sentence about each part that was not. A part that fails leaves the others.
    """
    measured, skipped = list[Measured](), list[str]()
    for number, part in enumerate(parts, start=1):
        print(f"  row {part.number}, {part.name} ({number} of {len(parts)})", file=sys.stderr, flush=True)
        begin, load = time.monotonic(), os.getloadavg()[0]
        try:
            rows = list(part.measure(setting))
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            skipped.append(f"Row {part.number} ({part.name}) is not measured: {error}")
        else:
            loads = load, os.getloadavg()[0]
            measured += [Measured(part.number, row, loads) for row in rows]
        print(f"    took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        if into is not None:
            into.mkdir(parents=True, exist_ok=True)
            (into / _FILE).write_text(markdown(measured, machine(), skipped))
    return measured, skipped
