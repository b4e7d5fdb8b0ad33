"""The log on standard error, whose reader may hang."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from ports import free_port
from redis_running import eventually
from running import COMPREHENSIVE, http_client
from vivienne.logs.console import MOST_BYTES, Console
from vivienne.rates import Quota

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "x" * 100_000


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)
    os.close(reading)


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("x", logging.INFO, "", 0, message, (), None)


def test_a_reader_that_hangs_stops_nobody_and_what_is_dropped_is_counted(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    console = Console(writing)

    many = 2 * MOST_BYTES // len(LONG)
    for _ in range(many):
        console.handle(record(LONG))

    assert 0 < console.dropped < many
    dropped, read = console.dropped, 0
    while read < (many - dropped) * (len(LONG) + 1):
        read += len(os.read(reading, 1 << 16))
    console.handle(record("on again"))
    console.flush()
    assert b"on again\n" == os.read(reading, 1 << 16)
    assert dropped == console.dropped


def test_a_process_whose_standard_error_nobody_reads_starts_works_and_stops(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)  # less than it says at its start
    port = free_port()
    arguments = ["serve", "--port", str(port), "--assets", "BTC", "--db", str(tmp_path / "v.db")]
    program = [sys.executable, "-m", "vivienne", *arguments]
    with subprocess.Popen(program, stderr=writing) as process, http_client() as http:
        try:
            eventually(lambda: is_healthy(http, port), 60)
            for _ in range(50):
                change = {"bang_threshold": 1000}
                answer = http.post(f"http://127.0.0.1:{port}{COMPREHENSIVE}/partial-update", json=change)
                assert 422 == answer.status_code
            process.terminate()
            assert 0 == process.wait(timeout=30)
        finally:
            process.kill()
            os.close(writing)
            os.close(reading)


def is_healthy(http: httpx.Client, port: int) -> bool:
    try:
        return http.get(f"http://127.0.0.1:{port}/health").is_success
    except httpx.TransportError:
        return False


def test_a_reader_that_has_gone_stops_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    console = Console(writing)

    console.handle(record("nobody reads this"))

    eventually(lambda: 1 == console.dropped)
    os.close(writing)
    assert "" == capfd.readouterr().err


def test_of_many_records_of_a_kind_a_few_are_written_and_say_how_many_were_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    quota = Quota(logging.getLogger("x"), logging.WARNING, most=3, clock=lambda: now)

    for number in range(10):
        quota.log("refused %d", number)
    now = 60.0
    quota.log("refused %d", 10)

    assert [found.getMessage() for found in caplog.records] == [
        "refused 0",
        "refused 1",
        "refused 2",
        "refused 10 (7 more before it were left out)",
    ]
