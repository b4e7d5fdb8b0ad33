"""Pausing and resuming: from what was asked to the revisions it is stored as, and to the answer. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from vivienne.changes.plan import Prepared, done
from vivienne.config.layers import GLOBAL, asset_of
from vivienne.store.revision import Revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.pause.state import PauseInForce, PausesInForce
    from vivienne.changes.requests import SwitchRequest
    from vivienne.wire.answers import Action, Switched


def write_up_switch(
    in_force: LayersInForce,
    request: SwitchRequest,
    config_id: str,
    created_at: str,
    waiting: Sequence[tuple[PauseInForce, str, SwitchRequest]] = (),
) -> Prepared[Switched]:
    """The revisions to store, as the next versions, and the answer.

    Args:
        in_force: what it is made on top of; it is not altered.
        request: what is asked for.
        config_id: of its revision.
        created_at: when it was asked for.
        waiting: pauses that are in force and not stored yet, with the config_id of each and what was asked; they are
            stored with it, before it.
    """
    revisions: list[Revision] = []
    pauses = in_force.pauses
    before_it = [(each, name, pause.created_at) for pause, name, each in waiting]
    for asked, own_id, time in (*before_it, (request, config_id, created_at)):
        before = pauses
        revision, answer = _revision(in_force, asked, own_id, time, before, in_force.version + 1 + len(revisions))
        pauses = before.followed(revision)
        revisions.append(revision)
    return Prepared(
        answer=answer,
        revisions=tuple(revisions),
        summaries=[done(revision.action, [], revision.layer) for revision in revisions],
    )


def not_stored_yet(in_force: LayersInForce, pause: PauseInForce, why: str) -> Switched:
    """The answer to a pause that is in force here while the store does not take it."""
    version = in_force.version_of(pause.layer)
    message = (
        f"{done('pause', [], pause.layer)}; not stored yet: {why}. "
        "Storing it is retried; a restart of this process before that succeeds may lose the pause"
    )
    return _answer(in_force, in_force.pauses, pause.layer, pause.config_id, version, message, "not_stored_yet")


def paused_already(in_force: LayersInForce, pause: PauseInForce) -> Switched:
    """The answer to one more pause of what is paused, and stored, already."""
    version = pause.version or in_force.version_of(pause.layer)
    message = f"{done('pause', [], pause.layer)}, as before: {pause.sentence()}"
    return _answer(in_force, in_force.pauses, pause.layer, pause.config_id, version, message)


def stored_already(in_force: LayersInForce, revision: Revision) -> Switched:
    """The answer to a switch that was stored before."""
    message = done(revision.action, [], revision.layer)
    return _answer(in_force, in_force.pauses, revision.layer, revision.config_id, revision.version, message)


def _revision(
    in_force: LayersInForce,
    request: SwitchRequest,
    config_id: str,
    created_at: str,
    before: PausesInForce,
    version: int,
) -> tuple[Revision, Switched]:
    layer = in_force.layer(request.asset)
    requester = request.requester if request.is_once else None
    revision = Revision(
        version=version,
        config_id=config_id,
        layer=layer,
        action=request.switch,
        document=in_force.layers.document(layer),
        changed=[],
        author=request.author,
        claimed_author=request.claimed_author,
        channel=request.channel,
        created_at=created_at,
        address=request.address,
        reason=request.reason,
        request_id=request.request_id,
        request_digest=None if requester is None else request.digest(),
        trace_id=request.trace_id,
        requester=requester,
    )
    after = before.followed(revision)
    answer = _answer(
        in_force, after, layer, config_id, version, _sentence(in_force, request.switch, layer, before, after)
    )
    return (revision if requester is None else replace(revision, answer=answer)), answer


def _answer(
    in_force: LayersInForce,
    pauses: PausesInForce,
    layer: str,
    config_id: str,
    version: int,
    message: str,
    status: Literal["success", "not_stored_yet"] = "success",
) -> Switched:
    pause = pauses.of(layer)
    return {
        "status": status,
        "message": message,
        "config_id": config_id,
        "version": version,
        "previous_version": in_force.version_of(layer),
        "asset_symbol": asset_of(layer),
        "changed": [],
        "assets": in_force.under(layer),
        "paused": pauses.paused(in_force.assets),
        "pause": None if pause is None else pause.entry(),
        "config": in_force.layers.effective(layer),
    }


def _sentence(in_force: LayersInForce, action: Action, layer: str, before: PausesInForce, after: PausesInForce) -> str:
    sentence = done(action, [], layer)
    if action == "pause":
        return sentence
    if before.own(layer) is None:
        sentence += ", which were not paused" if layer == GLOBAL else ", which was not paused by itself"
    still = after.paused(in_force.under(layer))
    if not still:
        return sentence
    if after.own(layer) is not None:
        return f"{sentence}. A pause that another process announced a moment ago stays; resume again"
    if layer == GLOBAL:
        return f"{sentence}. These stay paused by themselves: {', '.join(still)}"
    return f"{sentence}. All assets are paused, so it stays idle until they are resumed"
