"""The OpenAPI document, completed with schemas and with access."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from vivienne.server.alert_deliveries import SentAgain, TestBody
from vivienne.server.alert_preview import PreviewBody
from vivienne.server.alerting import AlertBody
from vivienne.server.auth import NewToken, Ticket, TokenBody, TokenList, WhoAsks
from vivienne.server.documents import (
    ConditionOfChange,
    ConfigurationBody,
    Problem,
    ResetBody,
    ResumptionBody,
    SeveralBody,
    SwitchBody,
)
from vivienne.server.policy import NEEDED
from vivienne.server.pushing import CandlesBody, PushedTradesBody, PushProblem
from vivienne.server.schemas import Schema, schemas
from vivienne.wire.alert import (
    AlertChanged,
    AlertEventPage,
    AlertList,
    AlertPreview,
    AlertRule,
    DeliveryPage,
    TestResults,
)
from vivienne.wire.answers import (
    Acknowledgement,
    ConfigurationPage,
    HistoryPage,
    InForce,
    Pauses,
    Replaced,
    Switched,
    Verdict,
)
from vivienne.wire.change_outcome import ChangeOutcome
from vivienne.wire.chart import AssetList, Chart
from vivienne.wire.judged import VersionPage
from vivienne.wire.paper import PaperAccount
from vivienne.wire.preview import DecisionPreview
from vivienne.wire.pushed import Pushed
from vivienne.wire.record import BarRecord, DecisionPage, DecisionRecord, SignalPage
from vivienne.wire.setups import HeatMap, Setups
from vivienne.wire.token_entry import TokenEntry
from vivienne.wire.version_outcome import VersionOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

SECURITY_SCHEMES: dict[str, Schema] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, `viv_...`, where the server demands one: `vivienne token create NAME --role ROLE`.",
    }
}
"""Ways to authenticate."""

KINDS = (
    Acknowledgement, AlertBody, AlertChanged, AlertEventPage, AlertList, AlertPreview, AlertRule, AssetList,
    BarRecord, CandlesBody, ChangeOutcome, Chart, ConditionOfChange, ConfigurationBody, ConfigurationPage,
    DecisionPage, DecisionPreview, DecisionRecord, DeliveryPage, HeatMap, HistoryPage, InForce, NewToken,
    PaperAccount, Pauses, PreviewBody, Problem, PushProblem, Pushed, PushedTradesBody, Replaced, ResetBody,
    ResumptionBody, SentAgain, Setups, SeveralBody, SignalPage, SwitchBody, Switched, TestBody, TestResults, Ticket,
    TokenBody, TokenEntry, TokenList, Verdict, VersionOutcome, VersionPage, WhoAsks,
)  # fmt: skip
"""Types of all bodies and answers."""
_kind: Any
for _kind in KINDS:
    # Routes validate nothing by them: only the document needs their schemas, and few starts lead to a look at it.
    _kind.__pydantic_config__ = {**getattr(_kind, "__pydantic_config__", {}), "defer_build": True}


def complete(app: FastAPI) -> None:
    """Complete the OpenAPI document with the schemas it refers to, and with authentication."""
    generate = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = generate()
        for parameter in _parameters(document):
            parameter["schema"] = _without_null(parameter["schema"])
        parts = document.setdefault("components", {})
        parts.setdefault("schemas", {}).update(schemas(KINDS))
        parts["securitySchemes"] = SECURITY_SCHEMES
        # The empty choice is for servers that do not demand a token.
        with_token: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                open_to_all = NEEDED.get((method.upper(), path), "admin") is None
                operation["security"] = [] if open_to_all else [*with_token, {}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            yield from operation.get("parameters", ())


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without null: a query parameter or header is present or absent, never null."""
    alternatives = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(alternatives) != 1:
        return schema
    return {**alternatives[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
