"""Rules of alerts over REST: made, listed, replaced and deleted, with masked secrets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from compared import Compared
from vivienne import slices
from vivienne.alerts.reading import read_rule
from vivienne.changes.service import ConfigService
from vivienne.outbox.secrets import Vault
from vivienne.server.alert_preview import asset_to_try
from vivienne.server.alert_standing import find_stuck
from vivienne.server.factory import web_application
from vivienne.store.alert import StoredDelivery, StoredEvent
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.live.view import MarketView

RULES = "/phoenix/alerts"
RULE: dict[str, Any] = {
    "name": "bang",
    "assets": ["*"],
    "event": "level",
    "levels": ["aim", "bang"],
    "channels": [{"type": "webhook", "url": "https://bot.example/hook/TOKEN"}],
}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    vault = Vault(tmp_path / "v.db.key")
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC", "ETH"], seal=vault.seal)
    yield service
    await service.close()


@pytest.fixture
async def client(service: ConfigService) -> AsyncIterator[httpx.AsyncClient]:
    hub = Hub(service.metrics)
    app = web_application(service, cast("MarketView", None), hub, StateBoard(hub), LogStream())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def test_the_first_asset_of_very_many_patterns_is_looked_for_a_pattern_at_a_time(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    compared = Compared(monkeypatch)
    patterns = ["E?H", *(f"*{number:03}?X*" for number in range(100))]
    rule = read_rule({**RULE, "assets": patterns}, assets=service.assets).rule
    async with compared.passes():
        await asyncio.sleep(0)
        assert await asset_to_try(service, None, rule) == "ETH"
    assert compared.count == 101
    assert compared.most_at_once() <= 2  # the first piece begins a slice


async def made(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post(RULES, json={**RULE, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_rule_is_made_listed_and_its_signing_secret_shown_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(RULES, json={**RULE, "author": "ann", "reason": "for the bot"})
    rule = answer.json()

    assert (answer.status_code, answer.headers["etag"], rule["status"]) == (201, '"1"', "success")
    assert rule["secrets"]["c1"].startswith("whsec_")
    [listed] = (await client.get(RULES)).json()["alerts"]
    assert listed == rule["alert"]
    assert (listed["alert_id"], listed["author"], listed["reason"]) == (rule["alert_id"], "ann", "for the bot")
    channel = listed["channels"][0]
    assert (channel["id"], channel["url"], channel["secret"]) == ("c1", "https://bot.example/***", "***")
    one = await client.get(f"{RULES}/{rule['alert_id']}")
    assert (one.json(), one.headers["etag"]) == (listed, '"1"')
    assert (await client.get(RULES)).json()["limit"] == 1000


async def test_a_listed_rule_is_sent_back_with_one_value_changed(
    client: httpx.AsyncClient, service: ConfigService
) -> None:
    rule = await made(client, author="ann", reason="for the bot")
    before = service.alerts.get(rule["alert_id"]).rule.document()["channels"]

    answer = await client.post(f"{RULES}/{rule['alert_id']}", json={**rule["alert"], "enabled": False})

    assert answer.status_code == 200
    assert "secrets" not in answer.json()
    changed = answer.json()["alert"]
    assert (changed["enabled"], changed["author"], changed["reason"]) == (False, "anonymous", None)
    assert changed["created_at"] == rule["alert"]["created_at"]
    assert service.alerts.get(rule["alert_id"]).rule.document()["channels"] == before
    [entry, _] = (await client.get("/phoenix/config/vivienne/comprehensive/history")).json()["history"]
    assert (entry["alert_id"], entry["changed"]) == (
        rule["alert_id"],
        [{"path": "enabled", "old": True, "new": False}],
    )


async def test_a_rule_is_deleted_by_its_address_or_its_query(client: httpx.AsyncClient) -> None:
    first, second = await made(client), await made(client)

    by_address = await client.delete(f"{RULES}/{first['alert_id']}")
    by_query = await client.delete(RULES, params={"alert_id": second["alert_id"], "reason": "the bot is gone"})

    assert (by_address.status_code, by_address.json()["alert_id"]) == (200, first["alert_id"])
    assert (by_query.status_code, by_query.json()["version"]) == (200, 4)
    assert (await client.get(RULES)).json()["alerts"] == []
    for answer in (
        await client.delete(f"{RULES}/{first['alert_id']}"),
        await client.get(f"{RULES}/{first['alert_id']}"),
        await client.post(f"{RULES}/{first['alert_id']}", json=RULE),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_alert")
    unnamed = await client.delete(RULES)
    assert (unnamed.status_code, unnamed.json()["errors"][0]["path"]) == (400, "alert_id")


async def test_a_change_on_top_of_another_version_is_refused_and_a_repeated_one_made_once(
    client: httpx.AsyncClient,
) -> None:
    key = {"Idempotency-Key": "k1"}
    first, again = [await client.post(RULES, json=RULE, headers=key) for _ in range(2)]
    where = f"{RULES}/{first.json()['alert_id']}"
    assert again.json() == {name: value for name, value in first.json().items() if name != "secrets"}

    stale = await client.post(where, json=RULE, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict")
    assert (await client.delete(where, headers={"If-Match": '"1"'})).status_code == 200
    reused = await client.post(RULES, json={**RULE, "name": "other"}, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (409, "request_id_reused")


async def test_all_problems_of_a_rule_are_told_without_its_secrets(client: httpx.AsyncClient) -> None:
    channel = {"type": "webhook", "url": "TOKEN", "headers": {"Host": "PASSWORD"}}
    wrong = {**RULE, "assetts": ["*"], "cooldown": -1, "channels": [channel]}

    answer = await client.post(RULES, json=wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_configuration")
    paths = [error["path"] for error in answer.json()["errors"]]
    assert {"assetts", "cooldown", "channels.0.url", "channels.0.headers"} <= set(paths)
    assert "the nearest known one is 'assets'" in answer.text
    assert "TOKEN" not in answer.text
    assert "PASSWORD" not in answer.text
    nothing = await client.get(f"{RULES}?limit=1")
    assert nothing.status_code == 400


async def test_a_rule_tells_when_it_fired_last(client: httpx.AsyncClient, service: ConfigService) -> None:
    rule = await made(client)
    when = "2026-01-02T03:04:05.678Z"
    event = StoredEvent("evt_1", rule["alert_id"], "run", "BTC", 0, when, cast("Any", {}))
    await service.store_reads.run(service.alert_store.add_alerts, [event], (), {}, "run", "")

    assert (await client.get(f"{RULES}/{rule['alert_id']}")).json()["last_fired_at"] == when


async def test_a_rule_tells_what_has_not_arrived_and_can_be_sent_back(
    client: httpx.AsyncClient, service: ConfigService
) -> None:
    rule = await made(client)
    when = "2026-01-02T03:04:05.678Z"
    event = StoredEvent("evt_1", rule["alert_id"], "run", "BTC", 0, when, cast("Any", {}))
    delivery = StoredDelivery(
        "evt_1.c1", "evt_1", rule["alert_id"], "bang", "c1", "webhook", "https://bot.example/***", "retrying", 1.5, 1.0,
        attempts=2, status_code=503, answer="overloaded",
    )  # fmt: skip
    await service.store_reads.run(service.alert_store.add_alerts, [event], [delivery], {}, "run", "")

    listed = (await client.get(f"{RULES}/{rule['alert_id']}")).json()
    assert listed["undelivered"] == [
        {
            "delivery_id": "evt_1.c1",
            "channel": "c1",
            "channel_type": "webhook",
            "status": "retrying",
            "waiting": 1,
            "created_at": when,
            "attempts": 2,
            "next_attempt_at": "1970-01-01T00:00:01.500Z",
            "status_code": 503,
            "answer": "overloaded",
        }
    ]
    assert (await client.get(RULES)).json()["alerts"] == [listed]
    again = await client.post(f"{RULES}/{rule['alert_id']}", json=listed)
    assert again.status_code == 200


async def test_what_has_not_arrived_is_the_same_if_it_is_looked_up_in_parts(
    service: ConfigService, monkeypatch: pytest.MonkeyPatch
) -> None:
    when, store = "2026-01-02T03:04:05.678Z", service.alert_store
    statuses = ("delivered", "dead", "retrying", "waiting", "quiet", "dropped", "dead")
    events = [StoredEvent(f"evt_{each}", "al_1", "run", "BTC", 0, when, cast("Any", {})) for each in range(28)]
    deliveries = [
        StoredDelivery(
            f"{event.event_id}.c{channel}", event.event_id, f"al_{channel % 2}", "bang", f"c{channel}", "webhook",
            "https://bot.example/***", cast("Any", statuses[(place * (1 + channel)) % len(statuses)]), 1.5, 1.0,
        )
        for place, event in enumerate(events) for channel in range(8)
    ]  # fmt: skip
    await service.store_reads.run(store.add_alerts, events, deliveries, {}, "run", "")
    at_once = await find_stuck(service, len(deliveries))
    parts, lanes = list[int](), store.lanes

    def counted(after: int, limit: int) -> Any:
        parts.append(after)
        return lanes(after, limit)

    monkeypatch.setattr(store, "lanes", counted)
    assert await find_stuck(service, 10) == at_once != []
    assert len(parts) == -(-len(deliveries) // 10)
