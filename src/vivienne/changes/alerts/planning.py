"""Turns a request for a rule into a plan, or into all problems with it; and a plan into a revision."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vivienne.alerts.reading import read_rule
from vivienne.changes.alerts.in_force import MOST_RULES, RuleInForce
from vivienne.changes.alerts.requests import DeleteRule, SetRule
from vivienne.changes.alerts.showing import changes_of
from vivienne.changes.plan import Prepared, done
from vivienne.config.layers import ALERT
from vivienne.errors import InvalidConfiguration, SecretUnavailable
from vivienne.store.revision import Revision

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from vivienne.alerts.rule import Rule
    from vivienne.changes.alerts.in_force import AlertRules
    from vivienne.changes.alerts.requests import AlertRequest
    from vivienne.wire.alert import AlertChanged
    from vivienne.wire.answers import ValueChange
    from vivienne.wire.problem import WarningEntry

    Seal = Callable[[str], str]
    """Encrypts a secret; raises `SecretUnavailable`."""


def no_seal(_secret: str) -> str:
    """Refuse secrets, where there is no key for them.

    Raises:
        SecretUnavailable: always.
    """
    raise SecretUnavailable("Secrets cannot be encrypted here; name an environment variable, as env:NAME")


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """A change of a rule, worked out.

    Attributes:
        before: the rule; None if there was none.
        rule: what it becomes, with encrypted secrets; None deletes it.
        changed: values that are different, with masked secrets.
        made: by channel, signing secrets that were made.
    """

    alert_id: str
    before: RuleInForce | None
    rule: Rule | None
    changed: list[ValueChange]
    warnings: list[WarningEntry] = field(default_factory=list)
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def layer(self) -> str:
        """The layer of the rule."""
        return ALERT + self.alert_id


def plan_alert(rules: AlertRules, request: AlertRequest, assets: Collection[str], seal: Seal) -> AlertPlan:
    """Work out what a request would do.

    Raises:
        UnknownAlert: there is no such rule.
        VersionConflict: it has another version.
        InvalidConfiguration: all problems with it.
    """
    alert_id, intent = request.alert_id, request.intent
    rules.expect(request.expected_version, alert_id)
    if alert_id is None:
        if len(rules) >= MOST_RULES:
            raise InvalidConfiguration(f"The limit of {MOST_RULES:,} alert rules is reached; delete one first")
        alert_id, before = f"al_{secrets.token_hex(6)}", None
    else:
        rules.version_of(alert_id)
        before = rules.by_id.get(alert_id)
    kept = None if before is None else before.rule
    if isinstance(intent, DeleteRule):
        return AlertPlan(alert_id, before, None, changes_of(kept, None))
    if isinstance(intent, SetRule):
        read = read_rule(intent.document, assets=assets, kept=kept)
        rule, made = sealed(read.rule, seal)
        return AlertPlan(alert_id, before, rule, changes_of(kept, rule), read.warnings, made)
    off = rules.get(alert_id).rule.switched_off(intent.problem)
    return AlertPlan(alert_id, before, off, changes_of(kept, off))


def sealed(rule: Rule, seal: Seal) -> tuple[Rule, Mapping[str, str]]:
    """A rule with a signing secret for each webhook and all secrets encrypted, and by channel those that were made.

    Raises:
        InvalidConfiguration: they cannot be encrypted.
    """
    whole, made = rule.with_made_secrets()
    try:
        return whole.sealed(seal), made
    except SecretUnavailable as error:
        raise InvalidConfiguration(str(error), path="channels") from error


def write_up_alert(plan: AlertPlan, request: AlertRequest, version: int, created_at: str) -> Prepared[AlertChanged]:
    """The revision to store, and the answer. Secrets that were made are in the answer only, and not in what is kept.

    Args:
        plan: what comes of it.
        request: by whom and why.
        version: of the revision.
        created_at: now.
    """
    repeatable = request.request_id is not None
    revision = alert_revision(
        plan,
        version,
        author=request.author,
        channel=request.channel,
        created_at=created_at,
        address=request.address,
        reason=request.reason,
        request_id=request.request_id,
        request_digest=request.digest() if repeatable else None,
        claimed_author=request.claimed_author,
        trace_id=request.trace_id,
        requester=request.requester if repeatable else "",
    )
    summary = done(revision.action, plan.changed, plan.layer)
    answer: AlertChanged = {
        "status": "success",
        "message": summary,
        "alert_id": plan.alert_id,
        "version": version,
        "config_id": revision.config_id,
        "warnings": plan.warnings,
    }
    if plan.rule is not None:
        begun, made_by = created_at, request.author
        if plan.before is not None:
            begun, made_by = plan.before.created_at, plan.before.made_by
        by = version, revision.config_id, begun, made_by, created_at, request.author, request.reason
        answer["alert"] = RuleInForce(plan.alert_id, *by, plan.rule).entry()
    if repeatable:
        revision = revision.answered(answer)
    if plan.made:
        answer = {**answer, "secrets": dict(plan.made)}
    return Prepared(answer=answer, revisions=(revision,), summaries=(summary,), caller=request.caller)


def alert_revision(
    plan: AlertPlan, version: int, *, author: str, channel: str, created_at: str, **more: Any
) -> Revision:
    """The revision of a plan."""
    return Revision(
        version=version,
        config_id=str(uuid.uuid4()),
        layer=plan.layer,
        action="alert" if plan.rule is not None else "alert_delete",
        document={} if plan.rule is None else plan.rule.document(),
        changed=plan.changed,
        author=author,
        channel=channel,
        created_at=created_at,
        **more,
    )
