"""Documents that take tenths of a second: made in a thread, once for all who ask for them."""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TURN = Lock()
"""One is made at a time: schemas of several have parts in common, and each thread more slows the event loop down."""


class MadeOnce:
    """A document for each path under which the program is served.

    Few starts lead to a look at it, so it is made when it is first asked for.

    Args:
        make: makes it for a path, in a thread.
    """

    def __init__(self, make: Callable[[str], bytes]) -> None:
        self._make = make
        self._made: dict[str, bytes] = {}
        self._making: dict[str, asyncio.Future[bytes]] = {}

    async def under(self, root: str) -> bytes:
        """The document for this path. Who asks while it is made waits for it; it is made even if all of them leave."""
        if root in self._made:
            return self._made[root]
        if root not in self._making:
            making = self._making[root] = asyncio.get_running_loop().run_in_executor(None, self._in_turn, root)
            # After a failure the next request retries.
            making.add_done_callback(lambda _: self._making.pop(root))
        return await asyncio.shield(self._making[root])

    def _in_turn(self, root: str) -> bytes:
        with _TURN:
            made = self._made[root] = self._make(root)
        return made
