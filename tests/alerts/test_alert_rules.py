"""A rule as it is sent: what is accepted, what is refused, and that its secrets are never shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.alerts import reading
from vivienne.alerts.channels import Webhook
from vivienne.alerts.reading import read_rule
from vivienne.alerts.rule import Rule
from vivienne.errors import InvalidConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterable

ASSETS = ("BTC", "ETH")
SIGNING = "whsec_" + "QUJD" * 8
HOOK = {
    "type": "webhook",
    "url": "https://bot.example/hook?token=very-secret",
    "secret": SIGNING,
    "headers": {"Authorization": "Bearer very-secret"},
}
SMALLEST: dict[str, Any] = {
    "name": "bang",
    "assets": ["*"],
    "event": "level",
    "levels": ["aim", "bang"],
    "channels": [HOOK],
}


def seal(text: str) -> str:
    return text[::-1]


def problems_of(document: dict[str, Any], kept: Rule | None = None) -> dict[str, str]:
    with pytest.raises(InvalidConfiguration) as refused:
        read_rule(document, assets=ASSETS, kept=kept)
    return {problem.path: problem.message for problem in refused.value.problems}


def stored(document: dict[str, Any] = SMALLEST) -> Rule:
    return read_rule(document, assets=ASSETS).rule.sealed(seal)


def test_the_smallest_rule_is_accepted_and_comes_back_from_the_store_as_it_was() -> None:
    rule = stored()
    assert rule.channels[0].id == "c1"
    assert Rule.load(json.loads(json.dumps(rule.document()))) == rule


def test_a_rule_that_is_shown_has_no_secrets_and_can_be_sent_back() -> None:
    rule = stored()
    shown = rule.shown()
    text = json.dumps(shown)
    assert "very-secret" not in text
    assert "QUJD" not in text
    assert shown["channels"][0]["url"] == "https://bot.example/***"
    again = read_rule({**shown, "alert_id": "al_1", "name": "renamed"}, assets=ASSETS, kept=rule).rule
    assert again.name == "renamed"
    assert again.channels == rule.channels


def test_secrets_appear_in_no_representation_of_a_rule() -> None:
    rule = read_rule(SMALLEST, assets=ASSETS).rule
    assert "very-secret" not in repr(rule)
    assert "QUJD" not in str(rule)


def test_a_rule_whose_secrets_are_not_encrypted_is_not_stored() -> None:
    with pytest.raises(ValueError, match="not encrypted"):
        read_rule(SMALLEST, assets=ASSETS).rule.document()


def test_a_header_is_not_kept_for_another_receiver() -> None:
    shown = stored().shown()
    shown["channels"][0]["url"] = "https://elsewhere.example/hook"
    found = problems_of(shown, kept=stored())
    assert list(found) == ["channels.0.headers.Authorization"]


def test_an_address_is_not_kept_for_another_type_of_channel() -> None:
    shown = stored().shown()
    shown["channels"] = [{"type": "apprise", "id": "c1", "url": shown["channels"][0]["url"]}]
    assert list(problems_of(shown, kept=stored())) == ["channels.0.url"]


def test_a_webhook_without_a_signing_secret_gets_one() -> None:
    hook = {name: value for name, value in HOOK.items() if name != "secret"}
    rule, made = read_rule({**SMALLEST, "channels": [hook]}, assets=ASSETS).rule.with_made_secrets()
    channel = rule.channels[0]
    assert isinstance(channel, Webhook)
    assert channel.secret is not None
    assert channel.secret.plain == made["c1"]


def test_a_secret_may_be_the_name_of_a_variable_and_is_shown_as_such() -> None:
    rule = stored({**SMALLEST, "channels": [{"type": "apprise", "url": "env:TELEGRAM_URL"}]})
    assert rule.shown()["channels"][0]["url"] == "env:TELEGRAM_URL"


@pytest.mark.parametrize(
    ("field", "variable"), [("url", "env:VIVIENNE_DB"), ("secret", "env:VIVIENNE_DB"), ("headers", "env:AWS_SECRET")]
)
def test_variables_that_a_receiver_should_not_learn_are_refused(field: str, variable: str) -> None:
    value = {"X-Key": variable} if field == "headers" else variable
    found = problems_of({**SMALLEST, "channels": [{**HOOK, field: value}]})
    assert next(iter(found)).startswith(f"channels.0.{field}")


def test_all_problems_are_told_at_once_each_where_it_is() -> None:
    found = problems_of({
        "name": "a",
        "assets": ["BTC"],
        "event": ["held"],
        "chanels": 1,
        "channels": [
            {"type": "webhok", "url": "x"},
            {"type": "webhook", "url": "ftp://x", "secret": "a", "body": {"a": "{{sid}}"}, "foo": 1},
        ],
        "quiet": [{"from": "25:00", "to": "07:00", "zone": "Mars"}],
        "text": "{{clarity}}",
    })  # fmt: skip
    assert found["channels.0.type"] == "channels.0.type must be one of webhook, apprise, browser, redis"
    assert "https://bot.example/hook" in found["channels.1.url"]
    assert "whsec_" in found["channels.1.secret"]
    assert found["channels.1.body"].startswith("Unknown field 'sid'; the nearest known one is 'side'")
    assert found["quiet.0.zone"] == "Unknown zone 'Mars'; write it as Europe/Berlin"
    assert found["quiet.0.from"] == "quiet.0.from must be a time such as 22:00"
    assert found["text"] == "Unknown field 'clarity'; the nearest known one is 'clarity_level'"
    assert found["chanels"] == "Unknown field 'chanels'; the nearest known one is 'channels'"
    assert "channels.1.foo" in found


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"event": "confidence"}, "levels"),
        ({"event": "confidence", "levels": None}, "above"),
        ({"event": "data", "levels": None, "min_size": 2}, "min_size"),
        ({"text": "{{asset"}, "text"),
        ({"text": "{{side|long}}"}, "text"),
        ({"text": "{{asset}}" * 51}, "text"),
        ({"text": "x" * 1_001}, "text"),
        ({"channels": [{"type": "browser"}] * 9}, "channels"),
        ({"channels": [{**HOOK, "url": "https://user:password@bot.example/"}]}, "channels.0.url"),
        ({"channels": [{**HOOK, "headers": {"Host": "x"}}]}, "channels.0.headers"),
        ({"channels": [{**HOOK, "headers": {"x-key": "a", "X-Key": "b"}}]}, "channels.0.headers"),
        ({"channels": [{**HOOK, "headers": {"X": "a\r\nb: c"}}]}, "channels.0.headers.X"),
        ({"channels": [{**HOOK, "body": [[[[[[[[[1]]]]]]]]]}]}, "channels.0.body"),
        ({"channels": [{**HOOK, "id": "a"}, {"type": "browser", "id": "a"}]}, "channels.1.id"),
        ({"channels": [{**HOOK, "url": "***"}]}, "channels.0.url"),
        ({"channels": 5}, "channels"),
        ({"channels": [{**HOOK, "id": []}]}, "channels.0.id"),
        ({"channels": [{"type": "apprise", "url": "json://bot.example/ok,syslog://"}]}, "channels.0.url"),
        ({"channels": [{"type": "apprise", "url": "json://bot.example/ok; dbus://"}]}, "channels.0.url"),
        ({"channels": [{**HOOK, "headers": {"X": "env:VIVIENNE_ALERT_KEY"}}]}, "channels.0.headers.X"),
        ({"name": "two\nlines"}, "name"),
        ({"enabled": "yes"}, "enabled"),
        ({"cooldown": float("nan")}, "cooldown"),
        ({"text": "y" * 900, "channels": [{**HOOK, "body": ["z" * 900] * 20}]}, ""),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], path: str) -> None:
    assert path in problems_of({**SMALLEST, **changed})


def test_an_asset_that_is_not_decided_is_accepted_with_a_warning() -> None:
    _, warnings = read_rule({**SMALLEST, "assets": ["BTCC", "E*"]}, assets=ASSETS)
    assert [warning["message"] for warning in warnings] == ["BTCC is not decided here; the nearest asset is BTC"]


def test_of_many_unknown_assets_the_first_ones_are_compared_with_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each comparison takes a part of a millisecond, and there may be thousands of assets."""
    compared: list[str] = []

    def nearest(_name: str, known: Iterable[str]) -> str:
        compared.extend(known)
        return compared[-1]

    monkeypatch.setattr(reading, "nearest", nearest)
    document = {**SMALLEST, "assets": [f"X{number}" for number in range(900)]}
    warnings = read_rule(document, assets=[f"A{number}" for number in range(5_000)]).warnings
    assert len(compared) <= 200
    assert 20 == sum("is not decided here" in each["message"] for each in warnings)
    assert 3 == sum("the nearest asset is" in each["message"] for each in warnings)


BODY = {**HOOK, "body": {"side": "{{side}}"}}


@pytest.mark.parametrize(
    ("changed", "warned"),
    [
        ({"channels": [BODY]}, True),
        ({"channels": [{**BODY, "drop_expired": True}]}, False),
        ({"channels": [{**HOOK, "body": {"until": "{{expires_at}}"}}]}, False),
        ({"channels": [HOOK]}, False),
        ({"channels": [BODY], "event": ["entry", "exit"], "levels": None}, False),
    ],
)
def test_a_receiver_that_cannot_tell_late_alerts_is_warned_of(changed: dict[str, Any], *, warned: bool) -> None:
    _, warnings = read_rule({**SMALLEST, **changed}, assets=ASSETS)
    assert [warning["id"] for warning in warnings] == ["late_alerts"] * warned
