"""Layers: defaults <- global <- asset. What an asset sets itself wins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from vivienne.config.documents import leaves, merged
from vivienne.config.tunables import DEFAULTS
from vivienne.config.validation import check_document, check_rules
from vivienne.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vivienne.slices import Pieces
    from vivienne.wire.document import Document

GLOBAL = "global"
"""Name of the layer under all assets; assets are upper case, so no asset has it."""


ALERT = "alert:"
"""Begins the name of a layer that has no configuration, but a rule of alerts. Assets are upper case, as above."""


def asset_of(layer: str) -> str | None:
    """The asset of a layer, or None for the global one and for a rule of alerts."""
    return None if layer == GLOBAL or layer.startswith(ALERT) else layer


def alert_of(layer: str) -> str | None:
    """The alert_id of the rule in a layer, or None for a layer of configurations."""
    return layer.removeprefix(ALERT) if layer.startswith(ALERT) else None


@dataclass(frozen=True, slots=True)
class Layers:
    """The documents of all layers at one moment. Immutable: a change makes new ones.

    Attributes:
        assets: the assets that are decided.
        documents: by layer, what it sets itself.
        ignored: layers that were found invalid when they were loaded, and what is wrong with them. They are kept,
            and left out of what is in force.
    """

    assets: tuple[str, ...]
    documents: Mapping[str, Document] = field(default_factory=dict)
    ignored: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    def document(self, layer: str) -> Document:
        """The values a layer sets itself."""
        return self.documents.get(layer, {})

    def sets_nothing(self, layer: str) -> bool:
        """True for an asset that has the values of the global layer, all of them."""
        return layer != GLOBAL and not self._in_force(layer)

    def effective(self, layer: str) -> Document:
        """Everything in force for an asset, or for the global layer; nothing is left out."""
        document = merged(DEFAULTS, self._in_force(GLOBAL))
        return document if layer == GLOBAL else merged(document, self._in_force(layer))

    def sources(self, layer: str) -> dict[str, str]:
        """By path, the layer a value in force comes from: ``default``, ``global`` or ``asset``."""
        sources = dict.fromkeys(leaves(DEFAULTS), "default") | dict.fromkeys(leaves(self._in_force(GLOBAL)), GLOBAL)
        if layer != GLOBAL:
            sources |= dict.fromkeys(leaves(self._in_force(layer)), "asset")
        return sources

    def _in_force(self, layer: str) -> Document:
        return {} if layer in self.ignored else self.document(layer)

    @classmethod
    def load(cls, assets: tuple[str, ...], documents: Mapping[str, Document]) -> Self:
        """Layers from stored documents. A layer that is not valid any more is ignored."""
        layers = cls(assets, documents)
        for layer in (GLOBAL, *assets):
            layers = layers._settled(layer)
        return layers

    def widened(self, assets: Iterable[str]) -> Pieces[Self]:
        """The same layers, of these assets too; those that are not valid are ignored."""
        known = frozenset(self.assets)
        more = [asset for asset in dict.fromkeys(assets) if asset not in known]
        layers = replace(self, assets=(*self.assets, *more))
        for asset in more:
            layers = layers._settled(asset)  # noqa: SLF001  # of the same class
            yield
        return layers

    def _settled(self, layer: str) -> Self:
        """The same layers, with this one ignored if it is not valid and in force if it is."""
        ignored = {name: problems for name, problems in self.ignored.items() if name != layer}
        layers = replace(self, ignored=ignored)
        document = layers.document(layer)
        problems = (*check_document(document), *check_rules(layers.effective(layer), leaves(document)))
        return replace(layers, ignored={**ignored, layer: problems}) if problems else layers

    def changed(self, layer: str, document: Document, touched: frozenset[str]) -> Pieces[tuple[Self, list[Problem]]]:
        """Put a new document into a layer, an asset at a time.

        Args:
            layer: `GLOBAL` or an asset.
            document: what the layer is to set from now on.
            touched: the paths the change is about; a broken rule is reported on one of them where it can be.

        Returns:
            The new layers and all problems with them.
        """
        ignored = {name: problems for name, problems in self.ignored.items() if name != layer}
        layers = replace(self, documents={**self.documents, layer: document}, ignored=ignored)
        problems = check_document(document)
        problems += check_rules(layers.effective(layer), touched, [problem.path for problem in problems])
        if layer != GLOBAL or problems:
            return layers, problems
        for asset in self.assets:
            yield
            if asset in self.ignored:
                layers = layers._settled(asset)  # noqa: SLF001  # of the same class
                continue
            if layers.sets_nothing(asset):
                continue  # its values are checked already
            problems += [
                Problem(problem.path, f"{asset}: {problem.message}", asset)
                for problem in check_rules(layers.effective(asset), touched)
            ]
        return layers, problems

    def replaced(self, documents: Mapping[str, Document]) -> Pieces[tuple[Self, list[Problem]]]:
        """Put new documents into several layers at once. The work is done a layer at a time.

        Returns:
            The new layers and all problems with them, with the asset of each problem. What is inherited
            is a problem of the global layer only.
        """
        ignored = {name: problems for name, problems in self.ignored.items() if name not in documents}
        layers = replace(self, documents={**self.documents, **documents}, ignored=ignored)
        found: list[Problem] = []
        wrong: set[str] = set()
        for layer in (GLOBAL, *self.assets):
            yield
            document = layers.document(layer)
            if layer in ignored:
                layers = layers._settled(layer)  # noqa: SLF001  # of the same class
            elif layer in documents or (GLOBAL in documents and document):
                problems = check_document(document) if layer in documents else []
                own = wrong | {problem.path for problem in problems}
                if layer == GLOBAL:
                    wrong = own
                touched = leaves(document)
                broken = check_rules(layers.effective(layer), touched, own)
                problems += [each for each in broken if layer == GLOBAL or _bears_on(each.path, touched)]
                found += [replace(problem, asset=asset_of(layer)) for problem in problems]
        return layers, found

    def followed(self, documents: Mapping[str, Document]) -> Pieces[Self]:
        """With documents that were put into layers. Layers that are not valid with them are ignored."""
        layers = replace(self, documents={**self.documents, **documents})
        for layer in (GLOBAL, *self.assets):
            yield
            if layer in documents or (GLOBAL in documents and layers.document(layer)):
                layers = layers._settled(layer)  # noqa: SLF001  # of the same class
        return layers


def altered(before: Layers, after: Layers, assets: Iterable[str]) -> Pieces[list[str]]:
    """Those among these assets whose values differ. Those that set nothing are compared once."""
    inherited = after.effective(GLOBAL) != before.effective(GLOBAL)

    def is_altered(asset: str) -> bool:
        if before.sets_nothing(asset) and after.sets_nothing(asset):
            return inherited
        return after.effective(asset) != before.effective(asset)

    found: list[str] = []
    for asset in assets:
        if is_altered(asset):
            found.append(asset)
        yield
    return found


def _bears_on(path: str, touched: Collection[str]) -> bool:
    """Tell whether any of these paths is the path of a problem, or below it."""
    return any(each == path or each.startswith(f"{path}.") for each in touched)
