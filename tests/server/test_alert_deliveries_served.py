"""Alerts of a running server: what fired, what became of it, tests, and once more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook as Signing

from receivers import answer, receiving
from running import Client, RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

ALERTS = "/phoenix/alerts"
SECONDS = 20.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    db = tmp_path_factory.mktemp("alerts") / "v.db"
    with RunningServer("--assets", "BTC", "--alert-hosts", "127.0.0.1", db=db) as server:
        yield server


async def ask(running: RunningServer, method: str, path: str = "", body: Any = None) -> httpx.Response:
    return await asyncio.to_thread(running.http.request, method, running.url + ALERTS + path, json=body)


async def made(running: RunningServer, *channels: dict[str, Any], **changed: Any) -> Any:
    rule = {"name": "changes", "assets": ["*"], "event": "config", "channels": list(channels), **changed}
    found = await ask(running, "POST", "", rule)
    assert found.status_code == 201, found.text
    return found.json()


async def listed(running: RunningServer, query: str, status: str) -> list[Any]:
    """The deliveries of a query, once all have this status."""
    async with asyncio.timeout(SECONDS):
        while True:
            found = (await ask(running, "GET", f"/deliveries?{query}")).json()["deliveries"]
            if found and {each["status"] for each in found} == {status}:
                return list(found)
            await asyncio.sleep(0.05)


async def test_a_change_arrives_signed_in_browsers_and_in_the_list_and_can_be_sent_again(
    running: RunningServer,
) -> None:
    async with receiving() as receiver:
        rule = await made(running, {"type": "webhook", "url": receiver.url()}, {"type": "browser"})
        with Client(f"ws://127.0.0.1:{running.port}/ws/alerts") as client:
            await asyncio.to_thread(running.post, "partial-update", {"position_size_aim": 7, "author": "ada"})
            [request] = await receiver.got(1)
            pushed = await asyncio.to_thread(client.receive)
        event = Signing(rule["secrets"]["c1"]).verify(request.body, request.headers)
        assert (event["type"], event["details"]["author"]) == ("config", "ada")
        assert (pushed["type"], pushed["event"], pushed["sound"]) == ("alert", event, True)
        deliveries = await listed(running, f"alert_id={rule['alert_id']}", "delivered")
        assert [each["channel_type"] for each in deliveries] == ["browser", "webhook"]
        hook = deliveries[1]
        assert (hook["status_code"], hook["answer"], hook["attempts"], hook["event_id"]) == (200, "ok", 1, event["id"])
        assert hook["target"].endswith("/***")
        again = await ask(running, "POST", f"/deliveries/{hook['delivery_id']}/resend")
        assert again.status_code == 202
        first, second = await receiver.got(2)
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        events = (await ask(running, "GET", "/events?channel=browser&limit=1")).json()
        assert events["events"] == [event]
        assert (await ask(running, "GET", f"/events?before={events['next']}")).json() == {"events": [], "next": None}
    await ask(running, "DELETE", f"/{rule['alert_id']}")


async def test_a_test_really_sends_and_tells_what_the_receiver_answered(running: RunningServer) -> None:
    async with receiving(answer(200, b"thank you"), answer(500, b"no")) as receiver:
        rule = await made(
            running, {"type": "webhook", "url": receiver.url()}, {"type": "redis"}, event="level", enabled=False
        )
        path = f"/{rule['alert_id']}/test"
        [good] = (await ask(running, "POST", path, {"channel": "c1", "asset": "btc"})).json()["results"]
        assert (good["status"], good["status_code"], good["answer"]) == ("delivered", 200, "thank you")
        assert receiver.requests[0].json["type"] == "test"
        bad, redis = (await ask(running, "POST", path)).json()["results"]
        assert (bad["status"], bad["answer"]) == ("failed", "no")
        assert "--redis" in redis["answer"]
        assert (await ask(running, "POST", path, {"channel": "c9"})).status_code == 422
        assert (await ask(running, "POST", path, {"asset": "DOGE"})).status_code == 422
        assert (await ask(running, "POST", "/al_none/test")).status_code == 404
        codes = [(await ask(running, "POST", path, {"channel": "c1"})).status_code for _ in range(12)]
        assert codes[-1] == 429
        assert len(receiver.requests) == codes.count(200) + 2


async def test_what_is_no_delivery_is_not_found_and_a_wrong_query_is_told(running: RunningServer) -> None:
    assert (await ask(running, "POST", "/deliveries/evt_none.c1/resend")).status_code == 404
    assert (await ask(running, "GET", "/deliveries?limit=501")).status_code == 422
    assert (await ask(running, "GET", "/deliveries?status=lost")).status_code == 422
    assert (await ask(running, "GET", "/events?chanel=browser")).status_code == 400
    assert (await ask(running, "GET", "/deliveries?asset=none")).json() == {"deliveries": [], "next": None}
