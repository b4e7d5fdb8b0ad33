"""What the configuration guide shows, sent exactly as it stands there, does what the guide says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from running import Client, RunningServer, config, data

if TYPE_CHECKING:
    from collections.abc import Iterator

LEGACY = {
    "type": "config_update",
    "agent": "VivienneAgent",
    "asset": "BTC",
    "config": {
        "bang_threshold": 75.0,
        "aim_threshold": 70.0,
        "position_size_bang": 13,
        "enable_trend_filter_for_entry": True,
        "volatility_squeeze_threshold": 0.01425,
        "signal_weights": {"ema_cross": 0.75, "macd": 0.75, "rsi": 0.5},
    },
}
CONTROL = {
    "type": "control",
    "strategy": "general_parameters",
    "params": {"asset_symbol": "BTC", "bang_threshold": 75.0, "position_size_bang": 13},
}
COMPREHENSIVE = {
    "settings": {
        "description": "Top-level settings for the agent's state and position sizing.",
        "state_threshold_bang": 80,
        "state_threshold_aim": 70,
        "state_threshold_loaded": 50,
        "position_size_bang": 0.5,
        "position_size_aim": 0.2,
        "position_size_loaded": 0.1,
        "position_size_idle": 0,
    },
    "filters": {
        "volatility": {
            "description": "Blocks trades based on market volatility using Bollinger Bands.",
            "enable_bollinger_filter_for_entry": True,
            "volatility_squeeze_threshold": 0.015,
            "volatility_breakout_threshold": 0.025,
            "bollinger_overextended_block": True,
        },
        "levels": {
            "description": "Blocks trades based on support and resistance levels.",
            "enable_levels_filter_for_entry": True,
            "levels_buffer_percent": 0.003,
        },
        "underused_alpha": {
            "description": "Blocks trades based on trading metrics.",
            "retail_chop_trade_count_threshold": 100,
            "retail_chop_avg_trade_size_threshold": 50,
        },
        "combined_vwap": {
            "description": "Blocks trades based on VWAP scenarios.",
            "weak_pump_trade_count_threshold": 50,
            "weak_pump_avg_trade_size_threshold": 100,
            "distribution_trade_count_threshold": 200,
            "distribution_avg_trade_size_threshold": 500,
        },
    },
    "signal_weights": {"ema_cross": 0.75, "macd": 0.75, "rsi": 0.5, "bb_bounce": 0.6, "bb_breakout": 0.8},
}
PARTIAL = {
    "settings": {"state_threshold_bang": 85},
    "filters": {"volatility": {"volatility_squeeze_threshold": 0.020}},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC,ETH", db=tmp_path_factory.mktemp("guide") / "v.db") as server:
        yield server


@pytest.fixture
def client(running: RunningServer) -> Iterator[Client]:
    """A client of a server on which everything is at its default."""
    for asset in (None, "BTC", "ETH"):
        running.reset(asset)
    with running.client() as connected:
        yield connected


def next_config(client: Client, answer: dict[str, Any], asset: str = "BTC") -> dict[str, Any]:
    return config(client.state(asset, version=answer["version"]))


def values(node: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in node.items():
        found |= values(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def test_the_legacy_message_does_what_it_says_and_the_next_state_shows_it(client: Client) -> None:
    answer = client.ask(LEGACY)

    assert (answer["type"], answer["status"], answer["asset"]) == ("config_update_response", "success", "BTC")
    shown = next_config(client, answer)
    assert shown["settings"]["state_threshold_bang"] == 75.0
    assert shown["settings"]["state_threshold_aim"] == 70.0
    assert shown["settings"]["position_size_bang"] == 13
    assert shown["filters"]["trend"]["enable_trend_filter_for_entry"] is True
    assert shown["filters"]["volatility"]["volatility_squeeze_threshold"] == 0.01425
    assert {name: weight for name, weight in shown["signal_weights"].items() if weight} == {
        "ema_cross": 0.75, "macd": 0.75, "rsi": 0.5, "bb_bounce": 0.6, "bb_breakout": 0.8,
    }  # fmt: skip


def test_the_legacy_message_is_for_its_asset_only(client: Client, running: RunningServer) -> None:
    client.ask(LEGACY)

    assert running.active("ETH")["config"]["settings"]["state_threshold_bang"] == 80


def test_the_control_message_does_what_it_says_and_the_next_state_shows_it(client: Client) -> None:
    answer = client.ask(CONTROL)

    assert (answer["type"], answer["status"], answer["asset"]) == ("control_response", "success", "BTC")
    settings = next_config(client, answer)["settings"]
    assert (settings["state_threshold_bang"], settings["position_size_bang"]) == (75.0, 13)


def test_the_comprehensive_configuration_is_taken_whole(client: Client, running: RunningServer) -> None:
    response = running.post("update", COMPREHENSIVE)

    assert response.status_code == 200
    shown = values(next_config(client, response.json()))
    sent = values(COMPREHENSIVE)
    assert {path: shown.get(path) for path in sent} == sent


def test_the_values_of_the_comprehensive_configuration_are_the_defaults(running: RunningServer) -> None:
    for asset in (None, "BTC", "ETH"):
        running.reset(asset)

    shown = values(running.active("BTC")["config"])

    sent = {path: value for path, value in values(COMPREHENSIVE).items() if not path.endswith("description")}
    assert {path: shown[path] for path in sent} == sent


def test_a_partial_update_leaves_everything_else_as_it_was(client: Client, running: RunningServer) -> None:
    before = values(running.active("BTC")["config"])

    answer = running.post("partial-update", PARTIAL).json()

    after = values(next_config(client, answer))
    assert {path: value for path, value in after.items() if before[path] != value} == values(PARTIAL)


def test_a_full_update_takes_back_what_it_does_not_name(client: Client, running: RunningServer) -> None:
    running.post("partial-update", {"asset_symbol": "BTC", "settings": {"position_size_aim": 7}})

    answer = running.post("update", {"asset_symbol": "BTC", **PARTIAL}).json()

    assert next_config(client, answer)["settings"]["position_size_aim"] == 0.2


def test_what_the_state_shows_can_be_sent_back_and_changes_no_value(client: Client, running: RunningServer) -> None:
    client.ask(LEGACY)
    shown = config(client.state("BTC", version=running.active("BTC")["version"]))

    response = running.post("update", {**shown, "asset_symbol": "BTC"})

    assert response.status_code == 200
    assert response.json()["changed"] == []
    assert next_config(client, response.json()) == shown


def test_one_weight_by_its_section_and_name_is_enough(client: Client, running: RunningServer) -> None:
    """The guide's form sends one field at a time."""
    answer = running.post("partial-update", {"signal_weights": {"rsi": 0.35}, "asset_symbol": "BTC"}).json()

    assert next_config(client, answer)["signal_weights"]["rsi"] == 0.35


