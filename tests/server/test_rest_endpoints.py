"""The configuration endpoints over REST, beyond what all channels have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from running import COMPREHENSIVE, RunningServer
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

BANG = "settings.state_threshold_bang"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC,ETH,SOL", db=tmp_path_factory.mktemp("rest") / "v.db") as server:
        yield server


@pytest.fixture
def server(running: RunningServer) -> RunningServer:
    """The server of all tests here."""
    return running


@pytest.fixture(autouse=True)
def _pristine(running: RunningServer) -> None:
    for asset in (None, "BTC", "ETH", "SOL"):
        running.reset(asset)


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert (response.status_code, found["status"], found["code"]) == (status, status, code)
    assert found["type"]
    assert found["title"]
    assert found["detail"]
    for error in found["errors"]:
        assert isinstance(error["path"], str)
        assert error["message"]
    return found


def bang(running: RunningServer, value: float, asset: str | None = "BTC", **more: Any) -> dict[str, Any]:
    whom = {} if asset is None else {"asset_symbol": asset}
    found: dict[str, Any] = (
        running.post("partial-update", {**whom, "bang_threshold": value, **more}).raise_for_status().json()
    )
    return found


class TestActive:
    def test_every_value_says_which_layer_it_comes_from(self, running: RunningServer) -> None:
        bang(running, 90, asset=None)
        running.post("partial-update", {"asset_symbol": "BTC", "aim_threshold": 75})

        active = running.active("btc")

        assert active["asset_symbol"] == "BTC"
        assert active["config"]["settings"]["state_threshold_bang"] == 90
        assert active["sources"][BANG] == "global"
        assert active["sources"]["settings.state_threshold_aim"] == "asset"
        assert active["sources"]["settings.state_threshold_loaded"] == "default"

    def test_what_an_asset_sets_itself_wins_over_a_later_global_change(self, running: RunningServer) -> None:
        bang(running, 95)

        bang(running, 90, asset=None)

        assert running.active("BTC")["config"]["settings"]["state_threshold_bang"] == 95
        assert running.active("ETH")["config"]["settings"]["state_threshold_bang"] == 90

    def test_the_etag_is_the_version(self, running: RunningServer) -> None:
        version = bang(running, 90)["version"]

        response = running.get(f"{COMPREHENSIVE}/active", asset_symbol="BTC")

        assert (response.headers["etag"], response.json()["version"]) == (f'"{version}"', version)

    def test_an_unknown_asset_is_refused_with_the_known_ones(self, running: RunningServer) -> None:
        for name in ("active", "all", "history"):
            found = problem(running.get(f"{COMPREHENSIVE}/{name}", asset_symbol="DOGE"), 422, "unknown_target")
            assert found["errors"][0]["path"] == "asset_symbol"
            assert "BTC, ETH, SOL" in found["detail"]


class TestConditions:
    def test_a_change_on_top_of_the_present_version_is_made(self, running: RunningServer) -> None:
        version = bang(running, 90)["version"]

        response = running.post(
            "partial-update", {"asset_symbol": "BTC", "bang_threshold": 91}, headers={"If-Match": f'"{version}"'}
        )

        assert response.status_code == 200
        assert response.headers["etag"] == f'"{response.json()["version"]}"'

    @pytest.mark.parametrize("name", ["update", "partial-update", "reset"])
    def test_a_change_on_top_of_an_older_version_is_refused_and_nothing_moves(
        self, running: RunningServer, name: str
    ) -> None:
        version = bang(running, 90)["version"]
        body: dict[str, Any] = {"asset_symbol": "BTC"}
        body |= {"all": True} if name == "reset" else {"bang_threshold": 91}

        response = running.post(name, body, headers={"If-Match": f'"{version - 1}"'})

        problem(response, 412, "version_conflict")
        assert running.active("BTC")["config"]["settings"]["state_threshold_bang"] == 90

    @pytest.mark.parametrize("if_match", ["42", '"abc"', "W/1", '"'])
    def test_an_etag_that_is_none_of_ours_never_matches(self, running: RunningServer, if_match: str) -> None:
        response = running.post("partial-update", {"bang_threshold": 91}, headers={"If-Match": if_match})

        problem(response, 412, "version_conflict")

    def test_a_star_matches_any_version(self, running: RunningServer) -> None:
        response = running.post("partial-update", {"bang_threshold": 91}, headers={"If-Match": "*"})

        assert response.status_code == 200

    def test_a_global_change_is_a_newer_version_for_every_asset(self, running: RunningServer) -> None:
        version = running.active("BTC")["version"]
        bang(running, 90, asset=None)

        response = running.post(
            "partial-update", {"asset_symbol": "BTC", "aim_threshold": 75}, headers={"If-Match": f'"{version}"'}
        )

        problem(response, 412, "version_conflict")

    def test_a_header_and_a_body_that_differ_are_refused(self, running: RunningServer) -> None:
        version = running.active()["version"]
        body = {"bang_threshold": 91, "expected_version": version}

        response = running.post("partial-update", body, headers={"If-Match": f'"{version + 1}"'})

        problem(response, 400, "malformed")

    def test_an_idempotency_key_makes_a_change_once(self, running: RunningServer) -> None:
        body, key = {"asset_symbol": "BTC", "bang_threshold": 91}, {"Idempotency-Key": "key-1"}
        first = running.post("partial-update", body, headers=key)
        count = len(running.history())

        again = running.post("partial-update", body, headers=key)

        assert again.json() == first.json()
        assert len(running.history()) == count

    def test_an_idempotency_key_does_not_serve_for_another_change(self, running: RunningServer) -> None:
        key = {"Idempotency-Key": "key-2"}
        running.post("partial-update", {"bang_threshold": 91}, headers=key)

        problem(running.post("partial-update", {"bang_threshold": 92}, headers=key), 409, "request_id_reused")


class TestBodies:
    @pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
    @pytest.mark.parametrize("name", ["update", "partial-update", "validate", "reset"])
    def test_a_body_not_declared_as_json_is_refused(self, running: RunningServer, name: str, declared: str) -> None:
        before = running.history()

        response = running.post_text(name, '{"bang_threshold": 91}', **{"Content-Type": declared})

        problem(response, 415, "unsupported_media_type")
        assert running.history() == before

    @pytest.mark.parametrize("declared", ["application/json; charset=utf-8", "Application/JSON"])
    def test_json_may_be_declared_with_parameters_and_in_any_case(self, running: RunningServer, declared: str) -> None:
        response = running.post_text("partial-update", '{"bang_threshold": 91}', **{"Content-Type": declared})

        assert response.status_code == 200

    def test_the_asset_may_stand_in_the_query(self, running: RunningServer) -> None:
        response = running.post("partial-update?asset_symbol=eth", {"bang_threshold": 91})

        assert response.json()["asset_symbol"] == "ETH"
        assert running.active("BTC")["config"]["settings"]["state_threshold_bang"] == 80

    def test_an_asset_in_query_and_body_that_differs_is_refused(self, running: RunningServer) -> None:
        response = running.post("partial-update?asset_symbol=ETH", {"asset_symbol": "BTC", "bang_threshold": 91})

        problem(response, 400, "malformed")

    def test_bytes_that_are_no_text_are_refused(self, running: RunningServer) -> None:
        problem(running.post_text("partial-update", b'{"description": "\xff\xfe"}'), 400, "malformed")

    def test_a_message_about_a_configuration_does_not_pass_for_one(self, running: RunningServer) -> None:
        """The guide's WebSocket message, posted by mistake."""
        before = running.history()

        response = running.post("partial-update", {"type": "config_update", "config": {"bang_threshold": 91}})

        found = problem(response, 422, "invalid_configuration")
        assert {error["path"] for error in found["errors"]} == {"type", "config"}
        assert running.history() == before


