"""Outgoing and incoming messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from vivienne.wire.answers import Acknowledgement, Preview, RevisionEntry, Switched
from vivienne.wire.document import Document, EffectiveDocument
from vivienne.wire.pause import KnownPauseEntry
from vivienne.wire.problem import ProblemEntry
from vivienne.wire.state import AssetState

if TYPE_CHECKING:
    from collections.abc import Mapping


AGENT = "VivienneAgent"
"""Name of the agent in messages."""
AGENT_NAMES = ("vivienneagent", "vivienne")
"""Names of the agent in incoming messages, in lower case; they are matched without regard to case."""

Message = dict[str, Any]
"""An incoming message with any content."""

Updates = Literal["states", "changes"]
"""How a client gets states: each one whole, or what changed since the one before."""


class AgentState(TypedDict):
    """A decision and the configuration it was made with."""

    data: AssetState
    config: EffectiveDocument


class AssetData(TypedDict):
    """The state of one asset. `seq` counts the states of the asset."""

    type: Literal["asset_data"]
    asset: str
    timestamp: str
    seq: int
    config_version: int
    agents: dict[str, AgentState]


class AssetChanged(TypedDict):
    """The state of one asset, as what changed since the state with the number `base_seq`.

    `patch` is a JSON Merge Patch (RFC 7396): applied to the whole `asset_data` with that number, it gives the next one.
    Only clients that ask for it with `subscribe` get it; a change that no patch can say is sent as `asset_data`.
    """

    type: Literal["asset_changed"]
    asset: str
    seq: int
    base_seq: int
    patch: dict[str, Any]


class _Answer(TypedDict):
    agent: str
    asset: str | None
    timestamp: str
    request_id: NotRequired[str]


class ConfigUpdateResponse(_Answer, Acknowledgement):
    """Answer to a `config_update` whose change was made."""

    type: Literal["config_update_response"]


class ConfigPreviewResponse(_Answer, Preview):
    """Answer to a valid `config_update` with `validate_only`."""

    type: Literal["config_update_response"]


class ControlResponse(_Answer, Acknowledgement):
    """Answer to a `control` whose change was made."""

    type: Literal["control_response"]


class SwitchResponse(_Answer, Switched):
    """Answer to a `pause` or `resume`, or to a `control` with this strategy."""

    type: Literal["pause_response", "resume_response", "control_response"]


class SubscribeResponse(TypedDict):
    """Answer to a `subscribe`; it has `updates` if that had it."""

    type: Literal["subscribe_response"]
    status: Literal["success"]
    timestamp: str
    assets: list[str]
    updates: NotRequired[Updates]
    request_id: NotRequired[str]


class Pong(TypedDict):
    """Answer to a `ping`."""

    type: Literal["pong"]
    timestamp: str
    request_id: NotRequired[str]


class ErrorMessage(TypedDict):
    """Answer to a rejected message. Nothing was changed. Records of the log have the same `trace_id`."""

    type: Literal["error"]
    status: Literal["error"]
    timestamp: str
    code: str
    message: str
    errors: list[ProblemEntry]
    in_reply_to: str | None
    request_id: NotRequired[str]
    trace_id: NotRequired[str]


class LogMessage(TypedDict):
    """One log record. `dropped` is the number of records before it that were lost because the reader was slow.

    `trace_id` names the request in whose course it was written. With several processes, `process` names the one that
    wrote the record; if it is missing, the answering process did.
    """

    type: Literal["log"]
    timestamp: str
    level: str
    logger: str
    message: str
    exception: NotRequired[str]
    trace_id: NotRequired[str]
    process: NotRequired[str]
    dropped: NotRequired[int]


class ConfigChanged(RevisionEntry):
    """A change that came into force, from any channel; `assets` are the affected ones. On Redis only."""

    type: Literal["config_changed"]
    assets: list[str]


class StatesChanged(TypedDict):
    """States of one agent that are new, as `/ws/state` sends them to a client that asked for changes. On Redis only.

    `base_seq` of each is the number of the state of the asset that the agent published before it.
    """

    type: Literal["states_changed"]
    published_by: str
    states: list[AssetData | AssetChanged]


class _Incoming(TypedDict):
    """`timestamp` and `protocol_version` are accepted and not used."""

    timestamp: NotRequired[str | float]
    protocol_version: NotRequired[str | float]


class _Change(_Incoming):
    agent: NotRequired[Annotated[str, Field(description="`VivienneAgent` or `vivienne`, in any case.")]]
    asset: NotRequired[Annotated[str | None, Field(description="In any case; null or missing for all assets.")]]
    asset_symbol: NotRequired[Annotated[str | None, Field(description="Another name of `asset`.")]]
    request_id: NotRequired[str]
    author: NotRequired[str]
    reason: NotRequired[str]
    expected_version: NotRequired[int]


class ConfigUpdate(_Change):
    """Change the configuration of an asset, or of all, by `config` or `parameters`, nested or with flat names."""

    type: Literal["config_update", "vivienne_config_update"]
    config: NotRequired[Document]
    parameters: NotRequired[Document]
    mode: NotRequired[Literal["partial", "full"]]
    update_type: NotRequired[Annotated[Literal["partial", "full"], Field(description="Another name of `mode`.")]]
    validate_only: NotRequired[bool]


class Control(_Change):
    """Change the configuration by a control message. `params` may also hold the other fields of `ConfigUpdate`.

    With the strategy `pause` or `resume` it has the effect of the message of that name.
    """

    type: Literal["control"]
    strategy: Literal["general_parameters", "pause", "resume"]
    params: NotRequired[Document]


class Pause(_Change):
    """Pause an asset, or all: idle, with size 0, until it is resumed."""

    type: Literal["pause"]


class Resume(_Change):
    """End the pause of an asset, or the pause of all assets. Neither ends the other.

    With `pause` it ends the pause that the caller knows, as it was told, and is refused if there is another one; with
    null, if there is any.
    """

    type: Literal["resume"]
    pause: NotRequired[KnownPauseEntry | None]


class Subscribe(_Incoming):
    """Narrow the stream to some assets; `["*"]` widens it to all.

    With `changes` as `updates`, each asset is sent whole once and then as `asset_changed`. Without it, or with
    `states`, every state is sent whole.
    """

    type: Literal["subscribe"]
    assets: list[str]
    updates: NotRequired[Updates]
    request_id: NotRequired[str]


class Ping(_Incoming):
    """Ask for a `pong`. The server pings by itself, below the messages, so nobody needs to send this."""

    type: Literal["ping"]
    request_id: NotRequired[str]


STATE_OUT = (
    AssetData, AssetChanged, ConfigUpdateResponse, ConfigPreviewResponse, ControlResponse, SwitchResponse,
    SubscribeResponse, Pong, ErrorMessage,
)  # fmt: skip
"""Messages that `/ws/state` sends."""
STATE_IN = (ConfigUpdate, Control, Pause, Resume, Subscribe, Ping)
"""Messages that `/ws/state` accepts."""
LOGS_OUT = (LogMessage,)
"""Messages that `/ws/logs` sends."""
CONTROL_IN = (ConfigUpdate, Control, Pause, Resume)
"""Messages that the control channel and the control stream in Redis accept."""
CONTROL_OUT = (ConfigUpdateResponse, ConfigPreviewResponse, ControlResponse, SwitchResponse, ErrorMessage)
"""Messages that are published as the results of those."""


def encode(message: Mapping[str, Any]) -> str:
    """Encode a message as JSON. Lone surrogates, which a file name may contain, are escaped."""
    try:
        return orjson.dumps(message).decode()
    except TypeError:
        return json.dumps(message, allow_nan=False)
