"""Sending: long bodies go out in pieces, and files come from memory.

A piece follows when the one before is sent. So a client that does not read its answer costs one piece, and no file
stays open for it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PIECE = 16 * 1024
_MOST_KEPT = 32 * 1024 * 1024
"""Bytes of files that are kept in memory. All that are served, of the dashboard and of `/docs`, have 6 MB."""
_BY_PATH = "http.response.pathsend"
"""The ASGI extension by which an application names a file in place of its bytes."""
_RANGES = frozenset({b"range", b"if-range", b"accept-ranges"})
"""Headers of requests for parts of a file. They are not answered: the application would open the file for them."""


class Sending:
    """ASGI middleware that sends in pieces.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files = _Files()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["extensions"] = {**scope.get("extensions", {}), _BY_PATH: {}}
        scope["headers"] = _without_ranges(scope["headers"])

        async def sending(message: Message) -> None:
            kind = message["type"]
            if kind == _BY_PATH:
                await _in_pieces(await self._files.read(message["path"]), send)
            elif kind == "http.response.body" and not message.get("more_body"):
                await _in_pieces(message.get("body", b""), send)
            elif kind == "http.response.start":
                await send({**message, "headers": _without_ranges(message["headers"])})
            else:
                await send(message)

        await self._app(scope, receive, sending)


async def _in_pieces(body: bytes, send: Send) -> None:
    left = memoryview(body)
    while len(left) > _PIECE:
        await send({"type": "http.response.body", "body": left[:_PIECE], "more_body": True})
        left = left[_PIECE:]
    await send({"type": "http.response.body", "body": left, "more_body": False})


def _without_ranges(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _RANGES]


class _Files:
    """Contents of files, read once."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, int], bytes]] = {}

    async def read(self, path: str) -> bytes:
        """The content of a file."""
        known, version = self._kept.get(path), _version(path)
        if known is not None and known[0] == version:
            return known[1]
        content = await asyncio.to_thread(Path(path).read_bytes)
        if sum(len(other) for _, other in self._kept.values()) + len(content) > _MOST_KEPT:
            self._kept.clear()
        self._kept[path] = (version, content)
        return content


def _version(path: str) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116  # this is asked for with each request
    return found.st_mtime_ns, found.st_size
