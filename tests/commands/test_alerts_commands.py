"""`vivienne alerts`: what it asks a server for, what it prints, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from vivienne.changes.alerts.requests import AlertRequest, SetRule
from vivienne.changes.service import ConfigService
from vivienne.commands.main import main
from vivienne.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

RULE = {
    "alert_id": "al_0123456789ab", "version": 3, "name": "BTC \x1b[2Jbangs", "enabled": True, "assets": ["BTC", "E*"],
    "event": ["entry", "exit"], "channels": [{"id": "c1", "type": "webhook", "url": "https://bot.example/***"}],
    "problem": None, "last_fired_at": None,
}  # fmt: skip
RESULT = {
    "channel": "c1", "type": "webhook", "status": "delivered", "status_code": 204, "latency_ms": 41.7, "answer": "",
}  # fmt: skip
DELIVERY = {
    "delivery_id": "evt_1 c1", "alert_name": "bang", "channel": "c1", "channel_type": "webhook",
    "target": "https://bot.example/***", "text": "BTC at bang " * 10, "created_at": "2026-01-01T12:00:00.000Z",
    "status": "dead", "attempts": 31, "latency_ms": None, "status_code": 500, "answer": "oh \x07 no",
}  # fmt: skip


@contextmanager
def answering(body: Any, status: int = 200) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A server with one answer; its address, and the requests it got."""
    seen: list[tuple[str, Any]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((f"{self.command} {self.path}", json.loads(sent) if sent else None))
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST  # noqa: N815  # the name the library calls

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def run(*flags: str) -> Result:
    return CliRunner().invoke(main, ["alerts", *flags])


def test_rules_are_a_table_that_a_terminal_does_not_obey() -> None:
    with answering({"alerts": [RULE, {**RULE, "enabled": False, "problem": "switched off: 410"}], "limit": 1000}) as (
        url,
        seen,
    ):
        shown = run("list", "--url", url)
        listed = json.loads(run("list", "--url", url, "--json").stdout)
    assert shown.exit_code == 0, shown.output
    head, first, second = shown.stdout.splitlines()
    assert head.split("  ")[0] == "RULE"
    assert r"al_0123456789ab  on   BTC \x1b[2Jbangs  entry, exit  BTC, E*  webhook" == first
    assert second.endswith("switched off: 410")
    assert listed["alerts"][0] == RULE
    assert seen == [("GET /phoenix/alerts", None)] * 2


@pytest.mark.parametrize(("status", "code"), [("delivered", 0), ("failed", 1)])
def test_a_test_says_what_became_of_it_and_ends_with_1_if_a_channel_failed(status: str, code: int) -> None:
    results = {"results": [RESULT, {**RESULT, "channel": "c2", "status": status, "answer": "gone \x1b"}]}
    with answering(results) as (url, seen):
        ended = run("test", "al_0123456789ab", "--asset", "BTC", "--url", url)
        as_json = run("test", "al/..", "--channel", "c2", "--url", url, "--json")
    assert (ended.exit_code, as_json.exit_code) == (code, code), ended.output
    assert "c1       webhook  delivered  204   42 ms" in ended.stdout
    assert r"gone \x1b" in ended.stdout
    assert json.loads(as_json.stdout) == results
    assert seen == [
        ("POST /phoenix/alerts/al_0123456789ab/test", {"asset": "BTC"}),
        ("POST /phoenix/alerts/al%2F../test", {"channel": "c2"}),
    ]


async def test_rules_are_listed_from_a_database_too(tmp_path: Path) -> None:
    db = tmp_path / "v.db"
    service = ConfigService(open_store(db, "alone"), ["BTC"], seal=lambda secret: secret[::-1])
    document = {
        "name": "bang", "assets": ["*"], "event": "level",
        "channels": [{"type": "webhook", "url": "https://bot.example/hook/TOKEN"}],
    }  # fmt: skip
    made = await service.change_alert(AlertRequest(SetRule(document), None, channel="rest", author="ana"))
    await service.close()
    [rule] = json.loads((await asyncio.to_thread(run, "list", "--db", str(db), "--json")).stdout)["alerts"]
    assert rule == made["alert"]
    assert "TOKEN" not in json.dumps(rule)


def test_deliveries_are_asked_for_as_the_flags_say() -> None:
    with answering({"deliveries": [DELIVERY], "next": None}) as (url, seen):
        flags = ("--alert", "al_1", "--status", "dead", "--asset", "BTC", "--limit", "5", "--url", url)
        shown = run("deliveries", *flags)
        listed = run("deliveries", "--url", url, "--json")
    assert shown.exit_code == 0, shown.output
    _, line = shown.stdout.splitlines()
    assert line.startswith("2026-01-01T12:00:00.000Z  dead    500   31")
    assert "..." in line
    assert line.endswith(r"oh \x07 no")
    assert json.loads(listed.stdout)["deliveries"] == [DELIVERY]
    assert seen == [
        ("GET /phoenix/alerts/deliveries?alert_id=al_1&status=dead&asset=BTC&limit=5", None),
        ("GET /phoenix/alerts/deliveries?limit=20", None),
    ]


def test_a_delivery_is_sent_again() -> None:
    with answering({"status": "success", "message": "Sending it again"}) as (url, seen):
        assert run("resend", "evt_1 c1", "--url", url).stdout == "Sending it again\n"
    assert seen == [("POST /phoenix/alerts/deliveries/evt_1%20c1/resend", {})]


def test_without_any_it_says_so() -> None:
    with answering({"alerts": [], "deliveries": [], "limit": 1000, "next": None}) as (url, _):
        assert run("list", "--url", url).stdout == "There are no rules\n"
        assert run("deliveries", "--url", url).stdout == "No delivery meets this\n"


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (404, {"detail": "Unknown alert_id 'x'"}, 2, "refused the request: Unknown alert_id 'x'"),
        (503, {"detail": "The store does not answer"}, 75, "refused the request: The store does not answer"),
        (200, b"<html>", 75, "cannot be reached, or its answer broke off"),
        (200, {"alerts": ["x"]}, 2, "is not a Vivienne server, or one without alerts"),
        (200, [], 2, "is not a Vivienne server, or one without alerts"),
    ],
)
def test_what_goes_wrong_is_said(status: int, body: Any, code: int, said: str) -> None:
    with answering(body, status) as (url, _):
        ended = run("list", "--url", url)
    assert ended.exit_code == code
    assert said in ended.stderr


def test_a_server_that_is_not_there_and_flags_that_do_not_fit_are_told_apart(tmp_path: Path) -> None:
    assert run("list", "--url", "http://127.0.0.1:9").exit_code == 75
    assert run("list", "--url", "http://127.0.0.1:9", "--db", "x.db").exit_code == 2
    assert run("list", "--db", str(tmp_path / "none.db")).exit_code == 2
