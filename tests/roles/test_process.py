"""Background tasks beside the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.roles import process

if TYPE_CHECKING:
    import pytest


async def test_a_task_that_fails_is_logged_and_restarted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "_RESTART_SECONDS", 0.0)
    times = 0

    async def run() -> None:
        nonlocal times
        times += 1
        if times < 3:
            raise KeyError("data")

    await asyncio.wait_for(process._restarted("watch", run), 5)

    assert times == 3
    assert ["CRITICAL", "CRITICAL"] == [record.levelname for record in caplog.records]
    assert "watch failed" in caplog.text
