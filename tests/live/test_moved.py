"""When the next state of an asset may show a price: it is waited for, not asked for again and again."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from vivienne.live.moved import Moved

if TYPE_CHECKING:
    import pytest


async def test_an_asset_is_given_once_its_interval_is_over_and_not_before() -> None:
    moved = Moved(0.05)
    moved.published("BTC")
    moved.add("BTC")

    assert ["BTC"] == await moved.due()


async def test_one_that_waits_keeps_no_other_one_waiting() -> None:
    moved = Moved(3_600.0)
    moved.published("BTC")
    moved.add("BTC")
    waiting = asyncio.create_task(moved.due())
    await asyncio.sleep(0)

    moved.add("ETH")

    async with asyncio.timeout(10):
        assert ["ETH"] == await waiting


async def test_one_that_moves_again_and_again_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = Moved(3_600.0)
    for _ in range(3):
        moved.add("BTC")
        moved.published("BTC")
    moved.add("BTC")
    moved.add("ETH")

    assert ["ETH"] == await moved.due()
    moved.published("ETH")
    monkeypatch.setattr("vivienne.live.moved.monotonic", lambda: monotonic() + 3_600.0)
    assert ["BTC"] == await moved.due()


async def test_one_that_was_published_before_its_time_has_nothing_to_show() -> None:
    moved = Moved(0.0)
    moved.add("BTC")
    assert "BTC" in moved
    moved.published("BTC")
    moved.add("ETH")

    assert "BTC" not in moved
    assert ["ETH"] == await moved.due()
