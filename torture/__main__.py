"""Run and print: ``make torture ARGS="kills kills=30 changes=3000"``. Sizes belong to the row named before them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from measuring import Figure, machine
from torture import kills, syncs

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS: dict[str, Callable[..., list[Figure]]] = {
    "kills": kills.measure,
    "syncs": syncs.measure,
}


def main(arguments: list[str]) -> int:
    """Run rows and print what each shows; 0 when everything that is wanted was met."""
    try:
        asked = _asked(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(machine(), flush=True)
    missed = 0
    for name, sizes in asked:
        print(f"\n{name} ...", flush=True)
        for figure in _ROWS[name](**sizes):
            verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
            print(f"  {figure.name:<58} {figure.value:<52} {figure.wanted:<14} {verdict}", flush=True)
            missed += figure.met is False
    return 1 if missed else 0


def _asked(arguments: list[str]) -> list[tuple[str, dict[str, float]]]:
    """The rows to run and their sizes.

    Raises:
        ValueError: there is no such row, or no such size; the message says which there are.
    """
    asked: list[tuple[str, dict[str, float]]] = []
    for argument in arguments:
        name, is_size, value = argument.partition("=")
        if not is_size:
            if name not in _ROWS:
                raise ValueError(f"There is no row {name!r}; there are {', '.join(_ROWS)}")
            asked.append((name, {}))
            continue
        known: dict[str, Any] = (_ROWS[asked[-1][0]].__kwdefaults__ or {}) if asked else {}
        if name not in known:
            where = f"{asked[-1][0]} has {', '.join(known) or 'none'}" if asked else "name the row before it"
            raise ValueError(f"There is no size {name!r} here: {where}")
        asked[-1][1][name] = type(known[name])(value)
    return asked or [(name, {}) for name in _ROWS]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
