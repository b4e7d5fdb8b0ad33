"""Programs beside a measurement."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def running(flood: Callable[..., None], *args: Any) -> Iterator[None]:
    """A flood without end, in a process of its own, so that it takes no time from those who measure.

    Args:
        flood: a function of a module.
        args: its arguments.

    Raises:
        RuntimeError: it ended before the measurement did.
    """
    process = multiprocessing.get_context("spawn").Process(target=flood, args=args, daemon=True)
    process.start()
    try:
        yield
        if not process.is_alive():
            raise RuntimeError(f"the flood broke off with {process.exitcode}")
    finally:
        process.kill()
        process.join()
