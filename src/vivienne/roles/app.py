"""The composition root: the only file that wires the parts together."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vivienne.access.access import Access
from vivienne.access.book import TokenBook
from vivienne.changes.service import ConfigService
from vivienne.changes.writer import STORE_TIMEOUT
from vivienne.errors import SettingsError
from vivienne.garbage import collect_seldom
from vivienne.live.market import Market
from vivienne.live.view import LocalView
from vivienne.market.feeds.replay import ReplayFeed
from vivienne.market.feeds.simulated import SimulatedFeed
from vivienne.metrics.registry import Metrics
from vivienne.server.factory import agent_application, web_application
from vivienne.server.gate import Gate
from vivienne.server.listen import Server, bind, is_local, room_for, server
from vivienne.server.origins import Hosts, guarded
from vivienne.store.opening import open_store
from vivienne.store.thread import StoreThread
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import FastAPI

    from vivienne.market.feeds.base import Feed
    from vivienne.redis.link import Part
    from vivienne.settings.boot import Boot
    from vivienne.stream.logs import LogStream

_log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0
"""After something failed that should never end."""


@dataclass(slots=True)
class _Process:
    """What a role comes to: an application, and what runs beside it.

    Attributes:
        what: in a few words, for the log.
        running: by name, what runs until the process ends.
    """

    what: str
    app: FastAPI
    running: dict[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)


async def serve(boot: Boot, logs: LogStream) -> None:
    """Run until told to stop (SIGINT or SIGTERM).

    Raises:
        SettingsError: the port or host cannot be used, or a library that is needed is not installed.
        StoreUnusable: the database cannot be used.
        MarketDataError: a data file cannot be used.
    """
    sockets = bind(boot.host, boot.port)
    try:
        metrics = Metrics(boot.role)
        store, thread = open_store(boot.db), StoreThread(STORE_TIMEOUT, metrics)
        service = ConfigService(store, boot.assets, thread=thread, metrics=metrics)
        try:
            access = _access(boot, TokenBook(store, thread), is_local=is_local(sockets))
            process = _ROLES[boot.role](boot, service, logs, access)
            process.running["tokens"] = access.book.follow
            process.running["loop lag"] = metrics.watch_loop
            if service.is_shared:
                process.running["follow"] = service.follow
            hosts: Hosts = "local" if is_local(sockets) else "any" if access.demanded else "addresses"
            app = guarded(Gate(process.app, access), origins=boot.origins, hosts=hosts)
            room_for(boot.limits.connections)
            web = server(app, boot.limits, boot.proxies)
            port = sockets[0].getsockname()[1]
            _log.info("Vivienne listens on http://%s:%d (%s)", boot.host, port, process.what)
            await _run(process, web, sockets)
        finally:
            await service.close()
    finally:
        for listening in sockets:
            listening.close()


def _access(boot: Boot, book: TokenBook, *, is_local: bool) -> Access:
    """Who gets in. On this machine anybody does, unless it is said otherwise; from others, whoever has a token.

    Raises:
        SettingsError: a token is needed, and there is none.
    """
    is_reachable = not is_local or bool(boot.proxies)
    demanded = boot.require_token or (is_reachable and not boot.anyone)
    if demanded and not book and boot.role != "agent":  # an agent serves nothing but whether it works
        why = "--require-token was given" if boot.require_token else "Other machines could reach it"
        raise SettingsError(
            f"{why}, and there is no token. Make one:  vivienne token create NAME --role admin --db {boot.db}  "
            "or, where everybody who reaches the port may change what is traded on, start with "
            "--allow-anyone-on-this-network"
        )
    if is_reachable and not demanded:
        _log.warning("Whoever reaches the port can change the configuration: --allow-anyone-on-this-network was given")
    return Access(book, boot.limits, demanded=demanded)


async def _run(process: _Process, web: Server, sockets: list[Any]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, web)
    tasks = [asyncio.create_task(_kept_up(name, run), name=name) for name, run in process.running.items()]
    collect_seldom()
    try:
        await web.serve(sockets)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _log.info("Vivienne has stopped")


async def _kept_up(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something beside the application; should a defect end it, say so and begin anew."""
    while True:
        try:
            await run()
        except Exception:  # noqa: BLE001  # whatever it is, what is shown must not grow old unnoticed
            _log.critical("What runs beside the server (%s) failed, and is begun anew", name, exc_info=True)
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return


