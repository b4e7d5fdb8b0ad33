"""The numbers that docs/record.md works out are those of the program."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from judged import LENGTH, decided
from vivienne.record.judging.account import account
from vivienne.record.judging.comparing import compare
from vivienne.record.judging.confidence import bars_to_tell, deviation, log_capital
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.scores import Pair, scores
from vivienne.slices import whole

PAGE = (Path(__file__).parent.parent.parent / "docs" / "record.md").read_text()
COSTS = Costs(fee=8, slippage=2)


def table(first: str) -> list[list[str]]:
    """The cells of the table whose first column has this title, without its head."""
    lines = PAGE[PAGE.index(f"\n| {first} ") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def position(words: str) -> float:
    """The position that words such as `long 20 %` ask for."""
    found = re.search(r"(long|short) (\d+) %", words)
    return 0.0 if found is None else float(found[2]) * (1 if found[1] == "long" else -1)


def bars() -> tuple[list[float], list[float], list[float]]:
    """Opens, closes and positions of the example."""
    rows = table("bar | open")
    return [float(row[1]) for row in rows], [float(row[2]) for row in rows], [position(row[3]) for row in rows]


def test_the_account_is_worked_out() -> None:
    opens, closes, positions = bars()
    found = whole(account({"BTC": decided(opens, positions, closes=closes)}, LENGTH, COSTS))
    assert [f"{equity:.4f}" for equity in found.equity] == [row[4] for row in table("bar | open")]
    told = re.search(r"Two trades ended, both with a profit: ([\d.]+) % and ([\d.]+) %", PAGE)
    assert told is not None
    assert [f"{trade.percent:.4f}" for trade in found.trades] == [*told.groups()]


def test_the_scores_are_worked_out() -> None:
    opens, _, positions = bars()
    now, before = decided(opens, positions, atr=2.0), decided(opens, [0, 20, 0, 0, 0, 0, 0], atr=2.0)
    found = scores(Pair(now, before, 0, 50.0), LENGTH, COSTS)
    assert found is not None
    rows = table("bar | return")
    for column, values in ((2, found.now), (3, found.before), (4, found.difference)):
        assert [float(row[column]) for row in rows] == pytest.approx(values.tolist(), abs=5e-5)


def test_the_scores_of_two_assets_are_worked_out() -> None:
    rows = table("time | open of ETH")
    opens = [float(row[1]) for row in rows]
    now, before = (decided(opens, [position(row[column]) for row in rows], atr=1.0) for column in (2, 3))
    opened, _, positions = bars()
    btc = Pair(decided(opened, positions, atr=2.0), decided(opened, [0, 20, 0, 0, 0, 0, 0], atr=2.0), 0, 50.0)
    found = whole(compare({"BTC": btc, "ETH": Pair(now, before, 0, 20.0)}, LENGTH, COSTS))
    alone = scores(Pair(now, before, 0, 20.0), LENGTH, COSTS)
    assert alone is not None
    assert [f"{each:.4f}" for each in alone.difference] == [row[4] for row in rows[:5]]
    assert [row[5] for row in rows[:5]] == [row[4] for row in table("bar | return")]
    assert [f"{each:.4f}" for each in np.diff(found.difference, prepend=0.0)] == [row[6] for row in rows[:5]]


def test_the_bets_are_worked_out() -> None:
    rows = table("z")
    told = re.search(r"With S = (\d+)\s+and V = (\d+):.*?mean is ([\d.]+),.*?With S = ([\d.]+)", PAGE, re.DOTALL)
    assert told is not None
    total, squares, mean, least = map(float, told.groups())
    for bet, (stake, penalty, exponent, growth) in enumerate(rows):
        z = 0.9 * 0.6**bet
        p = -math.log(1 - z) - z
        values = (f"{z:.4f}", f"{p:.5f}", f"{z * total - p * squares:.3f}", f"{math.exp(z * total - p * squares):.3f}")
        assert values == (stake, penalty, exponent, growth)
    assert math.exp(log_capital(total, squares)) == pytest.approx(mean, abs=0.05)
    assert deviation(np.array([squares])).item() == pytest.approx(least, abs=0.005)


def test_the_time_it_takes_is_worked_out() -> None:
    for mean, bars_needed, days in table("mean, in deviations"):
        bars = bars_to_tell(float(mean) / 10, 1 / 100)
        assert bars is not None
        assert (f"{bars:,}", f"{bars / 96:.0f}") == (bars_needed, days)
