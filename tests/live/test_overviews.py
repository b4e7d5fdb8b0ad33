"""Lists of all assets: made a little at a time, in turn, and once for all who wait for the same."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, cast

import pytest

from vivienne import slices
from vivienne.live.overviews import closes_of_each
from vivienne.live.view import LocalView
from vivienne.market.timeframe import Timeframe

if TYPE_CHECKING:
    from vivienne.live.market import Market
    from vivienne.slices import Pieces

MANY = 400


class Counting:
    """A market of many assets that notes what was made of its lists, and for how many closes."""

    feed, timeframe = "memory", Timeframe("15m").value

    def __init__(self, assets: int = MANY) -> None:
        self.assets = tuple(f"A{number}" for number in range(assets))
        self.begun: list[int] = []
        self.pieces = 0

    def closes(self, most: int) -> Pieces[list[bytes]]:
        self.begun.append(most)
        listed = []
        for asset in self.assets:
            listed.append(json.dumps({"asset": asset, "closes": [1.5] * most}).encode())
            self.pieces += 1
            yield
        return listed

    def chart(self, asset: str, limit: int, _before: int | None = None) -> tuple[str, int]:
        return asset, limit

    def view(self) -> LocalView:
        return LocalView(cast("Market", self))


async def test_others_have_their_turn_between_the_assets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    market = Counting()
    seen: set[int] = set()
    made = asyncio.create_task(market.view().overview(3, whose="vic"))
    while not made.done():
        seen.add(market.pieces)
        await asyncio.sleep(0)
    assert len(seen) >= MANY
    listed = json.loads(await made)
    assert ("memory", "15m") == (listed["feed"], listed["timeframe"])
    assert [(asset, [1.5] * 3) for asset in market.assets] == [
        (each["asset"], each["closes"]) for each in listed["assets"]
    ]


async def test_many_who_ask_for_the_same_cost_as_much_as_two_and_see_what_was_there_before() -> None:
    market = Counting(2)
    view = market.view()
    first = await view.overview(2, whose="ann")
    assert await view.overview(2, whose="ann") == first
    assert market.begun == [2, 2], "each is made after its call"
    answers = await asyncio.gather(*(view.overview(2, whose=f"viewer {number % 7}") for number in range(100)))
    assert {first} == {*answers}
    assert len(market.begun) <= 4


async def test_one_who_asks_for_many_others_delays_others_by_one_turn() -> None:
    market = Counting(2)
    view = market.view()
    order: list[str] = []

    async def ask(whose: str, closes: int) -> None:
        await (view.chart("A1", 1, whose=whose) if closes < 0 else view.overview(closes, whose=whose))
        order.append(whose)

    await asyncio.gather(*(ask("ann", number) for number in range(20)), ask("bob", -1))
    assert order.index("bob") <= 2
    assert len(market.begun) == 20


async def test_one_that_nobody_waits_for_ends_and_the_next_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    market = Counting()
    view = market.view()
    left = asyncio.create_task(view.overview(1, whose="ann"))
    while not market.pieces:  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert market.pieces < MANY
    assert json.loads(await view.overview(1, whose="bob"))["assets"]


@pytest.mark.parametrize(
    ("asked", "assets", "found"),
    [(1000, 3, 1000), (1000, 100, 1000), (1000, 400, 250), (1000, 50_000, 48), (7, 50_000, 7)],
)
def test_of_many_assets_a_list_has_fewer_closes_of_each(asked: int, assets: int, found: int) -> None:
    assert closes_of_each(asked, assets) == found
