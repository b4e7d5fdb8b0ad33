"""Several assets changed as one change: the same values for each, or a copy of what another one sets. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vivienne.changes.import_plan import plan_replacement, write_up_replacement
from vivienne.changes.plan import done
from vivienne.changes.requests import Replacement, SeveralRequest
from vivienne.config.documents import leaves, merged
from vivienne.config.flat import nest
from vivienne.errors import InvalidConfiguration, Problem

if TYPE_CHECKING:
    from vivienne.changes.import_plan import ReplacementPlan
    from vivienne.changes.in_force import LayersInForce
    from vivienne.changes.plan import Prepared
    from vivienne.changes.requests import UndoRequest
    from vivienne.slices import Pieces
    from vivienne.store.revision import Revision
    from vivienne.wire.answers import Replaced
    from vivienne.wire.document import Document


def plan_several(in_force: LayersInForce, request: SeveralRequest) -> Pieces[ReplacementPlan]:
    """Work out what a change of several assets would do, a layer at a time.

    Raises:
        UnknownTarget: one of the assets is unknown.
        VersionConflict: another version bears on one of them; the newest of all of them is the one to expect.
        InvalidConfiguration: all problems with it, each with its asset.
    """
    layers = _layers(in_force, request)
    source = None if request.source is None else in_force.layer(request.source)
    check_version(in_force, request)
    present = in_force.layers
    documents: dict[str, Document]
    if source is not None:
        documents = {layer: present.document(source) for layer in layers}
    else:
        sent, problems = nest(request.document or {})
        if not problems and not leaves(sent):
            problems = [Problem("config", "The change sets nothing; name at least one value")]
        if problems:
            raise InvalidConfiguration(problems)
        documents = {layer: merged(present.document(layer), sent) for layer in layers}
    return (yield from plan_replacement(present, Replacement(documents)))


def check_version(in_force: LayersInForce, request: SeveralRequest) -> None:
    """Refuse unless the expected version, if any is given, is the newest one that bears on the assets.

    Raises:
        UnknownTarget: one of the assets is unknown.
        VersionConflict: another version bears on one of them.
    """
    source = () if request.source is None else (in_force.layer(request.source),)
    in_force.expect(request.expected_version, max((*_layers(in_force, request), *source), key=in_force.version_of))


def _layers(in_force: LayersInForce, request: SeveralRequest) -> list[str]:
    """Those of the assets, each once, in the order they are asked in."""
    return list(dict.fromkeys(in_force.layer(asset) for asset in dict.fromkeys(request.assets)))


def write_up_several(
    plan: ReplacementPlan, request: SeveralRequest | UndoRequest, version: int, created_at: str
) -> Pieces[Prepared[Replaced]]:
    """The revisions to store, one for each asset that is different, all of one occasion; and the answer.

    Args:
        plan: what comes of it.
        request: by whom and why. Its id is kept with the last revision.
        version: the newest one there is.
        created_at: now.
    """
    signed = Replacement({}, author=request.author, reason=request.reason)
    prepared = yield from write_up_replacement(plan, signed, version, created_at)
    is_laid_over = isinstance(request, SeveralRequest) and request.source is None
    revisions: list[Revision] = []
    for revision in prepared.revisions:
        revisions.append(
            replace(
                revision,
                action="partial_update" if is_laid_over else revision.action,
                channel=request.channel,
                address=request.address,
                claimed_author=request.claimed_author,
                trace_id=request.trace_id,
            )
        )
        yield
    if revisions and request.request_id is not None:
        revisions[-1] = replace(
            revisions[-1],
            request_id=request.request_id,
            request_digest=request.digest(),
            answer=prepared.answer,
            requester=request.requester,
        )
    summaries = [done(revision.action, revision.changed, revision.layer) for revision in revisions]
    return replace(prepared, revisions=tuple(revisions), summaries=summaries, caller=request.caller)
