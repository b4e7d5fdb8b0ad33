"""Reads a rule as it is sent: all problems at once, each with its path and a sentence."""

from __future__ import annotations

import re
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from pydantic import ValidationError

from vivienne.alerts.channels import Apprise, Browser, ToRedis, Webhook
from vivienne.alerts.quiet import QuietHours
from vivienne.alerts.rule import ASSET_EVENTS, BAR_EVENTS, MOST_CHANNELS, Rule, with_secrets
from vivienne.alerts.secret import MASK, Secret, origin_of
from vivienne.config.flat import MOST_TOLD, and_more, clip, nearest, quoted
from vivienne.errors import InvalidConfiguration, Problem
from vivienne.wire.alert import EventType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic import BaseModel

    from vivienne.wire.problem import WarningEntry

MOST_BYTES = 16_000
"""Bytes of a rule."""
_SHOWN_ONLY = (
    "alert_id", "version", "created_at", "changed_at", "author", "reason", "problem", "last_fired_at", "undelivered",
)  # fmt: skip
"""Fields of a listed rule that are no part of it: they are passed over, so that a listed rule can be sent back."""
_CHANNELS: Mapping[str, type[BaseModel]] = {
    "webhook": Webhook, "apprise": Apprise, "browser": Browser, "redis": ToRedis,
}  # fmt: skip
_TYPES = ", ".join(_CHANNELS)
_EVENTS = ", ".join(EventType.__args__)  # type: ignore[attr-defined]  # a Literal
_WHAT = {
    "name": "one line of 1 to 64 characters",
    "enabled": "true or false",
    "assets": 'a list of assets, such as ["BTC", "E*"], or ["*"] for all',
    "event": f"one of {_EVENTS}, or a list of them",
    "levels": 'a list of levels, such as ["aim", "bang"]; there are idle, loaded, aim and bang',
    "when": "reaches or leaves",
    "filters": "a list of filters",
    "above": "a number between 0 and 1",
    "below": "a number between 0 and 1",
    "authors": "a list of at most 50 names or patterns",
    "paths": 'a list of at most 50 paths or patterns, such as ["settings.*"]',
    "side": "long or short",
    "min_size": "a number between 0 and 100 (percent of equity)",
    "min_confidence": "a number between 0 and 1",
    "markets": 'a list of kinds of markets: ["real"], "simulated" or "replay"',
    "cooldown": "a number of seconds, at most 2,592,000 (30 days)",
    "once_per_bar": "true or false",
    "quiet": 'a list of at most 8 objects such as {"from": "22:00", "to": "07:00", "zone": "Europe/Berlin"}',
    "text": "a template of at most 1,000 characters",
    "expires_after": "a number of seconds between 1 and 86,400",
    "channels": f"a list of 1 to {MOST_CHANNELS} channels",
    "channels.type": f"one of {_TYPES}",
    "channels.id": "at most 32 letters, digits, - and _",
    "channels.coalesce_above": "a whole number between 1 and 1,000",
    "channels.drop_expired": "true or false",
    "channels.url": "a URL, or env:NAME for one in an environment variable",
    "channels.secret": "a signing secret such as whsec_..., or env:NAME",
    "channels.headers": "an object of at most 16 headers and their values",
    "channels.title": "a template of at most 1,000 characters",
    "channels.sound": "true or false",
    "quiet.from": "a time such as 22:00",
    "quiet.to": "a time such as 07:00",
    "quiet.zone": "the name of a zone, such as Europe/Berlin",
    "quiet.days": "a list of mon, tue, wed, thu, fri, sat, sun",
}
"""By path without places, what a value must be."""
_FOR = {
    "levels": {"level"}, "when": {"level"}, "filters": {"held"}, "above": {"confidence"}, "below": {"confidence"},
    "authors": {"config"}, "paths": {"config"}, "min_size": BAR_EVENTS, "min_confidence": BAR_EVENTS,
    "side": BAR_EVENTS,
}  # fmt: skip
"""Conditions that belong to some events only."""
_MOST_GUESSED, _MOST_COMPARED = 3, 50
"""Unknown assets for which the nearest one is named, and assets that each of them is compared with."""
_PLACE = re.compile(r"\.\d+")


class ReadRule(NamedTuple):
    """A rule, and warnings of what is valid and rarely meant. Its channels all have an id."""

    rule: Rule
    warnings: list[WarningEntry]