class TestValidate:
    def test_a_good_change_is_valid_with_what_it_would_do(self, running: RunningServer) -> None:
        before = running.history()

        answer = running.post("validate", {"asset_symbol": "BTC", "bang_threshold": 91}).json()

        assert (answer["valid"], answer["errors"], answer["warnings"]) == (True, [], [])
        assert answer["changed"] == [{"path": BANG, "old": 80, "new": 91}]
        assert answer["config"]["settings"]["state_threshold_bang"] == 91
        assert running.history() == before
        assert running.active("BTC")["config"]["settings"]["state_threshold_bang"] == 80

    def test_a_bad_change_is_not_valid_with_all_that_is_wrong(self, running: RunningServer) -> None:
        answer = running.post("validate", {"bang_threshold": 101, "rsi_weight": -1})

        assert answer.status_code == 200
        assert answer.json()["valid"] is False
        assert {error["path"] for error in answer.json()["errors"]} == {BANG, "signal_weights.rsi"}

    def test_an_unusual_value_is_valid_and_warned_of(self, running: RunningServer) -> None:
        answer = running.post("validate", {"asset_symbol": "BTC", "levels_buffer_percent": 0.05}).json()

        assert (answer["valid"], answer["errors"]) == (True, [])
        assert [warning["id"] for warning in answer["warnings"]] == ["wide_levels_buffer"]

    def test_a_full_update_can_be_validated_too(self, running: RunningServer) -> None:
        running.post("partial-update", {"asset_symbol": "BTC", "aim_threshold": 75})

        answer = running.post("validate?partial=false", {"asset_symbol": "BTC", "bang_threshold": 91}).json()

        assert {change["path"] for change in answer["changed"]} == {BANG, "settings.state_threshold_aim"}


