"""Bytes of the history: a caller who fills it quickly waits, although it makes few changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from vivienne.access import access as accessing
from vivienne.access.access import Access
from vivienne.access.caller import Caller
from vivienne.access.limits import Limits
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.errors import TooManyRequests
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from pathlib import Path


async def test_changes_are_limited_by_the_bytes_they_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessing, "LEAST_BYTES", 5_000)
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    access = Access(cast("Any", None), Limits(changes_per_minute=1), demanded=False)
    service.charge_with(access.count_bytes, access.requests, access.count_pause)
    ann, bob = Caller("127.0.0.1", "ann", "tuner"), Caller("127.0.0.1", "bob", "tuner")
    notes = Update({"settings": {"description": "x" * 500}, "bang_threshold": 86}, partial=True)
    try:
        for _ in range(8):
            await service.change(ChangeRequest(notes, channel="test", caller=ann))
        with pytest.raises(TooManyRequests, match="The limit of 5,000 bytes of changes a minute is reached"):
            access.count_change(ann)
        access.count_pause(ann)
        access.count_change(bob)
    finally:
        await service.close()