def read_rule(document: Mapping[str, Any], *, assets: Collection[str], kept: Rule | None = None) -> ReadRule:
    """Read a rule as it is sent.

    Args:
        document: as it was sent.
        assets: that are decided.
        kept: the rule that it replaces. A masked secret stands for the one of the channel with that id.

    Raises:
        InvalidConfiguration: all problems with it.
    """
    sent = {name: value for name, value in document.items() if name not in _SHOWN_ONLY}
    if len(orjson.dumps(sent, default=str)) > MOST_BYTES:
        raise InvalidConfiguration(f"A rule has at most {MOST_BYTES:,} bytes")
    problems = [*_masked_without(sent, kept)]
    try:
        rule = Rule.model_validate(_with_kept(_with_ids(sent), kept))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        told = [_translated(detail) for detail in details if detail["type"] != "extra_forbidden"]
        told += [_unknown(detail) for detail in unknown[:MOST_TOLD]] + and_more(unknown)
        masked = {problem.path for problem in problems}
        unique = {problem.path: problem for problem in reversed(told) if problem.path not in masked}
        raise InvalidConfiguration([*problems, *reversed(unique.values())]) from None
    problems += _disagreements(rule)
    if problems:
        raise InvalidConfiguration(problems)
    return ReadRule(rule, _warnings(rule, assets))


def _with_ids(sent: dict[str, Any]) -> dict[str, Any]:
    """The document with an id for each channel that has none."""
    channels = sent.get("channels")
    if not isinstance(channels, list):
        return sent
    taken = {str(channel.get("id")) for channel in channels if isinstance(channel, dict)}
    free = (f"c{number}" for number in range(1, 2 * MOST_CHANNELS + 2) if f"c{number}" not in taken)
    given = [
        {**channel, "id": next(free)} if isinstance(channel, dict) and channel.get("id") in (None, "") else channel
        for channel in channels[:MOST_CHANNELS]
    ]
    return {**sent, "channels": [*given, *channels[MOST_CHANNELS:]]}


def _secrets(rule: Rule | None) -> dict[tuple[str, str, str], Secret]:
    """The secrets of a rule, by channel, type of the channel and field."""
    found: dict[tuple[str, str, str], Secret] = {}
    for channel in () if rule is None else rule.channels:
        if isinstance(channel, (Webhook, Apprise)):
            found[channel.id, channel.type, "url"] = channel.url
        if isinstance(channel, Webhook):
            found |= {(channel.id, channel.type, f"headers.{name}"): value for name, value in channel.headers.items()}
            if channel.secret is not None:
                found[channel.id, channel.type, "secret"] = channel.secret
    return found


def _is_masked(value: object) -> bool:
    return isinstance(value, str) and value.endswith(MASK)


def _kept_for(channel: Any, place: str, value: object, secrets: Mapping[tuple[str, str, str], Secret]) -> Secret | None:
    """The secret that a masked value stands for: that of the same channel and type, shown in the same way.

    Headers are kept for the same receiver only: otherwise whoever may edit a rule could have them sent to another.
    """
    name, kind = str(channel.get("id")), str(channel.get("type"))
    found = secrets.get((name, kind, place))
    if found is None or found.shown() != value:
        return None
    if place.startswith("headers.") and not _is_receiver(channel.get("url"), secrets.get((name, kind, "url"))):
        return None
    return found


def _is_receiver(url: object, kept: Secret | None) -> bool:
    """Tell whether a URL, as it is sent, has the scheme, host and port of the kept one."""
    if kept is None or not isinstance(url, str):
        return False
    return url == kept.shown() or (kept.hint != "" and origin_of(url) == kept.hint)


def _masked_without(sent: Mapping[str, Any], kept: Rule | None) -> list[Problem]:
    """A problem for each masked secret that stands for none."""
    secrets, problems = _secrets(kept), list[Problem]()
    channels = sent.get("channels")
    for number, channel in enumerate(channels if isinstance(channels, list) else ()):
        if not isinstance(channel, dict):
            continue

        def look(value: Any, place: str, channel: Any = channel, number: int = number) -> Any:
            if _is_masked(value) and _kept_for(channel, place, value, secrets) is None:
                path = f"channels.{number}.{place}"
                problems.append(Problem(path, f"{path} is masked, and no secret is kept for it; send it again"))
            return value

        with_secrets({"channels": [channel]}, look)
    return problems


def _with_kept(sent: dict[str, Any], kept: Rule | None) -> dict[str, Any]:
    """The document with kept secrets in the place of masked ones, and a kept signing secret where none is sent."""
    secrets = _secrets(kept)
    channels = sent.get("channels")
    if not isinstance(channels, list):
        return sent
    found = []
    for channel in channels:
        if not isinstance(channel, dict):
            found.append(channel)
            continue

        def restore(value: Any, place: str, channel: Any = channel) -> Any:
            return _kept_for(channel, place, value, secrets) or value if _is_masked(value) else value

        [changed] = with_secrets({"channels": [channel]}, restore)["channels"]
        signing = secrets.get((str(channel.get("id")), "webhook", "secret"))
        if channel.get("type") == "webhook" and channel.get("secret") is None and signing is not None:
            changed["secret"] = signing
        found.append(changed)
    return {**sent, "channels": found}


