"""Which layers are paused. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self
from uuid import NAMESPACE_OID, uuid5

from vivienne.changes.asked import Way
from vivienne.config.layers import GLOBAL, asset_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vivienne.changes.asked import Place
    from vivienne.changes.requests import KnownPause, SwitchRequest
    from vivienne.store.revision import Revision
    from vivienne.wire.pause import PauseClaim, PauseEntry


_MOST_OTHERS = 2
MOST_ENDED = 256
"""Pauses that are remembered after they ended; whether earlier ones did is looked up in the store."""


@dataclass(frozen=True, slots=True)
class PauseInForce:
    """A pause of an asset, or of all assets.

    Attributes:
        config_id: of its revision, also before that is stored.
        version: None until it is stored.
        created_at: when it was asked for, ISO 8601 UTC.
        author: the name of the caller's token; without one, what the caller said.
        claimed_author: what a caller with a token said, where it was something else.
        heard_at: when this process learned of it, by its own clock; None if it was asked for here, or was stored when
            this process started.
        place: where it came among what came the same way; None if it was not asked for here, or was stored when this
            process started.
        others: pauses of its layer that end with it, the latest first, each of another way. There are as many as it
            takes to tell whether a resumption came after all of them: one of its own way, and one of another.
    """

    config_id: str
    layer: str
    version: int | None
    created_at: str
    author: str
    claimed_author: str | None
    channel: str
    reason: str | None
    heard_at: str | None = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)
    others: tuple[PauseInForce, ...] = field(default=(), compare=False)

    @classmethod
    def stored(cls, revision: Revision, heard_at: str | None = None, known: PauseInForce | None = None) -> Self:
        """The pause that a revision is.

        Args:
            revision: the stored one.
            heard_at: when it was read, if another process stored it.
            known: the same pause before it was stored, with what a revision does not say.
        """
        return cls(
            revision.config_id,
            revision.layer,
            revision.version,
            revision.created_at,
            revision.author,
            revision.claimed_author,
            revision.channel,
            revision.reason,
            heard_at if known is None else known.heard_at,
            None if known is None else known.place,
        )

    @classmethod
    def announced(cls, claim: PauseClaim, layer: str, now: str) -> Self:
        """The pause that another process announced. Nothing is believed about who asked for it.

        Args:
            claim: what was announced.
            layer: of its asset, or the global one.
            now: the time; a claim that is from the future is from now.
        """
        created_at = min(claim["created_at"], now)
        reason = "announced by another process, and not read from the database yet"
        return cls(claim["config_id"], layer, claim["version"], created_at, "anonymous", None, "redis", reason, now)

    def claim(self) -> PauseClaim:
        """What is announced to other processes."""
        return {
            "config_id": self.config_id,
            "asset_symbol": asset_of(self.layer),
            "version": self.version,
            "created_at": self.created_at,
        }

    @classmethod
    def asked(cls, request: SwitchRequest, layer: str, config_id: str, created_at: str) -> Self:
        """The pause that a request asks for."""
        return cls(
            config_id,
            layer,
            None,
            created_at,
            request.author,
            request.claimed_author,
            request.channel,
            request.reason,
            place=Way().next() if request.asked is None else request.asked.place or Way().next(),
        )

    @property
    def known_at(self) -> str:
        """When this process knew of it: no resumption that was asked for later came before it."""
        return max(self.created_at, self.heard_at or "")

    def beside(self, *others: PauseInForce) -> Self:
        """The same with further pauses of its layer, which end with it."""
        of_ways: dict[Way | None, PauseInForce] = {}
        for each in sorted((*others, *self.others), key=lambda each: each.known_at, reverse=True):
            of_ways.setdefault(None if each.place is None else each.place.way, each)
        return replace(self, others=tuple(replace(each, others=()) for each in of_ways.values())[:_MOST_OTHERS])

    @property
    def names(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The config_id and layer under which it may be stored: its own, and another one if somebody took that.

        An announcement may give its name to one of another layer. The other name follows from it and the layer, so that
        every process recognizes the pause, and sees that it is over when it is resumed.
        """
        return (self.config_id, self.layer), (str(uuid5(NAMESPACE_OID, f"{self.layer} {self.config_id}")), self.layer)

    def sentence(self, trouble: str | None = None) -> str:
        """The pause in words.

        Args:
            trouble: why the data of the asset cannot be relied on, if so; it is said too.
        """
        scope = "paused" if self.layer != GLOBAL else "paused with all assets"
        why = "" if self.reason is None else f": {self.reason}"
        number = "not stored yet" if self.version is None else f"version {self.version}"
        besides = "" if trouble is None else f"; besides, {trouble}"
        return f"{scope} by {self.author} ({self.channel}, {number}){why}{besides}"

    def entry(self) -> PauseEntry:
        """The pause as it goes out on the wire."""
        return {
            "config_id": self.config_id,
            "version": self.version,
            "stored": self.version is not None,
            "asset_symbol": asset_of(self.layer),
            "created_at": self.created_at,
            "author": self.author,
            "claimed_author": self.claimed_author,
            "channel": self.channel,
            "reason": self.reason,
        }


