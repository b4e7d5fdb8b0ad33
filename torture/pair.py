"""Two clients of one server: what one makes of changes is what the other one gets whole."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from measuring import Figure
from merging import Follower, exact

_KEPT = 1_000
"""States of each that wait for the other to have them."""
_LOOK_SECONDS = 0.05


class Pair:
    """Compares, and connects again whenever the server is gone.

    Args:
        port: of the server.
        address: that both come from.

    Attributes:
        compared: states that both had.
        wrong: in words, the first ones.
    """

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._url = f"ws://127.0.0.1:{port}/ws/state"
        self._address = address
        self._waiting: OrderedDict[tuple[str, int], str] = OrderedDict()
        self.compared = 0
        self.wrong: list[str] = []

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            self._waiting.clear()  # another server counts anew
            try:
                async with asyncio.TaskGroup() as group:
                    for changes in (False, True):
                        group.create_task(self._read(changes=changes))
            except* (OSError, WebSocketException):
                pass
            except* AssertionError as wrong:
                self._fault(str(wrong.exceptions[0]))
            await asyncio.sleep(_LOOK_SECONDS)

    async def has_compared(self, seconds: float) -> None:
        """Wait until it has compared more than it has now; not longer than that."""
        before, deadline = self.compared, time.monotonic() + seconds
        while self.compared == before and time.monotonic() < deadline:  # noqa: ASYNC110  # or the time is over
            await asyncio.sleep(_LOOK_SECONDS)

    def figure(self) -> Figure:
        """What came of it."""
        found = f"{self.compared:,} compared, {len(self.wrong)} different {'; '.join(self.wrong[:3])}".strip()
        is_right = self.compared > 0 and not self.wrong
        return Figure("states that a client makes of changes", found, "0 different", is_right)

    async def _read(self, *, changes: bool) -> None:
        follower, local = Follower(), (self._address, 0)
        async with connect(self._url, max_size=None, compression=None, max_queue=None, local_addr=local) as client:
            if changes:
                await client.send('{"type": "subscribe", "assets": ["*"], "updates": "changes"}')
            async for text in client:
                if (state := follower.hear(orjson.loads(text))) is not None:
                    self._note(state)

    def _note(self, state: dict[str, Any]) -> None:
        name, text = (state["asset"], state["seq"]), exact(state)
        other = self._waiting.setdefault(name, text)
        if other is not text:
            self.compared += 1
        if other != text:
            self._fault(f"{name[0]} {name[1]} is not the same")
        while len(self._waiting) > _KEPT:
            self._waiting.popitem(last=False)

    def _fault(self, text: str) -> None:
        if len(self.wrong) < 100:
            self.wrong.append(text)