def _path(detail: Any) -> str:
    """The path of an error, without the names that pydantic adds for the types of channels."""
    parts = [str(part) for part in detail["loc"]]
    if len(parts) > 2 and parts[0] == "channels" and parts[2] in _CHANNELS:  # noqa: PLR2004  # the type follows the place
        del parts[2]
    return ".".join(part for part in parts if not part.startswith(("function-", "tuple[")))


def _translated(detail: Any) -> Problem:
    path = _path(detail)
    kind = _PLACE.sub("", path)
    if kind.startswith("channels.headers."):
        kind = "channels.headers"
    if detail["type"] == "value_error":
        said = str(detail["ctx"]["error"])
        if kind == "quiet.zone":
            said = f"Unknown zone {quoted(str(detail['input']))}; write it as Europe/Berlin"
        return Problem(path, said if said[:1].isupper() else f"{path}: {said}")
    if detail["type"] == "missing":
        return Problem(path, f"{path} is missing; it must be {_what(kind)}")
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return Problem(f"{path}.type", f"{path}.type must be one of {_TYPES}")
    return Problem(path, f"{path} must be {_what(kind)}")


def _what(kind: str) -> str:
    while kind and kind not in _WHAT:
        kind = kind.rpartition(".")[0]
    return _WHAT.get(kind, "something else")


def _unknown(detail: Any) -> Problem:
    parts = [str(part) for part in detail["loc"]]
    name, known = parts[-1], list(Rule.model_fields)
    if parts[0] == "channels" and len(parts) > 2:  # noqa: PLR2004  # a field of a channel
        known = list(_CHANNELS[parts[2]].model_fields) if parts[2] in _CHANNELS else []
    elif parts[0] == "quiet":
        known = [field.alias or each for each, field in QuietHours.model_fields.items()]
    known = [each for each in known if each != "problem"]
    where = _path(detail).rpartition(".")[0]
    path = f"{where}.{clip(name)}".lstrip(".")
    return Problem(path, f"Unknown field {quoted(name)}; the nearest known one is {nearest(name, known)!r}")


def _disagreements(rule: Rule) -> list[Problem]:
    """Values that do not go together."""
    problems = []
    events = set(rule.event)
    for name, needed in _FOR.items():
        if getattr(rule, name) is not None and not events & needed:
            whom = ", ".join(sorted(needed)) if len(needed) < len(BAR_EVENTS) else "events of closed bars"
            problems.append(Problem(name, f"{name} is a condition of {whom}, and the rule watches none of them"))
    if "confidence" in events and (rule.above is None) == (rule.below is None):
        problems.append(
            Problem("above", "A rule of the confidence has either above or below: the number that it crosses")
        )
    ids = [channel.id for channel in rule.channels]
    for place, name in enumerate(ids):
        if name in ids[:place]:
            problems.append(Problem(f"channels.{place}.id", f"Two channels have the id {name!r}; give each its own"))
    return problems


def _warnings(rule: Rule, assets: Collection[str]) -> list[WarningEntry]:
    """What is valid and rarely meant."""
    return [*_unknown_assets(rule, assets), *_late_orders(rule)]


def _late_orders(rule: Rule) -> list[WarningEntry]:
    """Webhooks whose receiver cannot tell that an alert comes late: it would act on it hours afterwards.

    An exit that comes late is better than none, and a pause that is over is not sent.
    """
    if "exit" in rule.event or set(rule.event) == {"pause"}:
        return []
    return [
        {
            "id": "late_alerts",
            "path": f"channels.{place}.body",
            "message": "The receiver cannot tell when an alert comes late, for up to a day: add {{expires_at}} to the "
            "body, or set drop_expired",
        }
        for place, channel in enumerate(rule.channels)
        if isinstance(channel, Webhook) and channel.body is not None and not channel.drop_expired
        and "expires_at" not in orjson.dumps(channel.body).decode()
    ]  # fmt: skip


def _unknown_assets(rule: Rule, assets: Collection[str]) -> list[WarningEntry]:
    """An exact name of an asset that is not decided: it may come later, or be a slip."""
    if not ASSET_EVENTS & set(rule.event):
        return []
    known = frozenset(assets)
    missing = [name for name in rule.assets if "*" not in name and "?" not in name and name not in known]
    guesses = [f"; the nearest asset is {_nearest_asset(name, assets)}" for name in missing[:_MOST_GUESSED]]
    return [
        {"id": "unknown_asset", "path": "assets", "message": f"{name} is not decided here{guess}"}
        for name, guess in zip_longest(missing[:MOST_TOLD], guesses, fillvalue="")
    ]


def _nearest_asset(name: str, assets: Collection[str]) -> str:
    """The asset that a name is most like, of a few: each comparison takes a part of a millisecond."""
    alike = (asset for asset in assets if asset[:1] == name[:1])
    return nearest(name, list(islice(alike, _MOST_COMPARED)) or islice(assets, _MOST_COMPARED))
