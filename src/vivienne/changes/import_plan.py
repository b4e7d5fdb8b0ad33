"""Several layers replaced as one change: from documents to revisions, or to all problems with them. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vivienne.changes.plan import Prepared, done
from vivienne.config.documents import differences, leaves
from vivienne.config.flat import nest
from vivienne.config.layers import GLOBAL, Layers, altered, asset_of
from vivienne.config.warnings import warnings_of_change
from vivienne.errors import InvalidConfiguration, Problem
from vivienne.store.revision import IMPORT, Revision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.changes.requests import Replacement
    from vivienne.wire.answers import LayerChange, Replaced
    from vivienne.wire.document import Document


@dataclass(frozen=True, slots=True)
class ReplacementPlan:
    """A replacement worked out.

    Attributes:
        before, after: all layers, of every asset that has one or gets one.
        documents: by layer, what those set afterwards that set something else now; the global one first.
    """

    before: Layers
    after: Layers
    documents: Mapping[str, Document]

    def outcome(self, version: int, *, made: bool) -> Replaced:
        """The effect, for the caller.

        Args:
            version: the newest one.
            made: whether it was made, or would be.
        """
        before, after = self.before, self.after
        layers: list[LayerChange] = [
            {"asset_symbol": asset_of(layer), "changed": differences(before.document(layer), document)}
            for layer, document in self.documents.items()
        ]
        assets = altered(before, after, after.assets)
        touched = {
            layer: [change["path"] for change in differences(before.document(layer), document)]
            for layer, document in self.documents.items()
        }
        answer: Replaced = {
            "status": "unchanged",
            "message": "Nothing to change: every layer already sets this",
            "version": version,
            "layers": layers,
            "assets": assets,
            "warnings": warnings_of_change(before, after, touched, names_assets=True),
        }
        if layers and not made:
            answer |= {"status": "valid", "message": f"Nothing was changed. {_count(layers)} would be replaced"}
        elif layers:
            answer |= {"status": "success", "message": f"{_count(layers)} replaced"}
        return answer


def plan_replacement(present: Layers, asked: Replacement) -> ReplacementPlan:
    """Work out what a replacement would do.

    Every existing layer counts, also those of assets that are not decided here.

    Raises:
        InvalidConfiguration: all problems with it, each with its asset.
    """
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for layer, document in asked.documents.items():
        documents[layer], wrong = nest(document)
        problems += [replace(problem, asset=asset_of(layer)) for problem in wrong]
    names = {**present.documents, **documents}
    before = Layers.load(tuple(name for name in names if name != GLOBAL), present.documents)
    if asked.empty_others:
        documents = {**{layer: {} for layer in present.documents}, **documents}
    after, more = before.replaced(documents)
    if problems or more:
        raise InvalidConfiguration([*problems, *more])
    differing = {
        layer: documents[layer]
        for layer in sorted(documents, key=lambda layer: layer != GLOBAL)  # that of all assets first, others as asked
        if leaves(documents[layer]) != leaves(before.document(layer))
    }
    return ReplacementPlan(before, after, differing)


def write_up_replacement(
    plan: ReplacementPlan, asked: Replacement, version: int, created_at: str
) -> Prepared[Replaced]:
    """The revisions to store, one for each layer that is different, all of one time; and the answer.

    Args:
        plan: what comes of it.
        asked: by whom and why.
        version: the newest one there is.
        created_at: now.
    """
    layers, revisions = plan.before, list[Revision]()
    for layer, document in plan.documents.items():
        was = layers
        layers, _ = was.replaced({layer: document})
        revisions.append(
            Revision(
                version=version + 1 + len(revisions),
                config_id=str(uuid.uuid4()),
                layer=layer,
                action="update" if document else "reset",
                document=document,
                changed=differences(was.effective(layer), layers.effective(layer)),
                author=asked.author,
                channel=IMPORT,
                created_at=created_at,
                reason=asked.reason,
            )
        )
    answer = plan.outcome(version + len(revisions), made=True)
    for told, revision in zip(answer["layers"], revisions, strict=True):
        told["version"], told["config_id"] = revision.version, revision.config_id
    return Prepared(
        answer=answer,
        revisions=tuple(revisions),
        summaries=[done(revision.action, revision.changed, revision.layer) for revision in revisions],
        active_ids={revision.layer: revision.config_id for revision in revisions},
    )


def _count(layers: list[LayerChange]) -> str:
    return f"{len(layers)} layer{'s' if len(layers) > 1 else ''}"
