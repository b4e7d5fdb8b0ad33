"""Sockets to listen on, and a server that does not handle signals itself."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import resource
import socket
from typing import TYPE_CHECKING

import uvicorn

from vivienne.errors import SettingsError
from vivienne.server.connections import Connections
from vivienne.server.http_protocol import limited
from vivienne.server.websocket_protocol import WebSocketProtocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from starlette.types import ASGIApp

    from vivienne.access.limits import Limits

_log = logging.getLogger(__name__)

_BACKLOG = 2048
_OTHER_FILES = 256
"""File descriptors for everything else than connections."""
_SEND_BUFFER = 128 * 1024
"""Bytes the kernel buffers per client. By default it buffers megabytes, all of it old states for a client that does not
read."""
_LONGEST_FRAME = 4 * 1024 * 1024
"""Bytes. A message that is longer than the channels read is answered up to this size; beyond it the connection ends
(1009)."""
_GRACE_SECONDS = 1
_PING_SECONDS = 20.0


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets listening on every address of a host, all on the same port.

    Raises:
        SettingsError: the port is in use, or this machine does not have the host.
    """
    addresses = _addresses(host, port)
    sockets: list[socket.socket] = []
    try:
        for family, address in addresses:
            try:
                sockets.append(_bound(family, (address[0], port, *address[2:])))
            except OSError as error:
                if family is socket.AF_INET6 and sockets and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    continue  # no IPv6 on this machine
                raise SettingsError(_why(error, host, port)) from error
            port = sockets[0].getsockname()[1]
    except SettingsError:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def is_local(sockets: list[socket.socket]) -> bool:
    """True if the sockets can be reached from this machine only."""
    return all(ipaddress.ip_address(listening.getsockname()[0]).is_loopback for listening in sockets)


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, ...]]]:
    if host == "localhost":
        return [(socket.AF_INET, ("127.0.0.1",)), (socket.AF_INET6, ("::1",))]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise SettingsError(f"--host {host!r} is not an address of this machine: {error.strerror}") from error
    return list({(family, (str(address[0]),)): None for family, _, _, _, address in found})


def _bound(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use by another program; stop it, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs privileges; choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host!r} is not an address of this machine"
    return f"Cannot listen on {host}, port {port}: {error.strerror}"


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process stops it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def room_for(connections: int) -> None:
    """Raise the limit of open files so that every allowed connection can be opened, as far as the system permits."""
    wanted = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        _log.warning(
            "The system allows this process %d open files, too few for --max-connections %d; raise it with ulimit -n",
            allowed,
            connections,
        )


def server(app: ASGIApp, limits: Limits, proxies: Collection[str] = ()) -> Server:
    """A server for the application.

    Args:
        app: the application.
        limits: of connections.
        proxies: addresses and networks of reverse proxies, which say in ``X-Forwarded-For`` who is behind them.

    WebSocket pings find dead clients; compression is off because it costs more time than it saves on a state message.
    """
    networks = [ipaddress.ip_network(proxy) for proxy in proxies]
    connections = Connections(limits, lambda address: any(ipaddress.ip_address(address) in net for net in networks))
    return Server(
        uvicorn.Config(
            app,
            http=limited(connections),
            ws=WebSocketProtocol,
            ws_max_size=_LONGEST_FRAME,
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