class Pauses(tuple[PauseInForce, ...]):  # noqa: SLOT001  # what it makes to look them up is kept
    """Pauses, the latest last. However many they are, one of a layer or of a name is found without looking at all."""

    @cached_property
    def _by_layer(self) -> dict[str, list[tuple[int, PauseInForce]]]:
        """By layer its pauses, each with its place among all."""
        found: dict[str, list[tuple[int, PauseInForce]]] = {}
        for place, pause in enumerate(self):
            found.setdefault(pause.layer, []).append((place, pause))
        return found

    @cached_property
    def _members(self) -> frozenset[PauseInForce]:
        return frozenset(iter(self))

    @cached_property
    def names(self) -> frozenset[tuple[str, str]]:
        """The config_id and layer of each."""
        return frozenset((pause.config_id, pause.layer) for pause in self)

    def __contains__(self, pause: object) -> bool:
        return bool(self) and pause in self._members

    @property
    def layers(self) -> Collection[str]:
        """The layers that have one."""
        return self._by_layer.keys()

    def of(self, layer: str) -> list[PauseInForce]:
        """Those of a layer itself."""
        return [pause for _, pause in self._by_layer.get(layer, ())] if self else []

    def latest(self, *layers: str) -> PauseInForce | None:
        """The last one of these layers themselves."""
        if not self:
            return None
        last = [self._by_layer[layer][-1] for layer in layers if layer in self._by_layer]
        return max(last, key=lambda placed: placed[0])[1] if last else None

    def without(self, gone: Collection[PauseInForce]) -> Pauses:
        """The others."""
        if not gone or not self:
            return self
        members = frozenset(gone)
        return Pauses(pause for pause in self if pause not in members)


_NO_PAUSES = Pauses()


