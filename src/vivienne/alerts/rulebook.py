"""All rules in force, found by what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vivienne.alerts.names import Chosen, Names
    from vivienne.alerts.rule import Rule
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
        assets: that are decided.
    """

    def __init__(self, rules: Iterable[RuleT], market: MarketKind, assets: Names) -> None:
        self._market = market
        self._assets = assets
        self._by_kind: dict[EventType, list[RuleT]] = {}
        self._for_asset: dict[tuple[EventType, str], list[RuleT]] = {}
        """By kind and asset, the rules that watch it; made when they are first asked for."""
        self._reach: dict[int, Chosen] = {}
        """By `id` of a rule that is on, the assets that it is for; found when they are first asked for."""
        self.take_up(rules)

    def take_up(self, rules: Iterable[RuleT]) -> None:
        """Have these rules in the place of others. Of those that stay, the assets are known already."""
        by_kind: dict[EventType, list[RuleT]] = {}
        reach: dict[int, Chosen] = {}
        for each in rules:
            if each.rule.enabled and self._market in each.rule.markets:
                if id(each) in self._reach:
                    reach[id(each)] = self._reach[id(each)]
                for kind in dict.fromkeys(each.rule.event):
                    by_kind.setdefault(kind, []).append(each)
        self._by_kind, self._reach, self._for_asset = by_kind, reach, {}

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def look_up(self, asset: str) -> Pieces[None]:
        """Find the rules that watch an asset, a pattern at a time: a thousand rules may have a thousand each."""
        for kind in self._by_kind:
            if (kind, asset) not in self._for_asset:
                self._for_asset[kind, asset] = yield from self.watching(kind, [asset])

    def watching(self, kind: EventType, assets: Iterable[str] | None) -> Pieces[list[RuleT]]:
        """Find the rules that watch a kind of events of one of some assets, or of any without these."""
        rules = self._by_kind.get(kind, [])
        if assets is None or not rules:
            return rules
        found, wanted = list[RuleT](), self._assets.among(assets)
        for each in rules:
            if id(each) not in self._reach:
                self._reach[id(each)] = yield from each.rule.wanted_assets.among(self._assets)
            if self._reach[id(each)] & wanted:
                found.append(each)
            yield
        return found

    def of_bar(self, asset: str, kinds: Iterable[EventType]) -> Iterator[RuleT]:
        """The rules that watch one of these kinds of events of an asset that was looked up, each once."""
        seen: set[int] = set()
        for kind in kinds:
            for each in self._for_asset[kind, asset] if kind in self._by_kind else ():
                if id(each) not in seen:
                    seen.add(id(each))
                    yield each
