"""Flat (legacy) names and the nested document: one translation for every channel.

A message may be flat, nested, or both at once; a flat name stands for one path. Every tunable can be addressed by its
flat name, and by its own name where no other tunable has the same.
"""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING, Any

from vivienne.config.tunables import SECTIONS, TUNABLES
from vivienne.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_own_names = Counter(path.rpartition(".")[2] for path in TUNABLES)

FLAT_NAMES: dict[str, str] = {
    **{path.rpartition(".")[2]: path for path in TUNABLES if _own_names[path.rpartition(".")[2]] == 1},
    **{tunable.flat_name: path for path, tunable in TUNABLES.items()},
}
"""Path by flat name."""

TOP_LEVEL = tuple(SECTIONS[""].model_fields)
"""The names at the top of a nested document: the sections and `description`."""


MOST_TOLD = 20
"""Names that are listed one by one, so that an answer has a bound; finding the nearest known name of each is slow."""
_LONGEST_NAME = 64


def clip(name: str) -> str:
    """A name as it may be echoed: a long one is cut."""
    return name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."


def quoted(name: str) -> str:
    """A name in quotes, cut if it is long."""
    return repr(clip(name))


def listed(names: Sequence[str]) -> str:
    """Names as they may be listed: the first ones, and the number of the others."""
    more = len(names) - MOST_TOLD
    return ", ".join(names[:MOST_TOLD]) + (f" and {more:,} more" if more > 0 else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like this one."""
    matcher = difflib.SequenceMatcher()
    matcher.set_seq2(name[:_LONGEST_NAME])
    best, found = -1.0, ""
    for candidate in known:
        matcher.set_seq1(candidate)
        # The first two are upper bounds that cost little: most candidates need no more.
        if matcher.real_quick_ratio() >= best and matcher.quick_ratio() >= best:
            best, found = max((best, found), (matcher.ratio(), candidate))
    return found


def and_more(unknown: Sequence[object]) -> list[Problem]:
    """A problem that counts the unknown names that are not listed one by one."""
    more = len(unknown) - MOST_TOLD
    return [Problem("", f"... and {more} more unknown names")] if more > 0 else []


def nest(document: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Turn flat names into the nested document they stand for.

    Args:
        document: flat, nested or mixed, as it was sent.

    Returns:
        The nested document and what is wrong with the names at its top. Values are left as they are.
    """
    nested = {name: value for name, value in document.items() if name in TOP_LEVEL}
    unknown: list[str] = []
    problems: list[Problem] = []
    for name, value in document.items():
        if name in TOP_LEVEL:
            continue
        path = FLAT_NAMES.get(name)
        if path is None:
            unknown.append(name)
        elif not _place(nested, path, value):
            problems.append(Problem(name, f"{name!r} stands for {path!r}, which the message sets as well"))
    for name in unknown[:MOST_TOLD]:
        guess = nearest(name, [*TOP_LEVEL, *FLAT_NAMES])
        problems.append(Problem(clip(name), f"Unknown name {quoted(name)}; the nearest known name is {guess!r}"))
    return nested, [*problems, *and_more(unknown)]


def _place(nested: dict[str, Any], path: str, value: object) -> bool:
    """Set a value at a path; False where the message already says something else there."""
    *sections, name = path.split(".")
    inner = nested
    for section in sections:
        below = inner.get(section, {})
        if not isinstance(below, dict):
            return False
        inner[section] = below = dict(below)
        inner = below
    if name in inner and (inner[name] != value or isinstance(inner[name], bool) != isinstance(value, bool)):
        return False
    inner[name] = value
    return True