class TestReset:
    def test_a_value_is_inherited_again(self, running: RunningServer) -> None:
        bang(running, 90, asset=None)
        bang(running, 95)
        running.post("partial-update", {"asset_symbol": "BTC", "aim_threshold": 75})

        answer = running.post("reset", {"asset_symbol": "BTC", "paths": [BANG]}).json()

        assert answer["changed"] == [{"path": BANG, "old": 95, "new": 90}]
        assert running.active("BTC")["sources"]["settings.state_threshold_aim"] == "asset"

    def test_a_flat_name_and_a_section_serve_as_paths(self, running: RunningServer) -> None:
        running.post("partial-update", {"bang_threshold": 91, "filters": {"levels": {"levels_buffer_percent": 0.01}}})

        answer = running.post("reset", {"paths": ["bang_threshold", "filters.levels"]}).json()

        assert {change["path"] for change in answer["changed"]} == {BANG, "filters.levels.levels_buffer_percent"}

    @pytest.mark.parametrize(
        "body", [{}, {"paths": []}, {"paths": "all"}, {"all": False}, {"paths": [BANG], "all": True}]
    )
    def test_an_unclear_reset_changes_nothing(self, running: RunningServer, body: dict[str, Any]) -> None:
        before = running.history()

        problem(running.post("reset", body), 400, "malformed")

        assert running.history() == before

    def test_an_unknown_path_is_refused_with_the_nearest(self, running: RunningServer) -> None:
        found = problem(running.post("reset", {"paths": ["settings.state_threshold_bnag"]}), 422,
                        "invalid_configuration")  # fmt: skip

        assert "'settings.state_threshold_bang'" in found["detail"]


class TestActivateAndDelete:
    def test_a_former_configuration_can_be_put_in_force_again(self, running: RunningServer) -> None:
        former = bang(running, 90)
        bang(running, 95)

        answer = running.post(f"{former['config_id']}/activate", {"reason": "it was better"}).json()

        assert answer["changed"] == [{"path": BANG, "old": 95, "new": 90}]
        assert running.active("BTC")["config"]["settings"]["state_threshold_bang"] == 90
        newest = running.history()[0]
        assert (newest["action"], newest["target"]) == ("activate", former["config_id"])
        assert newest["reason"] == "it was better"

    def test_activation_needs_no_body(self, running: RunningServer) -> None:
        former = bang(running, 90)
        bang(running, 95)

        response = running.http.post(f"{running.url}{COMPREHENSIVE}/{former['config_id']}/activate")

        assert response.status_code == 200

    def test_deleting_the_active_configuration_puts_the_one_before_in_force(self, running: RunningServer) -> None:
        before = bang(running, 90)
        active = bang(running, 95)

        answer = running.delete(active["config_id"]).json()

        assert answer["changed"] == [{"path": BANG, "old": 95, "new": 90}]
        assert running.active("BTC")["config_id"] == before["config_id"]
        listed = running.get(f"{COMPREHENSIVE}/all", asset_symbol="BTC").json()["configurations"]
        assert active["config_id"] not in {item["config_id"] for item in listed}

    def test_deleting_a_former_configuration_changes_nothing_in_force(self, running: RunningServer) -> None:
        former = bang(running, 90)
        active = bang(running, 95)

        answer = running.delete(former["config_id"]).json()

        assert answer["changed"] == []
        assert running.active("BTC")["config_id"] == active["config_id"]

    def test_a_deletion_stays_in_the_history(self, running: RunningServer) -> None:
        made = bang(running, 90)

        running.delete(made["config_id"])

        newest = running.history()[:2]
        assert [(item["action"], item["target"]) for item in newest] == [
            ("delete", made["config_id"]), ("partial_update", None),
        ]  # fmt: skip
        assert newest[1]["config_id"] == made["config_id"]

    @pytest.mark.parametrize("config_id", ["nope", "00000000-0000-0000-0000-000000000000"])
    def test_an_unknown_configuration_is_not_found(self, running: RunningServer, config_id: str) -> None:
        before = running.history()

        for response in (running.delete(config_id), running.post(f"{config_id}/activate", {})):
            problem(response, 404, "unknown_config_id")

        assert running.history() == before

    def test_a_configuration_cannot_be_deleted_twice(self, running: RunningServer) -> None:
        made = bang(running, 90)
        running.delete(made["config_id"])

        problem(running.delete(made["config_id"]), 404, "unknown_config_id")

    def test_a_stale_version_deletes_and_activates_nothing(self, running: RunningServer) -> None:
        made = bang(running, 90)
        stale = {"If-Match": f'"{made["version"] - 1}"'}
        before = running.history()

        for response in (
            running.delete(made["config_id"], headers=stale),
            running.post(f"{made['config_id']}/activate", {}, headers=stale),
        ):
            problem(response, 412, "version_conflict")

        assert running.history() == before

    def test_an_activation_that_does_not_hold_any_more_is_refused(self, running: RunningServer) -> None:
        former = running.post("partial-update", {"asset_symbol": "BTC", "aim_threshold": 79}).json()
        running.reset("BTC")
        bang(running, 75, asset=None)

        found = problem(running.post(f"{former['config_id']}/activate", {}), 422, "invalid_configuration")

        assert "79" in found["detail"]
        assert running.active("BTC")["config"]["settings"]["state_threshold_aim"] == 70


