"""Which core does what, and the processor time of a process."""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress
from pathlib import Path

_CORES = sorted(os.sched_getaffinity(0))
SERVER, CLIENTS = _CORES[0], _CORES[-1]
"""Cores of the server that is measured, and of its clients."""
_LIBC = ctypes.CDLL(None)


def pin(process: int, core: int) -> None:
    """Keep all threads of a process on a core."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(thread.name), {core})


def processor_seconds(process: int) -> float:
    """Processor time that a process has taken."""
    # To the nanosecond; psutil has hundredths of a second.
    clock = ctypes.c_int()
    if _LIBC.clock_getcpuclockid(process, ctypes.byref(clock)):
        raise ProcessLookupError(process)
    return time.clock_gettime(clock.value)
