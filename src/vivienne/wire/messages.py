"""Messages as they go out on the wire, and those that come in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from vivienne.wire.answers import Acknowledgement, Preview, RevisionEntry, Switched
from vivienne.wire.document import Document, EffectiveDocument
from vivienne.wire.problem import ProblemEntry
from vivienne.wire.state import AssetState

if TYPE_CHECKING:
    from collections.abc import Mapping


AGENT = "VivienneAgent"
"""Name of the agent in messages."""
AGENT_NAMES = ("vivienneagent", "vivienne")
"""Names of the agent in messages that come in, in lower case; they are matched without regard to case."""

Message = dict[str, Any]
"""A message that came in, of whatever content."""


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


class _Answer(TypedDict):
    agent: str
    asset: str | None
    timestamp: str
    request_id: NotRequired[str]


class ConfigUpdateResponse(_Answer, Acknowledgement):
    """Answer to a `config_update` that was made."""

    type: Literal["config_update_response"]


class ConfigPreviewResponse(_Answer, Preview):
    """Answer to a `config_update` with `validate_only` that would be accepted."""

    type: Literal["config_update_response"]


class ControlResponse(_Answer, Acknowledgement):
    """Answer to a `control` that was made."""

    type: Literal["control_response"]


class SwitchResponse(_Answer, Switched):
    """Answer to a `pause` or `resume`, also where it came as a `control`."""

    type: Literal["pause_response", "resume_response", "control_response"]


class SubscribeResponse(TypedDict):
    """Answer to a `subscribe`."""

    type: Literal["subscribe_response"]
    status: Literal["success"]
    timestamp: str
    assets: list[str]
    request_id: NotRequired[str]


class ErrorMessage(TypedDict):
    """Answer to a message that was refused. Nothing was changed."""

    type: Literal["error"]
    status: Literal["error"]
    timestamp: str
    code: str
    message: str
    errors: list[ProblemEntry]
    in_reply_to: str | None
    request_id: NotRequired[str]


class LogMessage(TypedDict):
    """One log record; `dropped` says how many before it were lost to a slow reader.

    Where several processes share the work, `process` says which one wrote it; without it, the one that is asked did.
    """

    type: Literal["log"]
    timestamp: str
    level: str
    logger: str
    message: str
    exception: NotRequired[str]
    process: NotRequired[str]
    dropped: NotRequired[int]


class ConfigChanged(RevisionEntry):
    """A change came into force, over whatever channel; `assets` are those it bears on. On Redis only."""

    type: Literal["config_changed"]
    assets: list[str]


class _Incoming(TypedDict):
    """`timestamp` and `protocol_version` are accepted and not used."""

    timestamp: NotRequired[str | float]
    protocol_version: NotRequired[str | float]


class _Change(_Incoming):
    agent: NotRequired[Annotated[str, Field(description="`VivienneAgent` or `vivienne`, in any case.")]]
    asset: NotRequired[Annotated[str | None, Field(description="In any case; null or left out, all assets.")]]
    asset_symbol: NotRequired[Annotated[str | None, Field(description="Another name of `asset`.")]]
    request_id: NotRequired[str]
    author: NotRequired[str]
    reason: NotRequired[str]
    expected_version: NotRequired[int]


class ConfigUpdate(_Change):
    """Change the configuration of an asset, or of all; `config` or `parameters`, nested or by flat names."""

    type: Literal["config_update", "vivienne_config_update"]
    config: NotRequired[Document]
    parameters: NotRequired[Document]
    mode: NotRequired[Literal["partial", "full"]]
    update_type: NotRequired[Annotated[Literal["partial", "full"], Field(description="Another name of `mode`.")]]
    validate_only: NotRequired[bool]


class Control(_Change):
    """The same as a control message; `params` may hold the fields around the change too.

    With the strategy `pause` or `resume` it does what the messages of these names do.
    """

    type: Literal["control"]
    strategy: Literal["general_parameters", "pause", "resume"]
    params: NotRequired[Document]


class Pause(_Change):
    """Stop an asset, or all: idle, with size 0, until it is resumed."""

    type: Literal["pause"]


class Resume(_Change):
    """End the pause of an asset, or that of all; one does not end the other."""

    type: Literal["resume"]


class Subscribe(_Incoming):
    """Narrow the stream to some assets; `["*"]` widens it to all."""

    type: Literal["subscribe"]
    assets: list[str]
    request_id: NotRequired[str]


STATE_OUT = (
    AssetData, ConfigUpdateResponse, ConfigPreviewResponse, ControlResponse, SwitchResponse, SubscribeResponse,
    ErrorMessage,
)  # fmt: skip
"""Messages that `/ws/state` sends."""
STATE_IN = (ConfigUpdate, Control, Pause, Resume, Subscribe)
"""Messages that `/ws/state` accepts."""
LOGS_OUT = (LogMessage,)
"""Messages that `/ws/logs` sends."""
CONTROL_IN = (ConfigUpdate, Control, Pause, Resume)
"""Messages that the control channel and the control stream in Redis accept."""
CONTROL_OUT = (ConfigUpdateResponse, ConfigPreviewResponse, ControlResponse, SwitchResponse, ErrorMessage)
"""Messages that are published as their results."""


def encode(message: Mapping[str, Any]) -> str:
    """A message as JSON text. Lone surrogates, which a file name may have, are escaped."""
    try:
        return orjson.dumps(message).decode()
    except TypeError:
        return json.dumps(message, allow_nan=False)
