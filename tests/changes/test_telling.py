"""What takes listeners long is done a little at a time, and what follows from a pause goes first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from revisions import revision
from vivienne.changes import telling
from vivienne.changes.telling import Telling
from vivienne.store.revision import AppliedRevision

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = [f"A{number}" for number in range(30)]


def change(version: int, *, is_pause: bool = False) -> AppliedRevision:
    return AppliedRevision(revision(version, action="pause" if is_pause else "update"), ASSETS, made_here=True)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, for each step."""
    monkeypatch.setattr(telling, "SLICE_SECONDS", 0.0)  # a step at a time
    return []


def listening(done: list[str]) -> Telling:
    def listener(change: AppliedRevision) -> Iterator[None]:
        for asset in change.assets:
            done.append(f"{change.revision.version} {asset}")
            yield

    telling = Telling()
    telling.listeners.append(listener)
    return telling


async def test_others_have_their_turn_between_two_slices(done: list[str]) -> None:
    telling, seen = listening(done), set()
    telling.tell(change(1))
    telling_all = asyncio.create_task(telling.told())
    while not telling_all.done():
        seen.add(len(done))
        await asyncio.sleep(0)
    assert [f"1 {asset}" for asset in ASSETS] == done
    assert len(seen) > len(ASSETS) / 2


async def test_changes_are_told_in_order_and_a_pause_before_them(done: list[str]) -> None:
    telling = listening(done)
    telling.tell(change(1))
    first = asyncio.create_task(telling.told())
    while len(done) < 5:  # noqa: ASYNC110  # each is a pass
        await asyncio.sleep(0)
    telling.tell(change(2))
    telling.tell(change(3, is_pause=True))
    before = len(done)
    await telling.told(is_urgent=True)
    assert {"3"} == {each.split()[0] for each in done[before : before + len(ASSETS)]}
    await telling.told()
    await first
    rest = [each.split()[0] for each in done if not each.startswith("3")]
    assert sorted(rest) == rest
    assert 3 * len(ASSETS) == len(done)


async def test_a_pause_waits_for_none_of_the_many_who_wait_for_their_changes(done: list[str]) -> None:
    telling = listening(done)
    telling.tell(change(1))
    telling.tell(change(2))
    waiting = [asyncio.create_task(telling.told()) for _ in range(50)]
    await asyncio.sleep(0)
    telling.tell(change(3, is_pause=True))
    await telling.told(is_urgent=True)
    after = len(done) - done.index(f"3 {ASSETS[-1]}") - 1
    assert after <= 5
    await asyncio.gather(*waiting)
    assert 3 * len(ASSETS) == len(done)


async def test_a_listener_that_fails_keeps_no_other_from_being_told(
    done: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    telling = listening(done)

    def failing(_change: AppliedRevision) -> Iterator[None]:
        yield
        raise ValueError("a defect")

    telling.listeners.insert(0, failing)
    telling.tell(change(7))
    await telling.told()
    assert len(ASSETS) == len(done)
    assert ["A listener failed at version 7"] == caplog.messages


async def test_a_change_of_thousands_of_assets_is_told_in_steps_that_do_not_grow_with_their_number(
    done: list[str],
) -> None:
    telling = listening(done)
    for version in range(5_000):
        telling.tell(AppliedRevision(revision(version), ["BTC"], made_here=True))
    async with asyncio.timeout(60):  # otherwise it takes minutes
        await telling.told()
    assert 5_000 == len(done)
