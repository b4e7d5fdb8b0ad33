"""Several layers replaced as one change: from documents to revisions, or to all problems with them. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vivienne.changes.plan import Prepared, done
from vivienne.config.documents import differences
from vivienne.config.flat import nest
from vivienne.config.layers import GLOBAL, altered, asset_of
from vivienne.config.warnings import warnings_of_change
from vivienne.errors import InvalidConfiguration, Problem
from vivienne.store.revision import IMPORT, Revision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.changes.requests import Replacement
    from vivienne.config.layers import Layers
    from vivienne.slices import Pieces
    from vivienne.wire.answers import LayerChange, Replaced, ValueChange
    from vivienne.wire.document import Document
    from vivienne.wire.problem import WarningEntry


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A layer that sets something else afterwards.

    Attributes:
        document: what it sets.
        own: the differences between what it set and what it sets.
        changed: those of all values in force for it.
    """

    document: Document
    own: list[ValueChange]
    changed: list[ValueChange]


@dataclass(frozen=True, slots=True)
class ReplacementPlan:
    """A replacement worked out.

    Attributes:
        layers: by name, those that set something else afterwards; the global one first.
        assets: whose values are different.
        warnings: of values that are valid and rarely meant.
        after: all layers that are in force afterwards.
    """

    layers: Mapping[str, LayerPlan]
    assets: list[str]
    warnings: list[WarningEntry]
    after: Layers

    def outcome(self, version: int, *, made: bool) -> Replaced:
        """The effect, for the caller.

        Args:
            version: the newest one.
            made: whether it was made, or would be.
        """
        layers: list[LayerChange] = [
            {"asset_symbol": asset_of(layer), "changed": plan.own} for layer, plan in self.layers.items()
        ]
        answer: Replaced = {
            "status": "unchanged",
            "message": "Nothing to change: every layer already sets this",
            "version": version,
            "layers": layers,
            "assets": self.assets,
            "warnings": self.warnings,
        }
        if layers and not made:
            answer |= {"status": "valid", "message": f"Nothing was changed. {_count(layers)} would be replaced"}
        elif layers:
            answer |= {"status": "success", "message": f"{_count(layers)} replaced"}
        return answer


def plan_replacement(present: Layers, asked: Replacement) -> Pieces[ReplacementPlan]:
    """Work out what a replacement would do, a layer at a time.

    Every existing layer counts, also those of assets that are not decided here.

    Raises:
        InvalidConfiguration: all problems with it, each with its asset.
    """
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for layer, document in asked.documents.items():
        documents[layer], wrong = nest(document)
        problems += [replace(problem, asset=asset_of(layer)) for problem in wrong]
        yield
    before = yield from present.widened(name for name in (*present.documents, *documents) if name != GLOBAL)
    if asked.empty_others:
        documents = {**{layer: {} for layer in present.documents}, **documents}
    after, more = yield from before.replaced(documents)
    if problems or more:
        raise InvalidConfiguration([*problems, *more])
    layers = yield from _differing(before, after, documents)
    assets = yield from altered(before, after, after.assets)
    touched = {layer: [change["path"] for change in plan.own] for layer, plan in layers.items()}
    warnings = yield from warnings_of_change(before, after, touched, names_assets=True)
    in_force = yield from present.followed({layer: plan.document for layer, plan in layers.items()})
    return ReplacementPlan(layers, assets, warnings, in_force)


def _differing(before: Layers, after: Layers, documents: Mapping[str, Document]) -> Pieces[dict[str, LayerPlan]]:
    """The layers that set something else afterwards: that of all assets first, others as asked."""
    found: dict[str, LayerPlan] = {}
    was = before
    for layer in sorted(documents, key=lambda layer: layer != GLOBAL):
        yield
        own = differences(before.document(layer), documents[layer])
        if not own:
            continue
        if layer == GLOBAL:
            changed = differences(before.effective(GLOBAL), after.effective(GLOBAL))
            was, _ = yield from before.replaced({GLOBAL: documents[GLOBAL]})  # what assets inherit is its change
        else:
            changed = differences(was.effective(layer), after.effective(layer))
        found[layer] = LayerPlan(documents[layer], own, changed)
    return found


def write_up_replacement(
    plan: ReplacementPlan, asked: Replacement, version: int, created_at: str
) -> Pieces[Prepared[Replaced]]:
    """The revisions to store, one for each layer that is different, all of one time; and the answer.

    Args:
        plan: what comes of it.
        asked: by whom and why.
        version: the newest one there is.
        created_at: now.
    """
    revisions = list[Revision]()
    for layer, layer_plan in plan.layers.items():
        revisions.append(
            Revision(
                version=version + 1 + len(revisions),
                config_id=str(uuid.uuid4()),
                layer=layer,
                action="update" if layer_plan.document else "reset",
                document=layer_plan.document,
                changed=layer_plan.changed,
                author=asked.author,
                channel=IMPORT,
                created_at=created_at,
                reason=asked.reason,
            )
        )
        yield
    answer = plan.outcome(version + len(revisions), made=True)
    for told, revision in zip(answer["layers"], revisions, strict=True):
        told["version"], told["config_id"] = revision.version, revision.config_id
    return Prepared(
        answer=answer,
        revisions=tuple(revisions),
        summaries=[done(revision.action, revision.changed, revision.layer) for revision in revisions],
        active_ids={revision.layer: revision.config_id for revision in revisions},
        layers=plan.after,
    )


def _count(layers: list[LayerChange]) -> str:
    return f"{len(layers)} layer{'s' if len(layers) > 1 else ''}"
