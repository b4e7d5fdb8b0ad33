"""The paper account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from judged import BEGIN, LENGTH, at_random, decided
from sizes import examples
from vivienne.record.judging.account import Account, account
from vivienne.record.judging.account_entry import account_entry
from vivienne.record.judging.costs import Costs
from vivienne.slices import whole
from vivienne.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vivienne.record.columns import DecidedBars
    from vivienne.wire.paper import PaperAccount

FREE = Costs(0, 0)
COSTS = Costs(fee=8, slippage=2)


def run(bars: DecidedBars, costs: Costs = FREE) -> Account:
    return together({"BTC": bars}, costs)


def together(assets: Mapping[str, DecidedBars], costs: Costs = FREE) -> Account:
    return whole(account(assets, LENGTH, costs))


def entry(bars: DecidedBars, costs: Costs = FREE) -> PaperAccount:
    return account_entry(run(bars, costs), ["BTC"], costs)


def test_a_position_is_entered_and_left_at_the_open_after_the_decision() -> None:
    bars = decided([100, 100, 100, 110, 121, 50], [0, 50, 50, 0, 0, 0], closes=[99, 99, 105, 115, 130, 60])
    told = entry(bars)
    # Half of 100 is bought at 100 at the open of the third bar, and sold at 121 at that of the fifth.
    assert told["curve"]["equity"] == pytest.approx([100, 100, 102.5, 107.5, 110.5, 110.5])
    (trade,) = told["newest_trades"]
    assert trade == {
        "asset": "BTC",
        "side": "long",
        "size": 50.0,
        "entered_at": iso(BEGIN + 2 * LENGTH),
        "entry_price": 100.0,
        "exited_at": iso(BEGIN + 4 * LENGTH),
        "exit_price": 121.0,
        "profit": pytest.approx(10.5),
        "ended_by": "exit",
    }
    assert (told["trades"], told["wins"], told["hit_rate"], told["open"]) == (1, 1, 1.0, 0)
    assert told["invested"] == pytest.approx(2 / 6)


def test_every_trade_is_paid_for() -> None:
    bars = decided([100, 100, 100, 200, 200], [0, 50, -100, 0, 0])
    told = entry(bars, COSTS)
    # 0.1 % of 50 at the entry; then 100 is sold at 200, and 149.95 more: the equity before this cost.
    paid_first, equity = 0.05, 149.95
    paid_then = 0.1 + equity / 1000
    assert told["paid"] == pytest.approx(paid_first + paid_then + equity / 1000)
    assert told["turnover"] == pytest.approx(0.5 + (100 + equity) / equity + equity / (equity - paid_then))
    assert told["equity"] == pytest.approx(100 + 50 - told["paid"])
    long, short = told["newest_trades"]
    assert (long["side"], long["ended_by"]) == ("long", "turn")
    assert long["profit"] == pytest.approx(50 - 0.05 - 0.1)
    assert (short["side"], short["ended_by"]) == ("short", "exit")
    assert short["profit"] == pytest.approx(-0.2)  # percent of 149.95, at the entry and at the exit
    assert (told["trades"], told["wins"]) == (2, 1)


def test_a_change_of_size_belongs_to_the_trade_and_drift_is_not_corrected() -> None:
    bars = decided([100, 100, 100, 200, 200, 100], [0, 20, 20, 30, 0, 0])
    found = run(bars)
    # 0.2 units at 100; at 200 the equity is 120, and 30 % of it are 0.18 units.
    assert found.equity[-1] == pytest.approx(120 - 0.18 * 100)
    assert found.exposure[2] == pytest.approx(40 / 120 * 100)  # twenty percent have become a third
    (trade,) = found.trades
    assert trade.size == 20
    assert trade.percent == pytest.approx(2)


def test_a_position_under_way_at_the_beginning_is_not_taken() -> None:
    found = run(decided([100, 50, 100, 100, 100, 130], [10, 20, 10, 0, 10, 10]))
    (trade,) = found.trades  # the one that begins after the end of the first
    assert (trade.entered_at, trade.entry_price) == (BEGIN + 5 * LENGTH, 130.0)
    turned = run(decided([100, 50, 100, 90], [10, 10, -10, -10]))
    assert [(trade.side, trade.entry_price) for trade in turned.trades] == [(-1, 90.0)]


def test_before_a_hole_the_position_ends_at_the_last_close() -> None:
    bars = decided(
        [100, 100, 100, 500, 500, 500, 500],
        [0, 40, 40, 40, 0, 40, 40],
        closes=[100, 100, 110, 500, 500, 500, 600],
        numbers=[0, 1, 2, 7, 8, 9, 10],
    )
    told = entry(bars)
    first, second = told["newest_trades"]
    assert (first["exit_price"], first["ended_by"]) == (110.0, "hole")
    assert first["exited_at"] == iso(BEGIN + 3 * LENGTH)  # when that bar closed
    # What was under way behind the hole is not entered; the position after it is.
    assert (second["entered_at"], second["entry_price"]) == (iso(BEGIN + 10 * LENGTH), 500.0)
    assert (second["exited_at"], second["exit_price"], second["ended_by"]) == (None, 600.0, None)
    assert (told["trades"], told["open"], told["bars"]) == (1, 1, 7)
    assert told["equity"] == pytest.approx(104 * 1.08)


def test_only_decisions_with_effect_are_followed() -> None:
    bars = decided([100] * 8, [0, 10, 10, 10, 10, 10, 10, 10])
    nothing = np.zeros(8, np.bool_)
    assert not run(replace(bars, has_effect=nothing)).trades
    assert not run(replace(bars, is_decided=nothing)).trades
    assert not run(replace(bars, level=np.zeros(8, np.int64))).trades
    paused = np.array([True] * 3 + [False] + [True] * 4)
    assert [trade.ended_by for trade in run(replace(bars, has_effect=paused)).trades] == ["exit", None]


def test_the_account_begins_with_the_first_decision_of_all_and_not_with_the_bars_it_was_made_from() -> None:
    one = decided([100] * 8, [0, 0, 0, 0, 0, 50, 50, 0])
    other = decided([10] * 8, [0] * 8)
    one, other = (replace(each, is_decided=np.arange(8) >= first) for each, first in ((one, 4), (other, 6)))
    told = account_entry(together({"BTC": one, "ETH": other}), ["BTC", "ETH"], FREE)
    assert (told["begins"], told["bars"]) == (iso(BEGIN + 4 * LENGTH), 4)
    assert told["invested"] == pytest.approx(2 / 4)
    assert entry(replace(one, is_decided=np.zeros(8, np.bool_)))["bars"] == 0


def test_drawdown_is_from_the_highest_equity_before() -> None:
    bars = decided([100, 100, 100, 120, 90, 110, 60, 130], [0] + [100] * 7)
    told = entry(bars)
    assert told["drawdown"] == pytest.approx(50.0)
    assert told["drawdown_at"] == iso(BEGIN + 5 * LENGTH)  # the bar that closed at 60


def test_drawdown_counts_from_the_beginning() -> None:
    told = entry(decided([100, 100, 100, 100], [0, 100, 100, 100], closes=[100, 100, 80, 90]))
    assert told["drawdown"] == pytest.approx(20.0)
    paid = entry(decided([100, 100, 100], [0, 50, 0], closes=[100, 100, 90]), COSTS)
    assert paid["drawdown"] == pytest.approx(5.05)  # from 100, not from what is left after the cost


def test_several_assets_share_one_equity() -> None:
    one = decided([100, 100, 100, 200, 200], [0, 50, 50, 50, 50])
    other = decided([10, 10, 10, 10, 20], [0, 0, 50, 50, 50])
    found = together({"BTC": one, "ETH": other})
    # At 200 the equity is 150, so half of it are 7.5 units at 10.
    assert found.equity[-1] == pytest.approx(150 + 7.5 * 10)
    assert [trade.equity for trade in found.trades] == [100, 150]


def test_a_bar_that_one_asset_waits_for_is_no_hole() -> None:
    one = decided([100] * 4, [0, 50, 50, 50])
    other = decided([10, 10, 20], [0, 50, 50])
    assert [trade.ended_by for trade in together({"BTC": one, "ETH": other}).trades] == [None, None]
    gone = together({"BTC": decided([100] * 6, [0, 50, 50, 50, 50, 50]), "ETH": other})
    assert [(trade.ended_by, trade.exited_at) for trade in gone.trades] == [(None, None), ("hole", BEGIN + 3 * LENGTH)]


def test_who_loses_everything_trades_no_more() -> None:
    bars = decided([100, 100, 100, 350, 350, 350, 100], [0, -100, -100, 100, -100, 100, 0])
    found = run(bars)
    assert len(found.trades) == 1
    assert found.equity[-1] == pytest.approx(-150)
    assert found.exposure[-1] == 0.0


def test_without_bars_there_is_an_account_at_its_beginning() -> None:
    told = entry(decided([], []))
    assert (told["equity"], told["begins"], told["hit_rate"], told["drawdown"]) == (100.0, None, None, 0.0)
    assert "simulation" in told["simulation"]


@examples()
@given(st.integers(0, 2**32 - 1), st.integers(2, 250), st.integers(0, 4))
def test_the_account_is_that_of_a_plain_program(seed: int, count: int, holes: int) -> None:
    bars = at_random(seed, count, holes=min(holes, count - 1))
    assume(bars.is_decided.any())
    found, first = run(bars, COSTS), int(bars.is_decided.argmax())
    assert found.equity[found.is_bar].tolist() == pytest.approx(_plainly(bars, COSTS.rate)[first:], rel=1e-9)
    assert 100 + sum(trade.profit for trade in found.trades) == pytest.approx(found.equity[-1])


@examples()
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_what_has_closed_stays(seed: int, count: int) -> None:
    assets = {name: at_random(seed + number, 300, holes=2) for number, name in enumerate(("BTC", "ETH", "SOL"))}
    end = assets["BTC"].bars.open_time[count - 1]
    early = {name: bars[: int((bars.bars.open_time <= end).sum())] for name, bars in assets.items()}
    late, again, before = together(assets, COSTS), together(assets, COSTS), together(early, COSTS)
    assert np.array_equal(late.equity, again.equity)
    assert late.trades == again.trades
    known = before.time < end - LENGTH  # nothing that a hole could still change
    assert np.array_equal(before.equity[known], late.equity[: known.sum()])
    ended = [trade for trade in before.trades if trade.ended_by and trade.exited_at and trade.exited_at <= end]
    assert all(trade in late.trades for trade in ended)


def test_the_unit_of_prices_does_not_matter() -> None:
    bars = at_random(1, 300)
    scaled = {name: getattr(bars.bars, name) * 4096 for name in ("open", "high", "low", "close")}
    assert np.array_equal(run(replace(bars, bars=replace(bars.bars, **scaled)), COSTS).equity, run(bars, COSTS).equity)


def test_the_pieces_are_as_good_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assets = {"BTC": at_random(5, 400, holes=2), "ETH": at_random(6, 300)}
    at_once = together(assets, COSTS)
    monkeypatch.setattr("vivienne.record.judging.account._CHANGES", 3)
    monkeypatch.setattr("vivienne.record.judging.account._VALUES", 20)
    in_pieces = together(assets, COSTS)
    assert np.array_equal(in_pieces.equity, at_once.equity)
    assert np.array_equal(in_pieces.exposure, at_once.exposure)


def _plainly(decided: DecidedBars, rate: float) -> list[float]:
    """Equity at each close, bar by bar, with cash and units."""
    cash, units, asked, wanted, inside = 100.0, 0.0, 0.0, 0.0, None
    curve: list[float] = []
    before = None
    for row, bar in enumerate(decided.bars.candles()):
        if before is None or bar.open_time != before.open_time + LENGTH:
            if before is not None:
                cash += units * before.close - abs(units) * before.close * rate
            units, asked, target, inside = 0.0, 0.0, 0.0, None
        else:
            target = wanted
        if target != asked:
            equity = cash + units * bar.open
            bought = target / 100 * max(equity, 0) / bar.open - units
            turns = units * (units + bought) < 0
            value = (abs(units) + abs(units + bought) if turns else abs(bought)) * bar.open
            cash -= bought * bar.open + value * rate
            units, asked = units + bought, target
        curve.append(cash + units * bar.close)
        is_followed = decided.is_decided[row] and decided.has_effect[row] and decided.level[row] > 0
        wanted = float(decided.side[row] * decided.size[row]) if is_followed else 0.0
        if inside is None and decided.is_decided[row]:
            inside = np.sign(wanted)
        if inside and np.sign(wanted) == inside:
            wanted = 0.0
        elif inside is not None:
            inside = 0.0
        before = bar
    return curve


def test_assets_with_bars_at_other_times_take_no_more_than_those_with_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time has a price of each asset, so of many times the newest count."""
    monkeypatch.setattr("vivienne.record.judging.grid._MOST_CELLS", 20 * 10)
    assets = {
        f"A{number}": decided([100] * 20, [0] + [50] * 19, numbers=range(number * 100, number * 100 + 20))
        for number in range(10)
    }
    found = together(assets)
    assert len(found.time) == 20
    assert found.time.item(-1) == BEGIN + (900 + 19) * LENGTH
    assert {trade.asset for trade in found.trades} == {"A9"}
    alike = {name: decided([100] * 20, [50] * 20) for name in assets}
    assert len(together(alike).time) == 20
