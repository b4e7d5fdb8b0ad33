"""All rules in force, found by what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from vivienne.alerts.happenings import happened, possible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.alerts.happenings import Happening
    from vivienne.alerts.rule import Rule
    from vivienne.alerts.standing import Standing
    from vivienne.slices import Pieces
    from vivienne.wire.alert import EventType, MarketKind


class HasRule(Protocol):
    """Something with a rule."""

    @property
    def rule(self) -> Rule:
        """The rule."""


RuleT = TypeVar("RuleT", bound=HasRule)


class Rulebook(Generic[RuleT]):
    """The rules that are on, by kind of event and asset.

    Args:
        rules: all of them.
        market: kind of the market that is decided.
    """

    def __init__(self, rules: Iterable[RuleT], market: MarketKind) -> None:
        self._by_kind: dict[EventType, list[RuleT]] = {}
        self._for_asset: dict[tuple[EventType, str], list[RuleT]] = {}
        """By kind and asset, the rules that watch it; made when they are first asked for."""
        for each in rules:
            if each.rule.enabled and market in each.rule.markets:
                for kind in dict.fromkeys(each.rule.event):
                    self._by_kind.setdefault(kind, []).append(each)

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def look_up(self, asset: str) -> Pieces[None]:
        """Find the rules that watch an asset, one at a time: there may be a thousand, with a thousand patterns each."""
        for kind, rules in self._by_kind.items():
            if (kind, asset) not in self._for_asset:
                found: list[RuleT] = []
                for each in rules:
                    if each.rule.concerns(asset):
                        found.append(each)
                    yield
                self._for_asset[kind, asset] = found

    def watching(self, kind: EventType, asset: str | None = None) -> list[RuleT]:
        """The rules that watch a kind of events; of one asset, if it is given."""
        if asset is None:
            return self._by_kind.get(kind, [])
        for _ in self.look_up(asset):
            pass
        return self._for_asset.get((kind, asset), [])

    def of_bar(self, asset: str, before: Standing, now: Standing) -> Iterator[tuple[RuleT, Happening]]:
        """The rules of which a bar has caused an event, each once."""
        kinds = possible(before, now)
        seen: set[int] = set()
        for kind in kinds:
            for each in self.watching(kind, asset):
                if id(each) not in seen:
                    seen.add(id(each))
                    found = happened(each.rule, before, now, kinds)
                    if found is not None:
                        yield each, found