class TestLookingBack:
    def test_all_lists_configurations_newest_first_with_who_and_why(self, running: RunningServer) -> None:
        bang(running, 90, author="ada", reason="first")
        bang(running, 91, author="bob", reason="second")

        listed = running.get(f"{COMPREHENSIVE}/all", asset_symbol="BTC", limit=2).json()["configurations"]

        assert [(item["author"], item["reason"], item["is_active"]) for item in listed] == [
            ("bob", "second", True), ("ada", "first", False),
        ]  # fmt: skip
        assert set(listed[0]) >= {
            "config_id", "version", "asset_symbol", "is_active", "created_at", "author", "channel", "reason", "config",
        }  # fmt: skip
        assert listed[0]["config"] == {"settings": {"state_threshold_bang": 91}}

    def test_one_configuration_of_a_layer_is_active(self, running: RunningServer) -> None:
        for value in (90, 91, 92):
            bang(running, value)
            bang(running, value, asset=None)

        listed = running.get(f"{COMPREHENSIVE}/all", limit=1000).json()["configurations"]

        active = [item["asset_symbol"] for item in listed if item["is_active"]]
        assert sorted(active, key=str) == ["BTC", "ETH", None, "SOL"]

    @pytest.mark.parametrize("name", ["all", "history"])
    def test_pages_give_every_revision_once(self, running: RunningServer, name: str) -> None:
        for value in range(81, 92):
            bang(running, value)
        key = "configurations" if name == "all" else "history"
        whole = running.get(f"{COMPREHENSIVE}/{name}", asset_symbol="BTC", limit=1000).json()[key]
        paged: list[dict[str, Any]] = []
        before: dict[str, int] = {}

        for _ in range(len(whole) + 2):
            page = running.get(f"{COMPREHENSIVE}/{name}", asset_symbol="BTC", limit=4, **before).json()
            assert len(page[key]) <= 4
            paged += page[key]
            if page["next"] is None:
                break
            before = {"before": page["next"]}

        assert paged == whole
        versions = [item["version"] for item in whole]
        assert versions == sorted(set(versions), reverse=True)

    def test_a_last_page_that_is_just_full_says_that_nothing_follows(self, running: RunningServer) -> None:
        total = len(running.history())

        page = running.get(f"{COMPREHENSIVE}/history", limit=total).json()

        assert (len(page["history"]), page["next"]) == (total, None)

    def test_the_history_of_an_asset_has_global_changes_too(self, running: RunningServer) -> None:
        mine, everyones, other = bang(running, 90), bang(running, 91, asset=None), bang(running, 92, asset="ETH")

        listed = running.get(f"{COMPREHENSIVE}/history", asset_symbol="BTC", limit=10).json()["history"]

        found = {item["config_id"] for item in listed}
        assert {mine["config_id"], everyones["config_id"]} <= found
        assert other["config_id"] not in found

    def test_the_history_is_narrowed_by_the_query(self, running: RunningServer) -> None:
        made = bang(running, 90, author="ana lou", reason="a calm week")
        entry = running.history()[0]

        def found(**query: Any) -> list[int]:
            page = running.get(f"{COMPREHENSIVE}/history", asset_symbol="BTC", own=True, **query).json()
            return [item["version"] for item in page["history"]]

        newest = {"author": "ANA", "reason": "calm", "field": "bang_threshold", "channel": "rest"}
        assert found(**newest, since=entry["created_at"]) == [made["version"]]
        assert found(**newest, until=entry["created_at"]) == []
        refused = problem(running.get(f"{COMPREHENSIVE}/history", field="bang_treshold"), 400, "malformed")
        assert refused["errors"][0]["path"] == "field"
        assert "'bang_threshold'" in refused["errors"][0]["message"]
        problem(running.get(f"{COMPREHENSIVE}/history", since="yesterday"), 422, "invalid_parameter")
        refused = problem(running.get(f"{COMPREHENSIVE}/history", channel="nope"), 422, "invalid_parameter")
        for name in ("rest", "websocket", "control", "redis", "import", "cli"):
            assert f"'{name}'" in refused["errors"][0]["message"]

    def test_a_change_of_several_assets_is_undone_by_the_id_of_one_of_its_configurations(
        self, running: RunningServer
    ) -> None:
        made = running.post("several", {"assets": ["BTC", "ETH"], "config": {"bang_threshold": 88}}).json()
        path = f"{made['layers'][0]['config_id']}/undo"

        undone = running.post(path, {"author": "ana", "reason": "too few"})

        assert (undone.status_code, sorted(undone.json()["assets"])) == (200, ["BTC", "ETH"])
        assert undone.headers["ETag"] == f'"{undone.json()["version"]}"'
        refused = problem(running.post(path, None), 412, "version_conflict")
        assert {found["asset"] for found in refused["errors"]} == {"BTC", "ETH"}
        assert "by ana" in refused["detail"]
        problem(running.post("nope/undo", None), 404, "unknown_config_id")

    def test_several_assets_are_changed_as_one_change(self, running: RunningServer) -> None:
        body = {"assets": ["BTC", "eth"], "config": {"bang_threshold": 88}, "author": "ana"}
        tried = running.post("several", {**body, "validate_only": True})
        assert (tried.status_code, tried.json()["status"]) == (200, "valid")
        before = running.history()[0]["version"]

        made = running.post("several", body).json()

        assert (made["assets"], made["version"]) == (["BTC", "ETH"], before + 2)
        first, second = running.history()[:2]
        assert first["trace_id"] == second["trace_id"]
        assert {first["author"], second["author"]} == {"ana"}
        wrongs: list[dict[str, Any]] = [
            {"assets": []},
            {"copy_from": "SOL"},
            {"config": 5},
            {"validate_only": "no"},
            {"asset": "BTC"},
        ]
        for wrong in wrongs:
            problem(running.post("several", {**body, **wrong}), 400, "malformed")

    def test_versions_have_no_gaps(self, running: RunningServer) -> None:
        bang(running, 90)

        versions = [item["version"] for item in running.history()]

        assert versions == list(range(len(versions), 0, -1))

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"before": 0}, {"before": "x"}])
    def test_a_wrong_page_is_named(self, running: RunningServer, query: dict[str, Any]) -> None:
        for name in ("all", "history"):
            found = problem(running.get(f"{COMPREHENSIVE}/{name}", **query), 422, "invalid_parameter")
            assert [error["path"] for error in found["errors"]] == list(query)


