"""Role `all`: one process that decides every asset and serves every client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.live.view import LocalView
from vivienne.market.feeds.pushed.feed import PushedFeed
from vivienne.outbox.stream import AlertStream
from vivienne.roles.alerting import alerting_of, process_name, senders_of
from vivienne.roles.market import feed_of
from vivienne.roles.process import Process
from vivienne.roles.recording import record_of, recorded_market, recorder_of, tasks_of
from vivienne.server.factory import web_application
from vivienne.server.pushing import LocalPushes
from vivienne.slices import one_piece
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivienne.access.access import Access
    from vivienne.changes.service import ConfigService
    from vivienne.outbox.sending import Sender
    from vivienne.redis.link import Part
    from vivienne.redis.parts import RedisParts
    from vivienne.settings.boot import Boot
    from vivienne.stream.logs import LogStream
    from vivienne.wire.alert import ChannelType


def build(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> Process:
    """Put the role together."""
    hub = Hub(service.metrics)
    board = StateBoard(hub)
    feed = feed_of(boot, boot.assets, service.metrics)
    recorder = recorder_of(boot, service.metrics)
    market = recorded_market(boot, feed, service, board, recorder)
    pushed = feed if isinstance(feed, PushedFeed) else None
    alerts = AlertStream()
    senders = senders_of(boot, show=alerts.show)
    redis = _redis(boot, service, hub, board, pushed, senders)

    def additions() -> dict[str, Any]:
        parts = {"redis": redis, "record": recorder}
        return {name: part.trouble or "ok" for name, part in parts.items() if part is not None}

    troubles: dict[str, Callable[[], str | None]] = {} if redis is None else {"redis": lambda: redis.trouble}
    alerting = alerting_of(boot, market, service, senders, troubles, process_name())
    app = web_application(
        service,
        LocalView(market),
        hub,
        board,
        logs,
        alerts=alerts,
        on_demand=alerting.on_demand,
        additions=lambda: one_piece(additions),
        access=access,
        pushes=None if pushed is None else LocalPushes(pushed),
        costs=boot.paper_costs,
        record=record_of(boot, service, recorder),
    )
    process = Process(f"{market.feed} market", app, {"market": market.run})
    if redis is not None:
        process.tasks["redis"] = redis.run
    process.tasks |= alerting.tasks
    process.tasks |= tasks_of(recorder, boot.assets, service.metrics)
    return process


def _redis(
    boot: Boot,
    service: ConfigService,
    hub: Hub,
    board: StateBoard,
    pushed: PushedFeed | None,
    senders: dict[ChannelType, Sender],
) -> RedisParts | None:
    if boot.redis is None:
        return None
    from vivienne.redis.alerts import AlertPublisher  # noqa: PLC0415  # see below
    from vivienne.redis.market import market_stream  # noqa: PLC0415  # the library for Redis is an extra
    from vivienne.redis.parts import RedisParts, process_name  # noqa: PLC0415  # see above
    from vivienne.redis.publishing import StatePublisher  # noqa: PLC0415  # see above

    senders["redis"] = publisher = AlertPublisher()
    parts: list[Part] = [StatePublisher(hub, board), publisher]
    if pushed is not None:
        parts.append(market_stream(pushed, process_name(), None, boot.limits.message))
    return RedisParts(boot.redis, boot.redis_control, service, parts, boot.limits.message)
