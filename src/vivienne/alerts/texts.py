"""Sentences of alerts whose rule has no template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.alerts.fields import values_of
from vivienne.alerts.template import LONGEST_TEXT, shortened, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vivienne.alerts.rule import Rule
    from vivienne.wire.alert import AlertEvent

_MOST_NAMED, _MOST_CHANGES = 10, 5
"""Assets and changed values that a sentence names."""
_BETWEEN, _LONGEST_OF_SEVERAL = "; ", 1_500
"""Services take 2,000 letters, some of them with the title."""
_MOST_SWITCHES = 10
"""Pauses and resumptions in the text of several alerts."""


def text_of(rule: Rule, event: AlertEvent) -> str:
    """The text of an alert, by the template of its rule or as a sentence. One that is of no real market says so."""
    template = rule.template
    text = _SENTENCES[event["type"]](event) if template is None else template.render(values_of(event))
    return shortened(text if event["market"] == "real" else f"[{event['market']}] {text}", LONGEST_TEXT)


def text_of_several(events: list[AlertEvent]) -> str:
    """The text of several alerts in one message: the last pauses and resumptions among them, and how many there are.

    Services take it: what comes after a message that they refuse for its length would wait.
    """
    switches = [event["text"] for event in events if event["type"] == "pause"][-_MOST_SWITCHES:]
    counted = shortened(_counted(events), _LONGEST_OF_SEVERAL // 2)
    longest = (_LONGEST_OF_SEVERAL - len(counted)) // max(1, len(switches)) - len(_BETWEEN)
    return _BETWEEN.join([*(shortened(each, longest) for each in switches), counted])


def _counted(events: list[AlertEvent]) -> str:
    first, count = events[0], len(events)
    assets = list(dict.fromkeys(event["asset"] for event in events if event["asset"]))
    if {event["type"] for event in events} == {"level"}:
        levels = " or ".join(dict.fromkeys(str(event["clarity_level"]) for event in events))
        text = f"{count} assets at {levels}" if len(assets) == len(events) else f"{count} alerts: {levels}"
    else:
        text = f"{count} alerts of {first['alert']['name']}"
    more = count - _MOST_NAMED if len(assets) == len(events) else 0
    named = ", ".join(assets[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    text = f"{text}: {named}" if named else text
    return text if first["market"] == "real" else f"[{first['market']}] {text}"


def _position(event: AlertEvent) -> str:
    side, size = event["side"], event["position_size"]
    return f"{side} {written(size)} %" if size else str(side)


def _at(event: AlertEvent) -> str:
    confidence = f"confidence {(event['signal_confidence'] or 0) * 100:.0f} %"
    return f"at {written(event['price'])} ({confidence})"


def _before(event: AlertEvent, name: str) -> Any:
    previous: Mapping[str, Any] = event["previous"] or {}
    return previous.get(name)


def _level(event: AlertEvent) -> str:
    was = _before(event, "clarity_level")
    after = "" if was in (None, event["clarity_level"]) else f" after {was}"
    return f"{event['asset']} at {event['clarity_level']}{after}: {_position(event)} {_at(event)}"


def _entry(event: AlertEvent) -> str:
    return f"{event['asset']}: entry, {_position(event)} {_at(event)}"


def _exit(event: AlertEvent) -> str:
    was = f"{_before(event, 'side')} {written(_before(event, 'position_size'))} %"
    return f"{event['asset']}: exit from {was} {_at(event)}"


def _size(event: AlertEvent) -> str:
    return f"{event['asset']}: {_position(event)} instead of {written(_before(event, 'position_size'))} % {_at(event)}"


def _side(event: AlertEvent) -> str:
    return f"{event['asset']} turned from {_before(event, 'side')} to {_position(event)} {_at(event)}"


def _held(event: AlertEvent) -> str:
    return f"{event['asset']}: an entry is held back by {written(event['details'].get('filters'))} {_at(event)}"


def _confidence(event: AlertEvent) -> str:
    crossed = written(event["details"].get("crossed"))
    return f"{event['asset']}: the confidence crossed {crossed}; {_position(event)} {_at(event)}"


def _data(event: AlertEvent) -> str:
    details = event["details"]
    if details.get("status") == "stale":
        return f"{event['asset']} is stale: {details.get('reason')}"
    return f"{event['asset']}: its data is reliable again"


def _feed(event: AlertEvent) -> str:
    details, name = event["details"], event["exchange"] or event["feed"]
    reason = f": {details['reason']}" if details.get("reason") else ""
    return f"The feed {name} is {str(details.get('feed_status')).replace('_', ' ')}{reason}"


def _config(event: AlertEvent) -> str:
    details = event["details"]
    changed = details.get("changed") or []
    more = len(changed) - _MOST_CHANGES
    what = written(changed[:_MOST_CHANGES]) + (f" and {more} more" if more > 0 else "")
    whom = written(details.get("assets")) or "all assets"
    by = f"{details.get('author')} (version {event['config_version']})"
    return f"The configuration of {whom} was changed by {by}: {what}"


def _pause(event: AlertEvent) -> str:
    details = event["details"]
    whom = event["asset"] or "All assets"
    reason = f": {details['reason']}" if details.get("reason") else ""
    return f"{whom} {details.get('action')} by {details.get('author')}{reason}"


def _system(event: AlertEvent) -> str:
    details = event["details"]
    if details.get("status") == "ok":
        return f"{details.get('part')} works again"
    return f"{details.get('part')} is in trouble: {details.get('reason')}"


def _test(event: AlertEvent) -> str:
    return f"Test of the rule {event['alert']['name']}. " + (_level(event) if event["asset"] else "")


_SENTENCES: Mapping[str, Callable[[AlertEvent], str]] = {
    "level": _level, "entry": _entry, "exit": _exit, "size": _size, "side": _side, "held": _held,
    "confidence": _confidence, "data": _data, "feed": _feed, "config": _config, "pause": _pause, "system": _system,
    "test": _test,
}  # fmt: skip
