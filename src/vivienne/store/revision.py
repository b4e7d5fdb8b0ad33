"""A revision: one accepted change, for ever."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import orjson

from vivienne.config.layers import alert_of, asset_of
from vivienne.wire.answers import Action

if TYPE_CHECKING:
    from vivienne.wire.alert import AlertChanged
    from vivienne.wire.answers import Acknowledgement, Replaced, RevisionEntry, Switched, ValueChange
    from vivienne.wire.document import Document


ACTIONS: frozenset[str] = frozenset(get_args(Action))
"""Kinds of revisions that this version can put in force."""
SWITCHES: frozenset[Action] = frozenset({"pause", "resume"})
"""Actions that stop decisions and let them go on. Such a revision repeats the document of its layer unchanged."""
ALERTS: frozenset[Action] = frozenset({"alert", "alert_delete"})
"""Actions that make, change or delete rules of alerts. Each rule has a layer of its own."""
NO_CONFIGURATION: frozenset[Action] = SWITCHES | ALERTS | {"delete"}
"""Revisions that put no configuration of their own in force."""
IMPORT = "import"
"""Channel of the revisions of a file, which are made as one change."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One accepted change.

    Attributes:
        version: increasing by one over all layers.
        config_id: names it for ever.
        layer: ``global``, the asset, or that of an alert rule.
        document: what the layer sets itself from here on; or the alert rule, with encrypted secrets.
        changed: what that changed in force for the layer: path, old and new value.
        target: the config_id a delete or an activation was about.
        channel: how it came in: rest, websocket, control, redis, import, cli.
        author: the name of the caller's token; without one, what the caller said.
        trace_id: of the request that made it.
        claimed_author: what a caller with a token said, where it was something else.
        address: where the caller was connected from, if known.
        request_id: given by the caller, so that a repeated request is answered and not made twice.
        requester: whose request_id it is; empty for anybody's, None where it may be used again.
        request_digest: what the request was, to tell a repetition from a reuse.
        answer: what the caller was answered; kept where there is a request_id.
        created_at: when, ISO 8601 UTC.
    """

    version: int
    config_id: str
    layer: str
    action: Action
    document: Document
    changed: list[ValueChange]
    author: str
    channel: str
    created_at: str
    target: str | None = None
    address: str | None = None
    reason: str | None = None
    request_id: str | None = None
    request_digest: str | None = None
    answer: Acknowledgement | Replaced | Switched | AlertChanged | None = None
    claimed_author: str | None = None
    trace_id: str | None = None
    requester: str | None = ""

    @property
    def asset_symbol(self) -> str | None:
        """The asset, or None for the global layer."""
        return asset_of(self.layer)

    @property
    def occasion(self) -> tuple[str, ...]:
        """Equal in neighbouring revisions that were made as one change of several layers."""
        return self.channel, self.created_at, self.author, self.trace_id or ""

    @property
    def is_switch(self) -> bool:
        """True if it pauses or resumes."""
        return self.action in SWITCHES

    @property
    def is_configuration(self) -> bool:
        """True if it puts a configuration of its own in force."""
        return self.action not in NO_CONFIGURATION

    @property
    def is_alert(self) -> bool:
        """True if it makes, changes or deletes a rule of alerts."""
        return self.action in ALERTS

    @property
    def puts_in_force(self) -> bool:
        """True if it puts a configuration or an alert rule of its own in force."""
        return self.is_configuration or self.action == "alert"

    @property
    def shown_document(self) -> Document:
        """The document, with masked secrets if it is an alert rule."""
        return _masked(self.document) if self.is_alert else self.document

    def answered(self, answer: AlertChanged) -> Revision:
        """The same, with the answer that a repeated request gets."""
        return replace(self, answer=answer)

    def size(self) -> int:
        """Bytes of the parts that may be long."""
        return len(orjson.dumps((self.document, self.changed, self.answer)))

    def as_document(self, *, is_active: bool) -> RevisionEntry:
        """The revision as `all` and `history` list it. Secrets of alert rules are masked."""
        entry: RevisionEntry = {
            "config_id": self.config_id,
            "version": self.version,
            "asset_symbol": self.asset_symbol,
            "is_active": is_active,
            "action": self.action,
            "target": self.target,
            "created_at": self.created_at,
            "author": self.author,
            "channel": self.channel,
            "address": self.address,
            "reason": self.reason,
            "request_id": self.request_id,
            "changed": self.changed,
            "config": self.shown_document,
        }
        if (alert_id := alert_of(self.layer)) is not None:
            entry["alert_id"] = alert_id
        if self.claimed_author is not None:
            entry["claimed_author"] = self.claimed_author
        if self.trace_id is not None:
            entry["trace_id"] = self.trace_id
        return entry


class Begun(NamedTuple):
    """The first revision of a layer.

    Attributes:
        created_at: when it was made.
        author: by whom.
    """

    created_at: str
    author: str


@dataclass(frozen=True, slots=True)
class AppliedRevision:
    """A revision that was put in force.

    Attributes:
        assets: those under the changed layer.
        made_here: whether this process made it, rather than one it follows.
    """

    revision: Revision
    assets: list[str]
    made_here: bool


def _masked(document: Document) -> Document:
    """The document of an alert rule as it may be shown, also if this version cannot read it."""
    from vivienne.alerts.rule import with_secrets  # noqa: PLC0415  # commands that show no rules need not load it
    from vivienne.alerts.secret import MASK, Secret  # noqa: PLC0415  # likewise

    def shown(value: Any, _place: str) -> str:
        try:
            return Secret.load(value).shown()
        except ValueError:
            return MASK

    return with_secrets(document, shown)
