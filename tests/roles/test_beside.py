"""What runs beside the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.roles import app

if TYPE_CHECKING:
    import pytest


async def test_what_fails_is_said_and_begun_anew_until_it_is_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "_AGAIN_SECONDS", 0.0)
    times = 0

    async def run() -> None:
        nonlocal times
        times += 1
        if times < 3:
            raise KeyError("data")

    await asyncio.wait_for(app._kept_up("watch", run), 5)

    assert times == 3
    assert ["CRITICAL", "CRITICAL"] == [record.levelname for record in caplog.records]
    assert "(watch) failed" in caplog.text
