"""A server of the library `websockets` that broadcasts a payload.

    python benchmarks/fanout/broadcasting.py PAYLOAD_FILE

Prints its port. SIGUSR1 begins it, SIGUSR2 ends it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from websockets.asyncio.server import broadcast, serve

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

_MOST_WAITING = 64 * 1024
"""Bytes that a client may leave unread before it misses a payload: `broadcast` never waits."""


async def main(payload: str) -> None:
    """Serve until killed."""
    is_sending = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, is_sending.set)
    loop.add_signal_handler(signal.SIGUSR2, is_sending.clear)

    async def state(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(state, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        while True:
            await is_sending.wait()
            ready = [each for each in server.connections if each.transport.get_write_buffer_size() < _MOST_WAITING]
            broadcast(ready, payload)
            await asyncio.sleep(0)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]).read_text()))
