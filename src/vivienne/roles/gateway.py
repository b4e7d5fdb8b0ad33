"""Role `gateway`: one of several processes that serve clients what all agents decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.cluster.agents import Agents
from vivienne.cluster.agreement import Agreement
from vivienne.cluster.confirmation import Confirmations
from vivienne.cluster.databases import Databases
from vivienne.cluster.earlier_agents import EarlierAgents
from vivienne.cluster.gateway import Gateway, GatewayHeartbeats
from vivienne.cluster.lagging import Lagging
from vivienne.cluster.logs import LogReceiver
from vivienne.cluster.pushing import RemotePushes
from vivienne.cluster.questions import Asking
from vivienne.cluster.remote_market import RemoteMarket
from vivienne.cluster.remote_record import RemoteRecord
from vivienne.cluster.state_relay import StateRelay
from vivienne.outbox.on_demand import OnDemand
from vivienne.outbox.stream import AlertStream
from vivienne.redis.again import Again
from vivienne.redis.alerts import AlertPublisher, AlertReceiver
from vivienne.redis.parts import RedisParts
from vivienne.roles.alerting import senders_of
from vivienne.roles.process import Process
from vivienne.server.factory import web_application
from vivienne.stream.hub import Hub

if TYPE_CHECKING:
    from vivienne.access.access import Access
    from vivienne.changes.service import ConfigService
    from vivienne.settings.boot import Boot
    from vivienne.slices import Pieces
    from vivienne.stream.logs import LogStream


def build(boot: Boot, service: ConfigService, logs: LogStream, access: Access) -> Process:
    """Put the role together."""
    hub = Hub(service.metrics)
    states = _states(service, hub)
    agents, asking = Agents(boot.assets, states.agent_of), Asking()
    gateway = Gateway(boot.assets, agents, states, asking)
    service.metrics.long_source(agents.samples)
    confirmations, lagging = Confirmations(service, states, agents), Lagging(service, states, agents)
    databases = Databases(service, agents)
    service.confirm = confirmations.confirm
    service.metrics.gauge("vivienne_agents_of_other_databases", lambda: len(databases.reasons()))
    service.metrics.long_source(confirmations.samples)
    alerts, publisher = AlertStream(), AlertPublisher()
    senders = senders_of(boot, show=alerts.show, redis=publisher)
    redis = RedisParts(
        str(boot.redis),
        boot.redis_control,
        service,
        [
            Again(gateway, "receives states"),
            Again(EarlierAgents(gateway), "receives whole states"),
            Again(GatewayHeartbeats(gateway), "hears heartbeats"),
            Again(LogReceiver(logs), "receives logs"),
            Again(AlertReceiver(alerts), "receives alerts"),
            publisher,
        ],
        boot.limits.message,
        confirmations.find_missing,
    )

    agreement = Agreement(boot.assets)

    def additions() -> Pieces[dict[str, Any]]:
        behind = yield from lagging.reasons()
        different = yield from agreement.disagreements(agents.all(), {beat["agent"] for beat in agents.there()})
        unconfirmed = yield from confirmations.trouble()
        return {
            "redis": redis.trouble or "ok",
            "agents": {**behind, **different, **databases.reasons()} or "ok",
            "pauses": unconfirmed or "ok",
            "clocks": agents.clocks.reasons(agents.there()) or "ok",
        }

    app = web_application(
        service,
        RemoteMarket(boot.assets, agents, asking, states.stale, states.said),
        hub,
        states,
        logs,
        alerts=alerts,
        on_demand=OnDemand(senders, service.alert_store, service.store_reads),
        additions=additions,
        access=access,
        pushes=RemotePushes(boot.assets, boot.timeframe, agents, asking),
        costs=boot.paper_costs,
        record=RemoteRecord(boot.assets, boot.timeframe.value, agents, asking),
    )
    return Process("gateway", app, {"watch": gateway.watch, "databases": databases.run, "redis": redis.run})


def _states(service: ConfigService, hub: Hub) -> StateRelay:
    """The states of all agents, which show a pause as soon as this process knows of it."""
    states = StateRelay(hub, lambda asset: service.active(asset).pause)
    service.listen(lambda change: states.show_again(change.assets) if change.revision.is_switch else None)
    service.listen_to_held(states.show_again)
    return states
