"""The configuration in force in every layer, as of the newest revision that was followed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vivienne.agent.schema import Configuration
from vivienne.changes.alerts.in_force import AlertRules
from vivienne.changes.pause.state import PausesInForce
from vivienne.config.flat import listed, quoted
from vivienne.config.layers import GLOBAL, Layers, asset_of
from vivienne.errors import Problem, UnknownTarget, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from vivienne.changes.pause.state import PauseInForce
    from vivienne.store.revision import Begun, Revision
    from vivienne.wire.document import Document

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Active:
    """The configuration in force for an asset, or for the global layer. One version, whole; immutable.

    Attributes:
        version: of the newest revision that bears on it; 0 while everything is default.
        config_id: of the configuration in force in its own layer, else in the global one, else None.
        document: all values, as they were sent.
        configuration: the same, for the agent.
        pause: what keeps it idle, with size 0, whatever is decided; None while nothing does.
    """

    layer: str
    version: int
    config_id: str | None
    document: Document
    configuration: Configuration
    layers: Layers
    pause: PauseInForce | None = None

    @property
    def sources(self) -> dict[str, str]:
        """By path, the layer a value comes from: ``default``, ``global`` or ``asset``."""
        return self.layers.sources(self.layer)

    @property
    def asset_symbol(self) -> str | None:
        """The asset, or None for the global layer."""
        return asset_of(self.layer)


class LayersInForce:
    """The configuration of every layer. It is swapped whole, so that a reader sees one version.

    Args:
        assets: the assets that are decided, upper case.
        heads: the newest revision of each layer.
        active_ids: by layer, the config_id in force.
        switches: the newest pause or resumption of each layer.
        begun: by layer of an alert rule, when it was made, and by whom.
    """

    def __init__(
        self,
        assets: tuple[str, ...],
        heads: Iterable[Revision],
        active_ids: Mapping[str, str],
        switches: Iterable[Revision] = (),
        begun: Mapping[str, Begun] | None = None,
    ) -> None:
        self.assets = assets
        self._pauses = PausesInForce.load(switches)
        heads = list(heads)
        self._newest = max(((each.version, each.config_id) for each in heads), default=(0, None))
        self._alerts = AlertRules.load(heads, begun or {})
        newest = {revision.layer: revision for revision in heads if not revision.is_alert}
        self._versions = {layer: revision.version for layer, revision in newest.items()}
        self._active_ids: dict[str, str | None] = {**active_ids}
        self._layers = Layers.load(assets, {layer: revision.document for layer, revision in newest.items()})
        self._known = frozenset(assets)
        self._made: dict[str, tuple[Document, Configuration]] = {}
        """By layer that sets something, its values; made when they are first asked for."""
        self._active: dict[str, Active] = {}
        """By layer; made when it is first asked for, so that a change for thousands of assets is quick."""
        self._say_ignored({})

    @property
    def version(self) -> int:
        """The newest version that was followed."""
        return self._newest[0]

    @property
    def newest(self) -> tuple[int, str | None]:
        """The newest version that was followed, and the config_id of its revision."""
        return self._newest

    @property
    def layers(self) -> Layers:
        """The documents of all layers."""
        return self._layers

    @property
    def pauses(self) -> PausesInForce:
        """The pauses in force."""
        return self._pauses

    @property
    def alerts(self) -> AlertRules:
        """The rules of alerts."""
        return self._alerts

    def active(self, layer: str) -> Active:
        """The configuration in force for an asset, or for the global layer."""
        found = self._active.get(layer)
        if found is None:
            document, configuration = self._values(layer)
            found = self._active[layer] = Active(
                layer=layer,
                version=self.version_of(layer),
                config_id=self._id_in_force(layer) or self._id_in_force(GLOBAL),
                document=document,
                configuration=configuration,
                layers=self._layers,
                pause=self._pauses.of(layer),
            )
        return found

    def version_of(self, layer: str) -> int:
        """The newest version that bears on a layer; 0 while everything is default."""
        return max(self._versions.get(GLOBAL, 0), self._versions.get(layer, 0))

    def active_id(self, layer: str) -> str | None:
        """The config_id that is active in a layer itself."""
        return self._active_ids.get(layer)

    def ids(self) -> set[str]:
        """The config_id in force in each layer that has one, and of each rule; none of a layer that is left out."""
        found = (self._id_in_force(layer) for layer in self._active_ids)
        return {config_id for config_id in found if config_id is not None} | self._alerts.ids()

    def under(self, layer: str) -> list[str]:
        """The assets a layer bears on; none for one of an asset that is not decided any more."""
        if layer == GLOBAL:
            return list(self.assets)
        return [layer] if layer in self._known else []

    def decides(self, asset: str) -> bool:
        """Whether an asset is decided, in upper case."""
        return asset in self._known

    def has(self, layer: str) -> bool:
        """Whether there is a layer of this name."""
        return layer == GLOBAL or layer in self._known

    def layer(self, asset: str | None) -> str:
        """The layer of an asset, in any case; the global one for None.

        Raises:
            UnknownTarget: no such asset.
        """
        if asset is None:
            return GLOBAL
        if asset in self._known:
            return asset
        layer = asset.upper()
        if layer not in self._known:
            raise self.unknown(asset)
        return layer

    def unknown(self, asset: str) -> UnknownTarget:
        """The error for an unknown asset; it lists the known ones."""
        return UnknownTarget(Problem("asset_symbol", f"Unknown asset {quoted(asset)}; known are {listed(self.assets)}"))

    def expect(self, expected: int | None, layer: str) -> None:
        """Refuse unless this version, if any is given, is the one that bears on a layer.

        Raises:
            VersionConflict: it is not.
        """
        present = self.version_of(layer)
        if expected is not None and expected != present:
            raise VersionConflict(
                f"The configuration is at version {present}, not {expected}; read it again and repeat the change",
                path="expected_version",
            )

    def leave_values(self, revisions: Sequence[Revision]) -> bool:
        """Whether revisions pause, resume or concern alerts, and leave all values of configurations as they are."""
        return all(
            each.is_alert or (each.is_switch and each.document == self._layers.document(each.layer))
            for each in revisions
        )

    def put(
        self,
        revisions: Sequence[Revision],
        active_ids: Mapping[str, str | None],
        layers: Layers | None = None,
        heard_at: str | None = None,
    ) -> None:
        """Put revisions in force, all at once; they must be those after `version`.

        Args:
            revisions: what was stored.
            active_ids: by layer of these, the config_id that is active in it from here on.
            layers: what all layers come to; None if they are left as they are.
            heard_at: when they were read, if another process stored them.
        """
        self._newest = revisions[-1].version, revisions[-1].config_id
        self._alerts = self._alerts.followed(revisions)
        revisions = [revision for revision in revisions if not revision.is_alert]
        if not revisions:
            return
        self._versions |= {revision.layer: revision.version for revision in revisions}
        for revision in revisions:
            self._pauses = self._pauses.followed(revision, heard_at)
        self._active = {}
        if layers is None:
            return
        ignored = self._layers.ignored
        self._layers = layers
        self._active_ids |= active_ids
        for revision in revisions:
            self._made.pop(revision.layer, None)
            if revision.layer == GLOBAL:
                self._made = {}
        self._say_ignored(ignored)

    def ask(self, pause: PauseInForce) -> None:
        """Note a pause that is about to be stored, for what its revision does not say of it."""
        self._pauses = replace(self._pauses, asking=pause)

    def repeat(self, pause: PauseInForce) -> None:
        """Put a pause in force in place of the stored one of its layer, whose entry it has."""
        self._switch(self._pauses.repeating(pause))

    def hold(self, pause: PauseInForce) -> None:
        """Put a pause in force that is not stored yet."""
        self._switch(self._pauses.holding(pause))

    def hear(self, pauses: Iterable[PauseInForce]) -> None:
        """Put pauses in force that another process announced."""
        self._switch(self._pauses.hearing(*pauses))

    def take_back(self, gone: Collection[PauseInForce]) -> None:
        """Take announced pauses out of force."""
        self._switch(self._pauses.without_heard(gone))

    def release(self, config_id: str) -> None:
        """Take one that was not stored out of force."""
        self._switch(self._pauses.released(config_id))

    def _switch(self, pauses: PausesInForce) -> None:
        """Put pauses in force, all at once; no configuration is made again, so it is quick with thousands of assets."""
        self._pauses = pauses
        self._active = {}

    def _values(self, layer: str) -> tuple[Document, Configuration]:
        """The values of a layer. Those that set nothing share one configuration."""
        own = GLOBAL if self._layers.sets_nothing(layer) else layer
        found = self._made.get(own)
        if found is None:
            document = self._layers.effective(own)
            found = self._made[own] = document, Configuration.model_validate(document)
        return found

    def _id_in_force(self, layer: str) -> str | None:
        return None if layer in self._layers.ignored else self._active_ids.get(layer)

    def _say_ignored(self, before: Mapping[str, object]) -> None:
        for layer, problems in self._layers.ignored.items():
            if layer not in before:
                _log.error(
                    "The stored configuration of %s is not valid any more and is ignored: %s",
                    layer,
                    "; ".join(problem.message for problem in problems),
                )
