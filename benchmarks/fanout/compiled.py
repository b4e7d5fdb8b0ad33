"""The two programs in C, compiled."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")


@dataclass(frozen=True)
class Compiled:
    """Paths of the programs."""

    reference: Path
    client: Path


def compiler() -> str | None:
    """The compiler; None where there is none."""
    return shutil.which("gcc")


def compile_all(folder: Path) -> Compiled:
    """Compile them into a folder."""
    found = Compiled(folder / "reference", folder / "client")
    for target in (found.reference, found.client):
        source = _HERE / f"{target.name}.c"
        subprocess.run([compiler() or "gcc", *_FLAGS, "-o", str(target), str(source)], check=True)
    return found
