"""Events that no closed bar causes: data, feed, configuration, pauses, and parts of the process in trouble."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from vivienne.alerts.happenings import Happening
from vivienne.alerts.names import Names
from vivienne.config.layers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vivienne.alerts.rule import Rule
    from vivienne.changes.pause.state import PauseInForce, PausesInForce
    from vivienne.live.asset import LiveAsset
    from vivienne.slices import Pieces
    from vivienne.store.revision import AppliedRevision, Revision

_MOST_LISTED = 100
"""Changed values and assets that an alert lists."""

_MOST_TOLD = 10_000
"""Names of pauses that were noticed before they were stored."""

_ON_THE_WAY = ("connecting", "catching_up")
"""States of a feed that are no event: another one follows."""


def _any_rule(_rule: Rule) -> Pieces[bool]:
    yield
    return True


class Noticed(NamedTuple):
    """An event that no bar caused.

    Attributes:
        happening: what happened.
        asset: the asset; None if it concerns none, or several.
        key: tells it from other events of this kind.
        bears_on: only rules for one of these assets want it; None if it does not matter which ones they are for.
        wants: tells whether such a rule that watches this kind wants it; a pattern at a time.
        version: of the configuration; None for the one in force.
    """

    happening: Happening
    asset: str | None
    key: str
    bears_on: Sequence[str] | None = None
    wants: Callable[[Rule], Pieces[bool]] = _any_rule
    version: int | None = None


class DataWatch:
    """Notices that the data of an asset has become unreliable, and that it is reliable again.

    While a process starts, nothing is reliable yet. That is no event.
    """

    def __init__(self) -> None:
        self._reliable: set[str] = set()
        self._stale: set[str] = set()

    def look(self, asset: str, live: LiveAsset, moment: str) -> Iterator[Noticed]:
        """Look at an asset at a moment."""
        trouble = live.trouble
        if trouble is None:
            self._reliable.add(asset)
            if asset in self._stale:
                self._stale.remove(asset)
                yield self._noticed(asset, {"status": "live", "reason_id": None, "reason": None}, moment)
        elif asset in self._reliable and asset not in self._stale:
            self._stale.add(asset)
            details = {"status": "stale", "reason_id": trouble.id, "reason": trouble.message}
            yield self._noticed(asset, details, moment)

    def _noticed(self, asset: str, details: dict[str, Any], moment: str) -> Noticed:
        return Noticed(Happening("data", details), asset, f"{details['status']} {moment}", [asset])


class FeedWatch:
    """Notices that the feed lost its exchange, or failed, and that it is connected again."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[str, str | None]] = {}
        self._said = "connected"

    def look(self, asset: str, live: LiveAsset, moment: str) -> Iterator[Noticed]:
        """Look at the feed of an asset at a moment. That of all is connected once that of each is."""
        contact, trouble = live.contact, live.trouble
        if trouble is not None and trouble.id == "feed_failed":
            self._states[asset] = "failed", trouble.message
        elif contact is not None:
            self._states[asset] = contact.state, contact.reason
        else:
            self._states.pop(asset, None)
        state, reason = next((each for each in self._states.values() if each[0] != "connected"), ("connected", None))
        if state not in (self._said, *_ON_THE_WAY):
            self._said = state
            details = {"feed_status": state, "status": state, "reason": reason}
            yield Noticed(Happening("feed", details), None, f"{state} {moment}")


class PartWatch:
    """Notices that a part of the process, such as the store, is in trouble, and that it works again.

    Args:
        parts: by name, a function that tells what is wrong with it.
        process: name of this process.
    """

    def __init__(self, parts: Mapping[str, Callable[[], str | None]], process: str) -> None:
        self._parts = parts
        self._process = process
        self._in_trouble: set[str] = set()

    def look(self, moment: str) -> Iterator[Noticed]:
        """Look at all parts at a moment."""
        for name, trouble_of in self._parts.items():
            trouble = trouble_of()
            if (trouble is not None) == (name in self._in_trouble):
                continue
            status = "ok" if trouble is None else "trouble"
            (self._in_trouble.discard if trouble is None else self._in_trouble.add)(name)
            details = {"part": name, "status": status, "reason": trouble, "process": self._process}
            yield Noticed(Happening("system", details), None, f"{name} {status} {self._process} {moment}")