def _everything(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> _Process:
    """One process that does it all."""
    hub = Hub(service.metrics)
    board = StateBoard(hub)
    market, what = _market(boot, boot.assets, service, board)
    if boot.redis is None:
        app = web_application(service, LocalView(market), hub, board, logs, access=access)
        return _Process(what, app, {"market": market.run})
    _need_redis()
    from vivienne.redis.parts import RedisParts  # noqa: PLC0415  # an extra
    from vivienne.redis.publishing import StatePublisher  # noqa: PLC0415  # the same

    redis = RedisParts(boot.redis, boot.redis_control, service, [StatePublisher(hub, board)], boot.limits.message)
    app = web_application(
        service,
        LocalView(market),
        hub,
        board,
        logs,
        additions=lambda: {"redis": redis.trouble or "ok"},
        access=access,
    )
    return _Process(what, app, {"market": market.run, "redis": redis.run})


def _agent(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> _Process:
    """One agent of several: decides its share, and publishes it."""
    _need_redis()
    from vivienne.cluster.answering import Answering, Succession  # noqa: PLC0415  # an extra
    from vivienne.cluster.heartbeats import Heartbeat, HeartbeatPublisher, agent_name  # noqa: PLC0415  # the same
    from vivienne.cluster.logs import LogPublisher  # noqa: PLC0415  # the same
    from vivienne.redis.parts import RedisParts  # noqa: PLC0415  # the same
    from vivienne.redis.publishing import StatePublisher  # noqa: PLC0415  # the same

    hub = Hub(service.metrics)
    board = StateBoard(hub)
    assets = boot.shard.share(boot.assets)
    if not assets:
        _log.warning("Shard %s has none of %d assets; this agent has nothing to do", boot.shard, len(boot.assets))
    market, what = _market(boot, assets, service, board)
    name = agent_name()

    def beat() -> Heartbeat:
        return {
            "agent": name,
            "shard": str(boot.shard),
            "assets": list(assets),
            "feed": market.feed,
            "timeframe": boot.timeframe.value,
            "troubles": market.troubles(),
        }

    succession = Succession(name, assets)
    parts: list[Part] = [
        StatePublisher(hub, board, name, succession.is_replaced),
        HeartbeatPublisher(beat),
        succession,
        Answering(name, market),
        LogPublisher(logs, f"agent {boot.shard}"),
    ]
    redis = RedisParts(str(boot.redis), boot.redis_control, service, parts, boot.limits.message)
    app = agent_application(
        service,
        LocalView(market),
        lambda: {"redis": redis.trouble or "ok", "succession": succession.trouble() or "ok"},
        access,
    )
    return _Process(f"agent {boot.shard}: {', '.join(assets)}; {what}", app, {"market": market.run, "redis": redis.run})


def _gateway(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> _Process:
    """One gateway of several: serves what all agents decide."""
    _need_redis()
    from vivienne.cluster.agents import Agents  # noqa: PLC0415  # an extra
    from vivienne.cluster.gateway import Gateway  # noqa: PLC0415  # the same
    from vivienne.cluster.logs import LogReceiver  # noqa: PLC0415  # the same
    from vivienne.cluster.questions import Asking  # noqa: PLC0415  # the same
    from vivienne.cluster.remote_market import RemoteMarket  # noqa: PLC0415  # the same
    from vivienne.cluster.state_relay import StateRelay  # noqa: PLC0415  # the same
    from vivienne.redis.parts import RedisParts  # noqa: PLC0415  # the same

    hub = Hub(service.metrics)

    def pause_of(asset: str) -> str | None:
        pause = service.active(asset).pause
        return None if pause is None else pause.sentence()

    relay = StateRelay(hub, pause_of)
    service.listen(lambda change: relay.show_again(change.assets) if change.revision.is_switch else None)
    service.listen_to_held(lambda: relay.show_again(boot.assets))
    agents, asking = Agents(), Asking()
    gateway = Gateway(boot.assets, agents, relay, asking)
    service.metrics.gauge("vivienne_agents", lambda: len(agents.there()))
    service.metrics.gauge("vivienne_assets_without_agent", lambda: sum(agents.of(each) is None for each in boot.assets))
    redis = RedisParts(str(boot.redis), boot.redis_control, service, [gateway, LogReceiver(logs)], boot.limits.message)
    app = web_application(
        service,
        RemoteMarket(boot.assets, agents, asking),
        hub,
        relay,
        logs,
        additions=lambda: {"redis": redis.trouble or "ok"},
        access=access,
    )
    return _Process("gateway", app, {"watch": gateway.watch, "redis": redis.run})


_ROLES: dict[str, Callable[[Boot, ConfigService, LogStream, Access], _Process]] = {
    "all": _everything,
    "agent": _agent,
    "gateway": _gateway,
}


def _market(boot: Boot, assets: tuple[str, ...], service: ConfigService, board: StateBoard) -> tuple[Market, str]:
    """The market of some assets, and what it is in words."""
    feed = _feed(boot, assets)
    market = Market(
        feed,
        service,
        board,
        timeframe=boot.timeframe,
        window=boot.window,
        price_interval=boot.price_interval,
        on_tick=boot.on_tick,
        cap=boot.caps,
    )
    return market, f"{feed.name} market"


def _feed(boot: Boot, assets: tuple[str, ...]) -> Feed:
    if boot.files:
        return ReplayFeed({asset: boot.files[asset] for asset in assets}, boot.speed, boot.market_begin)
    return SimulatedFeed(
        assets,
        seed=boot.seed,
        speed=boot.speed or 1.0,
        timeframe_minutes=boot.timeframe.minutes,
        begun=boot.market_begin,
    )


def _need_redis() -> None:
    """The library for Redis is an extra, so it is looked for only where it is wanted."""
    try:
        import redis  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError("--redis needs the library for it: pip install 'vivienne[redis]'") from error


def _stop(web: Server) -> None:
    web.should_exit = True
