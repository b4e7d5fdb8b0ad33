"""Rules of alerts go through the door of the configuration, and leave configurations alone."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.changes.alerts import planning
from vivienne.changes.alerts.requests import AlertRequest, DeleteRule, SetRule, SwitchOffRule
from vivienne.changes.looking_back import RevisionFilter
from vivienne.changes.requests import Activate, ChangeRequest, Delete, UndoRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.errors import InvalidConfiguration, RequestIdReused, UnknownAlert, UnknownRevision, VersionConflict
from vivienne.roles.alerting import switch_off
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.changes.alerts.requests import AlertIntent
    from vivienne.store.base import RevisionStore
    from vivienne.store.revision import AppliedRevision
    from vivienne.wire.alert import AlertChanged

ASSETS = ("BTC", "ETH")
SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()
WEBHOOK = {
    "type": "webhook",
    "url": "https://bot.example/hook/TOKEN",
    "secret": SIGNING,
    "headers": {"Authorization": "Bearer PASSWORD"},
}
RULE = {"name": "bang", "assets": ["*"], "event": "level", "channels": [WEBHOOK]}
SECRETS = ("TOKEN", "PASSWORD", SIGNING)


def seal(secret: str) -> str:
    """Stands in for encryption: the secret cannot be read in what is stored."""
    return secret[::-1]


def service_on(store: RevisionStore) -> ConfigService:
    return ConfigService(store, ASSETS, seal=seal)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    service = service_on(SqliteRevisionStore(tmp_path / "v.db"))
    yield service
    await service.close()


async def ask(service: ConfigService, intent: AlertIntent, alert_id: str | None = None, **more: Any) -> AlertChanged:
    return await service.change_alert(AlertRequest(intent, alert_id, channel="rest", author="ann", **more))


def rule(**more: Any) -> SetRule:
    return SetRule({**RULE, **more})


async def test_a_rule_is_in_force_in_the_history_and_after_a_restart(service: ConfigService, tmp_path: Path) -> None:
    made = await ask(service, rule(), reason="tell me")
    changed = await ask(service, rule(cooldown=60), made["alert_id"])
    await service.close()

    again = service_on(SqliteRevisionStore(tmp_path / "v.db"))
    [found] = again.alerts.rules()
    assert found == again.alerts.get(made["alert_id"])
    assert (found.version, found.config_id, found.author, found.reason) == (2, changed["config_id"], "ann", None)
    assert found.created_at < found.changed_at
    assert found.rule.cooldown == 60
    second, first = (await again.history(None, 10, None))["history"]
    assert [first["action"], first["alert_id"], first["reason"]] == ["alert", made["alert_id"], "tell me"]
    assert (first["asset_symbol"], first["is_active"], second["is_active"]) == (None, False, True)
    assert second["changed"] == [{"path": "cooldown", "old": 0.0, "new": 60.0}]
    assert second["config"]["channels"][0]["url"] == "https://bot.example/***"
    await again.close()


async def test_secrets_are_in_no_answer_history_log_or_change(
    service: ConfigService, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[AppliedRevision] = []
    service.listen(told.append)
    made = await ask(service, rule(), request_id="r1")
    other = {**WEBHOOK, "id": "c1", "headers": {"Authorization": "Bearer PASSWORD2"}}
    await ask(service, rule(channels=[other]), made["alert_id"], request_id="r2")
    with pytest.raises(InvalidConfiguration) as refused:
        await ask(service, rule(cooldown=-1, event="nothing"))

    said = [
        made,
        await service.history(None, 10, None),
        [each.revision.changed for each in told],
        [each.revision.as_document(is_active=True) for each in told],
        [each.revision.answer for each in told],
        str(refused.value),
        caplog.text,
    ]
    for secret in SECRETS:
        assert secret not in json.dumps(said)
        assert secret.encode() not in (tmp_path / "v.db").read_bytes()
    changed = [each["path"] for each in told[1].revision.changed]
    assert changed == ["channels.c1.headers.Authorization"]


async def test_a_signing_secret_is_made_once_and_shown_in_one_answer_only(service: ConfigService) -> None:
    channel = {"type": "webhook", "url": "https://bot.example/hook"}
    made = await ask(service, rule(channels=[channel]), request_id="r1")
    again = await ask(service, rule(channels=[channel]), request_id="r1")

    assert made["secrets"]["c1"].startswith("whsec_")
    assert "secrets" not in again
    assert {**again, "secrets": made["secrets"]} == made
    kept = await ask(service, SetRule(dict(made["alert"])), made["alert_id"])
    assert "secrets" not in kept
    [stored] = service.alerts.rules()
    assert stored.rule.document()["channels"][0]["secret"]["sealed"] == seal(made["secrets"]["c1"])
    with pytest.raises(RequestIdReused):
        await ask(service, rule(), request_id="r1")


async def test_a_rule_moves_no_version_of_a_configuration(service: ConfigService) -> None:
    await service.change(
        ChangeRequest(Update({"settings": {"state_threshold_bang": 80}}, partial=True), channel="rest")
    )
    before = service.active("BTC")
    told: list[AppliedRevision] = []
    service.listen(told.append)

    made = await ask(service, rule())
    gone = await ask(service, DeleteRule(), made["alert_id"])

    assert (made["version"], gone["version"], service.newest[0]) == (2, 3, 3)
    assert service.active("BTC") is before
    assert (service.version("BTC"), service.active().version) == (1, 1)
    assert [each.assets for each in told] == [[], []]
    assert [each["version"] for each in (await service.configurations(None, 10, None))["configurations"]] == [1]
    assert [each["version"] for each in (await service.history("BTC", 10, None))["history"]] == [1]
    wanted = RevisionFilter(field="filters")
    assert (await service.history(None, 10, None, wanted))["history"] == []
    await ask(service, rule(event="held", filters=["levels"]))
    assert (await service.history(None, 10, None, wanted))["history"] == []


async def test_a_rule_is_no_configuration_to_activate_delete_or_undo(service: ConfigService) -> None:
    made = await ask(service, rule())
    gone = await ask(service, DeleteRule(), made["alert_id"])

    for config_id, what in ((made["config_id"], "change"), (gone["config_id"], "deletion")):
        for intent in (Activate(config_id), Delete(config_id)):
            with pytest.raises(UnknownRevision, match=f"is a {what} of an alert rule, not a configuration"):
                await service.change(ChangeRequest(intent, channel="rest"))
        with pytest.raises(UnknownRevision, match="not a configuration"):
            await service.undo(UndoRequest(config_id, channel="rest"))


async def test_a_rule_is_changed_and_deleted_on_top_of_its_version_only(service: ConfigService) -> None:
    made = await ask(service, rule())
    await ask(service, rule(name="other"))
    for intent in (rule(), DeleteRule()):
        with pytest.raises(VersionConflict, match="The rule is at version 1, not 2"):
            await ask(service, intent, made["alert_id"], expected_version=2)
    await ask(service, rule(enabled=False), made["alert_id"], expected_version=1)
    await ask(service, DeleteRule(), made["alert_id"], expected_version=3)

    assert [each.rule.name for each in service.alerts.rules()] == ["other"]
    intents: tuple[AlertIntent, ...] = rule(), DeleteRule(), SwitchOffRule("x")
    for each in intents:
        with pytest.raises(UnknownAlert, match="Unknown alert_id"):
            await ask(service, each, made["alert_id"])


async def test_a_rule_that_cannot_work_is_off_until_it_is_set_again(service: ConfigService) -> None:
    made = await ask(service, rule())
    off = await ask(service, SwitchOffRule("switched off: the receiver of c1 answered 410 Gone"), made["alert_id"])

    assert (off["alert"]["enabled"], off["alert"]["problem"]) == (
        False,
        "switched off: the receiver of c1 answered 410 Gone",
    )
    on = await ask(service, SetRule({**off["alert"], "enabled": True}), made["alert_id"])
    assert on["alert"]["problem"] is None


async def test_a_rule_that_is_corrected_meanwhile_is_not_switched_off(service: ConfigService) -> None:
    made = await ask(service, rule())
    [channel] = service.alerts.get(made["alert_id"]).rule.channels
    corrected = rule(channels=[{**WEBHOOK, "url": "https://bot.example/new"}])
    await asyncio.gather(
        ask(service, corrected, made["alert_id"]), switch_off(service, made["alert_id"], channel, "it is gone")
    )
    await switch_off(service, made["alert_id"], channel, "it is gone")
    assert service.alerts.get(made["alert_id"]).rule.enabled

    [channel] = service.alerts.get(made["alert_id"]).rule.channels
    await switch_off(service, made["alert_id"], channel, "it is gone")
    off = service.alerts.get(made["alert_id"])
    assert (off.rule.enabled, off.problem) == (False, "it is gone")


async def test_a_rule_beyond_the_limit_is_refused(service: ConfigService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_RULES", 2)
    made = [await ask(service, rule()) for _ in range(2)]

    with pytest.raises(InvalidConfiguration, match="The limit of 2 alert rules is reached; delete one first"):
        await ask(service, rule())
    await ask(service, rule(cooldown=1), made[0]["alert_id"])
    await ask(service, DeleteRule(), made[1]["alert_id"])
    await ask(service, rule())


async def test_a_literal_secret_is_refused_where_there_is_no_key(tmp_path: Path) -> None:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ASSETS)
    with pytest.raises(InvalidConfiguration, match="name an environment variable, as env:NAME"):
        await ask(service, rule())
    channel = {"type": "webhook", "url": "env:BOT_URL", "secret": "env:BOT_KEY"}
    made = await ask(service, rule(channels=[channel]))
    assert made["alert"]["channels"][0]["url"] == "env:BOT_URL"
    await service.close()


async def test_a_stored_rule_that_cannot_be_read_is_ignored_said_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = service_on(SqliteRevisionStore(tmp_path / "v.db"))
    made = await ask(service, rule())
    await service.close()
    store = SqliteRevisionStore(tmp_path / "v.db")
    [stored] = store.heads()
    with store._transaction() as connection:
        later = json.dumps({**stored.document, "of_a_later_version": 1}).encode()
        connection.exec_driver_sql("UPDATE revisions SET document = ?", (later,))

    service = service_on(store)
    assert service.alerts.rules() == ()
    assert f"The stored alert rule {made['alert_id']} (version 1) cannot be read and is ignored" in caplog.text
    [listed] = (await service.history(None, 1, None))["history"]
    assert listed["config"]["channels"][0]["url"] == "https://bot.example/***"
    await ask(service, rule(), made["alert_id"], expected_version=1)
    assert len(service.alerts.rules()) == 1
    await service.close()


async def test_rules_of_another_process_are_followed(database: str) -> None:
    url = PostgresUrl.read(database)
    assert url is not None
    here, there = (service_on(PostgresRevisionStore(url)) for _ in range(2))
    told: list[AppliedRevision] = []
    there.listen(told.append)
    try:
        made = await ask(here, rule())
        update = Update({"settings": {"state_threshold_bang": 80}}, partial=True)
        await here.change(ChangeRequest(update, channel="rest"))
        assert await there.catch_up()
        assert there.alerts.rules() == here.alerts.rules()
        assert there.version("BTC") == here.version("BTC") == 2
        assert [(each.revision.is_alert, each.made_here) for each in told] == [(True, False), (False, False)]

        both = (ask(each, rule(cooldown=1), made["alert_id"], expected_version=1) for each in (here, there))
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(each).__name__ for each in outcomes) == ["VersionConflict", "dict"]
        await ask(there, DeleteRule(), made["alert_id"])
        await here.catch_up()
        assert here.alerts.rules() == ()
    finally:
        await here.close()
        await there.close()