@dataclass(frozen=True, slots=True)
class PausesInForce:
    """The pauses of all layers at one moment. Immutable: a switch makes new ones.

    Attributes:
        stored: by layer, those on disk; a resumption takes them out.
        held: those that are in force and that the store did not take yet, the latest last.
        heard: those that another process announced and that were not read from the store yet: of each layer one that
            claims to be stored, and one that does not.
        asking: the last one that is being stored.
        resumed: by layer, when it was last resumed.
        ended: config_id and layer of the last ones that were stored and are over.
    """

    stored: Mapping[str, PauseInForce] = field(default_factory=dict)
    held: Pauses = _NO_PAUSES
    heard: Pauses = _NO_PAUSES
    asking: PauseInForce | None = field(default=None, compare=False)
    resumed: Mapping[str, str] = field(default_factory=dict)
    ended: tuple[tuple[str, str], ...] = ()

    @classmethod
    def load(cls, switches: Iterable[Revision]) -> Self:
        """The pauses that follow from the newest switch of each layer."""
        newest = tuple(switches)
        return cls(
            {each.layer: PauseInForce.stored(each) for each in newest if each.action == "pause"},
            resumed={each.layer: each.created_at for each in newest if each.action == "resume"},
        )

    def followed(self, revision: Revision, heard_at: str | None = None) -> Self:
        """After a stored switch; nothing else alters them.

        An announced pause that is not stored stays through a resumption: no clock and no number tells whether it was
        asked for before. It ends once it is stored itself, and resumed after that, in the order of the store.

        Args:
            revision: what was stored.
            heard_at: when it was read, if another process stored it.
        """
        if not revision.is_switch:
            return self
        stored, resumed = {**self.stored}, self.resumed
        before = stored.pop(revision.layer, None)
        held, heard = self.held.of(revision.layer), self.heard.of(revision.layer)
        if revision.action == "pause":
            asked = (*held, *heard) if self.asking is None else (*held, *heard, self.asking)
            known = next((each for each in asked if _is_named(each, revision)), None)
            pause = PauseInForce.stored(revision, heard_at, known)
            stored[revision.layer] = pause if before is None else pause.beside(before, *before.others)
        else:
            resumed = {**resumed, revision.layer: revision.created_at}
        left = self.held.without([each for each in held if _is_named(each, revision)])
        ended = self.ended if before is None else (*self.ended, (before.config_id, before.layer))[-MOST_ENDED:]
        after = replace(self, held=left, stored=stored, resumed=resumed, ended=ended)
        return after.without_heard([each for each in heard if _is_covered(each, revision)])

    def is_over(self, pause: PauseInForce) -> bool:
        """Tell whether an announced pause is known to have been stored, and to have ended since."""
        return any(name in self.ended for name in pause.names)

    def waiting(self, layer: str) -> list[PauseInForce]:
        """Those of a layer itself that were announced and that nobody stored."""
        return [pause for pause in self.heard.of(layer) if pause.version is None]

    def repeating(self, pause: PauseInForce) -> Self:
        """With one that has the entry of the stored one of its layer from now on."""
        known = self.stored.get(pause.layer)
        after = pause if known is None else pause.beside(known, *known.others)
        return replace(self, stored={**self.stored, pause.layer: after})

    def holding(self, pause: PauseInForce) -> Self:
        """With a pause that is not stored yet."""
        known = any(each.config_id == pause.config_id for each in self.held)
        return self if known else replace(self, held=Pauses((*self.held, pause)))

    def released(self, config_id: str) -> Self:
        """Without one that was not stored yet."""
        return replace(self, held=Pauses(each for each in self.held if each.config_id != config_id))

    def hearing(self, *pauses: PauseInForce) -> Self:
        """With pauses that another process announced, each in place of the one of its kind and layer."""
        heard = {_kind(each): each for each in self.heard}
        for pause in pauses:
            heard.pop(_kind(pause), None)  # the latest stands last
            heard[_kind(pause)] = pause
        return replace(self, heard=Pauses(heard.values()))

    def without_heard(self, gone: Collection[PauseInForce]) -> Self:
        """Without announced ones that turned out not to be in force."""
        left = self.heard.without(gone)
        return self if left is self.heard else replace(self, heard=left)

    def knows(self, config_id: str, layer: str) -> bool:
        """Tell whether a pause is in force."""
        stored, name = self.stored.get(layer), (config_id, layer)
        is_stored = stored is not None and stored.config_id == config_id
        return is_stored or name in self.held.names or name in self.heard.names

    def is_newest(self, switch: Revision) -> bool:
        """Tell whether a stored pause is in force, or a resumption is the last one of a layer that is not paused."""
        if switch.action == "resume" and self.own(switch.layer) is None:
            return self.resumed.get(switch.layer) == switch.created_at
        return self.knows(switch.config_id, switch.layer)

    def unstored(self) -> list[PauseInForce]:
        """Announced pauses that nobody stored, of layers without one that this process is to store itself."""
        return [pause for pause in self.heard if pause.version is None and pause.layer not in self.held.layers]

    def of(self, layer: str) -> PauseInForce | None:
        """The pause that bears on an asset or, for the global layer, on all of them; of several the latest."""
        if (held := self.held.latest(layer, GLOBAL)) is not None:
            return held
        own, of_all = self.stored.get(layer), self.stored.get(GLOBAL)
        if own is None or of_all is None:
            return own or of_all or self.heard.latest(layer, GLOBAL)
        return max(own, of_all, key=lambda pause: pause.version or 0)

    def last(self, layer: str) -> PauseInForce | None:
        """Of the pauses of a layer itself the one that this process knew of last, which callers are told of.

        A resumption ends all of them. Who names the last one was told of it in place of those before it.
        """
        found = (self.held.latest(layer), self.stored.get(layer), self.heard.latest(layer))
        return max((each for each in found if each is not None), key=lambda each: each.known_at, default=None)

    def unknown(self, layer: str, known: Collection[KnownPause]) -> PauseInForce | None:
        """The last pause of a layer itself, if it is none of those that somebody knows; else, or without one, None."""
        last = self.last(layer)
        return None if last is None or any(_is_known(last, each) for each in known) else last

    def own(self, layer: str) -> PauseInForce | None:
        """The pause of a layer itself."""
        return self.held.latest(layer) or self.stored.get(layer) or self.heard.latest(layer)

    def layers(self) -> list[str]:
        """Every layer that is paused itself, that of all assets first."""
        found = {*self.stored, *self.held.layers, *self.heard.layers}
        is_global = GLOBAL in found
        return [*((GLOBAL,) if is_global else ()), *sorted(found - {GLOBAL})]

    def all(self) -> list[PauseInForce]:
        """Every pause in force, that of all assets first, one for each layer."""
        return [pause for layer in self.layers() if (pause := self.own(layer)) is not None]

    def paused(self, assets: Iterable[str]) -> list[str]:
        """The paused ones among these assets."""
        if self.own(GLOBAL) is not None:
            return list(assets)
        stored, held, heard = self.stored, self.held.layers, self.heard.layers
        return [asset for asset in assets if asset in stored or asset in held or asset in heard]


def _kind(pause: PauseInForce) -> tuple[str, bool]:
    return pause.layer, pause.version is None


def _is_covered(pause: PauseInForce, switch: Revision) -> bool:
    """Tell whether an announced pause is this revision, or one before it that the store is said to have."""
    is_before = pause.layer == switch.layer and pause.version is not None and pause.version < switch.version
    return is_before or _is_named(pause, switch)


def _is_named(pause: PauseInForce, switch: Revision) -> bool:
    """Tell whether this revision is that pause."""
    return pause.layer == switch.layer and (switch.config_id, switch.layer) in pause.names


def _is_known(pause: PauseInForce, known: KnownPause) -> bool:
    """Whether it is the one; the entry of a stored one may be that of a later pause too, which has another time."""
    is_same = any(known.config_id == name for name, _ in pause.names)
    return is_same and (pause.version is None or known.created_at == pause.created_at)
