"""Requests for rules of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vivienne.changes.requests import Request

if TYPE_CHECKING:
    from vivienne.wire.document import Document


@dataclass(frozen=True, slots=True)
class SetRule:
    """Make a rule, or replace one; the document is the whole rule as it was sent."""

    document: Document


@dataclass(frozen=True, slots=True)
class DeleteRule:
    """Delete a rule."""


@dataclass(frozen=True, slots=True)
class SwitchOffRule:
    """Switch a rule off because it cannot work; the problem says why, in words."""

    problem: str


AlertIntent = SetRule | DeleteRule | SwitchOffRule
"""A change of a rule."""


@dataclass(frozen=True, slots=True)
class AlertRequest(Request):
    """A request to change a rule of alerts.

    Attributes:
        alert_id: of the rule; None makes a new one.
    """

    intent: AlertIntent
    alert_id: str | None

    def _asked(self) -> tuple[str, object]:
        return type(self.intent).__name__, [self.alert_id, self.intent]
