"""The OpenAPI document, the pages and the schema, as this server gives them, without the network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from running import COMPREHENSIVE, RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINTS = {
    f"{COMPREHENSIVE}/update": {"post"},
    f"{COMPREHENSIVE}/partial-update": {"post"},
    f"{COMPREHENSIVE}/active": {"get"},
    f"{COMPREHENSIVE}/all": {"get"},
    f"{COMPREHENSIVE}/{{config_id}}": {"delete"},
    f"{COMPREHENSIVE}/schema": {"get"},
    f"{COMPREHENSIVE}/validate": {"post"},
    f"{COMPREHENSIVE}/history": {"get"},
    f"{COMPREHENSIVE}/reset": {"post"},
    f"{COMPREHENSIVE}/{{config_id}}/activate": {"post"},
    f"{COMPREHENSIVE}/{{config_id}}/undo": {"post"},
    "/health": {"get"},
    "/ready": {"get"},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer("--assets", "BTC", db=tmp_path_factory.mktemp("documents") / "v.db") as server:
        yield server


@pytest.fixture(scope="module")
def openapi(running: RunningServer) -> dict[str, Any]:
    found: dict[str, Any] = running.get("/openapi.json").raise_for_status().json()
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def resolved(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    assert reference.startswith("#/")
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_the_document_lists_every_endpoint(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1")
    listed = {path: set(methods) for path, methods in openapi["paths"].items()}
    assert {path: listed.get(path) for path in ENDPOINTS} == ENDPOINTS


def test_every_reference_in_the_document_leads_somewhere(openapi: dict[str, Any]) -> None:
    found = set(references(openapi))

    assert found
    for reference in found:
        assert isinstance(resolved(openapi, reference), dict)


def test_the_document_says_what_needs_a_token(openapi: dict[str, Any]) -> None:
    assert openapi["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert openapi["paths"]["/health"]["get"]["security"] == []
    for path, method in ((f"{COMPREHENSIVE}/active", "get"), (f"{COMPREHENSIVE}/partial-update", "post")):
        assert openapi["paths"][path][method]["security"] == [{"token": []}, {}]


def test_every_operation_has_a_summary_an_id_of_its_own_and_answers(openapi: dict[str, Any]) -> None:
    operations = [operation for methods in openapi["paths"].values() for operation in methods.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert {"200", "201", "202"} & operation["responses"].keys()
        for answer in operation["responses"].values():
            assert answer["description"]


def test_what_changes_something_documents_its_problems_and_its_body(openapi: dict[str, Any]) -> None:
    for name in ("update", "partial-update", "reset"):
        operation = openapi["paths"][f"{COMPREHENSIVE}/{name}"]["post"]
        assert {"400", "409", "412", "413", "415", "422", "503"} <= set(operation["responses"])
        for status in ("400", "412", "422"):
            assert "application/problem+json" in operation["responses"][status]["content"]
        assert "application/json" in operation["requestBody"]["content"]


def test_the_example_of_each_body_is_accepted(running: RunningServer, openapi: dict[str, Any]) -> None:
    for name in ("update", "partial-update", "validate", "reset"):
        body = openapi["paths"][f"{COMPREHENSIVE}/{name}"]["post"]["requestBody"]["content"]["application/json"]

        assert running.post(name, body["example"]).status_code == 200


def test_the_documented_configuration_has_the_guides_names(openapi: dict[str, Any]) -> None:
    properties = openapi["components"]["schemas"]["Configuration"]["properties"]

    assert {"settings", "filters", "signal_weights"} <= set(properties)


def test_the_pages_need_nothing_from_elsewhere(running: RunningServer) -> None:
    page = running.get("/docs")

    assert page.status_code == 200
    links = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert {link.rpartition(".")[2] for link in links} >= {"js", "css"}
    for link in links:
        assert link.startswith("/")
        assert not link.startswith("//")
        assert running.get(link).status_code == 200
        assert len(running.get(link).content) > 0
    assert "://" not in page.text


def test_the_root_leads_to_something_to_see(running: RunningServer) -> None:
    response = running.http.get(running.url, follow_redirects=True)

    assert response.status_code == 200
    assert "text/html" in response.headers["content-type"]


def test_the_schema_is_json_schema_with_what_a_form_needs(running: RunningServer) -> None:
    response = running.get(f"{COMPREHENSIVE}/schema")

    assert response.headers["content-type"].startswith("application/schema+json")
    schema = response.json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    bang = schema["$defs"]["Settings"]["properties"]["state_threshold_bang"]
    assert (bang["default"], bang["minimum"], bang["maximum"], bang["flat_name"]) == (80, 0, 100, "bang_threshold")
    assert bang["title"]
    assert bang["description"]
    assert bang["unit"]
    for reference in references(schema):
        assert isinstance(resolved(schema, reference), dict)
    assert schema["x-rules"]
