"""Measure and print. Names of benchmarks as arguments run only those: `make bench ARGS=evaluation`.

Without names all of them run, but for those that take many minutes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import alerts
import changing_all
import channels
import counting
import evaluation
import exchange
import exchange_memory
import intake
import judging
import kills
import many_assets
import process
import processes
import propagation
import pushing
import record
import record_reading
import replay
import store
from fanout.measure import measure as measure_fanout
from measuring import Figure, machine
from targets.measure import measure as measure_targets

if TYPE_CHECKING:
    from collections.abc import Callable

_BENCHMARKS: dict[str, Callable[..., list[Figure]]] = {
    "evaluation": evaluation.measure,
    "replay": replay.measure,
    "propagation": propagation.measure,
    "pushing": pushing.measure,
    "process": process.measure,
    "channels": channels.measure,
    "alerts": alerts.measure,
    "kills": kills.measure,
    "processes": processes.measure,
    "increments": processes.measure_increments,
    "states": processes.measure_states,
    "intake": intake.measure,
    "many_assets": many_assets.measure,
    "changing_all": changing_all.measure,
    "store": store.measure,
    "counting": counting.measure,
    "record": record.measure,
    "record_reading": record_reading.measure,
    "judging": judging.measure,
    "judging_errors": judging.measure_errors,
    "exchange": exchange.measure,
    "exchange_memory": exchange_memory.measure,
    "fanout": measure_fanout,
    "targets": measure_targets,
}

_LONG = ("exchange_memory", "fanout", "targets")


def main(arguments: list[str]) -> int:
    """Run the benchmarks and print a table. A size, or a path, belongs to the name before it: `kills rounds=5`."""
    sizes: dict[str, dict[str, float | str]] = {}
    for argument in arguments:
        name, is_size, value = argument.partition("=")
        if is_size and sizes:
            sizes[next(reversed(sizes))][name] = _read(value)
        else:
            sizes[name] = {}
    names = list(sizes)
    unknown = [name for name in names if name not in _BENCHMARKS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(_BENCHMARKS)}", file=sys.stderr)
        return 2
    print(machine(), flush=True)
    for name in names or [name for name in _BENCHMARKS if name not in _LONG]:
        print(f"\n{name} ...", flush=True)
        for figure in _BENCHMARKS[name](**sizes.get(name, {})):
            verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
            print(f"  {figure.name:<52} {figure.value:<42} {figure.wanted:<12} {verdict}", flush=True)
    return 0


def _read(value: str) -> float | str:
    """A number, if it is one."""
    try:
        return float(value)
    except ValueError:
        return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
