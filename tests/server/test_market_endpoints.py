"""Assets and what a change would have done, over REST. The bars endpoint is in test_rest_endpoints.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from running import JSON, RunningServer, data
from tokens import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

PREVIEW = "/phoenix/assets/BTC/preview"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("market-endpoints")
    # So slow that no bar closes meanwhile.
    with RunningServer("--assets", "BTC,ETH,SOL", "--speed", "0.01", db=folder / "vivienne.db") as running:
        yield running


def preview(running: RunningServer, body: dict[str, Any], path: str = PREVIEW) -> httpx.Response:
    return running.http.post(running.url + path, json=body, headers=JSON)


class TestAssets:
    def test_every_asset_in_the_order_of_the_settings(self, running: RunningServer) -> None:
        found = running.get("/phoenix/assets").json()
        assert ["BTC", "ETH", "SOL"] == [entry["asset"] for entry in found["assets"]]
        assert ("simulated", "15m") == (found["feed"], found["timeframe"])

    def test_the_closes_are_those_of_the_chart(self, running: RunningServer) -> None:
        found = running.get("/phoenix/assets", closes=7).json()
        for entry in found["assets"]:
            bars = running.get(f"/phoenix/assets/{entry['asset']}/bars", limit=7).json()["bars"]
            assert [bar["close"] for bar in bars] == entry["closes"]

    @pytest.mark.parametrize("closes", [-1, 1001, "many"])
    def test_a_number_of_closes_that_cannot_be_is_refused(self, running: RunningServer, closes: object) -> None:
        assert running.get("/phoenix/assets", closes=closes).status_code == 422


@pytest.mark.parametrize("kind", ["candles", "trades"])
def test_only_a_pushed_market_takes_candles_and_trades(running: RunningServer, kind: str) -> None:
    answer = running.http.post(f"{running.url}/phoenix/market/{kind}", json={kind: []})
    assert refusal(answer) == (409, "not_pushed")
    assert "--feed push" in answer.json()["detail"]


class TestPreview:
    def test_it_says_what_a_change_would_have_done_and_changes_nothing(self, running: RunningServer) -> None:
        before = running.active("BTC")
        found = preview(running, {"settings": {"state_threshold_loaded": 20}}).json()
        assert found["valid"] is True
        assert found["changed"] == [{"path": "settings.state_threshold_loaded", "old": 50, "new": 20}]
        assert found["bars"] == 500
        assert found["then"]["loaded"] > found["now"]["loaded"]
        assert found["different_bars"] == found["then"]["loaded"] - found["now"]["loaded"]
        assert before == running.active("BTC")

    def test_after_the_change_the_chart_shows_what_was_announced(self, running: RunningServer) -> None:
        body = {"asset_symbol": "ETH", "signal_weights": {"macd": 0, "ema_cross": 0.2}}
        found = preview(running, body, "/phoenix/assets/ETH/preview?bars=300").json()
        few = preview(running, body, "/phoenix/assets/ETH/preview?bars=300&examples=2").json()
        assert few == {**found, "different": found["different"][-2:]}
        assert not preview(running, body, "/phoenix/assets/ETH/preview?bars=300&examples=0").json()["different"]
        running.post("partial-update", body).raise_for_status()
        levels = [bar["clarity_level"] for bar in running.get("/phoenix/assets/ETH/bars", limit=300).json()["bars"]]
        # The newest bar was decided by the running program and keeps its decision.
        for level in ("idle", "loaded", "aim", "bang"):
            assert abs(found["then"][level] - levels.count(level)) <= 1
        assert found["different_bars"] > 0

    def test_a_global_change_does_nothing_where_the_asset_sets_the_value_itself(self, running: RunningServer) -> None:
        running.post("partial-update", {"asset_symbol": "SOL", "settings": {"state_threshold_loaded": 49}})
        body = {"settings": {"state_threshold_loaded": 10}}
        assert preview(running, body, "/phoenix/assets/SOL/preview").json()["different_bars"] == 0
        assert preview(running, body, PREVIEW).json()["different_bars"] > 0

    def test_flat_names_and_any_case(self, running: RunningServer) -> None:
        found = preview(running, {"loaded_threshold": 20}, "/phoenix/assets/btc/preview").json()
        assert (found["valid"], found["asset"]) == (True, "BTC")

    def test_a_change_that_would_be_refused_is_told_with_everything_that_is_wrong(self, running: RunningServer) -> None:
        found = preview(running, {"settings": {"state_threshold_bang": 105, "position_size_bang": -1}}).json()
        assert found["valid"] is False
        assert {"settings.state_threshold_bang", "settings.position_size_bang"} == {
            problem["path"] for problem in found["errors"]
        }
        assert "bars" not in found

    def test_an_unknown_asset_names_the_known_ones(self, running: RunningServer) -> None:
        answer = preview(running, {"loaded_threshold": 20}, "/phoenix/assets/DOGE/preview")
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_target")
        assert "BTC, ETH, SOL" in answer.json()["detail"]

    def test_an_unknown_query_parameter_is_refused(self, running: RunningServer) -> None:
        assert preview(running, {"loaded_threshold": 20}, f"{PREVIEW}?rows=3").status_code == 400

    def test_a_version_that_moved_on_is_told(self, running: RunningServer) -> None:
        answer = preview(running, {"loaded_threshold": 20, "expected_version": 10**6})
        assert (answer.status_code, answer.json()["code"]) == (412, "version_conflict")


def test_a_change_is_marked_on_the_chart_with_the_version_of_the_state(server: RunningServer) -> None:
    with server.client() as client:
        answer = server.post("partial-update", {"asset_symbol": "BTC", "bang_threshold": 85}).json()
        state = client.state("BTC", version=answer["version"])
        chart = server.get("/phoenix/assets/BTC/bars", limit=1).json()
        (mark,) = chart["changes"]
        assert answer["version"] == mark["version"]
        assert chart["bars"][0]["time"] < mark["time"] <= (data(state)["price_time"] or "")
        assert server.get("/phoenix/assets/ETH/bars", limit=1).json()["changes"] == []
