"""What happened from one closed bar to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from vivienne.alerts.rule import Rule
    from vivienne.alerts.standing import Standing
    from vivienne.wire.alert import EventType


class Happening(NamedTuple):
    """An event of a rule.

    Attributes:
        type: its kind.
        details: what belongs to this kind.
    """

    type: EventType
    details: dict[str, Any]


def possible(before: Standing, now: Standing) -> frozenset[EventType]:
    """Kinds of events that a bar can have caused, whatever the rules watch."""
    found: set[EventType] = set()
    if now.level != before.level:
        found.add("level")
    if now.target != before.target:
        found |= {"entry", "exit", "size"}
    if {now.side, before.side} == {"long", "short"}:
        found.add("side")
    if now.held and now.held != before.held:
        found.add("held")
    if now.confidence != before.confidence:
        found.add("confidence")
    return frozenset(found)


def happened(rule: Rule, before: Standing, now: Standing, kinds: frozenset[EventType]) -> Happening | None:
    """The event of a rule that a bar caused; None if it caused none.

    A bar that causes several of them has the one that the rule names first.

    Args:
        rule: watches the asset.
        before: the bar before.
        now: the bar.
        kinds: of `possible`.
    """
    for kind in rule.event:
        if kind in kinds:
            details = _WATCHED[kind](rule, before, now)
            if details is not None and _fits(rule, kind, before, now):
                return Happening(kind, details)
    return None


def _fits(rule: Rule, kind: EventType, before: Standing, now: Standing) -> bool:
    """The conditions on side, size and confidence. Of what ends, they are asked of the bar before."""
    ends = kind == "exit" or (kind == "level" and rule.when == "leaves")
    of = before if ends else now
    return (
        (rule.side is None or of.side == rule.side)
        and (rule.min_size is None or of.size >= rule.min_size)
        and (rule.min_confidence is None or of.confidence >= rule.min_confidence)
    )


def _level(rule: Rule, before: Standing, now: Standing) -> dict[str, Any] | None:
    watched = rule.watched_levels
    if rule.when == "leaves":
        return {} if before.level in watched and now.level not in watched else None
    return {} if now.level in watched and now.level != before.level else None


def _entry(_rule: Rule, before: Standing, now: Standing) -> dict[str, Any] | None:
    return {} if now.target != 0 and before.target * now.target <= 0 else None


def _exit(_rule: Rule, before: Standing, now: Standing) -> dict[str, Any] | None:
    return {} if now.target == 0 and before.target != 0 else None


def _size(_rule: Rule, before: Standing, now: Standing) -> dict[str, Any] | None:
    return {} if before.target * now.target > 0 and before.target != now.target else None


def _side(_rule: Rule, _before: Standing, _now: Standing) -> dict[str, Any] | None:
    return {}  # `possible` has looked


def _held(rule: Rule, before: Standing, now: Standing) -> dict[str, Any] | None:
    new = [name for name in now.held if name not in before.held]
    is_wanted = new if rule.filters is None else [name for name in new if name in rule.filters]
    return {"filters": list(now.held)} if is_wanted else None


def _confidence(rule: Rule, before: Standing, now: Standing) -> dict[str, Any] | None:
    if rule.above is not None:
        return {"crossed": rule.above} if before.confidence < rule.above <= now.confidence else None
    if rule.below is not None:
        return {"crossed": rule.below} if before.confidence > rule.below >= now.confidence else None
    return None


_WATCHED = {
    "level": _level,
    "entry": _entry,
    "exit": _exit,
    "size": _size,
    "side": _side,
    "held": _held,
    "confidence": _confidence,
}
