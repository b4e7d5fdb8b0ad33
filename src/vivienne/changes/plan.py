"""A change that would be accepted, worked out before it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from vivienne.config.layers import GLOBAL, alert_of, asset_of
from vivienne.store.revision import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vivienne.access.caller import Caller
    from vivienne.config.layers import Layers
    from vivienne.store.revision import Revision
    from vivienne.wire.answers import Action, Outcome, ValueChange
    from vivienne.wire.document import Document
    from vivienne.wire.problem import WarningEntry

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Plan:
    """A change worked out.

    Attributes:
        document: what its layer would set.
        layers: all layers afterwards.
        changed: values in force for the layer that would be different.
        warnings: of values that are valid and rarely meant.
        assets: whose configuration would be different.
        target: the config_id a delete or an activation is about.
        active_id: the config_id in force in the layer afterwards, where that is not the new revision.
    """

    layer: str
    action: Action
    document: Document
    layers: Layers
    changed: list[ValueChange]
    assets: list[str]
    warnings: list[WarningEntry]
    target: str | None = None
    active_id: str | None = None

    def outcome(self, version: int, *, made: bool) -> Outcome:
        """The effect, for the caller.

        Args:
            version: in force for the layer.
            made: whether it was made, or would be.
        """
        return {
            "message": self.summary() if made else f"Nothing was changed. {self.summary()}",
            "version": version,
            "asset_symbol": asset_of(self.layer),
            "changed": self.changed,
            "assets": self.assets,
            "config": self.layers.effective(self.layer),
        }

    def summary(self) -> str:
        """A sentence."""
        sentence = done(self.action, self.changed, self.layer)
        if self.layer == GLOBAL and self.changed and not self.assets:
            sentence += ", each of which overrides it, so nothing is different"
        return sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Generic[AnswerT]):
    """A change worked out to the last, on top of what is in force.

    Attributes:
        answer: what the caller is told once it is made.
        revisions: to append, all or none; none when there is nothing to do.
        summaries: of each revision, a sentence.
        active_ids: by layer of these, the config_id in force afterwards.
        layers: all layers afterwards; None for what follows from the revisions.
        caller: who asks, if it may still be refused because of that.
        ends: version and time of the entry of a pause that it ends, if that is still so when it is stored.
    """

    answer: AnswerT
    revisions: tuple[Revision, ...] = ()
    summaries: Sequence[str] = ()
    active_ids: Mapping[str, str | None] = field(default_factory=dict)
    layers: Layers | None = None
    caller: Caller | None = None
    ends: tuple[int, str] | None = None


def done(action: Action, changed: list[ValueChange], layer: str) -> str:
    """A sentence that says what was done."""
    whom = "all assets" if layer == GLOBAL else alert_of(layer) or layer
    if action in SWITCHES or action == "alert_delete":
        return f"{_DONE[action]}: {whom}"
    count = len(changed)
    values = "no value" if count == 0 else "1 value" if count == 1 else f"{count} values"
    return f"{_DONE[action]}: {values} changed for {whom}"


_DONE = {
    "update": "Configuration replaced",
    "partial_update": "Configuration updated",
    "reset": "Values reset",
    "activate": "Configuration activated",
    "delete": "Configuration deleted",
    "pause": "Paused",
    "resume": "Resumed",
    "alert": "Alert rule set",
    "alert_delete": "Alert rule deleted",
}
