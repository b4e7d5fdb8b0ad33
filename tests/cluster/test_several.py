"""Agents that decide a share each, and gateways that show the whole, as clients of both gateways see it."""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter
from standardwebhooks import Webhook as Signing

from measured import measured
from receivers import receiving
from redis_running import RunningRedis, eventually
from revisions import filled, revision
from running import COMPREHENSIVE, Client, RunningServer, config, data
from several import ASSETS, Several, wait_for_version, wait_until_ready
from sizes import rounds
from vivienne.cluster.shards import Shard
from vivienne.redis.publishing import STATES_CHANGED
from vivienne.settings.parsing import database
from vivienne.store.opening import open_store
from vivienne.wire.messages import StatesChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

STALE_SECONDS = 5.0
RULES = "/phoenix/alerts"
SIZE = "settings.position_size_bang"


@pytest.fixture(scope="module")
def several(
    postgres_process: PostgresServer, redis: RunningRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Several]:
    postgres_process.start()
    key = tmp_path_factory.mktemp("several") / "alert.key"
    alerting = ("--alert-hosts", "127.0.0.1", "--alert-key", str(key))
    with Several(postgres_process.database(), redis, everywhere=alerting) as running:
        yield running


def size(asset: str, value: float) -> dict[str, Any]:
    return {"asset_symbol": asset, "settings": {"position_size_bang": value}}


def bars(server: RunningServer, asset: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        server.get(f"/phoenix/assets/{asset}/bars", limit=1_000).raise_for_status().json()["bars"]
    )
    return found


