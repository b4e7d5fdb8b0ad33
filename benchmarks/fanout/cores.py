"""Which core does what, and the processor time of a process."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

_CORES = sorted(os.sched_getaffinity(0))
SERVER, CLIENTS = _CORES[0], _CORES[-1]
"""Cores of the server that is measured, and of its clients."""


def pin(process: int, core: int) -> None:
    """Keep all threads of a process on a core."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(thread.name), {core})


def processor_seconds(process: int) -> float:
    """Processor time that a process has taken."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)
