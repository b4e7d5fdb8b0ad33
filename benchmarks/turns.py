"""Turns in which things are measured side by side."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def in_turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """The names of all rounds: every other one backwards, so that none always comes after the same one.

    Each turn is reported on the standard error.
    """
    turns = [name for number in range(rounds) for name in (names if number % 2 == 0 else reversed(names))]
    for number, name in enumerate(turns, start=1):
        print(f"    turn {number} of {len(turns)}: {name}", file=sys.stderr, flush=True)
        yield name
