"""Rules of alerts set from a file, in the same one change as the layers of configurations."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vivienne.alerts.reading import read_rule
from vivienne.changes.alerts.in_force import MOST_RULES
from vivienne.changes.alerts.planning import AlertPlan, alert_revision, sealed
from vivienne.changes.alerts.showing import changes_of
from vivienne.changes.plan import done
from vivienne.config.layers import ALERT
from vivienne.errors import InvalidConfiguration, Problem
from vivienne.store.revision import IMPORT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from vivienne.changes.alerts.in_force import AlertRules, RuleInForce
    from vivienne.changes.alerts.planning import Seal
    from vivienne.changes.import_plan import ReplacementPlan
    from vivienne.changes.plan import Prepared
    from vivienne.changes.requests import Replacement
    from vivienne.wire.answers import LayerChange, Replaced
    from vivienne.wire.document import Document

_PLACE = re.compile(r"channels\.(\d+)")


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """An import worked out: what the layers of configurations come to, and the rules that are different."""

    layers: ReplacementPlan
    alerts: list[AlertPlan]

    def outcome(self, version: int, *, made: bool) -> Replaced:
        """The effect, for the caller; see `ReplacementPlan.outcome`."""
        return told_of(self.alerts, self.layers.outcome(version, made=made), made=made)


def plan_alerts(rules: AlertRules, asked: Replacement, assets: Collection[str], seal: Seal) -> list[AlertPlan]:
    """Work out what an import would do to the rules. Those that would be the same are left out.

    Args:
        rules: in force.
        asked: has rules by alert_id; without any they stay as they are.
        assets: that are decided.
        seal: encrypts secrets.

    Raises:
        InvalidConfiguration: all problems, each with the layer of its rule in the place of an asset.
    """
    if asked.alerts is None:
        return []
    plans, problems = list[AlertPlan](), list[Problem]()
    for alert_id, document in asked.alerts.items():
        try:
            plans.append(_plan(alert_id, document, rules.by_id.get(alert_id), assets, seal))
        except InvalidConfiguration as refused:
            problems += [_placed(problem, alert_id, document) for problem in refused.problems]
    gone = [rule for rule in rules.rules() if asked.empty_others and rule.alert_id not in asked.alerts]
    plans += [AlertPlan(rule.alert_id, rule, None, changes_of(rule.rule, None)) for rule in gone]
    added = [plan for plan in plans if plan.before is None]
    if added and len(rules) + len(added) - len(gone) > MOST_RULES:
        limit = f"The limit of {MOST_RULES:,} alert rules is reached; delete one first"
        problems.append(Problem("", limit, ALERT + added[-1].alert_id))
    if problems:
        raise InvalidConfiguration(problems)
    return [plan for plan in plans if plan.changed]


def _plan(
    alert_id: str, document: Document, before: RuleInForce | None, assets: Collection[str], seal: Seal
) -> AlertPlan:
    kept = None if before is None else before.rule
    read = read_rule(document, assets=assets, kept=kept)
    _, made = read.rule.with_made_secrets()
    if made:  # nobody would be shown it
        raise InvalidConfiguration(
            [
                Problem(f"channels.{channel}.secret", "A signing secret is missing, and none is kept; write env:NAME")
                for channel in made
            ]
        )
    rule, _ = sealed(read.rule, seal)
    return AlertPlan(alert_id, before, rule, changes_of(kept, rule), read.warnings)


def _placed(problem: Problem, alert_id: str, document: Document) -> Problem:
    """A problem with the layer of its rule; a channel goes by its id, as in a file."""
    channels = document.get("channels")
    path = problem.path
    if isinstance(channels, list) and (found := _PLACE.match(path)) and int(found[1]) < len(channels):
        channel = channels[int(found[1])]
        named = channel.get("id") if isinstance(channel, dict) else None
        path = f"channels.{named or found[1]}{path[found.end() :]}"
    message = problem.message.replace(problem.path, path) if problem.path else problem.message
    return Problem(path, message, ALERT + alert_id)


def told_of(plans: Iterable[AlertPlan], answer: Replaced, *, made: bool) -> Replaced:
    """The answer to an import, with the rules that are different."""
    changes: list[LayerChange] = [
        {"asset_symbol": None, "alert_id": plan.alert_id, "changed": plan.changed} for plan in plans
    ]
    if not changes:
        return answer
    count = f"{len(changes)} alert rule{'s' if len(changes) > 1 else ''}"
    nothing = answer["status"] == "unchanged"
    if made:
        message = f"{count} set" if nothing else f"{answer['message']}, {count} set"
    else:
        message = f"Nothing was changed. {count} would be set" if nothing else f"{answer['message']}, {count} set"
    warnings = [warning for plan in plans for warning in plan.warnings]
    return {
        **answer,
        "status": "success" if made else "valid",
        "message": message,
        "layers": [*answer["layers"], *changes],
        "warnings": [*answer["warnings"], *warnings],
    }


def with_alerts(
    prepared: Prepared[Replaced], plans: list[AlertPlan], asked: Replacement, version: int, created_at: str
) -> Prepared[Replaced]:
    """An import of layers that sets rules too.

    Args:
        prepared: the import of the layers.
        plans: of the rules.
        asked: by whom and why.
        version: the newest one there is.
        created_at: of the revisions.
    """
    begin = version + 1 + len(prepared.revisions)
    revisions = [
        alert_revision(
            plan, begin + number, author=asked.author, channel=IMPORT, created_at=created_at, reason=asked.reason
        )
        for number, plan in enumerate(plans)
    ]
    if not revisions:
        return prepared
    answer = told_of(plans, prepared.answer, made=True)
    answer["version"] = revisions[-1].version
    for told, revision in zip(answer["layers"][-len(revisions) :], revisions, strict=True):
        told["version"], told["config_id"] = revision.version, revision.config_id
    summaries = [done(revision.action, revision.changed, revision.layer) for revision in revisions]
    return replace(
        prepared,
        answer=answer,
        revisions=(*prepared.revisions, *revisions),
        summaries=[*prepared.summaries, *summaries],
    )
