"""The composition root: opens the port and the database, puts the role together, runs it."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial
from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any

from vivienne.access.book import TokenBook
from vivienne.addresses import url_host
from vivienne.changes import pruning
from vivienne.changes.service import ConfigService
from vivienne.changes.writer import STORE_TIMEOUT
from vivienne.errors import SettingsError
from vivienne.logs.defects import DEFECTS
from vivienne.logs.setup import announce
from vivienne.metrics.registry import Metrics, Sample
from vivienne.outbox.secrets import Vault
from vivienne.roles.admission import access_for, behind_named_proxies
from vivienne.roles.garbage import collect_garbage
from vivienne.server.charging import Charging
from vivienne.server.gate import Gate
from vivienne.server.incoming import Incoming
from vivienne.server.listen import bind, is_local, room_for, server
from vivienne.server.origins import Hosts, guarded
from vivienne.server.root_path import under
from vivienne.server.traces import Traced
from vivienne.settings.unknown import unknown_variables
from vivienne.standstill import watch_for_standstill
from vivienne.store.opening import open_store
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from vivienne.access.access import Access
    from vivienne.logs.console import Console
    from vivienne.roles.process import Process
    from vivienne.settings.boot import Boot
    from vivienne.stream.logs import LogStream

_log = logging.getLogger(__name__)


async def serve(boot: Boot, logs: LogStream, console: Console) -> None:
    """Run until told to stop (SIGINT or SIGTERM).

    Args:
        boot: the settings.
        logs: the log as a stream.
        console: the log on standard error.

    Raises:
        SettingsError: the port or host cannot be used, there may be too few open files, or a library that is needed is
            not installed.
        StoreUnusable: the database cannot be used.
        MarketDataError: a data file cannot be used.
    """
    boot = replace(boot, max_connections=room_for(boot.limits).connections)
    listening_since = time()  # what is sent while the program starts waits until it reads
    sockets = bind(boot.host, boot.port)
    try:
        metrics = Metrics(boot.role)
        metrics.source(lambda: [Sample("vivienne_log_records_dropped_total", (), console.dropped)])
        metrics.source(DEFECTS.samples)
        store, thread = open_store(boot.db), StoreThread(STORE_TIMEOUT, metrics)
        service = ConfigService(store, boot.assets, thread=thread, metrics=metrics, seal=Vault(boot.alert_key_at).seal)
        try:
            keep = None if boot.role == "agent" else boot.keep_answers
            prune = partial(pruning.follow, store, thread, keep)
            await _serve(boot, logs, service, TokenBook(store, thread), sockets, listening_since, prune)
        finally:
            await service.close()
    finally:
        for listening in sockets:
            listening.close()


async def _serve(
    boot: Boot,
    logs: LogStream,
    service: ConfigService,
    book: TokenBook,
    sockets: list[socket.socket],
    listening_since: float,
    prune: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    access = access_for(boot, book, is_local=is_local(sockets))
    service.charge_with(access.count_bytes, access.requests, access.count_pause)
    process = _process(boot, service, logs, access)
    process.drain_seconds = boot.drain_seconds
    process.tasks["old answers"] = prune
    process.tasks["tokens"] = book.follow
    process.tasks["reload"] = partial(_reload, process, book)
    process.tasks["garbage"] = collect_garbage
    process.tasks["standstill"] = watch_for_standstill
    process.tasks["loop lag"] = service.metrics.watch_loop
    if service.is_shared:
        process.tasks["follow"] = service.follow
    hosts: Hosts = "local" if is_local(sockets) else "any" if access.demanded else "addresses"
    charged = Charging(under(boot.root_path, process.app), access.requests, boot.root_path)
    gate = Gate(charged, access)
    app = guarded(gate, origins=boot.origins, hosts=hosts)
    app = Traced(behind_named_proxies(app, boot, access))
    incoming = Incoming(access.reading, service.metrics, access.limits.message.bytes)
    web = server(app, boot.limits, incoming, boot.proxies, service.metrics, gate.pauses_as, listening_since)
    host, port = url_host(boot.host), sockets[0].getsockname()[1]
    for sentence in unknown_variables(os.environ):
        _log.warning("%s", sentence)
    announce(_log, "Vivienne listens on http://%s:%d%s (%s)", host, port, boot.root_path, process.title)
    await process.run(web, sockets)


async def _reload(process: Process, book: TokenBook) -> None:
    """Read again, after each SIGHUP, what may have changed outside of this process."""
    while True:
        await process.hung_up.wait()
        process.hung_up.clear()
        await book.refresh()
        _log.info("SIGHUP: the tokens were read again; boot settings change with a restart only")


def _process(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> Process:
    """The role of the boot settings, loaded by name: some need the library for Redis, which is an extra."""
    try:
        process: Process = import_module(f"vivienne.roles.{boot.role}").build(boot, service, logs, access)
    except ModuleNotFoundError as error:
        if error.name not in ("redis", "hiredis"):
            raise
        raise SettingsError("--redis needs the library for it: pip install 'vivienne[redis]'") from error
    return process
