"""Run and print: ``make torture ARGS="kills kills=30 changes=3000"``. Sizes belong to the row named before them."""

from __future__ import annotations

import json
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import torture
from measuring import Figure, machine

if TYPE_CHECKING:
    from collections.abc import Callable

    Measure = Callable[..., list[Figure]]

_VERDICTS = {True: "met", False: "MISSED", None: ""}


def main(arguments: list[str]) -> int:
    """Run rows and print what each shows; 0 when everything that is wanted was met."""
    found = rows()
    try:
        asked, file = _asked(arguments, found)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(machine(), flush=True)
    missed = 0
    for name, sizes in asked:
        print(f"\n{name} ...", flush=True)
        begin = time.monotonic()
        figures = _run(name, found[name], sizes)
        seconds = time.monotonic() - begin
        for figure in figures:
            verdict = _VERDICTS[figure.met]
            print(f"  {figure.name:<58} {figure.value:<52} {figure.wanted:<14} {verdict}", flush=True)
            missed += figure.met is False
        print(f"  ({seconds:.0f} s)", flush=True)
        if file is not None:
            _keep(file, name, found[name], sizes, seconds, figures)
    return 1 if missed else 0


def rows() -> dict[str, Measure]:
    """Every row by its name."""
    names = (module.name for module in iter_modules(torture.__path__) if module.name != "__main__")
    modules = {name: import_module(f"torture.{name}") for name in names}
    return {name: module.measure for name, module in modules.items() if hasattr(module, "measure")}


def _asked(
    arguments: list[str], found: dict[str, Measure]
) -> tuple[list[tuple[str, dict[str, float | str]]], Path | None]:
    """The rows to run with their sizes, and the file for the figures.

    Raises:
        ValueError: there is no such row, or no such size; the message says which there are.
    """
    asked: list[tuple[str, dict[str, float | str]]] = []
    file: Path | None = None
    left = iter(arguments)
    for argument in left:
        name, is_size, value = argument.partition("=")
        if argument == "--json":
            path = next(left, None)
            if path is None:
                raise ValueError("--json needs the name of a file")
            file = Path(path)
        elif not is_size:
            if name not in found:
                raise ValueError(f"There is no row {name!r}; there are {', '.join(found)}")
            asked.append((name, {}))
        else:
            known: dict[str, Any] = _sizes(found[asked[-1][0]]) if asked else {}
            if name not in known:
                where = f"{asked[-1][0]} has {', '.join(known) or 'none'}" if asked else "name the row before it"
                raise ValueError(f"There is no size {name!r} here: {where}")
            asked[-1][1][name] = _read(value, type(known[name]))
    return asked or [(name, {}) for name in found], file


def _read(value: str, kind: type) -> Any:
    if kind is not bool:
        return kind(value)
    if value not in ("yes", "no"):
        raise ValueError(f"{value!r} is neither yes nor no")
    return value == "yes"


def _sizes(measure: Measure) -> dict[str, Any]:
    return getattr(measure, "__kwdefaults__", None) or {}


def _run(name: str, measure: Measure, sizes: dict[str, float | str]) -> list[Figure]:
    """The figures of a row; one that breaks off has missed, and those after it are run all the same."""
    try:
        return measure(**sizes)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is printed and counts as missed
        traceback.print_exc()
        return [Figure(name, f"broke off: {type(error).__name__}: {error}", "figures", met=False)]


def _keep(
    file: Path, name: str, measure: Measure, sizes: dict[str, float | str], seconds: float, figures: list[Figure]
) -> None:
    """Put the figures of a row into a file, in place of those it had before; other rows stay."""
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    kept[name] = {
        "machine": machine(),
        "sizes": _sizes(measure) | sizes,
        "seconds": round(seconds, 1),
        "figures": [
            {"name": figure.name, "value": figure.value, "wanted": figure.wanted, "met": figure.met}
            for figure in figures
        ],
    }
    file.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