@pytest.fixture(scope="module")
def alone(several: Several, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One process that decides the same market by itself."""
    flags = ("--assets", ",".join(ASSETS), *several.market)
    with RunningServer(*flags, db=tmp_path_factory.mktemp("alone") / "v.db") as server:
        yield server


def decided_alike(alone: RunningServer, gateway: RunningServer, asset: str) -> bool:
    """Whether both decide the same on all bars of a window; asked again when one bar closed between the questions."""
    pairs = ((bars(alone, asset), bars(gateway, asset)) for _ in range(20))
    expected, found = next(
        pair for pair in pairs if [bar["time"] for bar in pair[0]] == [bar["time"] for bar in pair[1]]
    )
    assert len(expected) > 900
    return [decided(bar) for bar in expected] == [decided(bar) for bar in found]


def test_every_gateway_has_every_asset(several: Several) -> None:
    for gateway in several.gateways:
        with gateway.client() as client:
            assert set(ASSETS) == {client.state(asset)["asset"] for asset in ASSETS}
            # A gateway that has just started may not have heard every agent yet.
            while {data(client.states[asset])["status"] for asset in ASSETS} != {"live"}:
                client.receive()
        assert list(ASSETS) == [entry["asset"] for entry in gateway.get("/phoenix/assets").json()["assets"]]
        assert {48} == {len(entry["closes"]) for entry in gateway.get("/phoenix/assets").json()["assets"]}
        assert dict.fromkeys(ASSETS, "ok") == gateway.get("/ready").json()["feeds"]


def test_no_agent_decides_what_another_one_does(several: Several) -> None:
    shares = [set(agent.get("/ready").json()["feeds"]) for agent in several.agents]
    assert [set(Shard(number, 2).share(ASSETS)) for number in (1, 2)] == shares
    assert all(shares), "this test needs an asset for each"


def test_a_gateway_lists_and_explains_what_its_agents_recorded(several: Several) -> None:
    gateway, levels = several.gateways[0], ["idle", "loaded", "aim", "bang"]
    listed: dict[str, Any] = {}

    def are_listed() -> bool:
        page = gateway.get("/phoenix/decisions", level=levels).raise_for_status().json()
        listed.update({each["asset"]: each for each in page["decisions"]})
        return listed.keys() == {*ASSETS}

    eventually(are_listed, 60)
    for asset, decision in listed.items():
        charted = {bar["time"]: bar for bar in bars(gateway, asset)}[decision["time"]]
        assert (charted["clarity_level"], charted["close"]) == (decision["clarity_level"], decision["price"])
        explained = gateway.get(f"/phoenix/assets/{asset}/decisions/{decision['time']}").raise_for_status().json()
        assert explained["is_reproduced"] is True


def test_states_are_numbered_without_a_gap(several: Several) -> None:
    with several.gateways[0].client() as client:
        numbers = [state["seq"] for state in (client.receive() for _ in range(60)) if state["asset"] == "BTC"]
    assert list(range(numbers[0], numbers[0] + len(numbers))) == numbers


def test_agents_publish_what_changed_as_the_reference_says(several: Several, redis: RunningRedis) -> None:
    assert several.gateways
    with redis.listener(STATES_CHANGED) as listener:
        found = [listener.hear() for _ in range(10)]
    for message in found:
        TypeAdapter(StatesChanged).validate_python(message, strict=True)
    assert "asset_changed" in {each["type"] for message in found for each in message["states"]}


async def test_alerts_of_all_agents_arrive_once_and_signed_and_in_browsers_of_every_gateway(several: Several) -> None:
    here, there = several.gateways
    async with receiving() as receiver:
        channels = [{"type": "webhook", "url": receiver.url()}, {"type": "browser"}]
        rule = {"name": "changes", "assets": ["*"], "event": "config", "channels": channels}
        made = (await asyncio.to_thread(here.http.post, f"{here.url}{RULES}", json=rule)).raise_for_status().json()
        with Client(f"ws://127.0.0.1:{there.port}/ws/alerts") as client:
            for change in (*(size(asset, 1.75) for asset in ASSETS), {"position_size_bang": 1.5}):
                (await asyncio.to_thread(here.post, "partial-update", change)).raise_for_status()
            shown = [(await asyncio.to_thread(client.receive))["event"] for _ in range(len(ASSETS) + 1)]
        await receiver.got(len(ASSETS) + 1)

        def are_delivered() -> bool:
            answer = there.get(f"{RULES}/deliveries", alert_id=made["alert_id"]).raise_for_status().json()
            listed = answer["deliveries"]
            return len(listed) == 2 * len(shown) and {each["status"] for each in listed} == {"delivered"}

        await asyncio.to_thread(eventually, are_delivered)
        signing = Signing(made["secrets"]["c1"])
        sent = [signing.verify(request.body, request.headers) for request in receiver.requests]
    assert {*ASSETS, None} == {event["asset"] for event in sent}
    assert sorted(event["id"] for event in shown) == sorted(event["id"] for event in sent)
    await asyncio.to_thread(here.http.delete, f"{here.url}{RULES}/{made['alert_id']}")


@pytest.mark.parametrize("asset", ASSETS)
def test_a_change_at_one_gateway_reaches_the_clients_of_the_other(several: Several, asset: str) -> None:
    here, there = several.gateways
    with there.client() as client:
        made = here.post("partial-update", size(asset, 1.25)).raise_for_status().json()
        state = client.state(asset, version=made["version"])
        assert 1.25 == config(state)["settings"]["position_size_bang"]
    wait_for_version(there, asset, made["version"])


def test_what_is_asked_of_a_gateway_is_what_a_process_alone_answers(several: Several, alone: RunningServer) -> None:
    """The bars with their indicators and decisions, and a preview of a change."""
    change = {"settings": {"state_threshold_loaded": 35}}
    for asset in ASSETS:
        for gateway in several.gateways:
            assert decided_alike(alone, gateway, asset)
        answer = several.gateways[1].http.post(
            f"{several.gateways[1].url}/phoenix/assets/{asset}/preview", params={"bars": 300}, json=change
        )
        preview = answer.raise_for_status().json()
        assert (True, asset, 300) == (preview["valid"], preview["asset"], preview["bars"])


def decided(bar: dict[str, Any]) -> dict[str, Any]:
    """A bar without what depends on the changes these tests make, sizes and versions, and on who decided it live."""
    return {name: value for name, value in bar.items() if name not in {"config_version", "position_size", "recomputed"}}


@pytest.mark.sized
def test_of_two_gateways_only_one_wins_the_same_version(several: Several) -> None:
    """Increments by `If-Match`, at both gateways at once: the sum is exact."""
    before = several.gateways[0].post("partial-update", size("ETH", 0)).raise_for_status().json()["version"]
    each = rounds(100, 20)

    def increment(gateway: RunningServer) -> int:
        conflicts = done = 0
        while done < each:
            active = gateway.active("ETH")
            value = active["config"]["settings"]["position_size_bang"] + 0.25
            answer = gateway.post("partial-update", size("ETH", value), headers={"If-Match": f'"{active["version"]}"'})
            if answer.status_code == 412:
                conflicts += 1
            else:
                answer.raise_for_status()
                done += 1
        return conflicts

    with ThreadPoolExecutor(2) as pool:
        conflicts = sum(pool.map(increment, several.gateways))
    for gateway in several.gateways:
        wait_for_version(gateway, "ETH", before + 2 * each)
        assert 2 * each * 0.25 == gateway.active("ETH")["config"]["settings"]["position_size_bang"]
    versions = [revision["version"] for revision in several.gateways[0].history()]
    assert list(range(len(versions), 0, -1)) == versions
    assert conflicts > 0, "the gateways never met"


def test_a_dead_agent_is_seen_and_its_replacement_decides_the_same(several: Several, alone: RunningServer) -> None:
    agent = several.agent_of("BTC")
    with several.gateways[0].client() as one, several.gateways[1].client() as other:
        last = one.state("BTC")["seq"]
        agent.kill()
        killed = time.monotonic()
        for client in (one, other):
            while data(client.receive(STALE_SECONDS))["status"] != "stale":
                assert time.monotonic() - killed < STALE_SECONDS
        for gateway in several.gateways:
            ready = gateway.get("/ready")
            assert (200, "degraded") == (ready.status_code, ready.json()["status"])
            assert "has not responded" in ready.json()["feeds"]["BTC"]
            assert 1 == gateway.log.count("does not respond; its assets are stale")
        refused = several.gateways[0].get("/phoenix/assets/BTC/bars")
        assert (503, "agent_unavailable") == (refused.status_code, refused.json()["code"])
        assert 200 == several.gateways[0].get("/phoenix/assets").status_code
        several.replace(agent)
        deadline = time.monotonic() + 10
        while (state := one.state("BTC"))["seq"] <= last or data(state)["status"] != "live":
            one.receive()
            assert time.monotonic() < deadline
    assert "live" == data(state)["status"]
    assert decided_alike(alone, several.gateways[1], "BTC")


def test_stale_states_are_idle_with_size_0(several: Several) -> None:
    agent = several.agent_of("SOL")
    with several.gateways[0].client() as client:
        client.state("SOL")
        agent.process.send_signal(signal.SIGSTOP)
        try:
            while data(client.receive(STALE_SECONDS)).get("status") != "stale":
                pass
            stale = next(state for state in client.states.values() if data(state)["status"] == "stale")
            assert ("idle", 0.0, "none") == tuple(
                data(stale)[name] for name in ("clarity_level", "position_size", "side")
            )
            assert "its agent has not responded" in data(stale)["status_reason"]
        finally:
            agent.process.send_signal(signal.SIGCONT)
        while data(client.state(stale["asset"]))["status"] != "live":
            client.receive(STALE_SECONDS)


def test_an_agent_that_was_replaced_while_it_was_paused_keeps_quiet(several: Several) -> None:
    agent = several.agent_of("BTC")
    agent.process.send_signal(signal.SIGSTOP)
    try:
        successor = several.replace(agent)
        wait_until_ready(several.gateways[0])
    finally:
        agent.process.send_signal(signal.SIGCONT)
    try:
        eventually(lambda: "started later" in agent.get("/ready").json()["succession"])
        assert "ok" == successor.get("/ready").json()["succession"]
        with several.gateways[0].client() as client:
            # A state that came while it connected is replaced by the next one.
            _, *numbers = [state["seq"] for state in (client.receive() for _ in range(60)) if state["asset"] == "BTC"]
        assert list(range(numbers[0], numbers[0] + len(numbers))) == numbers
    finally:
        agent.stop()


def differing(gateway: RunningServer) -> dict[str, str]:
    found: dict[str, str] | str = gateway.get("/ready").json()["agents"]
    return {} if isinstance(found, str) else found


def test_a_gateway_of_another_database_is_degraded_and_names_the_agents_and_both_revisions(
    several: Several, postgres_process: PostgresServer, redis: RunningRedis
) -> None:
    """As the old primary that came back after a failover: with as many changes, and others."""
    version = several.gateways[0].post("partial-update", size("BTC", 1.5)).raise_for_status().json()["version"]
    name = next(each["config_id"] for each in several.gateways[0].history() if each["version"] == version)
    other = postgres_process.database()
    with closing(open_store(database(other))) as store:
        filled(store, *(revision(number) for number in range(1, version + 1)))
    with RunningServer("--redis", redis.url, "--assets", ",".join(ASSETS), "--role", "gateway", db=other) as gateway:
        eventually(lambda: len(differing(gateway)) == 2)
        ready = gateway.get("/ready").json()
        assert "degraded" == ready["status"]
        for number in (1, 2):
            reason = next(told for agent, told in ready["agents"].items() if agent.startswith(f"{number}/2 ("))
            assert f"version {version} is {name} in its database and id-{version} in this one" in reason
        assert 2.0 == measured(gateway).value("vivienne_agents_of_other_databases")
        assert 2 == gateway.log.count("have different configurations in force")
    assert "ok" == several.gateways[0].get("/ready").json()["agents"]


def test_a_control_message_of_a_client_is_applied_by_its_gateway(several: Several) -> None:
    for gateway in several.gateways:
        with gateway.client() as client:
            answer = client.ask(
                {
                    "type": "control",
                    "agent": "VivienneAgent",
                    "asset": "XRP",
                    "strategy": "general_parameters",
                    "params": {"position_size_bang": 2},
                }
            )
            assert ("control_response", "success") == (answer["type"], answer["status"])
            assert 2 == config(client.state("XRP", version=answer["version"]))["settings"]["position_size_bang"]


def test_without_redis_changes_are_made_and_reach_agents_all_the_same(several: Several, redis: RunningRedis) -> None:
    redis.kill()
    try:
        with several.gateways[1].client() as client:
            while any(data(client.state(asset))["status"] != "stale" for asset in ASSETS):
                client.receive(STALE_SECONDS)
            made = several.gateways[0].post("partial-update", size("SOL", 3.5)).raise_for_status().json()
            wait_for_version(several.gateways[1], "SOL", made["version"])
    finally:
        redis.start()
    with several.gateways[1].client() as client:
        state = client.state("SOL", version=made["version"], timeout=20)
        assert 3.5 == config(state)["settings"]["position_size_bang"]
        while data(client.state("SOL"))["status"] != "live":
            client.receive(STALE_SECONDS)
    for gateway in several.gateways:
        wait_until_ready(gateway, 20)


def test_without_the_database_decisions_go_on_and_changes_are_refused(
    several: Several, postgres_process: PostgresServer
) -> None:
    postgres_process.stop()
    try:
        refused = several.gateways[0].post("partial-update", size("SOL", 4))
        assert (503, "not_stored") == (refused.status_code, refused.json()["code"])
        with several.gateways[0].client() as client:
            first = client.state("SOL")
            while client.state("SOL")["seq"] < first["seq"] + 5:
                client.receive()
            assert "live" == data(client.states["SOL"])["status"]
        assert 503 == several.gateways[0].get("/ready").status_code
    finally:
        postgres_process.start()
    for gateway in several.gateways:
        wait_until_ready(gateway, 20)
    assert 200 == several.gateways[0].post("partial-update", size("SOL", 4)).status_code


def test_the_log_of_an_agent_shows_at_every_gateway(several: Several) -> None:
    made = several.gateways[0].post("partial-update", size("BTC", 0.75)).raise_for_status().json()
    for gateway in several.gateways:
        with gateway.log_client() as client:
            while (
                f"version {made['version']}" not in (record := client.receive())["message"] or "process" not in record
            ):
                pass
            assert record["process"] in {"agent 1/2", "agent 2/2"}


@pytest.mark.parametrize(
    "noise",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"type": "asset_data"}',
        '{"agent": 1}',
        '{"sender": "x", "asks": true, "pauses": [{"config_id": "f", "asset_symbol": null, "version": 1'
        + "0" * 30
        + ', "created_at": "2026-01-02T03:04:05.678Z"}]}',
        '{"answer": "x"}',
        "\0",
        '{"type": "asset_data", "asset": "BTC", "seq": 1000000, "config_version": 1, "agents": 5}',
        '{"type": "asset_data", "asset": "BTC", "seq": 1000000, "config_version": 1, "agents": {"VivienneAgent": {}}}',
        '{"type": "states_changed"}',
        '{"type": "states_changed", "published_by": 1, "states": []}',
        '{"type": "states_changed", "published_by": "x", "states": {"type": "asset_changed"}}',
        '{"type": "states_changed", "published_by": "x", "states": [1, null, []]}',
        '{"type": "states_changed", "published_by": "x", "states": [{}, {"asset": ["BTC"]}, {"asset": "BTC"}]}',
        '{"type": "states_changed", "published_by": "x", "states": [{"type": "asset_changed", "asset": "BTC"}]}',
    ],
)
def test_what_others_say_on_the_channels_hurts_nobody(several: Several, redis: RunningRedis, noise: str) -> None:
    names = redis.client.pubsub_channels("vivienne:*")
    assert {"vivienne:agents", "vivienne:logs", "vivienne:states_changed"} <= set(names)
    for name in names:
        redis.client.publish(name, noise)
    for server in (*several.agents, *several.gateways):
        assert "ok" == server.get("/ready").json()["redis"]
        assert "A task that uses Redis failed" not in server.log
    assert 48 == len(several.gateways[0].get("/phoenix/assets").json()["assets"][0]["closes"])
    with several.gateways[0].client() as client:
        first = client.state("BTC")["seq"]
        while client.state("BTC")["seq"] == first:
            client.receive()


def test_an_unknown_asset_is_refused_by_a_gateway_in_the_usual_words(several: Several) -> None:
    refused = several.gateways[0].get(f"{COMPREHENSIVE}/active", asset_symbol="DOGE")
    assert 422 == refused.status_code
    assert "known are BTC, ETH, SOL, XRP" in refused.json()["detail"]


def test_every_process_says_how_it_does(several: Several) -> None:
    gateway = several.gateways[0]
    gateway.post("partial-update", size("BTC", 1.5)).raise_for_status()
    shares = {asset for asset in ASSETS if several.agent_of(asset) is several.agents[0]}

    eventually(lambda: measured(gateway).count("vivienne_change_propagation_seconds_count", stage="published") >= 1)
    seen = measured(gateway)
    agent = measured(several.agents[0])
    assert (2.0, 0.0) == (seen.value("vivienne_agents"), seen.value("vivienne_assets_without_agent"))
    for asset in ASSETS:
        assert 1.0 == seen.value("vivienne_asset_status", asset=asset, status="live")
        assert seen.value("vivienne_feed_age_seconds", asset=asset) is not None
        assert (asset in shares) == (agent.value("vivienne_asset_status", asset=asset, status="live") == 1.0)
    assert agent.value("vivienne_redis_up") == 1.0
    assert agent.count("vivienne_stream_sent_total", stream="redis") > 0
