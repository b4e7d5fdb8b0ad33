"""Several who ask for `/metrics` at once: one answer at a time is made, in slices, for all who wait for its format."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from vivienne import slices
from vivienne.changes.service import ConfigService
from vivienne.server.metrics import metrics_routes
from vivienne.server.store_health import StoreHealth
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from prometheus_client.core import Metric

OPEN = {"Accept": "application/openmetrics-text;version=1.0.0"}


class Scraped:
    """Metrics of some assets, which note how far each look at them has come."""

    def __init__(self, service: ConfigService, client: httpx.AsyncClient) -> None:
        self.looks: list[int] = []
        self.under_way = self.most_under_way = 0
        self._client = client
        self._parts = service.metrics.parts
        service.metrics.parts = self.parts  # type: ignore[method-assign]

    def parts(self) -> Iterator[Metric | None]:
        self.looks.append(0)
        look = len(self.looks) - 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for part in self._parts():
                self.looks[look] += 1
                yield part
        finally:
            self.under_way -= 1

    async def get(self, headers: dict[str, str] | None = None) -> httpx.Response:
        return (await self._client.get("/metrics", headers=headers)).raise_for_status()


@pytest.fixture
async def scraped(tmp_path: Path) -> AsyncIterator[Scraped]:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    for number in range(200):
        service.metrics.decided(f"A{number}", "idle", 0.001)
    app = FastAPI()
    metrics_routes(service, StoreHealth(service)).add_to(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        yield Scraped(service, client)
    await service.close()


@pytest.mark.parametrize("headers", [None, OPEN])
async def test_many_who_ask_together_get_the_same_and_cost_as_much_as_two(
    scraped: Scraped, headers: dict[str, str] | None
) -> None:
    answers = await asyncio.gather(*(scraped.get(headers) for _ in range(20)))
    assert len(scraped.looks) <= 2
    assert len({answer.content for answer in answers}) <= len(scraped.looks)
    await scraped.get(headers)
    assert len(scraped.looks) <= 3, "one who asks later gets a later one"


async def test_of_several_formats_each_gets_its_own_and_one_is_made_at_a_time(scraped: Scraped) -> None:
    answers = await asyncio.gather(*(scraped.get(headers) for headers in [None, OPEN] * 5))
    for number, answer in enumerate(answers):
        is_open = number % 2 == 1
        assert answer.headers["content-type"].startswith("application/openmetrics-text" if is_open else "text/plain")
        assert answer.text.endswith("# EOF\n") == is_open
    assert scraped.most_under_way == 1


async def test_a_version_of_a_format_that_is_none_gives_the_usual_format(scraped: Scraped) -> None:
    for kind in ("application/openmetrics-text", "text/plain"):
        answer = await scraped.get({"Accept": f"{kind};version=x"})
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_others_have_their_turn_between_the_parts(scraped: Scraped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    asking = asyncio.create_task(scraped.get())
    seen: set[int] = set()
    while not asking.done():
        seen.add(sum(scraped.looks))
        await asyncio.sleep(0)
    assert max(seen) > 50
    assert seen >= {*range(1, max(seen))}


async def test_one_that_nobody_waits_for_ends(scraped: Scraped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    asking = asyncio.create_task(scraped.get())
    while not sum(scraped.looks):  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    [begun] = scraped.looks
    await scraped.get()
    assert begun == scraped.looks[0] < scraped.looks[1]
