"""Role `agent`: one of several processes that decide a share of the assets and publish it over Redis."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vivienne.cluster.answering import Answering
from vivienne.cluster.confirmation import Confirmations
from vivienne.cluster.heartbeats import Heartbeat, HeartbeatPublisher, agent_name
from vivienne.cluster.kept_states import KeptStates
from vivienne.cluster.logs import LogPublisher
from vivienne.cluster.succession import Succession
from vivienne.live.view import LocalView
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.outbox.secrets import fingerprint
from vivienne.redis.again import Again
from vivienne.redis.alerts import AlertPublisher
from vivienne.redis.market import market_stream
from vivienne.redis.parts import RedisParts
from vivienne.redis.publishing import StatePublisher
from vivienne.roles.alerting import alerting_of, senders_of
from vivienne.roles.market import feed_of
from vivienne.roles.process import Process
from vivienne.roles.recording import record_of, recorded_market, recorder_of, tasks_of
from vivienne.server.factory import agent_application
from vivienne.slices import one_piece, whole
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard
from vivienne.times import now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vivienne.access.access import Access
    from vivienne.changes.service import ConfigService
    from vivienne.live.market import Market
    from vivienne.redis.link import Part
    from vivienne.settings.boot import Boot
    from vivienne.stream.logs import LogStream

_log = logging.getLogger(__name__)

_KEY = "--alert-key"


def _heartbeats(
    boot: Boot, service: ConfigService, market: Market, view: LocalView, name: str, assets: Sequence[str]
) -> Callable[[], Heartbeat]:
    """What the agent says of itself, each time it is asked."""
    settings = boot.of_all_agents()

    def beat() -> Heartbeat:
        if not settings[_KEY]:  # it is made when it is first needed
            settings[_KEY] = fingerprint(boot.alert_key_at)
        return {
            "agent": name,
            "shard": str(boot.shard),
            "assets": list(assets),
            "feed": market.feed,
            "timeframe": boot.timeframe.value,
            "troubles": whole(view.troubles()),
            "settings": settings,
            "time": int(now().timestamp() * 1_000),
            "newest": {"version": service.newest[0], "config_id": service.newest[1]},
            "changes": True,
        }

    return beat


def build(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> Process:
    """Put the role together."""
    hub = Hub(service.metrics)
    board = StateBoard(hub)
    assets = boot.shard.share(boot.assets)
    if not assets:
        _log.warning("Shard %s has none of the %d assets; this agent has nothing to do", boot.shard, len(boot.assets))
    feed = feed_of(boot, assets, service.metrics)
    name = agent_name()
    kept = KeptStates(boot.assets)
    succession = Succession(name, assets, agents=kept.agents)
    service.confirm = Confirmations(service, kept, kept.agents).confirm
    recorder = recorder_of(boot, service.metrics, succession.is_replaced)
    market = recorded_market(boot, feed, service, board, recorder)
    view = LocalView(market)
    answering = Answering(
        name, market, feed if isinstance(feed, PushedFeed) else None, record_of(boot, service, recorder)
    )
    alerts = AlertPublisher()
    parts: list[Part] = [
        StatePublisher(hub, board, name, succession.is_replaced),
        alerts,
        HeartbeatPublisher(_heartbeats(boot, service, market, view, name, assets)),
        Again(succession, "hears heartbeats"),
        kept,
        Again(answering, "hears questions"),
        LogPublisher(logs, f"agent {boot.shard}"),
    ]
    if isinstance(feed, PushedFeed):
        parts.append(
            market_stream(feed, name, str(boot.shard), boot.limits.message, lambda: not succession.is_replaced())
        )
    redis = RedisParts(str(boot.redis), boot.redis_control, service, parts, boot.limits.message)

    def additions() -> dict[str, str]:
        found = {"redis": redis.trouble or "ok", "succession": succession.trouble() or "ok"}
        return found if recorder is None else {**found, "record": recorder.trouble or "ok"}

    app = agent_application(service, view, lambda: one_piece(additions), access)
    title = f"agent {boot.shard}: {', '.join(assets)}; {market.feed} market"
    process = Process(title, app, {"market": market.run, "agents": kept.watch, "redis": redis.run})
    senders = senders_of(boot, publish=alerts.show, redis=alerts)
    troubles = {"redis": lambda: redis.trouble}
    alerting = alerting_of(
        boot,
        market,
        service,
        senders,
        troubles,
        name,
        succession.is_replaced,
        boot.shard.after,
        hears=lambda: redis.hears,
    )
    process.tasks |= alerting.tasks
    process.tasks |= tasks_of(recorder, assets, service.metrics)
    return process
