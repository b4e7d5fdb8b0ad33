"""Alert rules are exported and imported with the configuration, without their secrets."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.changes.alerts.requests import AlertRequest, SetRule
from vivienne.commands.config import ImportOrder, export_configuration, import_configuration
from vivienne.commands.database import service_over
from vivienne.errors import ImportRefused

if TYPE_CHECKING:
    from pathlib import Path

    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.wire.answers import Replaced

SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()
WEBHOOK = {
    "type": "webhook",
    "url": "https://bot.example/hook/TOKEN",
    "secret": SIGNING,
    "headers": {"Authorization": "Bearer PASSWORD"},
    "body": {"side": "{{side}}", "legs": [{"size": "{{position_size}}"}]},
}
RULE: dict[str, Any] = {
    "name": "bang",
    "assets": ["*"],
    "event": "level",
    "quiet": [{"from": "22:00", "to": "07:00", "zone": "Europe/Berlin"}],
    "channels": [WEBHOOK],
}
BY_NAME = {"name": "mine", "assets": ["BTC"], "event": ["entry", "exit"], "channels": [{"type": "browser"}]}


async def _set(db: Path, *rules: dict[str, Any]) -> list[str]:
    async with service_over(db) as service:
        made = [await service.change_alert(AlertRequest(SetRule(rule), None, channel="rest")) for rule in rules]
    return [each["alert_id"] for each in made]


async def _rules(db: Path) -> dict[str, RuleInForce]:
    async with service_over(db) as service:
        return {rule.alert_id: rule for rule in service.alerts.rules()}


def imported(db: Path, file: Path, text: str, **more: Any) -> Replaced:
    file.write_text(text)
    return asyncio.run(import_configuration(db, ImportOrder(file=str(file), author="ann", **more)))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "v.db"
    asyncio.run(_set(path, RULE, BY_NAME))
    return path


def test_an_exported_rule_is_imported_again_with_the_secrets_that_the_database_has(db: Path, tmp_path: Path) -> None:
    before = asyncio.run(_rules(db))
    text = export_configuration(db, "-")
    for secret in ("TOKEN", "PASSWORD", SIGNING, "sealed"):
        assert secret not in text
    assert 'url: "https://bot.example/***"  # a secret, which is not exported' in text

    assert imported(db, tmp_path / "f.yaml", text)["status"] == "unchanged"
    answer = imported(db, tmp_path / "f.yaml", text.replace('name: "bang"', 'name: "boom"'), reason="louder")

    [told] = answer["layers"]
    assert told["changed"] == [{"path": "name", "old": "bang", "new": "boom"}]
    after = asyncio.run(_rules(db))
    found = after[told["alert_id"]]
    assert (found.rule.name, found.version, found.author, found.reason) == ("boom", 3, "ann", "louder")
    assert found.rule.document()["channels"] == before[told["alert_id"]].rule.document()["channels"]
    (tmp_path / "f.yaml").write_text(text)
    assert "boom" in export_configuration(db, str(tmp_path / "f.yaml"))


def test_a_rule_without_the_secrets_that_it_needs_is_refused_with_its_lines(db: Path, tmp_path: Path) -> None:
    text = export_configuration(db, "-")

    with pytest.raises(ImportRefused) as refused:
        imported(tmp_path / "other.db", tmp_path / "f.yaml", text)

    lines = text.splitlines()
    by_path = {finding.path: finding for finding in refused.value.findings}
    assert by_path.keys() == {
        "channels.c1.url",
        "channels.c1.secret",
        "channels.c1.headers.Authorization",
    }
    for path, finding in by_path.items():
        assert finding.line is not None
        assert lines[finding.line - 1].strip().startswith(path.rpartition(".")[2])


def test_rules_move_to_another_database_in_one_change_with_the_layers(db: Path, tmp_path: Path) -> None:
    text = export_configuration(db, "-")
    text = text.replace('"https://bot.example/***"', "env:BOT_URL").replace('secret: "***"', "secret: env:BOT_KEY")
    text = text.replace('Authorization: "***"', "Authorization: env:VIVIENNE_ALERT_BOT")
    text += "global:\n  settings:\n    state_threshold_bang: 85\n"

    other = tmp_path / "other.db"
    answer = imported(other, tmp_path / "f.yaml", text)

    assert answer["message"] == "1 layer replaced, 2 alert rules set"
    assert [each["version"] for each in answer["layers"]] == [1, 2, 3]
    assert asyncio.run(_rules(other)).keys() == asyncio.run(_rules(db)).keys()
    again = export_configuration(other, "-")
    assert imported(other, tmp_path / "f.yaml", again)["status"] == "unchanged"


def test_rules_that_a_file_does_not_have_go_only_if_it_says_what_rules_there_are(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    imported(db, file, "format: 1\nglobal: {}\n", replace_all=True)
    assert len(asyncio.run(_rules(db))) == 2

    mine = (
        "format: 1\nalerts:\n  btc:\n    name: new\n    assets: [BTC]\n    event: entry\n"
        "    channels: [{type: browser}]\n"
    )
    trial = imported(db, file, mine, replace_all=True, is_dry_run=True)
    assert trial["message"] == "Nothing was changed. 3 alert rules would be set"
    imported(db, file, mine)
    assert len(asyncio.run(_rules(db))) == 3
    imported(db, file, mine, replace_all=True)
    assert list(asyncio.run(_rules(db))) == ["btc"]


def test_what_is_wrong_with_a_rule_is_told_with_its_line_and_with_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    text = (
        "format: 1\nglobal:\n  settings:\n    state_threshold_bang: 105\n"
        "alerts:\n  btc:\n    name: x\n    asets: [BTC]\n"
    )
    with pytest.raises(ImportRefused) as refused:
        imported(tmp_path / "v.db", tmp_path / "f.yaml", text)

    told = [(finding.line, finding.layer, finding.path) for finding in refused.value.findings]
    assert (4, "global", "settings.state_threshold_bang") in told
    assert (8, "alert:btc", "asets") in told
    assert (6, "alert:btc", "channels") in told
