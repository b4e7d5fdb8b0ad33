"""Pausing and resuming over every way in: at once, on disk, in the history, and the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from running import COMPREHENSIVE, Client, RunningServer, data
from ways_in import WAYS, Unmoved, recorded_author

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ways_in import Channel

ASSETS = ["BTC", "ETH", "SOL"]


@pytest.fixture(autouse=True)
def resumed(running: RunningServer) -> Iterator[None]:
    """Nothing is paused before and after."""
    yield
    for pause in running.get(f"{COMPREHENSIVE}/pause").json()["pauses"]:
        whom = {} if pause["asset_symbol"] is None else {"asset_symbol": pause["asset_symbol"]}
        running.post("resume", whom).raise_for_status()


def shown(client: Client, asset: str, version: int) -> dict[str, Any]:
    found = data(client.state(asset, version=version))
    return {name: found[name] for name in ("status", "clarity_level", "raw_clarity_level", "position_size", "side")}


PAUSED = {
    "status": "paused",
    "clarity_level": "idle",
    "raw_clarity_level": "idle",
    "position_size": 0.0,
    "side": "none",
}


def test_a_pause_stops_every_asset_and_a_resumption_ends_it(
    running: RunningServer, client: Client, channel: Channel
) -> None:
    answer = channel.switch("pause", author="ada", reason="wrong prices").answer
    author, claimed = recorded_author(channel, "ada")

    assert (answer["status"], answer["asset_symbol"]) == ("success", None)
    assert (answer["assets"], answer["paused"], answer["changed"]) == (ASSETS, ASSETS, [])
    assert answer["message"] == "Paused: all assets"
    number = answer["version"]
    pause = answer["pause"]
    for asset in ASSETS:
        assert shown(client, asset, number) == PAUSED
        reason = f"paused with all assets by {author} ({channel.recorded_as}, version {number}): wrong prices"
        state = data(client.states[asset])
        assert (state["status_reason"], state["status_reason_id"], state["pause"]) == (reason, "paused", pause)
        assert running.get("/ready").json()["paused"][asset] == reason
    assert (pause["config_id"], pause["version"], pause["stored"]) == (answer["config_id"], number, True)
    assert (pause["asset_symbol"], pause["reason"]) == (None, "wrong prices")
    assert (pause["author"], pause["claimed_author"]) == (author, claimed)
    assert pause["channel"] == channel.recorded_as
    assert running.active("BTC")["pause"] == pause
    assert running.get(f"{COMPREHENSIVE}/pause").json()["pauses"] == [pause]

    answer = channel.switch("resume").answer

    assert (answer["message"], answer["paused"], answer["pause"]) == ("Resumed: all assets", [], None)
    for asset in ASSETS:
        assert shown(client, asset, answer["version"])["status"] == "live"
        assert data(client.states[asset])["pause"] is None
    assert running.get("/ready").json()["paused"] == {}
    assert running.active("BTC")["pause"] is None


def test_one_asset_is_paused_and_the_others_go_on(running: RunningServer, client: Client, channel: Channel) -> None:
    answer = channel.switch("pause", asset_symbol="eth").answer

    assert (answer["asset_symbol"], answer["assets"], answer["paused"]) == ("ETH", ["ETH"], ["ETH"])
    assert shown(client, "ETH", answer["version"]) == PAUSED
    with running.client() as fresh:
        assert {asset: data(fresh.state(asset))["status"] for asset in ASSETS} == {
            "BTC": "live", "ETH": "paused", "SOL": "live",
        }  # fmt: skip


def test_a_pause_that_is_repeated_is_made_again_under_the_same_name(
    request: pytest.FixtureRequest, running: RunningServer, channel: Channel
) -> None:
    name = f"stop-{request.node.callspec.id}"
    envelope = {"asset_symbol": "BTC", "author": "ada", "reason": "enough", "request_id": name}

    first = channel.switch("pause", **envelope)
    channel.switch("resume", asset_symbol="BTC")
    again = channel.switch("pause", **envelope)

    assert first.answer["version"] + 2 == again.answer["version"]
    assert (["BTC"], "success") == (again.answer["paused"], again.answer["status"])
    [made] = [entry for entry in running.history() if entry["config_id"] == again.answer["config_id"]]
    assert (made["action"], made["reason"]) == ("pause", "enough")
    assert (made["author"], made.get("claimed_author")) == recorded_author(channel, "ada")
    assert (made["channel"], made["changed"], made["is_active"]) == (channel.recorded_as, [], False)


def test_pausing_what_is_paused_and_resuming_what_is_not_is_no_error(channel: Channel) -> None:
    assert channel.switch("resume", asset_symbol="SOL").answer["message"] == (
        "Resumed: SOL, which was not paused by itself"
    )
    for _ in range(2):
        answer = channel.switch("pause", asset_symbol="SOL").answer
        assert (answer["status"], answer["paused"]) == ("success", ["SOL"])


def test_the_pause_of_all_and_that_of_one_do_not_end_each_other(running: RunningServer, channel: Channel) -> None:
    channel.switch("pause")
    channel.switch("pause", asset_symbol="ETH")

    one = channel.switch("resume", asset_symbol="ETH").answer
    assert one["paused"] == ASSETS
    assert one["message"] == "Resumed: ETH. All assets are paused, so it stays idle until they are resumed"
    channel.switch("pause", asset_symbol="ETH")
    everything = channel.switch("resume").answer
    assert everything["paused"] == ["ETH"]
    assert everything["message"] == "Resumed: all assets. These stay paused by themselves: ETH"
    assert [pause["asset_symbol"] for pause in running.get(f"{COMPREHENSIVE}/pause").json()["pauses"]] == ["ETH"]


def test_a_resumption_that_names_a_pause_ends_no_other(running: RunningServer, channel: Channel) -> None:
    """However long it is under way, and whatever clocks say."""
    first = channel.switch("pause", asset_symbol="ETH").answer["pause"]
    assert channel.switch("resume", asset_symbol="ETH", pause=first).answer["paused"] == []
    assert channel.switch("resume", asset_symbol="ETH", pause=None).answer["paused"] == []
    channel.switch("pause", asset_symbol="ETH", author="bob", reason="wait")
    for known in (first, None):
        verdict = channel.switch("resume", asset_symbol="ETH", pause=known)
        [problem] = verdict.problems
        assert (verdict.code, problem["path"]) == ("version_conflict", "pause")
        assert "wait; that is not the pause to end" in problem["message"]
    assert list(running.get("/ready").json()["paused"]) == ["ETH"]
    assert channel.switch("resume", pause=None).answer["paused"] == ["ETH"], "that of all is another one"
    for wrong in ("the last", {"config_id": "x"}, {"config_id": 1, "created_at": "x"}):
        verdict = channel.switch("resume", asset_symbol="ETH", pause=wrong)
        assert (verdict.code, [problem["path"] for problem in verdict.problems]) == ("invalid_configuration", ["pause"])
    assert channel.switch("pause", asset_symbol="ETH", pause=first).code == "malformed"
    assert channel.switch("resume", asset_symbol="ETH").answer["paused"] == []


def test_what_is_wrong_with_a_pause_is_said_and_nothing_stops(running: RunningServer, channel: Channel) -> None:
    unmoved = Unmoved(running)

    for envelope, code, path in (
        ({"asset_symbol": "DOGE"}, "unknown_target", "asset_symbol"),
        ({"asset_symbol": ""}, "invalid_configuration", "asset_symbol"),
        ({"aset": "BTC"}, "malformed", "aset"),
        ({"asset_symbol": "BTC", "bang_threshold": 85}, "malformed", "bang_threshold"),
        ({"author": ""}, "invalid_configuration", "author"),
        ({"expected_version": 10**6}, "version_conflict", "expected_version"),
    ):
        verdict = channel.switch("pause", **envelope)
        assert (verdict.code, [problem["path"] for problem in verdict.problems]) == (code, [path])

    unmoved.check()
    assert running.get("/ready").json()["paused"] == {}


@pytest.mark.usefixtures("pristine")
def test_nothing_but_a_resumption_resumes(running: RunningServer, client: Client, channel: Channel) -> None:
    first = running.post("partial-update", {"asset_symbol": "BTC", "bang_threshold": 85}).json()
    paused = channel.switch("pause", asset_symbol="BTC").answer
    second = channel.send(channel.frame('{"bang_threshold": 90}', asset_symbol="BTC")).answer
    assert running.post(f"{first['config_id']}/activate", None).is_success
    assert running.delete(second["config_id"]).is_success
    assert running.post("update", {"asset_symbol": "BTC", "aim_threshold": 71}).is_success
    last = running.reset("BTC")

    assert shown(client, "BTC", last["version"]) == PAUSED
    for name in ("activate", "delete"):
        path = f"{COMPREHENSIVE}/{paused['config_id']}" + ("/activate" if name == "activate" else "")
        refused = running.http.request("POST" if name == "activate" else "DELETE", running.url + path)
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_config_id")
    assert paused["config_id"] not in {
        entry["config_id"] for entry in running.get(f"{COMPREHENSIVE}/all").json()["configurations"]
    }


@pytest.mark.usefixtures("pristine")
def test_a_resumption_decides_with_what_is_in_force_by_then(
    running: RunningServer, client: Client, channel: Channel
) -> None:
    channel.switch("pause", asset_symbol="BTC")
    changed = channel.send(channel.frame('{"bang_threshold": 91}', asset_symbol="BTC"))
    assert changed.accepted

    version = channel.switch("resume", asset_symbol="BTC").answer["version"]

    state = client.state("BTC", version=version)
    assert data(state)["status"] == "live"
    assert state["agents"]["VivienneAgent"]["config"]["settings"]["state_threshold_bang"] == 91
    assert running.active("BTC")["config_id"] == changed.answer["config_id"]


def test_the_chart_goes_on_while_it_is_paused(running: RunningServer, channel: Channel) -> None:
    channel.switch("pause")

    bars = running.get("/phoenix/assets/BTC/bars", limit=500).json()["bars"]
    preview = running.http.post(
        f"{running.url}/phoenix/assets/BTC/preview", json={"asset_symbol": "BTC", "loaded_threshold": 20}
    ).json()

    assert {"idle", "loaded"} <= {bar["clarity_level"] for bar in bars}
    assert preview["now"]["loaded"] < preview["then"]["loaded"]


def test_a_pause_makes_the_same_revision_everywhere(running: RunningServer, channels: dict[str, Channel]) -> None:
    revisions = {}
    for name, way in channels.items():
        assert way.switch("pause", asset_symbol="BTC", author="ada").accepted
        newest = running.newest()
        assert newest
        assert newest.pop("channel") == way.recorded_as
        # Redis does not say from where.
        assert newest.pop("address") == (None if "redis" in name else "127.0.0.1")
        assert (newest.pop("author"), newest.pop("claimed_author", None)) == recorded_author(way, "ada")
        for own in ("config_id", "version", "created_at", "request_id"):
            del newest[own]
        newest.pop("trace_id", None)  # of the request, not of the change
        revisions[name] = newest

    assert dict.fromkeys(WAYS, revisions["rest"]) == revisions
