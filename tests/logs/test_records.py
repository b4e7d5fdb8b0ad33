"""What a log line looks like, and that nothing in it passes for another one."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TYPE_CHECKING

import pytest

from vivienne import trace
from vivienne.logs.formats import JsonFormatter, TextFormatter
from vivienne.logs.records import MOST_LETTERS, received
from vivienne.stream.logs import LogStream

if TYPE_CHECKING:
    from vivienne.wire.messages import LogMessage

FORGED = (
    "stop\n2026-01-01T00:00:00.000Z CRITICAL x: forged"
    "\r\x1b[2J\x1b]0;title\x07\x9b31m\u2028next\u2029\u202egnp.\x00\x7f"
)


def record(message: str, *values: object, name: str = "vivienne.changes.ledger") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "", 0, message, values, None)


@pytest.mark.parametrize("form", [TextFormatter(), JsonFormatter()])
@pytest.mark.parametrize("name", ["vivienne.changes.ledger", "uvicorn.error", FORGED])
def test_what_others_wrote_stays_on_its_line(form: logging.Formatter, name: str) -> None:
    line = form.format(record("Paused: %s", FORGED, name=name))

    assert line.isprintable()


def test_a_traceback_with_what_others_wrote_begins_no_line_of_its_own() -> None:
    try:
        int(FORGED)
    except ValueError:
        failed = logging.LogRecord("x", logging.ERROR, "", 0, "it failed", (), sys.exc_info())

    first, *rest = TextFormatter().format(failed).split("\n")

    assert all(line.startswith("    ") and line.isprintable() for line in rest)
    assert first.endswith("x: it failed")
    assert "ValueError: invalid literal for int() with base 10: 'stop" in rest[-1]
    assert JsonFormatter().format(failed).isprintable()


async def test_nor_does_it_on_the_page_of_the_log() -> None:
    stream = LogStream()
    stream.handle(record(f"Agent {FORGED}"))
    stream.receive(
        {"type": "log", "timestamp": "", "level": "INFO", "logger": FORGED, "message": FORGED, "process": FORGED}
    )
    reader = stream.join(logging.DEBUG)

    for _ in range(2):
        for value in json.loads(await reader.take()).values():
            assert value.isprintable()


def test_a_line_says_when_with_its_zone_how_bad_where_and_in_which_request() -> None:
    trace.trace_id.set("r-7")

    line = TextFormatter().format(record("%d values", 3))

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING  vivienne\.changes\.ledger: 3 values \[r-7\]", line
    )
    found = json.loads(JsonFormatter().format(record("%d values", 3)))
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "level": "WARNING",
        "logger": "vivienne.changes.ledger",
        "message": "3 values",
        "trace_id": "r-7",
    }


def test_a_token_is_hidden_in_either_format() -> None:
    token = "viv_" + "x" * 43

    for form in (TextFormatter(), JsonFormatter()):
        assert "viv_***" in form.format(record(token))
        assert token not in form.format(record(token))


@pytest.mark.parametrize("form", [TextFormatter(), JsonFormatter()])
def test_a_text_of_megabytes_is_cut_and_says_so(form: logging.Formatter) -> None:
    line = form.format(record("an exchange said %s", "x" * 3_000_000))

    assert len(line) < 9_000
    assert "more letters)" in line


def test_a_record_of_another_process_is_short_and_says_that_it_is_of_another_one() -> None:
    long = "x" * 1_000_000
    forged: LogMessage = {
        "type": "log", "timestamp": "\x1b[2J" + long, "level": long, "logger": long, "message": long, "trace_id": long,
    }  # fmt: skip
    told = received(forged)
    assert len(json.dumps(told)) < 2 * MOST_LETTERS
    assert told["process"] == "unknown"
    assert told["timestamp"].isprintable()
