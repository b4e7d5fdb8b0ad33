"""How often kinds of entries worked, whether filters held the right ones, and when they did."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judged import BEGIN, BLOCKS, LENGTH, at_random, decided
from vivienne.record.judging.heat import heat_map
from vivienne.record.judging.outcomes import outcomes
from vivienne.record.judging.setups import Span, setups
from vivienne.slices import whole
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.record.columns import DecidedBars
    from vivienne.wire.outcome import OutcomeSummary
    from vivienne.wire.setups import HeatMap, Setups

DAY = 86_400_000
HOUR = 3_600_000


def run(**assets: DecidedBars) -> Setups:
    return whole(setups(assets, LENGTH))


def heat(*assets: DecidedBars, unit: str = "hour") -> HeatMap:
    return whole(heat_map(assets, "day" if unit == "day" else "hour"))


def first_return(outcome: OutcomeSummary) -> tuple[int, float | None]:
    """Number of entries and their mean return after one bar."""
    return outcome["entries"], outcome["returns"][0]["mean_return"]


def test_an_entry_counts_once_by_each_of_its_kinds() -> None:
    # Long at 100, to 110; short at 110, to 99; the third is still under way at the end.
    bars = decided([100, 100, 110, 110, 99, 99], [0, 10, 10, -10, 0, 10])
    told = run(BTC=replace(bars, level=np.array([0, 3, 2, 1, 0, 2])))
    assert {each["name"]: first_return(each["outcomes"]) for each in told["by_level"]} == {
        "loaded": (1, 0.0),  # entered at 99, which it closed at
        "aim": (1, None),
        "bang": (1, 0.0),
    }
    assert [(each["name"], each["outcomes"]["entries"]) for each in told["by_side"]] == [("long", 2), ("short", 1)]
    assert [(each["name"], each["outcomes"]["entries"]) for each in told["by_asset"]] == [("BTC", 3)]
    by_hour = {each["name"]: each["outcomes"]["entries"] for each in told["by_hour"]}
    assert len(by_hour) == 24
    rows = [(BEGIN + row * LENGTH) // HOUR % 24 for row in (1, 3, 5)]
    assert {hour: count for hour, count in by_hour.items() if count} == {
        f"{hour:02}": rows.count(hour) for hour in set(rows)
    }
    assert told["held_by"] == []


def test_of_a_span_entries_on_its_bars_count_with_what_came_after_it() -> None:
    opens = [100.0, 100.0, 100.0, 100.0, 110.0, 110.0]
    bars = decided(opens, [0, 10, 0, 10, 10, 0], closes=[100.0, 100.0, 100.0, 110.0, 121.0, 110.0])
    begin, end = (BEGIN + row * LENGTH for row in (1, 4))
    [long, _] = whole(setups({"BTC": bars}, LENGTH, Span(begin, end)))["by_side"]
    # The first bar of the span is an entry, and the return of the last one is known.
    assert (long["outcomes"]["entries"], long["outcomes"]["returns"][0]["known"]) == (2, 2)
    assert long["outcomes"]["returns"][0]["mean_return"] == pytest.approx(5.0)
    [long, _] = whole(setups({"BTC": bars}, LENGTH, Span(begin + 1, end - LENGTH)))["by_side"]
    assert long["outcomes"]["entries"] == 0


def test_returns_and_hits_are_those_of_the_entries() -> None:
    opens = [100.0] * 4 + [110.0] * 4 + [99.0] * 4
    positions = [0, 0, 10, 0, 0, 0, 10, 0, 0, 0, 0, 0]
    told = run(BTC=decided(opens, positions, closes=opens))["by_side"][0]["outcomes"]
    after = {each["bars"]: each for each in told["returns"]}
    assert told["entries"] == 2
    # After four bars: +10 % of the first, -10 % of the second. After one bar neither has moved.
    assert after[4]["mean_return"] == pytest.approx(0.0)
    assert (after[4]["known"], after[4]["hit_rate"]) == (2, 0.5)
    assert after[4]["deviation"] == pytest.approx(200**0.5)
    assert (after[1]["mean_return"], after[1]["hit_rate"]) == (0.0, 0.0)
    unknown = {"known": 0, "mean_return": None, "deviation": None, "hit_rate": None}
    assert after[16] == {"bars": 16, **unknown}


def test_a_filter_was_right_to_hold_what_would_have_lost() -> None:
    count = 60
    opens = np.array([100.0] * 20 + [90.0] * 20 + [99.0] * 20)
    bars = decided(opens, [0] * count)
    is_held = np.zeros(count, np.bool_)
    is_held[[10, 11, 12, 30, 41]] = True
    blocks = np.where(is_held, 1, 0)
    blocks[30] = 2  # two filters
    held = replace(
        bars,
        side=np.where(is_held, 1.0, 0.0),
        raw_level=np.where(is_held, 2, 0),
        level=np.where(is_held, 1, 0),
        blocks=blocks,
    )
    told = run(BTC=held)
    assert all(not each["outcomes"]["entries"] for each in told["by_level"])
    # Held from bar 10 on a long from 100 to 90; from bar 30 one from 90 to 99; from bar 41 one that stays at 99.
    levels, trend = told["held_by"]
    assert (trend["filter"], trend["outcomes"]["entries"]) == ("trend", 3)
    assert trend["held_right"] == pytest.approx(1 / 3)
    assert trend["outcomes"]["returns"][2]["mean_return"] == pytest.approx(0.0)
    assert (levels["filter"], levels["outcomes"]["entries"], levels["held_right"]) == ("levels", 1, 0.0)


def test_setups_are_those_of_a_plain_program() -> None:
    assets = {"BTC": at_random(1, 900, holes=2), "ETH": at_random(2, 700)}
    told = run(**assets)
    returns: dict[str, list[float]] = {}
    for name, bars in assets.items():
        found = whole(outcomes(bars, LENGTH))
        before, last = 0, -1
        for row, time in enumerate(bars.bars.open_time.tolist()):
            is_followed = bars.is_decided[row] and bars.has_effect[row] and bars.level[row] > 0 and bars.size[row] > 0
            side = int(bars.side[row]) if is_followed else 0
            if side and side != before and time == last + LENGTH:
                kinds = name, {1: "loaded", 2: "aim", 3: "bang"}[int(bars.level[row])], f"{time // HOUR % 24:02}"
                for kind in kinds:
                    returns.setdefault(kind, []).append(found.returns[1, row].item())
            before, last = side, time
    for group in told["by_asset"] + told["by_level"] + told["by_hour"]:
        values = [value for value in returns.get(group["name"], []) if not math.isnan(value)]
        summary = group["outcomes"]["returns"][1]
        assert group["outcomes"]["entries"] == len(returns.get(group["name"], []))
        assert summary["known"] == len(values)
        assert summary["mean_return"] == (pytest.approx(sum(values) / len(values)) if values else None)


def test_the_order_of_assets_does_not_change_a_digit() -> None:
    one, other = at_random(1, 600), at_random(2, 600)
    assert run(A=one, B=other)["by_level"] == run(B=other, A=one)["by_level"]
    assert run()["by_level"][0]["outcomes"]["entries"] == 0


def test_the_heat_map_has_the_share_of_decided_bars_that_each_filter_blocked() -> None:
    count = 4 * 24 * 2
    bars = decided([100.0] * count, [0] * count, numbers=range(96 * 3, 96 * 3 + count))
    start = bars.bars.open_time
    blocks = np.zeros(count, np.int64)
    blocks[:4] = [1, 2, 0, 1]
    undecided = np.arange(count) == 3
    told = heat(replace(bars, blocks=blocks, is_decided=~undecided), unit="day")
    days = [time // DAY for time in start[~undecided].tolist()]
    assert told["times"] == [iso(day * DAY) for day in sorted(set(days))]
    assert told["bars"] == [days.count(day) for day in sorted(set(days))]
    first = told["bars"][0]
    shares = {each["filter"]: each["shares"] for each in told["filters"]}
    assert {name: values[0] for name, values in shares.items()} == {"trend": 2 / first, "levels": 1 / first}
    assert all(not any(values[1:]) for values in shares.values())


def test_the_heat_map_adds_up_the_bars_of_all_assets() -> None:
    assets = [at_random(seed, 400, holes=2) for seed in (1, 2, 3)]
    told = heat(*assets)
    counts: dict[int, int] = {}
    blocked: dict[tuple[int, str], int] = {}
    for bars in assets:
        for row in np.flatnonzero(bars.is_decided).tolist():
            hour = int(bars.bars.open_time[row]) // HOUR
            counts[hour] = counts.get(hour, 0) + 1
            for name in BLOCKS[bars.blocks[row]]:
                blocked[hour, name] = blocked.get((hour, name), 0) + 1
    hours = sorted(counts)
    assert told["times"] == [iso(hour * HOUR) for hour in hours]
    assert told["bars"] == [counts[hour] for hour in hours]
    assert [each["filter"] for each in told["filters"]] == ["levels", "trend", "volatility"]
    for each in told["filters"]:
        assert each["shares"] == [blocked.get((hour, each["filter"]), 0) / counts[hour] for hour in hours]


def test_a_heat_map_of_nothing_is_empty() -> None:
    nothing: HeatMap = {"unit": "hour", "times": [], "bars": [], "filters": []}
    assert heat() == nothing
