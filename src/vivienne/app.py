"""The composition root: the only file that wires the parts together."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from vivienne.config.service import ConfigService
from vivienne.config.store.sqlite import SqliteRevisionStore
from vivienne.errors import SettingsError
from vivienne.live.market import Market
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.feeds.simulated import SimulatedFeed
from vivienne.server.factory import web_application
from vivienne.server.listen import Server, bind, is_local, server
from vivienne.server.origins import guarded
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    import socket

    from vivienne.config.store.base import RevisionStore
    from vivienne.market.feeds.base import Feed
    from vivienne.redis.parts import RedisParts
    from vivienne.settings import Boot
    from vivienne.stream.logs import LogStream

_log = logging.getLogger(__name__)


def _feed(boot: Boot) -> Feed:
    if boot.files:
        return ReplayFeed(boot.files, boot.speed)
    return SimulatedFeed(boot.assets, seed=boot.seed, speed=boot.speed or 1.0, timeframe_minutes=boot.timeframe.minutes)


def _store(boot: Boot) -> RevisionStore:
    if isinstance(boot.db, Path):
        return SqliteRevisionStore(boot.db)
    from vivienne.config.store.postgres import PostgresRevisionStore  # noqa: PLC0415  # its driver is an extra

    return PostgresRevisionStore(boot.db)


async def serve(boot: Boot, logs: LogStream) -> None:
    """Run until told to stop (SIGINT or SIGTERM).

    Raises:
        SettingsError: the port or host cannot be used.
        StoreUnusable: the database cannot be used.
        MarketDataError: a data file cannot be used.
    """
    sockets = bind(boot.host, boot.port)
    try:
        feed = _feed(boot)
        service = ConfigService(_store(boot), boot.assets)
        try:
            await _run(boot, feed, service, logs, sockets)
        finally:
            await service.close()
    finally:
        for listening in sockets:
            listening.close()


async def _run(boot: Boot, feed: Feed, service: ConfigService, logs: LogStream, sockets: list[socket.socket]) -> None:
    hub = Hub()
    board = StateBoard(hub)
    market = Market(
        feed,
        service,
        board,
        timeframe=boot.timeframe,
        window=boot.window,
        price_interval=boot.price_interval,
        on_tick=boot.on_tick,
    )
    redis = _redis(boot.redis, boot.redis_control, service, hub, board) if boot.redis else None
    app = web_application(
        service,
        market,
        hub,
        board,
        logs,
        relay=redis.ask if redis else None,
        additions=redis.state if redis else dict,
    )
    web = server(guarded(app, origins=boot.origins, local_only=is_local(sockets)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, web)
    tasks = [asyncio.create_task(market.run(), name="market")]
    if service.is_shared:
        tasks.append(asyncio.create_task(service.follow(), name="follow"))
    if redis is not None:
        tasks.append(asyncio.create_task(redis.run(), name="redis"))
    port = sockets[0].getsockname()[1]
    _log.info("Vivienne listens on http://%s:%d (%s market)", boot.host, port, feed.name)
    try:
        await web.serve(sockets)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _log.info("Vivienne has stopped")


def _redis(url: str, control: str, service: ConfigService, hub: Hub, board: StateBoard) -> RedisParts:
    """What goes over Redis; the library is an extra, so it is looked for only here."""
    try:
        from vivienne.redis.parts import RedisParts  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "redis":
            raise
        raise SettingsError("--redis needs the library for it: pip install 'vivienne[redis]'") from error
    return RedisParts(url, control, service, hub, board)


def _stop(web: Server) -> None:
    web.should_exit = True