class TestElsewhere:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "update"), ("PUT", "partial-update"), ("GET", "validate"), ("GET", "reset"), ("POST", "active"),
            ("POST", "all"), ("POST", "history"), ("DELETE", ""),
        ],
    )  # fmt: skip
    def test_another_method_is_told_so(self, running: RunningServer, method: str, path: str) -> None:
        response = running.http.request(method, f"{running.url}{COMPREHENSIVE}/{path}")

        code = "not_found" if not path else "method_not_allowed"
        problem(response, 405 if path else 404, code)
        if path:
            assert response.headers["allow"]

    @pytest.mark.parametrize("name", ["active", "all", "history", "schema", "update"])
    def test_the_name_of_an_endpoint_is_no_configuration_to_delete(self, running: RunningServer, name: str) -> None:
        before = running.history()

        problem(running.delete(name), 404, "unknown_config_id")

        assert running.history() == before

    @pytest.mark.parametrize("path", ["/nope", "/phoenix/config/vivienne", "/ws/nope"])
    def test_an_unknown_address_is_told_where_to_look(self, running: RunningServer, path: str) -> None:
        found = problem(running.get(path), 404, "not_found")

        assert "/docs" in found["detail"]

    def test_a_slash_at_the_end_is_another_address_and_leads_nowhere(self, running: RunningServer) -> None:
        problem(running.post("pause/", {"reason": "x"}), 404, "not_found")

    def test_the_process_says_that_it_is_alive(self, running: RunningServer) -> None:
        before = written(now())
        response = running.get("/health")

        assert (response.status_code, response.json()["status"]) == (200, "ok")
        assert before <= response.json()["time"] <= written(now())

    def test_the_parts_say_that_they_work(self, running: RunningServer) -> None:
        response = running.get("/ready")

        assert response.status_code == 200
        found = response.json()
        assert (found["status"], found["store"]) == ("ready", "ok")
        assert found["feeds"] == {"BTC": "ok", "ETH": "ok", "SOL": "ok"}


