"""The health of a store that hangs is told soon, and to everybody who asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from vivienne.errors import StoreUnavailable
from vivienne.server import store_health
from vivienne.server.store_health import StoreHealth

if TYPE_CHECKING:
    import pytest

    from vivienne.changes.service import ConfigService

HANGS = "the store did not answer within 0.05 s"


class Store:
    """A store that hangs until it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.trouble: str | None = None
        self.checks = 0

    async def check(self) -> None:
        self.checks += 1
        await self.goes_on.wait()
        if self.trouble is not None:
            raise StoreUnavailable(self.trouble)


def test_a_store_that_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_health, "CHECK_SECONDS", 0.05)

    async def ask() -> None:
        store = Store()
        health = StoreHealth(cast("ConfigService", store))
        assert [HANGS] * 4 == await asyncio.gather(*(health.look() for _ in range(4)))
        assert HANGS == await health.look()
        assert (1, HANGS) == (store.checks, health.trouble)

        store.goes_on.set()
        assert [None] * 4 == await asyncio.gather(*(health.look() for _ in range(4)))
        assert health.trouble is None
        store.trouble = "the disk is full"
        assert "the disk is full" == await health.look()
        assert "the disk is full" == health.trouble

    asyncio.run(asyncio.wait_for(ask(), 20))
