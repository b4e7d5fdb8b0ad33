"""The differences between two rules, with masked secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vivienne.alerts.rule import with_secrets
from vivienne.config.documents import differences, leaves

if TYPE_CHECKING:
    from vivienne.alerts.rule import Rule
    from vivienne.wire.answers import ValueChange
    from vivienne.wire.document import Document


def changes_of(before: Rule | None, after: Rule | None) -> list[ValueChange]:
    """The values that differ. Those of a channel are under its id. Of a secret only its path and mask are told."""
    old, new = ({} if rule is None else _by_channel(rule.shown()) for rule in (before, after))
    changes = differences(old, new)
    told = {change["path"] for change in changes}
    were, are = _secrets(before), _secrets(after)
    shown_old, shown_new = leaves(old), leaves(new)
    for path, secret in are.items():
        if path in were and path not in told and were[path] != secret:
            changes.append({"path": path, "old": shown_old.get(path), "new": shown_new.get(path)})
    return changes


def _by_channel(shown: Document) -> Document:
    channels = {
        channel["id"]: {name: value for name, value in channel.items() if name != "id"} for channel in shown["channels"]
    }
    return {**shown, "channels": channels}


def _secrets(rule: Rule | None) -> dict[str, Any]:
    """By path as in `_by_channel`, the stored form of each secret."""
    found: dict[str, Any] = {}
    for channel in [] if rule is None else rule.document()["channels"]:

        def keep(value: Any, place: str, name: str = channel["id"]) -> Any:
            found[f"channels.{name}.{place}"] = value
            return value

        with_secrets({"channels": [channel]}, keep)
    return found
