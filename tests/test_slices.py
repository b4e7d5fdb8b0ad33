"""Slices of work: others have their turn between, and what is urgent has many."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import nullcontext
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from vivienne import slices
from vivienne.access.caller import Caller
from vivienne.changes import telling
from vivienne.changes.requests import SeveralRequest, SwitchRequest
from vivienne.changes.service import ConfigService
from vivienne.slices import SLICE_SECONDS, URGENCY, SharedSlices, Urgency, in_slices
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vivienne.slices import Pieces
    from vivienne.store.revision import AppliedRevision


@pytest.mark.parametrize(("is_urgent", "gives_way"), [(False, True), (True, True), (True, False)])
async def test_while_something_is_urgent_slices_leave_it_more_than_a_pass_of_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, *, is_urgent: bool, gives_way: bool
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 10 * SLICE_SECONDS)
    passes, seen = 0, list[int]()

    def work() -> Pieces[None]:
        for _ in range(5):
            end = perf_counter() + slices.SLICE_SECONDS
            while perf_counter() < end:
                pass
            seen.append(passes)
            yield

    with URGENCY.under_way() if is_urgent else nullcontext():
        done = asyncio.create_task(SharedSlices(gives_way=gives_way).done(work()))
        while not done.done():
            passes += 1
            await asyncio.sleep(0)
    between = [later - earlier for earlier, later in pairwise(seen)]
    assert all(each > 1 for each in between) if is_urgent and gives_way else max(between) == 1


async def test_however_many_works_are_under_way_a_pass_has_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    passes, seen = 0, list[int]()

    def work() -> Pieces[None]:
        for _ in range(20):
            yield
            seen.append(passes)

    works = [asyncio.create_task(in_slices(work())) for _ in range(10)]
    while not all(each.done() for each in works):
        passes += 1
        await asyncio.sleep(0)
    assert max(Counter(seen[len(works) :]).values()) == 1
    assert len(seen) == 200


async def test_a_pause_is_urgent_until_it_is_told_and_has_passes_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while a change of many assets is planned and told."""
    assets = [f"A{number}" for number in range(50)]
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), assets)
    order: list[str] = []

    class Noting(Urgency):
        async def rest(self) -> None:
            order.append("rest of a pause" if self._under_way else "rest")
            await super().rest()

    noting = Noting()
    for module in (slices, telling):
        monkeypatch.setattr(module, "URGENCY", noting)
        monkeypatch.setattr(module, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr("vivienne.changes.pause.service.URGENCY", noting)

    def listener(change: AppliedRevision) -> Iterator[None]:
        for _ in change.assets:
            yield
        order.append(change.revision.action)

    service.listen(listener)
    changing = SeveralRequest(tuple(assets), {"settings": {"state_threshold_bang": 88.5}}, channel="rest")
    several = asyncio.create_task(service.change_several(changing))
    while "partial_update" not in order:  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(0)
    await service.switch(SwitchRequest("pause", channel="rest", asset="A1", caller=Caller("127.0.0.1")))
    assert "rest of a pause" in order
    await several
    assert noting._under_way == 0
    assert order.count("partial_update") == len(assets)
    await service.close()
