"""Sockets to listen on, and a server that does not handle signals itself."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import resource
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn
from anyio import to_thread

from vivienne import open_files
from vivienne.errors import NotNow, SettingsError
from vivienne.logs.defects import is_told
from vivienne.outbox.slots import MOST_FILES
from vivienne.server.accepting import LEAST_WAITING, Acceptor
from vivienne.server.connections import SPARE, Connections, by_address
from vivienne.server.finishing import Finishing
from vivienne.server.http_protocol import Connection, limited
from vivienne.server.sending import Sending
from vivienne.server.websocket_protocol import watched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from starlette.types import ASGIApp

    from vivienne.access.limits import Limits
    from vivienne.metrics.registry import Metrics
    from vivienne.server.connections import PausesAs
    from vivienne.server.incoming import Incoming

_log = logging.getLogger(__name__)

_BACKLOG = 2048
_OTHER_FILES = 192 + LEAST_WAITING + SPARE
"""File descriptors for everything else than connections: the store, feeds, the log, and refusals. Of them 64 may be
of messages to receivers.
"""
_OF_MESSAGES = 64
_LEAST_CONNECTIONS = 32
"""With room for fewer there is no start: the dashboard, a load balancer and a program are there at once."""
_SEND_BUFFER = 128 * 1024
"""Bytes the kernel buffers per client. By default it buffers megabytes, all of it old states for a client that does not
read."""
_LONGEST_FRAME = 4 * 1024 * 1024
"""Bytes. A message that is longer than the channels read is answered up to this size; beyond it the connection ends
(1009)."""
_RECEIVE_BUFFER = 32 * 1024
"""Bytes the kernel takes of a client before they are read; by default it takes megabytes."""
_THREADS = 4
"""Threads in which the framework looks for files. Each takes the interpreter from the event loop."""
_GRACE_SECONDS = 1.0
"""Seconds that a stop waits for answers."""
_CHANGE_SECONDS = 6.0
"""Seconds that it waits for the answers to changes. A stop takes less than 10 s in all, after which Docker
kills."""
_LOOK_SECONDS = 0.1
"""Seconds between two looks whether there are changes to wait for. A last answer is sent in this time, and who does not
read is forgotten in it."""
_PING_SECONDS = 20.0


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets listening on every address of a host, all on the same port.

    Raises:
        NotNow: the port is in use.
        SettingsError: this machine does not have the host.
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
                wrong = NotNow if error.errno == errno.EADDRINUSE else SettingsError
                raise wrong(_why(error, host, port)) from error
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
    if host == "::":
        return [(socket.AF_INET, ("0.0.0.0",)), (socket.AF_INET6, ("::",))]  # noqa: S104  # asked for
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
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
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


class LeftOut(logging.Filter):
    """Leaves out what uvicorn logs of a request that failed and that was logged, and of one that was cancelled.

    At a stop each that is open is cancelled, and uvicorn counts them.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is kept."""
        error = record.exc_info[1] if record.exc_info else None
        is_again = is_told(error) and str(record.msg).startswith("Exception in ASGI application")
        return not (is_again or isinstance(error, asyncio.CancelledError))


_LEFT_OUT = LeftOut()


class Server(uvicorn.Server):
    """uvicorn with its own way to accept connections, and without its signal handlers: the process stops it.

    A stop waits longer for changes than for others.

    Args:
        config: of uvicorn.
        finishing: counts the changes under way.
        connections: that are open.
        listening_since: see `server`.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        finishing: Finishing,
        connections: Connections,
        listening_since: float | None = None,
    ) -> None:
        super().__init__(config)
        self._listening_since = listening_since
        self._finishing = finishing
        self._connections = connections
        self._acceptor: Acceptor | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        logging.getLogger("uvicorn.error").addFilter(_LEFT_OUT)
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        await super().startup([])  # it would accept by itself

        def protocol(accepted_at: float) -> asyncio.Protocol:
            # The class of `limited`, which uvicorn knows as one without arguments.
            made: Connection = self.config.http_protocol_class(  # type: ignore[assignment, call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            made.accepted_at = accepted_at
            return made

        self._acceptor = Acceptor(
            sockets or (), protocol, self._connections.room, self._connections.pause_in, self._listening_since
        )
        self.servers = [self._acceptor]  # type: ignore[list-item]  # it has the methods that are called
        self._acceptor.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, once the connections that clients have made so far are known."""
        if self._acceptor is not None:
            await self._acceptor.finish()
        await super().shutdown(sockets)

    async def _wait_tasks_to_complete(self) -> None:
        """Wait for answers. uvicorn gives up after `_CHANGE_SECONDS`; without a change to wait for it is told sooner.

        Who has not read what was sent by then does not get the rest of it: a connection closes only once all is sent. A
        request that is not whole by then is refused.

        Raises:
            TimeoutError: there are other requests that are not answered.
        """
        waiting = asyncio.ensure_future(super()._wait_tasks_to_complete())
        late = 0
        try:
            is_over = await _ends(waiting, _GRACE_SECONDS)
            while not is_over and self._finishing.changes:
                is_over = await _ends(waiting, _LOOK_SECONDS)
            is_over = is_over or await _ends(waiting, _LOOK_SECONDS)
            if not is_over:
                late = self._end_late()
                is_over = await _ends(waiting, _LOOK_SECONDS)
            if not is_over and self.server_state.tasks:
                raise TimeoutError
        finally:
            waiting.cancel()
            if late:
                _log.info(
                    "Connections ended at the stop because their clients did not read, or did not finish a request: %d",
                    late,
                )

    def _end_late(self) -> int:
        """End the connections on which something is not sent, or a request is not whole; return their number."""
        open_now = list(self.server_state.connections)
        unread = [each for each in open_now if each.transport.get_write_buffer_size()]
        for each in unread:
            self._connections.ended("unread")
            each.transport.abort()
        arriving = [each for each in open_now if isinstance(each, Connection) and each.is_arriving]
        for each in arriving:
            each.hurry()
        return len(unread) + len(arriving)


async def _ends(waiting: asyncio.Future[None], seconds: float) -> bool:
    """Wait so long at most; tell whether it has ended."""
    return bool((await asyncio.wait([waiting], timeout=seconds))[0])


def room_for(limits: Limits) -> Limits:
    """The limits that the open files of this process have room for.

    The system is asked for as many as are needed. If it allows fewer, there may be fewer connections: the store needs
    files too.

    Raises:
        SettingsError: it allows too few.
    """
    wanted = _files_for(limits.connections)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed >= wanted:
        return limits
    most, least = allowed - _other_files(allowed), min(_LEAST_CONNECTIONS, limits.connections)
    if most < least:
        raise SettingsError(
            f"The system allows this process {allowed} open files. It needs {_OTHER_FILES + least} to start, and "
            f"{wanted} for --max-connections {limits.connections}: raise the limit with ulimit -n {wanted}, or "
            f"LimitNOFILE={wanted} under systemd"
        )
    _log.warning(
        "The system allows this process %d open files, so at most %d connections are accepted, not --max-connections "
        "%d; raise it with ulimit -n",
        allowed,
        most,
        limits.connections,
    )
    return replace(limits, connections=most)


def _other_files(files: int | None) -> int:
    """Of so many open files, those that are for everything else than connections."""
    return _OTHER_FILES + max(0, open_files.for_messages(files, MOST_FILES) - _OF_MESSAGES)


def _files_for(connections: int) -> int:
    """The open files that so many connections need."""
    few = connections + _OTHER_FILES - _OF_MESSAGES
    files = max(few + _OF_MESSAGES, -(-few * open_files.SHARE // (open_files.SHARE - 1)))
    return min(files, connections + _other_files(None))


def server(
    app: ASGIApp,
    limits: Limits,
    incoming: Incoming,
    proxies: Collection[str] = (),
    metrics: Metrics | None = None,
    pauses_as: PausesAs = by_address,
    listening_since: float | None = None,
) -> Server:
    """A server for the application.

    Args:
        app: the application.
        limits: of connections.
        incoming: counts what WebSocket clients send.
        proxies: addresses and networks of reverse proxies, which say in ``X-Forwarded-For`` who is behind them.
        metrics: count connections that are ended.
        pauses_as: see `Connections`.
        listening_since: when the sockets began to listen, in seconds since 1970. What clients send after that may wait.
            Without it they connect only when connections are accepted.

    WebSocket pings find dead clients. The compression of uvicorn, one for each client, is off; see `deflate.py`.
    """
    networks = [ipaddress.ip_network(proxy) for proxy in proxies]

    def is_proxy(address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in networks)

    connections = Connections(limits, is_proxy, metrics, pauses_as)
    finishing = Finishing(app)
    return Server(
        uvicorn.Config(
            Sending(finishing),
            http=limited(connections),
            ws=watched(incoming),
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
            timeout_graceful_shutdown=_CHANGE_SECONDS,  # type: ignore[arg-type]  # seconds to wait, in parts too
        ),
        finishing,
        connections,
        listening_since,
    )
