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

_MOST_FORMER = 100
"""Former rules whose assets are known, beside as many as there are rules."""


class Rulebook(Generic[RuleT]):
    """The rules that are on, by kind of event and asset.

    Args:
        rules: all of them.
        market: kind of the market that is decided.
        assets: that are decided.
        reach: by `id` of a rule, the rule and the assets that it is for, as far as they are known; it is added to.
    """

    def __init__(
        self,
        rules: Iterable[RuleT],
        market: MarketKind,
        assets: Names,
        reach: dict[int, tuple[RuleT, Chosen]] | None = None,
    ) -> None:
        self._market = market
        self._assets = assets
        self._by_kind: dict[EventType, list[RuleT]] = {}
        self._for_asset: dict[tuple[EventType, str], list[RuleT]] = {}
        """By kind and asset, the rules that watch it; made when they are first asked for."""
        self._reach = {} if reach is None else reach
        """Found when it is first asked for."""
        for each in rules:
            if each.rule.enabled and market in each.rule.markets:
                for kind in dict.fromkeys(each.rule.event):
                    self._by_kind.setdefault(kind, []).append(each)

    def __bool__(self) -> bool:
        return bool(self._by_kind)

    def changed(self, rules: Iterable[RuleT]) -> Rulebook[RuleT]:
        """These rules in the place of those. Of rules that stay, the assets are known already, or found once."""
        rules = list(rules)
        reach = self._reach
        if len(reach) > 2 * len(rules) + _MOST_FORMER:
            reach = {id(each): reach[id(each)] for each in rules if id(each) in reach}
        return Rulebook(rules, self._market, self._assets, reach)

    def watches(self, kinds: Iterable[EventType]) -> bool:
        """Whether any rule watches one of these kinds of events."""
        return any(kind in self._by_kind for kind in kinds)

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
                self._reach[id(each)] = each, (yield from each.rule.wanted_assets.among(self._assets))
            if self._reach[id(each)][1] & wanted:
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
