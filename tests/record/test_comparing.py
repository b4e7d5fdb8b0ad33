"""Two configurations on the same bars: is one better?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judged import BEGIN, LENGTH, NAN, at_random, decided, walk
from sizes import examples, rounds
from vivienne.record.judging.comparing import Comparison, compare
from vivienne.record.judging.comparison_entry import comparison_entry
from vivienne.record.judging.confidence import deviation
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.scores import Pair, scores
from vivienne.slices import whole
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.columns import DecidedBars

FREE = Costs(0, 0)
COSTS = Costs(fee=8, slippage=2)
SIZE = 30.0


def run(now: DecidedBars, before: DecidedBars, costs: Costs = FREE, *, first: int = 0) -> Comparison:
    return whole(compare({"BTC": Pair(now, before, first, SIZE)}, LENGTH, costs))


def sides(seed: int, count: int) -> list[float]:
    """Positions that are kept for a while."""
    rng = np.random.default_rng(seed)
    row = np.where(rng.random(count) < 0.9, 0, np.arange(count))
    return list(rng.choice([-SIZE, 0.0, SIZE], count)[np.maximum.accumulate(row)])


def test_a_score_is_what_the_position_earns_until_the_next_decision_counts_less_its_change() -> None:
    opens = [100, 100, 110, 99, 99, 90, 90]
    now, before = decided(opens, [20, 20, -10, 0, 0, 0, 0], atr=10), decided(opens, [0, 0, 10, 10, 10, 0, 0], atr=10)
    found = scores(Pair(now, before, 0, SIZE), LENGTH, COSTS)
    assert found is not None
    # Opens of the bars to come: +10 %, -10 %, 0 %, -9.09 %, 0 %. A change costs 0.1 % of it.
    assert found.now.tolist() == pytest.approx([2.0, -2.0, -0.03, -0.01, 0.0])
    assert found.before.tolist() == pytest.approx([0.0, 0.0, -0.01, -10 / 11, 0.0])
    assert found.difference.tolist() == pytest.approx([2.0, -2.0, -0.02, -0.01 + 10 / 11, 0.0])
    assert found.time.tolist() == [BEGIN + row * LENGTH for row in range(5)]
    # Eight times 10 % of the price, with a usual position of 30 %.
    assert [found.move, found.bound, found.cut] == pytest.approx([80, 24, 0])


def test_a_difference_beyond_the_bound_counts_as_the_bound() -> None:
    opens = [100, 100, 120, 60, 60]
    found = scores(Pair(decided(opens, [30] * 5), decided(opens, [0] * 5), 0, SIZE), LENGTH, FREE)
    assert found is not None
    assert found.difference.tolist() == pytest.approx([2.4, -2.4, 0.0])  # instead of 6 and -15
    assert found.now.tolist() == pytest.approx([6.0, -15.0, 0.0])
    assert found.cut == 2


def test_the_usual_move_is_that_of_the_bars_up_to_the_first() -> None:
    atr = [1.0, NAN, 3.0, 50.0, 50.0, 50.0]
    now = decided([100.0] * 6, [10] * 6, atr=atr)
    found = scores(Pair(now, now, 2, SIZE), LENGTH, FREE)
    assert found is not None
    assert found.move == pytest.approx(16)
    assert found.time[0] == BEGIN + 2 * LENGTH
    # Without any, the first bar is the next one with an ATR.
    later = scores(Pair(replace(now, atr=np.array([NAN, NAN, NAN, 2.0, 5.0, 5.0])), now, 1, SIZE), LENGTH, FREE)
    assert later is not None
    assert later.begin == BEGIN + 3 * LENGTH
    assert later.move == pytest.approx(16)
    assert scores(Pair(replace(now, atr=np.full(6, NAN)), now, 0, SIZE), LENGTH, FREE) is None
    assert scores(Pair(now, now, 0, 0.0), LENGTH, FREE) is None


def test_bars_without_both_decisions_and_before_holes_do_not_count() -> None:
    opens = [100.0] * 12
    numbers = [0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 23]
    now = decided(opens, [10, 20] * 6, numbers=numbers)
    paused = replace(now, has_effect=np.arange(12) != 3)
    undecided = replace(decided(opens, [0] * 12, numbers=numbers), is_decided=np.arange(12) != 1)
    found = scores(Pair(paused, undecided, 0, SIZE), LENGTH, COSTS)
    assert found is not None
    assert ((found.time - BEGIN) // LENGTH).tolist() == [0, 2, 4, 5, 20, 21]
    # The first bar after one that does not count costs nothing.
    assert found.now.tolist() == pytest.approx([0, 0, 0, -0.01, 0, -0.01])


def test_equal_decisions_are_never_told_apart() -> None:
    bars = at_random(3, 300)
    told = comparison_entry(run(bars, bars, COSTS), COSTS)
    assert (told["verdict"], told["bars_more"], told["mean"]) == ("not enough to tell", None, 0.0)


def test_an_edge_is_told_and_until_then_how_long_it_takes() -> None:
    rng = np.random.default_rng(7)
    count = 3_000
    moves = rng.normal(0, 0.003, count)
    opens = walk(moves)
    knows = np.where(rng.random(count) < 0.6, np.sign(np.append(moves[2:], [0, 0])), 0) * SIZE
    now, before = decided(opens, knows, atr=opens * 0.004), decided(opens, [0.0] * count, atr=opens * 0.004)
    all_of_it = run(now, before)
    assert all_of_it.verdict() == "better"
    assert run(before, now).verdict() == "worse"
    told_at = next(row for row in range(count) if all_of_it.verdict(row) != "not enough to tell")
    early = comparison_entry(run(now[: told_at // 2], before[: told_at // 2]), FREE)
    assert early["verdict"] == "not enough to tell"
    assert early["bars_more"] is not None
    assert told_at / 4 < early["bars_more"] + early["bars"] < told_at * 4
    late = comparison_entry(all_of_it, FREE)
    assert late["low"] is not None
    assert late["low"] > 0
    assert late["bars_more"] is None


def test_what_goes_out_is_what_the_curves_end_with() -> None:
    bars, other = at_random(1, 1_200), at_random(1, 1_200)
    before = replace(other, side=-other.side)
    found = run(bars, before, COSTS, first=100)
    told = comparison_entry(found, COSTS, most_points=50)
    curve = told["curve"]
    assert len(curve["times"]) <= 50
    assert told["ends"] == curve["times"][-1]
    assert told["begins"] == iso(found.time.item(0))
    assert (curve["now"][-1], curve["before"][-1]) == (found.now[-1], found.before[-1])
    assert told["mean"] * told["bars"] == pytest.approx(curve["difference"][-1])
    assert told["low"] is not None
    assert told["low"] * told["bars"] == pytest.approx(curve["low"][-1])
    assert curve["high"][-1] - curve["difference"][-1] == pytest.approx(curve["difference"][-1] - curve["low"][-1])


def test_nothing_to_compare_is_said_as_such() -> None:
    told = comparison_entry(run(decided([], []), decided([], [])), FREE)
    assert (told["verdict"], told["bars"], told["low"], told["curve"]["times"]) == ("not enough to tell", 0, None, [])


def test_several_assets_are_added_up_bar_by_bar() -> None:
    pairs = {name: Pair(at_random(n, 200, holes=1), at_random(n, 200, holes=1), 0, SIZE) for n, name in enumerate("AB")}
    pairs = {name: pair._replace(before=replace(pair.before, side=0 * pair.now.side)) for name, pair in pairs.items()}
    alone = [scores(pair, LENGTH, COSTS) for pair in pairs.values()]
    found = whole(compare(pairs, LENGTH, COSTS))
    sums: dict[int, float] = {}
    for one in alone:
        assert one is not None
        for time, difference in zip(one.time.tolist(), one.difference.tolist(), strict=True):
            sums[time] = sums.get(time, 0.0) + difference
    by_time = [sums[time] for time in sorted(sums) if time <= found.time[-1]]
    assert found.difference.tolist() == pytest.approx(np.cumsum(by_time).tolist())
    assert found.bound == pytest.approx(sum(one.bound for one in alone if one))


def test_the_newest_time_waits_for_an_asset_that_is_one_bar_behind() -> None:
    one, other = at_random(1, 200), at_random(2, 200)
    pairs = {"A": Pair(one, replace(one, side=-one.side), 0, SIZE), "B": Pair(other, other, 0, SIZE)}
    all_of_it = whole(compare(pairs, LENGTH, FREE))
    late = pairs["B"]._replace(now=other[:-1], before=other[:-1])
    waiting = whole(compare({**pairs, "B": late}, LENGTH, FREE))
    assert waiting.time[-1] < all_of_it.time[-1]
    assert np.array_equal(waiting.difference, all_of_it.difference[: len(waiting.time)])
    gone = pairs["B"]._replace(now=other[:-2], before=other[:-2])
    assert whole(compare({**pairs, "B": gone}, LENGTH, FREE)).time[-1] == all_of_it.time[-1]


def test_an_asset_that_begins_later_is_left_out_of_the_sum() -> None:
    bars = at_random(1, 200)
    pairs = {"A": Pair(bars, bars, 0, SIZE), "B": Pair(bars[50:], bars[50:], 0, SIZE)}
    assert whole(compare(pairs, LENGTH, FREE)).assets == ("A",)


@examples()
@given(st.integers(0, 2**32 - 1), st.integers(3, 300), st.integers(0, 3))
def test_scores_are_those_of_a_plain_program(seed: int, count: int, holes: int) -> None:
    now = at_random(seed, count, holes=min(holes, count - 1))
    before = replace(at_random(seed + 1, count), bars=now.bars, atr=now.atr)
    found = scores(Pair(now, before, 0, SIZE), LENGTH, COSTS)
    assert found is not None
    rows = [row for row in range(count - 2) if _counts(now, before, row)]
    assert found.time.tolist() == [now.bars.open_time[row] for row in rows]
    assert found.now.tolist() == pytest.approx([_score(now, before, now, row) for row in rows], abs=1e-12)
    assert found.before.tolist() == pytest.approx([_score(now, before, before, row) for row in rows], abs=1e-12)


@examples()
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_what_has_closed_stays(seed: int, count: int) -> None:
    now = at_random(seed, 300, holes=2)
    before = replace(at_random(seed + 1, 300), bars=now.bars, atr=now.atr)
    late, again = run(now, before, COSTS), run(now, before, COSTS)
    early = run(now[:count], before[:count], COSTS)
    for column in ("time", "now", "before", "difference", "squares"):
        assert np.array_equal(getattr(late, column), getattr(again, column))
        assert np.array_equal(getattr(early, column), getattr(late, column)[: len(early.time)])
    rows = np.arange(len(early.time))
    assert np.array_equal(early.band(rows), late.band(rows))
    assert [early.verdict(row) for row in rows[:20]] == [late.verdict(row) for row in rows[:20]]


def test_the_unit_of_prices_does_not_matter() -> None:
    now = at_random(1, 300)
    before = replace(at_random(2, 300), bars=now.bars, atr=now.atr)
    scaled = {name: getattr(now.bars, name) / 512 for name in ("open", "high", "low", "close")}
    cheap = replace(now, bars=replace(now.bars, **scaled), atr=now.atr / 512)
    found = run(cheap, replace(before, bars=cheap.bars, atr=cheap.atr), COSTS)
    assert np.array_equal(found.difference, run(now, before, COSTS).difference)


@pytest.mark.sized
def test_without_an_edge_hardly_any_history_gets_a_verdict() -> None:
    # Looked at after every bar. The error rate is 5 %; `benchmarks/judging.py` has the real sizes.
    histories, count = rounds(400, 40), 600
    wrong = 0
    for seed in range(histories):
        rng = np.random.default_rng(seed)
        opens = walk(rng.standard_t(3, count) * 0.002)
        now, before = (decided(opens, sides(2 * seed + which, count), atr=opens * 0.004) for which in (0, 1))
        found = run(now, before)
        wrong += bool((np.abs(found.difference) > found.band(np.arange(len(found.time)))).any())
    assert wrong <= 0.05 * histories


def test_the_verdict_is_that_of_the_capital_of_the_bets() -> None:
    found = run(at_random(4, 400), replace(at_random(4, 400), side=np.zeros(400)))
    row = len(found.time) - 1
    total, squares = abs(found.difference.item(row)) / found.bound, found.squares.item(row)
    stakes = [0.9 * 0.6**bet for bet in range(10)]
    capital = sum(0.1 * math.exp(stake * total + (math.log(1 - stake) + stake) * squares) for stake in stakes)
    assert (capital >= 40) == (found.verdict() != "not enough to tell")
    assert found.band(np.array([row])).item() == deviation(np.array([squares])).item() * found.bound


def _is_followed(bars: DecidedBars, row: int) -> bool:
    return bool(bars.is_decided[row] and bars.has_effect[row])


def _counts(now: DecidedBars, before: DecidedBars, row: int) -> bool:
    time = now.bars.open_time
    follows = row + 2 < len(now) and time[row + 2] == time[row] + 2 * LENGTH
    return bool(follows and _is_followed(now, row) and _is_followed(before, row))


def _score(now: DecidedBars, before: DecidedBars, bars: DecidedBars, row: int) -> float:
    """The score of one bar that counts."""

    def position(row: int) -> float:
        return float(bars.side[row] * bars.size[row]) if bars.level[row] > 0 else 0.0

    opened, time = bars.bars.open, bars.bars.open_time
    goes_on = row > 0 and time[row - 1] == time[row] - LENGTH and _counts(now, before, row - 1)
    change = abs(position(row) - position(row - 1)) if goes_on else 0.0
    return position(row) * float(opened[row + 2] / opened[row + 1] - 1) - change / 1000
