"""Leaves a process that has ended its work, though a part of the system that cannot be given up still holds it."""

from __future__ import annotations

import logging
import os
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

_log = logging.getLogger(__name__)

LEAVE_SECONDS = 2.0
"""What a process still waits for after its work takes less; the lookup of a name may take half a minute."""


class Leaving:
    """Ends the process soon after its work, even if the event loop cannot be closed.

    Args:
        last: done before it ends.
    """

    def __init__(self, last: Callable[[], None]) -> None:
        self._last = last
        self._is_left = Event()

    async def after(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work. If it ends as it should, the process ends soon."""
        await work
        Thread(target=self._leave, name="leave", daemon=True).start()

    def left(self) -> None:
        """The event loop is closed: nothing held it."""
        self._is_left.set()

    def _leave(self) -> None:
        if not self._is_left.wait(LEAVE_SECONDS):
            _log.warning("Something that cannot be given up, such as the lookup of a name, is left under way")
            self._last()
            os._exit(0)
