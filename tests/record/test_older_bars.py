"""A chart goes back through the whole record, and shows there what it showed when the bars closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from making import MIDNIGHT
from record_client import client
from recorded_live import MINUTE, RUN, asset_of, decided, recorded, recorder, walk
from vivienne.agent.decision import NO_CAP
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.record.reading.older_bars import InForce
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import NO_RECORD, LocalRecord
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.live.asset import LiveAsset
    from vivienne.live.view import MarketView
    from vivienne.wire.chart import Chart

HISTORY, DECIDED, IN_MEMORY = 300, 90, 40
CHANGE = ChangeRequest(Update({"settings": {"state_threshold_loaded": 20}}, partial=True), channel="test")


class InMemory:
    """A market whose window is shorter than what is recorded."""

    def __init__(self, asset: LiveAsset) -> None:
        self._asset = asset

    async def chart(self, _asset: str, limit: int, *, before: int | None = None, whose: str = "") -> Chart:
        del whose
        chart = self._asset.chart(1_000, before)
        first = iso(MIDNIGHT + (HISTORY + DECIDED - IN_MEMORY) * MINUTE_MS)
        return {**chart, "bars": [bar for bar in chart["bars"] if bar["time"] >= first][-limit:]}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    made = ConfigService(SqliteRevisionStore(tmp_path / "decided.db"), ["BTC"])
    yield made
    await made.close()


async def test_pages_back_through_the_record_are_what_a_chart_showed(service: ConfigService, tmp_path: Path) -> None:
    asset = asset_of(service)
    asset.load(Bars.from_candles(walk(0, HISTORY)), source="filled")
    made = decided(asset, walk(HISTORY, 30))
    await service.change(CHANGE)
    made += decided(asset, walk(HISTORY + 30, 30))
    await service.switch(SwitchRequest(switch="pause", channel="test"))
    made += decided(asset, walk(HISTORY + 60, 30))
    await recorded(recorder(tmp_path / "record.db"), made)
    whole = asset.chart(1_000)["bars"]
    assert {bar["status"] for bar in whole} == {"warming_up", "live", "paused"}

    record = LocalRecord(
        ReadingThread(tmp_path / "record.db"),
        Scope(RUN.key, MINUTE.value),
        lambda name: InForce(service.active(name).configuration, NO_CAP),
    )
    with client(tmp_path, record, cast("MarketView", InMemory(asset))) as reading:
        newest: dict[str, Any] = reading.get("assets/BTC/bars", params={"limit": 30}).json()
        assert "next" not in newest
        bars, before = newest["bars"], newest["bars"][0]["time"]
        changes: list[dict[str, Any]] = []
        while before is not None:
            page = reading.get("assets/BTC/bars", params={"limit": 30, "before": before}).json()
            assert page["forming"] is None
            bars, changes, before = page["bars"] + bars, page["changes"] + changes, page["next"]
        for bar in (bars[-1], bars[HISTORY]):
            known = reading.get(f"assets/BTC/bars/{bar['time']}").json()
            assert (known["decision"]["decision"]["time"], known["undecided"], known["bar"]) == (
                bar["time"],
                None,
                None,
            )
        for bar in (bars[100], bars[HISTORY - 1]):
            known = reading.get(f"assets/BTC/bars/{bar['time'].replace('00.000', '59')}").json()
            assert (known["decision"], known["bar"]) == (None, bar)
            assert "it closed before the program started" in known["undecided"]
        early = reading.get(f"assets/BTC/bars/{iso(MIDNIGHT - 1)}").json()
        assert (early["bar"], "its first one is at" in early["undecided"]) == (None, True)
    assert bars == whole
    # The newest page has the later one.
    assert changes == [{"version": 1, "time": iso(MIDNIGHT + (HISTORY + 30) * MINUTE_MS)}]


async def test_without_a_record_the_bars_in_memory_are_all(service: ConfigService, tmp_path: Path) -> None:
    asset = asset_of(service)
    asset.load(Bars.from_candles(walk(0, HISTORY)), source="filled")
    decided(asset, walk(HISTORY, DECIDED))
    with client(tmp_path, NO_RECORD, cast("MarketView", InMemory(asset))) as reading:
        first = iso(MIDNIGHT + (HISTORY + DECIDED - IN_MEMORY + 10) * MINUTE_MS)
        page = reading.get("assets/BTC/bars", params={"before": first}).json()
        assert len(page["bars"]) == 10
        assert page["next"] is None
        assert reading.get("assets/BTC/bars", params={"before": "noon"}).status_code == 422
        known = reading.get(f"assets/BTC/bars/{page['bars'][-1]['time']}").json()
        assert (known["decision"], known["bar"]) == (None, page["bars"][-1])
        assert "--record off" in known["undecided"]
        assert reading.get("assets/BTC/bars/noon").status_code == 422
