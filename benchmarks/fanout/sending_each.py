"""A plain application of uvicorn that sends a payload to each client, one after the other.

    python benchmarks/fanout/sending_each.py PAYLOAD_FILE

Prints its port. SIGUSR1 begins it, SIGUSR2 ends it.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_SEND_BUFFER = 128 * 1024  # as the server that is measured


async def main(payload: str) -> None:
    """Serve until killed."""
    clients: set[WebSocket] = set()
    is_sending = asyncio.Event()

    async def state(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.add(websocket)
        with suppress(WebSocketDisconnect):
            while True:
                await websocket.receive_text()
        clients.discard(websocket)

    async def send() -> None:
        while True:
            await is_sending.wait()
            for each in list(clients):
                with suppress(WebSocketDisconnect, RuntimeError):  # it has left
                    await each.send_text(payload)
            await asyncio.sleep(0)

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    print(listening.getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, is_sending.set)
    loop.add_signal_handler(signal.SIGUSR2, is_sending.clear)
    app = Starlette(routes=[WebSocketRoute("/ws/state", state)])
    config = uvicorn.Config(
        app, ws="websockets-sansio", ws_per_message_deflate=False, log_level="error", lifespan="off"
    )
    await asyncio.gather(uvicorn.Server(config).serve([listening]), send())


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(Path(sys.argv[1]).read_text()))