class TestQueries:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/partial-update?asset=BTC"),
            ("POST", "/update?asset=BTC"),
            ("POST", "/validate?asset=BTC"),
            ("POST", "/reset?asset=BTC"),
            ("GET", "/active?asset=BTC"),
            ("GET", "/all?asset=BTC"),
            ("GET", "/history?asset=BTC"),
        ],
    )
    def test_a_misspelt_parameter_does_not_turn_an_asset_into_all_of_them(
        self, server: RunningServer, method: str, path: str
    ) -> None:
        before = server.active()["version"]
        body = {"bang_threshold": 85} if method == "POST" else None
        answer = server.http.request(method, server.url + COMPREHENSIVE + path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert server.active()["version"] == before

    def test_a_parameter_that_is_there_twice_is_refused(self, server: RunningServer) -> None:
        answer = server.http.get(f"{server.url}{COMPREHENSIVE}/active?asset_symbol=BTC&asset_symbol=ETH")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    def test_numbers_beyond_any_version_are_no_defect(self, server: RunningServer) -> None:
        assert server.get(f"{COMPREHENSIVE}/all", before="9" * 23).status_code == 422
        headers = {"If-Match": '"' + "9" * 5000 + '"'}
        assert server.post("partial-update", {"bang_threshold": 85}, headers=headers).status_code == 412

    def test_a_weak_etag_of_a_proxy_stands_for_the_same_version(self, server: RunningServer) -> None:
        headers = {"If-Match": f'W/"{server.active()["version"]}"'}
        assert server.post("partial-update", {"bang_threshold": 85}, headers=headers).status_code == 200
        assert server.post("partial-update", {"bang_threshold": 86}, headers=headers).status_code == 412


class TestBars:
    def test_bars_of_an_asset_in_any_case_at_most_as_many_as_asked_for(self, server: RunningServer) -> None:
        found = server.get("/phoenix/assets/btc/bars", limit=30).json()
        assert (found["asset"], found["feed"]) == ("BTC", "simulated")
        assert len(found["bars"]) == 30
        assert len(server.get("/phoenix/assets/BTC/bars").json()["bars"]) == 200

    def test_an_unknown_asset_is_refused_with_the_known_ones(self, server: RunningServer) -> None:
        answer = server.get("/phoenix/assets/DOGE/bars")
        assert answer.status_code == 422
        assert "known are BTC, ETH, SOL" in answer.json()["detail"]

    @pytest.mark.parametrize("limit", [0, -1, 1001, "many"])
    def test_a_limit_out_of_bounds_is_refused(self, server: RunningServer, limit: object) -> None:
        assert server.get("/phoenix/assets/BTC/bars", limit=limit).status_code == 422


@pytest.mark.parametrize("path", ["/active", "/all", "/history", "/schema", "/nothing"])
def test_no_cache_keeps_an_answer(server: RunningServer, path: str) -> None:
    assert server.get(f"{COMPREHENSIVE}{path}").headers["cache-control"] == "no-store"
