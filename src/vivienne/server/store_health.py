"""The health of the store, for answers that must not wait for a store that hangs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vivienne.errors import StoreError

if TYPE_CHECKING:
    from vivienne.changes.service import ConfigService

CHECK_SECONDS = 1.0
"""Longest time an answer waits for the store."""
WATCH_SECONDS = 5.0
"""Time between two looks of `watch`."""


class StoreHealth:
    """Health of the store, with one check at a time however often it is asked for.

    Args:
        service: checks it.

    Attributes:
        is_checked: whether there was a check yet.
        trouble: what the last check found wrong; None if nothing.
    """

    def __init__(self, service: ConfigService) -> None:
        self._service = service
        self._checking: asyncio.Task[str | None] | None = None
        self.is_checked = False
        self.trouble: str | None = "the store was not checked yet"

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(WATCH_SECONDS)

    async def look(self) -> str | None:
        """Check, and wait `CHECK_SECONDS` for the result; return what is wrong."""
        checking = self._checking
        if checking is None or checking.done():
            checking = self._checking = asyncio.create_task(self._check(), name="check of the store")
        done, _ = await asyncio.wait([checking], timeout=CHECK_SECONDS)
        self.is_checked = True
        self.trouble = checking.result() if done else f"the store did not answer within {CHECK_SECONDS:g} s"
        return self.trouble

    async def _check(self) -> str | None:
        try:
            await self._service.check()
        except StoreError as error:
            return str(error)
        return None
