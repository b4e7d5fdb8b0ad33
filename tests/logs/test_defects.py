"""A defect that a caller causes again and again is counted each time, and fills no log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI

from vivienne.logs.defects import MOST_PER_MINUTE, Defects, is_told
from vivienne.server import problems
from vivienne.server.listen import LeftOut

if TYPE_CHECKING:
    import pytest

_log = logging.getLogger("of.defects")


def raised(number: int) -> Exception:
    """An error as it is caught; the number is part of what it says only."""
    try:
        int(f"number {number}")
    except ValueError as error:
        return error
    raise AssertionError


def another() -> Exception:
    """An error of another place."""
    try:
        int("another one")
    except ValueError as error:
        return error
    raise AssertionError


def test_each_is_counted_and_the_log_has_it_a_few_times_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    defects = Defects(lambda: now)
    for number in range(1_000):
        defects.tell(_log, "rest", "request %d failed", number, error=raised(number))
    defects.tell(_log, "market", "it failed", error=another())
    assert [record.getMessage() for record in caplog.records] == ["request 0 failed", "request 1 failed", "it failed"]
    assert all(record.exc_info for record in caplog.records)
    assert {sample.labels: sample.value for sample in defects.samples()} == {("rest",): 1_000, ("market",): 1}

    now = 60.0
    defects.tell(_log, "rest", "request %d failed", 7, error=raised(7))
    assert caplog.records[-1].getMessage() == "request 7 failed (998 more before it were left out)"


async def test_requests_that_meet_it_are_answered_and_logged_a_few_times(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "DEFECTS", Defects())
    app = FastAPI()
    problems.install(app)

    @app.get("/defect")
    async def fail() -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://vivienne") as client:
        for _ in range(50):
            answer = await client.get("/defect")
            assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert len(caplog.records) == MOST_PER_MINUTE


def test_uvicorn_does_not_log_once_more_what_was_told() -> None:
    told, untold = raised(1), raised(2)
    Defects().tell(_log, "rest", "it failed", error=told)
    assert (is_told(told), is_told(untold)) == (True, False)
    kept = [
        LeftOut().filter(logging.makeLogRecord({"msg": message, "exc_info": (type(error), error, None)}))
        for message in ("Exception in ASGI application\n", "A WebSocket failed")
        for error in (told, untold)
    ]
    assert kept == [False, True, True, True]
