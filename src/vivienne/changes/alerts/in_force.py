"""The rules of alerts in force."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from vivienne.alerts.rule import Rule
from vivienne.config.flat import quoted
from vivienne.config.layers import alert_of
from vivienne.errors import UnknownAlert, VersionConflict
from vivienne.store.revision import Begun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vivienne.store.revision import Revision
    from vivienne.wire.alert import AlertRule, Undelivered

_log = logging.getLogger(__name__)

MOST_RULES = 1_000


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule of alerts, as of its newest revision.

    Attributes:
        version: of that revision.
        config_id: of that revision.
        created_at: when the rule was made.
        made_by: the author of that.
        changed_at: when that revision was made.
        author: of that revision, like the reason.
    """

    alert_id: str
    version: int
    config_id: str
    created_at: str
    made_by: str
    changed_at: str
    author: str
    reason: str | None
    rule: Rule

    @property
    def problem(self) -> str | None:
        """Why it was switched off by itself; None otherwise."""
        return self.rule.problem

    def entry(self, last_fired_at: str | None = None, undelivered: Iterable[Undelivered] = ()) -> AlertRule:
        """The rule as it is listed, with masked secrets."""
        entry = {
            "alert_id": self.alert_id,
            "version": self.version,
            **self.rule.shown(),
            "created_at": self.created_at,
            "changed_at": self.changed_at,
            "author": self.author,
            "reason": self.reason,
            "last_fired_at": last_fired_at,
            "undelivered": list(undelivered),
        }
        return cast("AlertRule", entry)  # the fields of the rule come from its document


@dataclass(frozen=True, slots=True)
class AlertRules:
    """The rules of one moment. Immutable: a change makes new ones.

    Attributes:
        by_id: in the order of their making.
        unreadable: versions of stored rules that this program cannot read; they do not fire, and can be replaced or
            deleted.
    """

    by_id: Mapping[str, RuleInForce] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, heads: Iterable[Revision], begun: Mapping[str, Begun]) -> AlertRules:
        """The rules of the newest revisions of their layers.

        Args:
            heads: these, and those of other layers.
            begun: by layer of a rule, when it was made, and by whom.
        """
        of_rules = sorted(
            (head for head in heads if head.is_alert),
            key=lambda head: (begun[head.layer].created_at if head.layer in begun else "", head.layer),
        )
        return cls().followed(of_rules, begun)

    def followed(self, revisions: Iterable[Revision], begun: Mapping[str, Begun] | None = None) -> AlertRules:
        """The rules after more revisions, of which some may concern other layers."""
        by_id, unreadable = dict(self.by_id), dict(self.unreadable)
        is_other = False
        for revision in revisions:
            alert_id = alert_of(revision.layer)
            if alert_id is None:
                continue
            is_other = True
            before = by_id.get(alert_id)
            unreadable.pop(alert_id, None)
            if revision.action == "alert_delete":
                by_id.pop(alert_id, None)
                continue
            first = Begun(before.created_at, before.made_by) if before else (begun or {}).get(revision.layer)
            found = _in_force(alert_id, revision, first or Begun(revision.created_at, revision.author))
            if found is None:
                by_id.pop(alert_id, None)
                unreadable[alert_id] = revision.version
            else:
                by_id[alert_id] = found
        return AlertRules(by_id, unreadable) if is_other else self

    def rules(self) -> tuple[RuleInForce, ...]:
        """All of them, oldest first."""
        return tuple(self.by_id.values())

    def get(self, alert_id: str) -> RuleInForce:
        """A rule.

        Raises:
            UnknownAlert: there is none with this id.
        """
        found = self.by_id.get(alert_id)
        if found is None:
            raise UnknownAlert(f"Unknown alert_id {quoted(alert_id)}; GET /phoenix/alerts lists all", path="alert_id")
        return found

    def version_of(self, alert_id: str) -> int:
        """The version of a rule, also of one that cannot be read.

        Raises:
            UnknownAlert: there is none with this id.
        """
        unreadable = self.unreadable.get(alert_id)
        return self.get(alert_id).version if unreadable is None else unreadable

    def expect(self, expected: int | None, alert_id: str | None) -> None:
        """Refuse unless this version, if any is given, is that of a rule; 0 is that of one to be made.

        Raises:
            VersionConflict: it is not.
        """
        present = 0 if alert_id is None else self.version_of(alert_id)
        if expected is not None and expected != present:
            raise VersionConflict(
                f"The rule is at version {present}, not {expected}; read it again and repeat the change",
                path="expected_version",
            )

    def ids(self) -> set[str]:
        """The config_id of each rule."""
        return {rule.config_id for rule in self.by_id.values()}

    def __len__(self) -> int:
        """Their number, those that cannot be read too."""
        return len(self.by_id) + len(self.unreadable)


def _in_force(alert_id: str, revision: Revision, first: Begun) -> RuleInForce | None:
    try:
        rule = Rule.load(revision.document)
    except ValueError:  # not its text, which may have parts of the document
        _log.error("The stored alert rule %s (version %d) cannot be read and is ignored", alert_id, revision.version)
        return None
    return RuleInForce(
        alert_id,
        revision.version,
        revision.config_id,
        first.created_at,
        first.author,
        revision.created_at,
        revision.author,
        revision.reason,
        rule,
    )