class PauseWatch:
    """Notices pauses that are in force though the store has not taken them, or cannot be read.

    Other pauses are events of their revisions, with the same key. Those that are stored soon are not noticed here.
    """

    def __init__(self) -> None:
        self._seen: frozenset[tuple[str, str]] = frozenset()
        self._told: dict[tuple[str, str], None] = {}
        """Names of pauses, the last ones."""

    def look(self, pauses: PausesInForce, under: Callable[[str], Sequence[str]]) -> Iterator[Noticed]:
        """Look at the pauses in force; give those that are there since the look before.

        Args:
            pauses: in force.
            under: gives the assets that a pause of a layer bears on.
        """
        waiting = [*pauses.held, *pauses.heard]
        told = {pause.layer for pause in waiting if not self._told.keys().isdisjoint(pause.names)}
        for pause in waiting:
            # One more changes nothing, unless a resumption comes between: its revision is an event as usual.
            if pause.names[0] not in self._seen or pause.layer in told:
                continue
            told.add(pause.layer)
            self._tell(pause)
            key, asset = f"pause {pause.config_id}", None if pause.layer == GLOBAL else pause.layer
            happening = Happening("pause", _paused(pause, "paused"))
            yield Noticed(happening, asset, key, under(pause.layer), version=pause.version)
        self._seen = frozenset(pause.names[0] for pause in waiting)

    def has_told(self, revision: Revision) -> bool:
        """Whether a revision is a pause that was noticed before it was stored, or read."""
        return revision.action == "pause" and (revision.config_id, revision.layer) in self._told

    def _tell(self, pause: PauseInForce) -> None:
        self._told |= dict.fromkeys(pause.names)
        while len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]


def _paused(said: PauseInForce | Revision, action: str) -> dict[str, Any]:
    return {"action": action, "author": said.author, "channel": said.channel, "reason": said.reason}


def of_revision(change: AppliedRevision) -> Iterator[Noticed]:
    """The event of a change of the configuration, or of a pause."""
    revision = change.revision
    if revision.action in ("pause", "resume"):
        details = _paused(revision, "paused" if revision.action == "pause" else "resumed")
        yield _revised(Happening("pause", details), change)._replace(key=f"{revision.action} {revision.config_id}")
    elif change.assets and revision.changed:
        paths = [changed["path"] for changed in revision.changed]
        details = {
            "author": revision.author,
            "channel": revision.channel,
            "reason": revision.reason,
            "changed": paths[:_MOST_LISTED],
            "assets": [] if revision.asset_symbol is None else [revision.asset_symbol],
        }
        yield _revised(Happening("config", details), change, _Conditions(revision.author, paths).are_met)


def _revised(
    happening: Happening, change: AppliedRevision, wants: Callable[[Rule], Pieces[bool]] = _any_rule
) -> Noticed:
    revision = change.revision
    return Noticed(happening, revision.asset_symbol, str(revision.version), change.assets, wants, revision.version)


class _Conditions:
    """What rules may demand of a change.

    Args:
        author: of the change.
        paths: of the changed values.
    """

    def __init__(self, author: str, paths: list[str]) -> None:
        self._of_author, self._of_values = author, paths

    @cached_property
    def _author(self) -> Names:
        return Names([self._of_author])

    @cached_property
    def _paths(self) -> Names:
        return Names(self._of_values)

    def are_met(self, rule: Rule) -> Pieces[bool]:
        """Tell whether a rule wants the change."""
        if not (yield from rule.wanted_authors.among(self._author)):
            return False
        return bool((yield from rule.wanted_paths.among(self._paths)))
