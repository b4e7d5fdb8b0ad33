"""What a real server sends is of the types that the OpenAPI and AsyncAPI documents are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from running import COMPREHENSIVE, Client, RunningServer
from vivienne.server.documents import Problem
from vivienne.wire.alert import AlertEvent, AlertPushed, SeveralAlerts
from vivienne.wire.answers import Acknowledgement, ConfigurationPage, HistoryPage, InForce, Pauses, Switched, Verdict
from vivienne.wire.chart import Chart
from vivienne.wire.messages import (
    LOGS_OUT,
    STATE_IN,
    STATE_OUT,
    AssetChanged,
    AssetData,
    ConfigChanged,
    ConfigPreviewResponse,
    ConfigUpdateResponse,
    ControlResponse,
    ErrorMessage,
    LogMessage,
    StatesChanged,
    SubscribeResponse,
    SwitchResponse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGE = {"type": "config_update", "asset": "BTC", "config": {"bang_threshold": 85}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC,ETH,SOL", db=tmp_path_factory.mktemp("types") / "vivienne.db") as running:
        yield running


def assert_is(kind: type, value: Any) -> None:
    """Strictly: types are not converted, and there is nothing in it that the type does not know."""
    TypeAdapter(kind).validate_python(value, strict=True)
    known = TypeAdapter(kind).json_schema()["properties"].keys()
    assert set() == value.keys() - known


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (CHANGE, ConfigUpdateResponse),
        ({**CHANGE, "request_id": "r-1", "reason": "because"}, ConfigUpdateResponse),
        ({**CHANGE, "validate_only": True}, ConfigPreviewResponse),
        ({"type": "control", "strategy": "general_parameters", "params": {"bang_threshold": 84}}, ControlResponse),
        ({"type": "pause", "asset": "SOL", "reason": "enough", "request_id": "r-2"}, SwitchResponse),
        ({"type": "resume", "asset": "SOL"}, SwitchResponse),
        ({"type": "control", "strategy": "pause", "params": {"asset": "SOL"}}, SwitchResponse),
        ({"type": "control", "strategy": "resume", "asset": "SOL"}, SwitchResponse),
        ({"type": "subscribe", "assets": ["BTC"]}, SubscribeResponse),
        ({"type": "subscribe", "assets": ["BTC"], "updates": "changes"}, SubscribeResponse),
        ({**CHANGE, "config": {"bang_threshold": 1000}}, ErrorMessage),
        ("{", ErrorMessage),
    ],
)
def test_answers_to_messages_are_of_their_types(running: RunningServer, message: Any, kind: type) -> None:
    with running.client() as client:
        assert_is(kind, client.ask(message))


def test_states_are_of_their_type(running: RunningServer) -> None:
    with running.client() as client:
        for asset in ("BTC", "ETH", "SOL"):
            assert_is(AssetData, client.state(asset))


def test_changes_are_of_their_type(running: RunningServer) -> None:
    with running.client() as client:
        client.ask({"type": "subscribe", "assets": ["*"], "updates": "changes"})
        while (message := client.receive())["type"] != "asset_changed":
            pass
        assert_is(AssetChanged, message)


def test_log_records_are_of_their_type(running: RunningServer) -> None:
    with Client(f"ws://127.0.0.1:{running.port}/ws/logs") as client:
        assert_is(LogMessage, client.receive())


def test_answers_of_rest_are_of_their_types(running: RunningServer) -> None:
    made = running.post("partial-update", {"asset_symbol": "BTC", "aim_threshold": 71}).json()
    assert_is(Acknowledgement, made)
    assert_is(Acknowledgement, running.post(f"{made['config_id']}/activate", None).json())
    assert_is(Acknowledgement, running.post("reset", {"asset_symbol": "BTC", "paths": ["aim_threshold"]}).json())
    assert_is(Verdict, running.post("validate", {"aim_threshold": 71}).json())
    assert_is(Verdict, running.post("validate", {"aim_threshold": 710}).json())
    assert_is(Problem, running.post("update", {"aim_threshold": 710}).json())
    assert_is(InForce, running.active("BTC"))
    assert_is(Switched, running.post("pause", {"asset_symbol": "BTC"}).json())
    assert_is(InForce, running.active("BTC"))
    assert_is(Pauses, running.get(f"{COMPREHENSIVE}/pause").json())
    assert_is(Switched, running.post("resume", {"asset_symbol": "BTC"}).json())
    assert_is(ConfigurationPage, running.get(f"{COMPREHENSIVE}/all").json())
    assert_is(HistoryPage, running.get(f"{COMPREHENSIVE}/history").json())
    assert_is(Chart, running.get("/phoenix/assets/btc/bars").json())


def references(node: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
def test_every_reference_in_the_served_documents_leads_somewhere(running: RunningServer, path: str) -> None:
    document = running.get(path).json()
    found = set(references(document))
    assert found
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_asyncapi_document_lists_every_message(running: RunningServer) -> None:
    document = running.get("/asyncapi.json").json()
    named = {
        kind.__name__
        for kind in (
            *STATE_OUT,
            *STATE_IN,
            *LOGS_OUT,
            ConfigChanged,
            StatesChanged,
            AlertPushed,
            AlertEvent,
            SeveralAlerts,
        )
    }
    assert named == document["components"]["messages"].keys()
    control = (
        "vivienne:control",
        "vivienne:control:results",
        "vivienne:config",
        "vivienne:state:{asset}",
        "vivienne:states_changed",
        "vivienne:alerts",
    )
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert {"/ws/state", "/ws/logs", "/ws/alerts", *control} == addresses
