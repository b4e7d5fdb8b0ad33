"""The alerts that a process decides and sends, as the boot settings say."""

from __future__ import annotations

import os
import socket
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vivienne.access.caller import Caller
from vivienne.alerts.event import Origin
from vivienne.alerts.now import market_kind
from vivienne.changes.alerts.requests import AlertRequest, SwitchOffRule
from vivienne.config.layers import alert_of
from vivienne.errors import VersionConflict
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.outbox.delivering import Deliveries
from vivienne.outbox.engine import AlertEngine
from vivienne.outbox.inheriting import Inheriting
from vivienne.outbox.keeping import Keeping
from vivienne.outbox.on_demand import OnDemand
from vivienne.outbox.overtaken import InForce
from vivienne.outbox.owners import owner_name
from vivienne.outbox.people import PeopleSender
from vivienne.outbox.pruning import AlertPruning
from vivienne.outbox.secrets import Vault
from vivienne.outbox.sending import Missing
from vivienne.outbox.stream import BrowserSender
from vivienne.outbox.webhook import WebhookSender
from vivienne.roles.recording import run_of
from vivienne.server.store_health import StoreHealth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.changes.service import ConfigService
    from vivienne.live.market import Market
    from vivienne.outbox.sending import AnyChannel, Sender
    from vivienne.settings.boot import Boot
    from vivienne.store.revision import AppliedRevision
    from vivienne.wire.alert import AlertPushed, ChannelType


TOLD_SECONDS, _MOST_LEFT = 1.0, 3
"""Time in which a process tells of a pause, and processes after which no more time is left to others."""


_KNOWN_SECONDS = _READ_SECONDS = 1.0
"""Age of the last look at the database up to which pauses are known, and the longest wait for the next one. One follows
the other twice as soon, unless the process stood still or the database does not answer."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """The alerts of a process.

    Attributes:
        on_demand: tests rules, and sends again.
        tasks: by name, coroutines that run until the process ends.
    """

    on_demand: OnDemand
    tasks: dict[str, Callable[[], Coroutine[Any, Any, None]]]


def process_name() -> str:
    """The name of this process, unlike that of any other."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def senders_of(
    boot: Boot,
    *,
    show: Callable[[AlertPushed], None] | None = None,
    publish: Callable[[AlertPushed], Awaitable[str]] | None = None,
    redis: Sender | None = None,
) -> dict[ChannelType, Sender]:
    """The ways of sending, by type of channel.

    Args:
        boot: the settings.
        show: passes an alert on to browsers that are connected to this process.
        publish: passes it on to processes that have other browsers.
        redis: sends over Redis; None without it.
    """
    vault = Vault(boot.alert_key_at)
    return {
        "webhook": WebhookSender(vault, boot.alert_hosts),
        "apprise": PeopleSender(vault, boot.alert_hosts),
        "browser": BrowserSender(show, publish),
        "redis": redis or Missing("This process has no Redis; start it with --redis"),
    }


def alerting_of(
    boot: Boot,
    market: Market,
    service: ConfigService,
    senders: Mapping[ChannelType, Sender],
    parts: Mapping[str, Callable[[], str | None]],
    process: str,
    is_silent: Callable[[], bool] = lambda: False,
    after: Callable[[str | None], int] | None = None,
    hears: Callable[[], bool] = lambda: True,
) -> Alerting:
    """The alerts of a process that decides assets.

    Args:
        boot: the settings.
        market: decides the assets.
        service: has the rules in force.
        senders: by type of channel.
        parts: parts of the process, each with a function that tells what is wrong with it.
        process: name of this process.
        is_silent: tells that another process has taken this one's place.
        after: gives how many processes come before this one in telling of a pause, of an asset or of all; without it
            all that share the store are in one order.
        hears: whether pauses of others reach this process while the database does not answer.
    """
    run, store, calls, owner = run_of(boot).key, service.alert_store, service.store_reads, owner_name()
    deliveries = _deliveries(service, senders, hears)
    pruning = AlertPruning(store, calls)
    keeping = Keeping(store, calls, deliveries, run=run, owner=owner, metrics=service.metrics, added=pruning.added)
    health = StoreHealth(service)
    inheriting = Inheriting(store, calls, deliveries, owner=owner, is_shared=service.is_shared)
    engine = AlertEngine(
        market,
        service,
        origin_of(boot, run, market.feed),
        keeping,
        store,
        calls,
        parts={"store": lambda: health.trouble if health.is_checked else None, **parts},
        process=process,
        is_silent=is_silent,
        leaves=partial(_leaves, after or (lambda _: inheriting.before)),
    )
    service.listen(partial(_changed, deliveries))
    return Alerting(
        OnDemand(senders, store, calls, deliveries, owner),
        {
            "alerts": engine.run,
            "alerts to store": keeping.run,
            "alerts to send": deliveries.run,
            "alerts left behind": inheriting.run,
            "old alerts": pruning.run,
            "health of the store for alerts": health.watch,
        },
    )


def _deliveries(service: ConfigService, senders: Mapping[ChannelType, Sender], hears: Callable[[], bool]) -> Deliveries:
    return Deliveries(
        service.alert_store,
        service.store_reads,
        senders,
        rule_of=partial(_rule, service),
        switch_off=partial(switch_off, service),
        in_force=lambda: InForce(service.newest[0], service.pauses()),
        read_pauses=partial(_read_pauses, service, hears),
        metrics=service.metrics,
    )


async def _read_pauses(service: ConfigService, hears: Callable[[], bool]) -> bool:
    """Look at the database, if need be; tell whether pauses of others are known, or would be heard."""
    return await service.look_if_late(_KNOWN_SECONDS, _READ_SECONDS) or hears()


def _leaves(after: Callable[[str | None], int], asset: str | None) -> float:
    """Seconds for which a pause is left to the process that is to tell it; if that has gone, to the next one."""
    return TOLD_SECONDS * min(after(asset), _MOST_LEFT)


def _changed(deliveries: Deliveries, change: AppliedRevision) -> None:
    """Tell what sends messages of a rule that it was changed, and nobody of other changes: thousands may wait."""
    alert_id = alert_of(change.revision.layer)
    if alert_id is not None:
        deliveries.rule_changed(alert_id)


async def switch_off(service: ConfigService, alert_id: str, channel: AnyChannel, problem: str) -> None:
    """Switch a rule off, as a change by Vivienne itself; not if somebody has changed it, who may have mended it."""
    found = service.alerts.by_id.get(alert_id)
    if found is None or channel not in found.rule.channels:
        return
    request = AlertRequest(
        SwitchOffRule(problem),
        alert_id,
        channel="alerts",
        author="vivienne",
        reason=problem,
        caller=Caller(via="alerts"),
        expected_version=found.version,
    )
    with suppress(VersionConflict):  # if its receiver is still gone, the next message tells
        await service.change_alert(request)


def _rule(service: ConfigService, alert_id: str) -> RuleInForce | None:
    """The rule of an id as it is now."""
    return service.alerts.by_id.get(alert_id)


def origin_of(boot: Boot, run: str, feed: str) -> Origin:
    """What the alerts of a process have in common."""
    length = boot.timeframe.milliseconds
    pace = 1.0 if market_kind(feed) == "real" else boot.speed
    return Origin(
        run=run,
        market=market_kind(feed),
        feed=feed,
        exchange=EXCHANGES[boot.exchange].title if boot.feed == "exchange" else None,
        timeframe=boot.timeframe.value,
        bar_ms=length,
        bar_seconds=length / 1_000 / (pace or 1.0),
    )
