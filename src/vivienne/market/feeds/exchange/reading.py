"""Reads what others answer over HTTP a little at a time: in chunks of a byte they would keep everybody waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore2

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx2

    from vivienne.market.feeds.exchange.turns import Turns

_READ_BYTES = 1024
"""Read at once. A chunk has six bytes at least, and takes 30 microseconds."""
_MOST_BYTES = 64 * 1024 * 1024
"""Largest answer with all that is around its body."""


def read_in_pieces(client: httpx2.AsyncClient, turns: Turns) -> None:
    """Let a client read in pieces, in turn, on all its ways, proxies too. It has no setting for that."""
    transports: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001  # no public way
    for transport in transports:
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = PiecewiseBackend(pool._network_backend, turns, _MOST_BYTES)  # noqa: SLF001  # no public way


class PiecewiseBackend(httpcore2.AsyncNetworkBackend):
    """Opens streams that are read in pieces.

    Args:
        backend: opens them.
        turns: in which they are read.
        most_bytes: of an answer with its head.
    """

    def __init__(self, backend: httpcore2.AsyncNetworkBackend, turns: Turns, most_bytes: int) -> None:
        self._backend = backend
        self._turns = turns
        self._most_bytes = most_bytes

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # as the library calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """See `httpcore2.AsyncNetworkBackend`."""
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._turns, self._most_bytes)

    async def sleep(self, seconds: float) -> None:
        """See `httpcore2.AsyncNetworkBackend`."""
        await self._backend.sleep(seconds)


class _Stream(httpcore2.AsyncNetworkStream):
    """A stream of a connection."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream, turns: Turns, most_bytes: int) -> None:
        self._stream = stream
        self._turns = turns
        self._most_bytes = most_bytes
        self._read = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # see above
        """Read a piece, once others have had their turn."""
        await self._turns.rest()
        data = await self._stream.read(min(max_bytes, _READ_BYTES), timeout)
        self._read += len(data)
        if self._read > self._most_bytes:
            raise httpcore2.ReadError(f"an answer of more than {self._most_bytes:,} bytes")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # see above
        """Write a request; another answer begins."""
        self._read = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """See `httpcore2.AsyncNetworkStream`."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # see above
    ) -> httpcore2.AsyncNetworkStream:
        """See `httpcore2.AsyncNetworkStream`."""
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(stream, self._turns, self._most_bytes)

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore2.AsyncNetworkStream`."""
        return self._stream.get_extra_info(info)
