"""The AsyncAPI document of the WebSockets and of the channels in Redis."""

from __future__ import annotations

from vivienne.server.schemas import Schema, reference, schemas
from vivienne.server.websocket_addresses import ALERTS, LOGS, STATE
from vivienne.version import build_version
from vivienne.wire.alert import AlertEvent, AlertPushed, SeveralAlerts
from vivienne.wire.messages import (
    CONTROL_IN,
    CONTROL_OUT,
    LOGS_OUT,
    STATE_IN,
    STATE_OUT,
    AssetData,
    ConfigChanged,
    StatesChanged,
)

_ALERTS = (AlertEvent, SeveralAlerts)
_ALERTS_OUT = (AlertPushed,)


def asyncapi(root: str = "") -> Schema:
    """The AsyncAPI (3.0) document of `/ws/state`, `/ws/logs`, `/ws/alerts` and the channels in Redis.

    Args:
        root: the path under which they are served.
    """
    kinds = (*STATE_OUT, *STATE_IN, *LOGS_OUT, *_ALERTS_OUT, ConfigChanged, StatesChanged, *_ALERTS)
    messages = {kind.__name__: {"payload": reference(kind), "summary": kind.__doc__} for kind in kinds}

    def channel(address: str, kinds: tuple[type, ...], description: str) -> Schema:
        refer = {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in kinds}
        return {"address": address, "description": description, "messages": refer}

    def operation(action: str, name: str, kinds: tuple[type, ...]) -> Schema:
        refer = [{"$ref": f"#/channels/{name}/messages/{kind.__name__}"} for kind in kinds]
        return {"action": action, "channel": {"$ref": f"#/channels/{name}"}, "messages": refer}

    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Vivienne", "version": build_version()},
        "channels": {
            "state": channel(
                f"{root}{STATE}", (*STATE_OUT, *STATE_IN), "States of assets, and changes of configuration."
            ),
            "logs": channel(f"{root}{LOGS}", LOGS_OUT, "Log records; `?level=` narrows them."),
            "alerts": channel(f"{root}{ALERTS}", _ALERTS_OUT, "Alerts of rules with a channel of the type browser."),
            "redisControl": channel("vivienne:control", CONTROL_IN, "With Redis: changes, by pub/sub or as a stream."),
            "redisResults": channel("vivienne:control:results", CONTROL_OUT, "With Redis: what came of them."),
            "redisState": {
                **channel("vivienne:state:{asset}", (AssetData,), "With Redis: states; the key has the latest."),
                "parameters": {"asset": {"description": "Name of the asset, as in BTC."}},
            },
            "redisStatesChanged": channel(
                "vivienne:states_changed",
                (StatesChanged,),
                "With Redis and several agents: what changed in their states.",
            ),
            "redisChanges": channel("vivienne:config", (ConfigChanged,), "With Redis: changes that came into force."),
            "redisAlerts": channel(
                "vivienne:alerts",
                _ALERTS,
                "With Redis: alerts of rules with a channel of the type redis. The key of this name is their stream.",
            ),
        },
        "operations": {
            "sendState": operation("send", "state", STATE_OUT),
            "receiveChange": operation("receive", "state", STATE_IN),
            "sendLog": operation("send", "logs", LOGS_OUT),
            "sendAlert": operation("send", "alerts", _ALERTS_OUT),
            "receiveControl": operation("receive", "redisControl", CONTROL_IN),
            "publishResult": operation("send", "redisResults", CONTROL_OUT),
            "publishState": operation("send", "redisState", (AssetData,)),
            "publishStatesChanged": operation("send", "redisStatesChanged", (StatesChanged,)),
            "publishChange": operation("send", "redisChanges", (ConfigChanged,)),
            "publishAlert": operation("send", "redisAlerts", _ALERTS),
        },
        "components": {"messages": messages, "schemas": schemas(kinds)},
    }
