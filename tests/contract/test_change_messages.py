"""What only messages have - a type, an agent, a strategy, a mode - over WebSocket and Redis alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ways_in import Unmoved

if TYPE_CHECKING:
    from running import Client, RunningServer
    from ways_in import Conversation


def error_of(conversation: Conversation, message: Any) -> dict[str, Any]:
    answer = conversation.ask(message)
    assert answer["type"] == "error"
    assert answer["message"]
    return answer


@pytest.mark.parametrize("kind", ["config_update", "control", "vivienne_config_update"])
def test_an_unknown_agent_is_refused_and_the_known_one_named(
    running: RunningServer, conversation: Conversation, kind: str
) -> None:
    unmoved = Unmoved(running)
    body = {"strategy": "general_parameters", "params": {"bang_threshold": 85}}
    content = body if kind == "control" else {"config": {"bang_threshold": 85}}

    answer = error_of(conversation, {"type": kind, "agent": "VivianAgent", "asset": "BTC", **content})

    message = "Unknown agent 'VivianAgent'; known is 'VivienneAgent'"
    assert answer["errors"] == [{"path": "agent", "message": message}]
    assert (answer["code"], answer["in_reply_to"]) == ("unknown_target", kind)
    unmoved.check()


@pytest.mark.parametrize("agent", ["VivienneAgent", "vivienneagent", "VIVIENNEAGENT", "vivienne", "Vivienne"])
def test_the_agent_is_known_in_any_case_and_by_its_short_name(conversation: Conversation, agent: str) -> None:
    answer = conversation.ask({"type": "config_update", "agent": agent, "config": {"rsi_weight": 0.4}})

    assert (answer["status"], answer["agent"]) == ("success", "VivienneAgent")


@pytest.mark.parametrize("agent", [None, 5, "", "agent", "vivienne agent", ["vivienne"]])
def test_another_agent_is_refused(conversation: Conversation, agent: Any) -> None:
    answer = error_of(conversation, {"type": "config_update", "agent": agent, "config": {"rsi_weight": 0.4}})

    assert (answer["code"], answer["errors"][0]["path"]) == ("unknown_target", "agent")


@pytest.mark.parametrize("kind", ["config_update", "control", "pause", "resume"])
def test_a_message_may_carry_its_time_and_a_protocol_version(conversation: Conversation, kind: str) -> None:
    content: dict[str, dict[str, Any]] = {
        "config_update": {"config": {"rsi_weight": 0.4}},
        "control": {"strategy": "general_parameters", "params": {"rsi_weight": 0.4}},
    }
    carried = {"timestamp": "2026-01-01T12:00:00Z", "protocol_version": "1.0"}

    answer = conversation.ask({"type": kind, "asset": None, **carried, **content.get(kind, {})})

    assert (answer["type"], answer["status"], answer["asset"]) == (f"{kind}_response", "success", None)


def test_a_subscription_may_carry_its_time_and_a_protocol_version(client: Client) -> None:
    answer = client.ask({"type": "subscribe", "assets": ["*"], "timestamp": 1767268800000, "protocol_version": 1})

    assert answer["status"] == "success"


def test_update_type_is_another_name_of_mode(running: RunningServer, conversation: Conversation) -> None:
    running.post("partial-update", {"asset_symbol": "BTC", "position_size_aim": 7})

    full = {"type": "config_update", "asset": "BTC", "update_type": "full", "config": {"bang_threshold": 81}}
    assert conversation.ask(full)["status"] == "success"
    assert running.active("BTC")["config"]["settings"]["position_size_aim"] == 0.2

    answer = error_of(conversation, {**full, "mode": "partial"})
    assert (answer["code"], answer["errors"][0]["path"]) == ("malformed", "update_type")


def test_every_answer_carries_its_time_and_an_error_its_status(conversation: Conversation) -> None:
    asked_at = datetime.now(UTC)
    good = conversation.ask({"type": "config_update", "config": {"rsi_weight": 0.4}, "request_id": "timed"})
    bad = conversation.ask({"type": "config_update", "config": {"rsi_weight": 4}, "request_id": "timed too"})

    assert (bad["type"], bad["status"], bad["request_id"]) == ("error", "error", "timed too")
    for answer in (good, bad):
        told = datetime.fromisoformat(answer["timestamp"])
        assert asked_at.replace(microsecond=0) <= told <= datetime.now(UTC)


@pytest.mark.parametrize("strategy", ["general_params", None, 5])
def test_an_unknown_strategy_is_refused_and_the_known_one_named(
    running: RunningServer, conversation: Conversation, strategy: Any
) -> None:
    unmoved = Unmoved(running)

    answer = error_of(conversation, {"type": "control", "strategy": strategy, "params": {"bang_threshold": 85}})

    assert answer["code"] == "unknown_target"
    assert answer["errors"][0]["path"] == "strategy"
    assert "general_parameters" in answer["errors"][0]["message"]
    unmoved.check()


@pytest.mark.parametrize("message", [{}, {"config": {"bang_threshold": 85}}, {"type": None}, {"type": 5}])
def test_a_message_without_a_type_is_told_the_known_ones(conversation: Conversation, message: Any) -> None:
    answer = error_of(conversation, message)

    expected = "The message has no type; known types are config_update, vivienne_config_update, control, pause, resume"
    assert [problem["path"] for problem in answer["errors"]] == ["type"]
    assert answer["errors"][0]["message"].removesuffix(", subscribe, ping") == expected
    assert answer["in_reply_to"] is None


def test_an_unknown_type_is_told_the_nearest(conversation: Conversation) -> None:
    answer = error_of(conversation, {"type": "config_updates", "config": {"bang_threshold": 85}})

    expected = "Unknown type 'config_updates'; the nearest known one is 'config_update'"
    assert answer["errors"] == [{"path": "type", "message": expected}]


def test_a_ping_as_a_message_is_answered(client: Client) -> None:
    answer = client.ask({"type": "ping", "request_id": "alive-1", "timestamp": 1})
    assert (answer["type"], answer["request_id"]) == ("pong", "alive-1")
    assert error_of(client, {"type": "ping", "asset": "BTC"})["code"] == "malformed"


def test_a_binary_frame_is_refused_and_the_connection_stays(running: RunningServer, client: Client) -> None:
    unmoved = Unmoved(running)

    answer = error_of(client, b'{"type": "config_update", "config": {"bang_threshold": 85}}')

    assert answer["errors"] == [{"path": "", "message": "Binary frames are not read; send the JSON as a text frame"}]
    unmoved.check()
    assert client.ask({"type": "subscribe", "assets": ["*"]})["status"] == "success"


def test_a_misspelt_asset_field_never_makes_a_change_for_all(
    running: RunningServer, conversation: Conversation
) -> None:
    unmoved = Unmoved(running)

    answer = error_of(conversation, {"type": "config_update", "aset": "BTC", "config": {"bang_threshold": 85}})

    expected = "Unknown field 'aset'; the nearest known one is 'asset'"
    assert answer["errors"] == [{"path": "aset", "message": expected}]
    unmoved.check()


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"type": "config_update", "asset": "BTC"}, "config"),
        ({"type": "config_update", "config": [1]}, "config"),
        ({"type": "config_update", "parameters": None}, "parameters"),
        ({"type": "config_update", "config": {"bang_threshold": 85}, "parameters": {}}, "parameters"),
        ({"type": "config_update", "config": {"bang_threshold": 85}, "mode": "replace"}, "mode"),
        ({"type": "config_update", "config": {"bang_threshold": 85}, "update_type": "replace"}, "update_type"),
        ({"type": "config_update", "config": {"bang_threshold": 85}, "validate_only": 1}, "validate_only"),
        ({"type": "control", "strategy": "general_parameters"}, "params"),
        ({"type": "control", "strategy": "general_parameters", "params": 5}, "params"),
        (
            {"type": "config_update", "asset": "BTC", "asset_symbol": "ETH", "config": {"bang_threshold": 85}},
            "asset_symbol",
        ),
        (
            {
                "type": "control",
                "strategy": "general_parameters",
                "asset_symbol": "BTC",
                "params": {"asset_symbol": "ETH", "bang_threshold": 85},
            },
            "asset_symbol",
        ),
    ],
)
def test_a_message_with_a_wrong_field_is_told_which(
    running: RunningServer, conversation: Conversation, message: Any, path: str
) -> None:
    unmoved = Unmoved(running)

    answer = error_of(conversation, message)

    assert (answer["code"], [problem["path"] for problem in answer["errors"]]) == ("malformed", [path])
    unmoved.check()


def test_asset_and_params_that_name_different_assets_are_refused(
    running: RunningServer, conversation: Conversation
) -> None:
    unmoved = Unmoved(running)

    answer = error_of(
        conversation,
        {
            "type": "control",
            "strategy": "general_parameters",
            "asset": "BTC",
            "params": {"asset_symbol": "ETH", "bang_threshold": 85},
        },
    )

    assert answer["code"] == "malformed"
    unmoved.check()


@pytest.mark.parametrize("inside", [False, True], ids=["around the change", "in params"])
def test_the_request_id_comes_back_with_answers_and_errors(
    request: pytest.FixtureRequest, conversation: Conversation, inside: bool
) -> None:
    def ask(request_id: str, weight: float) -> dict[str, Any]:
        name = {"request_id": f"{request_id} {request.node.callspec.id}"}
        body = {"type": "control", "strategy": "general_parameters", "asset": "BTC"}
        params = {"rsi_weight": weight}
        return conversation.ask(
            {**body, "params": {**params, **name}} if inside else {**body, "params": params, **name}
        )

    good, bad = ask("good", 0.4), ask("bad", 4)

    assert good["type"] == "control_response"
    assert good["request_id"] == f"good {request.node.callspec.id}"
    assert (bad["type"], bad["in_reply_to"]) == ("error", "control")
    assert bad["request_id"] == f"bad {request.node.callspec.id}"
