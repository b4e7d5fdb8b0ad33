"""Turns a request into a plan, or into all problems with it; and a plan into the revision it is stored as."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from vivienne.changes.editing import edit
from vivienne.changes.plan import Plan, Prepared
from vivienne.changes.requests import Activate, Delete
from vivienne.config.documents import differences, leaves
from vivienne.config.layers import GLOBAL, altered
from vivienne.config.warnings import warnings_of_change
from vivienne.errors import InvalidConfiguration, UnknownRevision
from vivienne.slices import in_slices
from vivienne.store.revision import Revision

if TYPE_CHECKING:
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.requests import ChangeRequest
    from vivienne.store.base import RevisionStore
    from vivienne.store.thread import StoreCalls
    from vivienne.wire.answers import Acknowledgement, Action
    from vivienne.wire.document import Document


RECORDS = {
    "delete": "deletion",
    "pause": "pause",
    "resume": "resumption",
    "alert": "change of an alert rule",
    "alert_delete": "deletion of an alert rule",
}
"""Words for revisions that are not configurations."""


class Planning:
    """Works out what requests would do.

    Args:
        in_force: what they would change.
        store: where former revisions are looked up.
        calls: in which way.
    """

    def __init__(self, in_force: LayersInForce, store: RevisionStore, calls: StoreCalls) -> None:
        self._in_force = in_force
        self._store = store
        self._calls = calls

    async def plan(self, request: ChangeRequest) -> Plan:
        """Work out what a request would do.

        Raises:
            ChangeRefused: all problems with it.
            StoreUnavailable: a former revision could not be looked up.
        """
        in_force = self._in_force
        target: str | None = None
        active_id: str | None = None
        touched: frozenset[str] = frozenset()
        action: Action
        if isinstance(request.intent, (Activate, Delete)):
            revision = await self._find(request.intent.config_id)
            layer, target = revision.layer, revision.config_id
            if not revision.is_configuration:
                what = RECORDS[revision.action]
                raise UnknownRevision(f"{target!r} is a {what}, not a configuration", path="config_id")
            if isinstance(request.intent, Activate):
                action, document = "activate", revision.document
            else:
                action, (document, active_id) = "delete", await self._after_deletion(revision)
        else:
            layer = in_force.layer(request.asset)
            action, document, touched = edit(in_force.layers, layer, request.intent)
        in_force.expect(request.expected_version, layer)
        if layer != GLOBAL and layer not in in_force.assets and action == "activate":
            raise in_force.unknown(layer)
        before = in_force.layers
        layers, problems = await in_slices(before.changed(layer, document, touched or frozenset(leaves(document))))
        if problems:
            raise InvalidConfiguration(problems)
        changed = differences(before.effective(layer), layers.effective(layer))
        assets = await in_slices(altered(before, layers, in_force.under(layer)))
        paths = {*(touched or leaves(document)), *(change["path"] for change in changed)}
        warnings = await in_slices(warnings_of_change(before, layers, {layer: paths}))
        return Plan(layer, action, document, layers, changed, assets, warnings, target, active_id)

    async def _find(self, config_id: str) -> Revision:
        revision = await self._calls.run(self._store.by_config_id, config_id)
        if revision is None:
            raise UnknownRevision(f"Unknown config_id {config_id!r}; see `all` or `history`", path="config_id")
        return revision

    async def _after_deletion(self, revision: Revision) -> tuple[Document, str | None]:
        """The document and the config_id in force in the layer after a deletion."""
        if await self._calls.run(self._store.is_deleted, revision.config_id):
            raise UnknownRevision(f"The configuration {revision.config_id!r} was already deleted", path="config_id")
        active_id = self._in_force.active_id(revision.layer)
        if active_id != revision.config_id:
            return self._in_force.layers.document(revision.layer), active_id
        earlier = await self._calls.run(self._store.before, revision)
        return ({}, None) if earlier is None else (earlier.document, earlier.config_id)

    def write_up(self, plan: Plan, request: ChangeRequest, created_at: str) -> Prepared[Acknowledgement]:
        """The revision to store, as the next version, and the acknowledgement to send."""
        version = self._in_force.version + 1
        config_id = str(uuid.uuid4())
        answer: Acknowledgement = {
            **plan.outcome(version, made=True),
            "status": "success",
            "config_id": config_id,
            "previous_version": self._in_force.version_of(plan.layer),
            "warnings": plan.warnings,
        }
        repeatable = request.request_id is not None
        revision = Revision(
            version=version,
            config_id=config_id,
            layer=plan.layer,
            action=plan.action,
            document=plan.document,
            changed=plan.changed,
            author=request.author,
            channel=request.channel,
            created_at=created_at,
            target=plan.target,
            address=request.address,
            reason=request.reason,
            request_id=request.request_id,
            request_digest=request.digest() if repeatable else None,
            answer=answer if repeatable else None,
            claimed_author=request.claimed_author,
            trace_id=request.trace_id,
            requester=request.requester if repeatable else "",
        )
        return Prepared(
            answer=answer,
            revisions=(revision,),
            summaries=(plan.summary(),),
            active_ids={plan.layer: plan.active_id if plan.action == "delete" else config_id},
            layers=plan.layers,
            caller=request.caller,
        )
