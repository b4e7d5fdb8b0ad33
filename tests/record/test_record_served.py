"""A server whose record cannot be used is degraded, says why, and decides all the same."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from running import RunningServer
from vivienne.record.reader import RecordReader
from vivienne.record.sqlite import SqliteRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLAGS = ("--assets", "BTC", "--timeframe", "1m", "--speed", "6000")
SECONDS = 40.0


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_a_record_that_cannot_be_used_is_said_and_is_used_as_soon_as_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_text("these are notes of somebody" * 100)
    with RunningServer(*FLAGS, "--record", str(path), db=tmp_path / "v.db") as server:

        def ready() -> dict[str, Any]:
            answer = server.get("/ready")
            assert answer.status_code == 200
            found: dict[str, Any] = answer.json()
            return found

        degraded = until(lambda: (found := ready())["status"] == "degraded" and found)
        assert f"The record {path} is not a SQLite database" in degraded["record"]
        assert degraded["feeds"] == {"BTC": "ok"}
        assert path.read_text().startswith("these are notes")
        assert server.log.count("Decisions are not recorded") == 1

        path.rename(tmp_path / "notes.txt")
        until(lambda: ready()["status"] == "ready")
        assert server.stop() == 0

    reader = RecordReader(SqliteRecord(path, "to read"))
    [run] = reader.runs()
    assert [session.ended_cleanly for session in reader.sessions(run.id)] == [True]
    assert len(reader.series(run.id)) == 1
    reader.close()