def test_a_state_has_the_guides_shape_and_two_numbers(client: Client) -> None:
    state = client.state("BTC")

    assert set(state) == {"type", "asset", "timestamp", "agents", "seq", "config_version"}
    assert (state["type"], state["asset"]) == ("asset_data", "BTC")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", state["timestamp"])
    assert isinstance(state["seq"], int)
    assert isinstance(state["config_version"], int)
    assert set(state["agents"]) == {"VivienneAgent"}
    assert set(state["agents"]["VivienneAgent"]) == {"data", "config"}
    assert {"settings", "filters", "signal_weights"} <= set(config(state))


def test_a_decision_has_the_guides_fields_with_the_guides_words(client: Client) -> None:
    decision = data(client.state("BTC"))

    assert decision["clarity_level"] in {"idle", "loaded", "aim", "bang"}
    assert isinstance(decision["signal_confidence"], float)
    assert 0.0 <= decision["signal_confidence"] <= 1.0
    assert decision["trend_direction"] in {"bullish", "bearish", "neutral"}
    assert decision["volatility_status"] in {"normal", "squeeze", "breakout", "overextended"}
    assert decision["levels_status"] in {"active", "blocking", "inactive"}


def test_the_older_name_of_the_message_still_works(client: Client) -> None:
    answer = client.ask({**LEGACY, "type": "vivienne_config_update"})

    assert (answer["type"], answer["status"]) == ("config_update_response", "success")
    assert next_config(client, answer)["settings"]["state_threshold_bang"] == 75.0


def test_parameters_is_another_name_for_config(client: Client) -> None:
    message = {name: value for name, value in LEGACY.items() if name != "config"}

    answer = client.ask({**message, "parameters": LEGACY["config"]})

    assert next_config(client, answer)["settings"]["position_size_bang"] == 13


def test_validate_only_says_what_would_change_and_changes_nothing(client: Client, running: RunningServer) -> None:
    before = running.active("BTC"), running.history()

    answer = client.ask({**LEGACY, "validate_only": True})

    assert (answer["type"], answer["status"]) == ("config_update_response", "valid")
    changed = {change["path"]: (change["old"], change["new"]) for change in answer["changed"]}
    assert changed["settings.state_threshold_bang"] == (80, 75.0)
    assert (running.active("BTC"), running.history()) == before


def test_validate_only_lists_what_is_wrong(client: Client, running: RunningServer) -> None:
    before = running.active("BTC"), running.history()

    answer = client.ask({**LEGACY, "config": {"bang_threshold": 101, "rsi_weight": 2}, "validate_only": True})

    assert answer["type"] == "error"
    assert {problem["path"] for problem in answer["errors"]} == {"settings.state_threshold_bang", "signal_weights.rsi"}
    assert (running.active("BTC"), running.history()) == before


def test_mode_full_replaces_what_the_asset_sets(client: Client) -> None:
    client.ask({"type": "config_update", "asset": "BTC", "config": {"position_size_aim": 7}})

    answer = client.ask({"type": "config_update", "asset": "BTC", "mode": "full", "config": {"bang_threshold": 81}})

    settings = next_config(client, answer)["settings"]
    assert (settings["state_threshold_bang"], settings["position_size_aim"]) == (81, 0.2)
