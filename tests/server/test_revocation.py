"""What a token still may once it is revoked: nothing, neither on a socket that is open nor by what was asked before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.access.access import Access
from vivienne.access.book import TokenBook
from vivienne.access.limits import Limits
from vivienne.server.gate import Gate
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECONDS = 10.0


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[TokenBook]:
    store, thread = SqliteRevisionStore(tmp_path / "v.db"), StoreThread(SECONDS)
    yield TokenBook(store, thread)
    await thread.close(store.close, SECONDS)


def scope(secret: str) -> dict[str, Any]:
    """A handshake with a token."""
    headers = [(b"authorization", f"Bearer {secret}".encode())]
    return {"type": "websocket", "headers": headers, "client": ("127.0.0.1", 1), "query_string": b"", "raw_path": b"/"}


@pytest.mark.parametrize("waits", ["for the client", "for itself"])
async def test_a_socket_that_does_not_read_gets_the_close_and_no_state_before_it(book: TokenBook, waits: str) -> None:
    sent: list[str] = []
    writing, readable = asyncio.Event(), asyncio.Event()

    async def states(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        writing.set()
        if waits == "for itself":
            await asyncio.Event().wait()
        while True:
            await send({"type": "websocket.send", "text": "a state"})

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            await readable.wait()
            await asyncio.sleep(0)
        sent.append(message["type"])

    async def receive() -> Any:
        await asyncio.Event().wait()

    _, secret = await book.create("ann", "viewer")
    gate = Gate(states, Access(book, Limits(), demanded=True))
    async with asyncio.timeout(SECONDS):
        running = asyncio.create_task(gate(scope(secret), receive, send))
        await writing.wait()
        await book.revoke("ann")
        for _ in range(10):  # it reads again a little later
            await asyncio.sleep(0)
        readable.set()
        await running
    assert sent == ["websocket.accept", "websocket.close"]
