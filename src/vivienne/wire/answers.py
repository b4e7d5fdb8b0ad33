"""Answers about the configuration."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from vivienne.wire.document import Document, EffectiveDocument
from vivienne.wire.pause import PauseEntry
from vivienne.wire.problem import ProblemEntry

Action = Literal["update", "partial_update", "reset", "activate", "delete", "pause", "resume"]
Source = Literal["default", "global", "asset"]


class ValueChange(TypedDict):
    """A value that is different; a side that had none leaves its name out."""

    path: str
    old: NotRequired[Any]
    new: NotRequired[Any]


class Outcome(TypedDict):
    """The effect of a change: on which values in force, of which assets."""

    message: str
    version: int
    asset_symbol: str | None
    changed: list[ValueChange]
    assets: list[str]
    config: EffectiveDocument


class Acknowledgement(Outcome):
    """A change that was made: it is on disk and in force."""

    status: Literal["success"]
    config_id: str
    previous_version: int


class Preview(Outcome):
    """A change that would be accepted, and was not made."""

    status: Literal["valid"]


class Verdict(TypedDict):
    """The result of a validation: the effect the change would have, or all problems with it."""

    valid: bool
    errors: list[ProblemEntry]
    status: NotRequired[Literal["valid"]]
    message: NotRequired[str]
    version: NotRequired[int]
    asset_symbol: NotRequired[str | None]
    changed: NotRequired[list[ValueChange]]
    assets: NotRequired[list[str]]
    config: NotRequired[EffectiveDocument]


class Switched(Outcome):
    """Decisions paused, or resumed, for `assets`. Afterwards `paused` lists every paused asset.

    `pause` is the pause in force afterwards for the asset, or for all assets; null when there is none.

    With the status `success` it is on disk and in force. With `not_stored_yet` a pause is in force in the process that
    was asked, and storing it is retried; `version` is then the one before. No value is ever changed by it.
    """

    status: Literal["success", "not_stored_yet"]
    config_id: str
    previous_version: int
    paused: list[str]
    pause: PauseEntry | None


class Pauses(TypedDict):
    """The paused assets, and the pauses in force."""

    paused: list[str]
    pauses: list[PauseEntry]


class LayerChange(TypedDict):
    """A layer that sets something else: which values, from what to what; `version` and `config_id` once it is made."""

    asset_symbol: str | None
    changed: list[ValueChange]
    version: NotRequired[int]
    config_id: NotRequired[str]


class Replaced(TypedDict):
    """Several layers replaced as one change, or what that would do; `version` is the newest, `assets` are affected."""

    status: Literal["success", "valid", "unchanged"]
    message: str
    version: int
    layers: list[LayerChange]
    assets: list[str]


class InForce(TypedDict):
    """The configuration in force, by path the layer each value comes from, and the pause in force, if there is one."""

    config_id: str | None
    version: int
    asset_symbol: str | None
    config: EffectiveDocument
    sources: dict[str, Source]
    pause: PauseEntry | None


class RevisionEntry(TypedDict):
    """One accepted change; `config` is the document of its layer afterwards, which a pause leaves as it is.

    `author` is the name of the caller's token, `claimed_author` what that caller said instead. Without a token,
    `author` is what the caller said. `address` is where the caller was connected from, if known.
    """

    config_id: str
    version: int
    asset_symbol: str | None
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
    changed: list[ValueChange]
    config: Document


class ConfigurationPage(TypedDict):
    """Configurations, newest first; `next` is the `before` of the next page."""

    configurations: list[RevisionEntry]
    next: int | None


class HistoryPage(TypedDict):
    """Everything that was changed, newest first; `next` is the `before` of the next page."""

    history: list[RevisionEntry]
    next: int | None
