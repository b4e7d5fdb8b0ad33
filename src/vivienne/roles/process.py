"""A role, put together and run until the process is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from fastapi import FastAPI

    from vivienne.server.listen import Server

_log = logging.getLogger(__name__)

_RESTART_SECONDS = 1.0
"""Pause before a background task that failed is restarted."""

_GARBAGE_THRESHOLDS = (10_000, 10, 20)
"""New objects before a collection of the youngest generation; collections of it before one of the next; the same for
the oldest, which Python also delays until a quarter of all objects is new.

A full collection goes over every object and blocks the event loop: 0.05 s in a server without clients, 0.3 s with two
thousand of them. With Python's own thresholds one follows the other while clients connect. Nearly every object here is
freed by its reference count.
"""


@dataclass(slots=True)
class Process:
    """An application and the tasks beside it.

    Attributes:
        title: of the role, in a few words, for the log.
        app: served over HTTP.
        tasks: by name, coroutines that run until the process ends.
    """

    title: str
    app: FastAPI
    tasks: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)

    async def run(self, web: Server, sockets: list[socket.socket]) -> None:
        """Run until told to stop (SIGINT or SIGTERM)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, web)
        running = [asyncio.create_task(_restarted(name, run), name=name) for name, run in self.tasks.items()]
        _collect_garbage_seldom()
        try:
            await web.serve(sockets)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            _log.info("Vivienne has stopped")


async def _restarted(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a background task; restart it when a defect ends it."""
    while True:
        try:
            await run()
        except Exception:  # noqa: BLE001  # any defect: without this task, clients would see old data as current
            _log.critical("Background task %s failed; restarting it", name, exc_info=True)
            await asyncio.sleep(_RESTART_SECONDS)
        else:
            return


def _collect_garbage_seldom() -> None:
    """Exempt the objects that exist now from garbage collection, and make full collections rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def _stop(web: Server) -> None:
    web.should_exit = True
