"""A role, put together and run until the process is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
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
_SWITCH_SECONDS = 0.0001
"""Time after which a busy event loop lets the thread of the store go on. A change needs the interpreter a hundred times
there, and waits for it each time: beside a flood of requests a pause takes 0.2 s with Python's own 5 ms, and 0.03 s so.
"""


@dataclass(slots=True)
class Process:
    """An application and the tasks beside it.

    Attributes:
        title: of the role, in a few words, for the log.
        app: served over HTTP.
        tasks: by name, coroutines that run until the process ends.
        drain_seconds: between SIGTERM and the stop.
        hung_up: set by SIGHUP, which does not end the process: the terminal may be gone, or a supervisor wants it to
            read its files again.
    """

    title: str
    app: FastAPI
    tasks: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    drain_seconds: float = 0.0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, web: Server, sockets: list[socket.socket]) -> None:
        """Run until told to stop (SIGINT or SIGTERM)."""
        self.app.state.is_stopping = False
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, _stop, web)
        loop.add_signal_handler(signal.SIGTERM, self._drain, web)
        loop.add_signal_handler(signal.SIGHUP, self.hung_up.set)
        running = [asyncio.create_task(_restarted(name, run), name=name) for name, run in self.tasks.items()]
        gc.freeze()  # what exists now stays: no garbage collection needs to go over it
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            await web.serve(sockets)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            _log.info("Vivienne has stopped")

    def _drain(self, web: Server) -> None:
        """Stop after a while in which `/ready` says so; at once when asked again."""
        if self.app.state.is_stopping or not self.drain_seconds:
            _stop(web)
            return
        self.app.state.is_stopping = True
        _log.info("Vivienne stops in %g s; until then /ready answers 503", self.drain_seconds)
        asyncio.get_running_loop().call_later(self.drain_seconds, _stop, web)


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


def _stop(web: Server) -> None:
    web.should_exit = True
