"""An agent that follows an exchange on this machine, and what a client sees of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect

from measuring import serving
from running import data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from websockets.asyncio.client import ClientConnection

    from measuring import Serving

ASSETS = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "BCH", "LINK", "DOGE")
BARS = 1_500
_PROGRAM = Path(__file__).with_name("paced.py")
_WAIT_SECONDS = 60.0


@asynccontextmanager
async def following(
    name: str, url: str, *, pace: float, timeframe: str = "1m"
) -> AsyncIterator[tuple[Serving, ClientConnection]]:
    """A server of all assets and a client of its states. Its start and its end do not hold up the exchange.

    Args:
        name: of the exchange.
        url: of the exchange.
        pace: seconds of the exchange in a second.
        timeframe: of the bars.
    """
    flags = ("--feed", "exchange", "--exchange", name, "--exchange-url", url, "--assets", ",".join(ASSETS))
    running = serving(
        *flags, "--timeframe", timeframe, "--window", str(BARS), program=(str(_PROGRAM), str(pace))
    )  # fmt: skip
    server = await asyncio.to_thread(running.__enter__)
    try:
        async with connect(f"ws://127.0.0.1:{server.port}/ws/state", max_size=None) as client:
            yield server, client
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def until(client: ClientConnection, is_so: Callable[[Any], bool]) -> None:
    """Wait until something was so of every asset."""
    missing = set(ASSETS)
    async with asyncio.timeout(_WAIT_SECONDS):
        while missing:
            message = json.loads(await client.recv())
            if message["type"] == "asset_data" and is_so(data(message)):
                missing.discard(message["asset"])
