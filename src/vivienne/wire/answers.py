"""Answers about the configuration."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from vivienne.wire.document import Document, EffectiveDocument
from vivienne.wire.pause import PauseEntry
from vivienne.wire.problem import ProblemEntry, WarningEntry

Action = Literal["update", "partial_update", "reset", "activate", "delete", "pause", "resume", "alert", "alert_delete"]
Source = Literal["default", "global", "asset"]


class ValueChange(TypedDict):
    """A changed value. `old` or `new` is missing if there was no value before or after."""

    path: str
    old: NotRequired[Any]
    new: NotRequired[Any]


class Outcome(TypedDict):
    """The effect of a change: the values in force that it changes, and the affected assets."""

    message: str
    version: int
    asset_symbol: str | None
    changed: list[ValueChange]
    assets: list[str]
    config: EffectiveDocument


class Acknowledgement(Outcome):
    """A change that was made. It is on disk and in force."""

    status: Literal["success"]
    config_id: str
    previous_version: int
    warnings: list[WarningEntry]


class Preview(Outcome):
    """A change that is valid, but was only checked and not made."""

    status: Literal["valid"]
    warnings: list[WarningEntry]


class Verdict(TypedDict):
    """The result of a validation: the effect of the change, or all its errors.

    `warnings` name values that are valid and rarely meant; a change that is not valid has none.
    """

    valid: bool
    errors: list[ProblemEntry]
    warnings: list[WarningEntry]
    status: NotRequired[Literal["valid"]]
    message: NotRequired[str]
    version: NotRequired[int]
    asset_symbol: NotRequired[str | None]
    changed: NotRequired[list[ValueChange]]
    assets: NotRequired[list[str]]
    config: NotRequired[EffectiveDocument]


class AgentConfirmation(TypedDict):
    """An agent's assets, and whether the states that it publishes show them as paused; otherwise the reason.

    `agent` is its share, as in `1/2`; for one that does not respond, its name is added; null if none has
    published these assets.
    """

    agent: str | None
    assets: list[str]
    confirmed: bool
    reason: str | None


class Switched(Outcome):
    """A pause or its end for `assets`. `paused` lists all assets that are paused afterwards.

    `pause` is the pause in force afterwards for the asset, or for all assets; null if there is none.

    With the status `success` the pause or its end is on disk and in force. With `not_stored_yet` a pause is in force in
    the process that received it, and storing it is retried; `version` is then the previous version. No configured value
    changes.

    Where agents in other processes decide, `agents` tells of each whether it has stopped. With `not_confirmed_yet` the
    pause is on disk and announced, and an agent may still publish decisions.
    """

    status: Literal["success", "not_stored_yet", "not_confirmed_yet"]
    agents: NotRequired[list[AgentConfirmation]]
    config_id: str
    previous_version: int
    paused: list[str]
    pause: PauseEntry | None


class Pauses(TypedDict):
    """The paused assets, and the pauses in force."""

    paused: list[str]
    pauses: list[PauseEntry]


class LayerChange(TypedDict):
    """The changed values of a layer or an alert rule. `version` and `config_id` are set once the change is made."""

    asset_symbol: str | None
    alert_id: NotRequired[str]
    changed: list[ValueChange]
    version: NotRequired[int]
    config_id: NotRequired[str]


class Replaced(TypedDict):
    """The result, or with `valid` the preview, of replacing several layers in one change.

    `version` is the newest version, `assets` are the affected assets.
    """

    status: Literal["success", "valid", "unchanged"]
    message: str
    version: int
    layers: list[LayerChange]
    assets: list[str]
    warnings: list[WarningEntry]


class InForce(TypedDict):
    """The configuration in force, and the pause in force, if any. `sources` names the layer of each value by path."""

    config_id: str | None
    version: int
    asset_symbol: str | None
    config: EffectiveDocument
    sources: dict[str, Source]
    pause: PauseEntry | None


class RevisionEntry(TypedDict):
    """One accepted change. `config` is the document of its layer after the change; a pause does not alter it.

    `author` is the name of the caller's token; `claimed_author` is the author named in the request, if different.
    Without a token, `author` is the author named in the request. `address` is the network address of the caller, if
    known. `trace_id` names the request that made the change, as its answer did in `X-Request-ID`.

    Changes of alert rules (`alert`, `alert_delete`) have an `alert_id`; their `config` is the rule with masked secrets.
    """

    config_id: str
    version: int
    asset_symbol: str | None
    alert_id: NotRequired[str]
    is_active: bool
    action: Action
    target: str | None
    created_at: str
    author: str
    channel: str
    address: str | None
    claimed_author: NotRequired[str]
    reason: str | None
    request_id: str | None
    trace_id: NotRequired[str]
    changed: list[ValueChange]
    config: Document


class ConfigurationPage(TypedDict):
    """Configurations, newest first; `next` is the `before` of the next page."""

    configurations: list[RevisionEntry]
    next: int | None


class HistoryPage(TypedDict):
    """All changes, newest first; `next` is the `before` of the next page."""

    history: list[RevisionEntry]
    next: int | None
