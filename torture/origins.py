"""Pages from elsewhere: every `Origin` and `Host` that matters, times everything a server answers to.

``tests/origin_matrix.py`` has the cases, ``tests/server/test_origins.py`` is the short form.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from measuring import Figure
from origin_matrix import CASES, FLAGS, wrong
from running import RunningServer
from tokens import EVERYTHING

_REFUSED = tuple(case for case in CASES if not case.is_allowed)
_ALLOWED = tuple(case for case in CASES if case.is_allowed)


def measure() -> list[Figure]:
    """Send all of them, then look whether anything was changed."""
    with tempfile.TemporaryDirectory() as folder, RunningServer(*FLAGS, db=Path(folder) / "origins.db") as server:
        refused, let_in = wrong(server.port, _REFUSED)
        changed = server.newest()
        allowed, kept_out = wrong(server.port, _ALLOWED)
        tracebacks = server.log.count("Traceback")
    endpoints = len(EVERYTHING)
    return [
        _figure(f"{len(_REFUSED)} from elsewhere x {endpoints} endpoints: let in", refused, let_in),
        Figure("changes they made", "0" if changed is None else f"version {changed['version']}", "0", changed is None),
        _figure(f"{len(_ALLOWED)} of this machine x {endpoints} endpoints: kept out", allowed, kept_out),
        Figure("tracebacks", f"{tracebacks}", "0", tracebacks == 0),
    ]


def _figure(name: str, requests: int, found: list[str]) -> Figure:
    more = f"; {found[0]}" if found else ""
    return Figure(name, f"{len(found)} of {requests:,} requests{more}", "0", not found)
