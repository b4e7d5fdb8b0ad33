"""What came of a version, beside the version before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from judged import BEGIN, LENGTH, at_random, decided
from vivienne.market.timeframe import Timeframe
from vivienne.record.judging.comparing import compare
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.version_outcome import Predecessor, version_outcome, version_pair
from vivienne.slices import whole
from vivienne.times import iso

COSTS = Costs(fee=8, slippage=2)


def test_a_version_is_judged_on_its_own_bars() -> None:
    opens = [100, 100, 100, 110, 110, 99, 99, 99, 99]
    bars = replace(
        decided(opens, [0, 10, 0, 10, 10, -10, 0, 10, 10]),
        version=np.array([4, 4, 5, 5, 5, 5, 5, 7, 7]),
    )
    anew = decided(opens, [0, 10, 10, 10, 10, 10, 10, 10, 10])
    held = replace(anew, blocks=np.array([0, 0, 0, 1, 1, 0, 0, 1, 1]))
    told = whole(version_outcome("BTC", Timeframe.M15, 5, bars, Predecessor(4, held, 20.0), COSTS))
    assert (told["version"], told["before"], told["bars"]) == (5, 4, 5)
    assert (told["begins"], told["ends"]) == (iso(BEGIN + 2 * LENGTH), iso(BEGIN + 6 * LENGTH))
    assert told["now"]["entries"] == {
        "loaded": {"long": 0, "short": 0},
        "aim": {"long": 1, "short": 1},
        "bang": {"long": 0, "short": 0},
    }
    assert told["then"] is not None
    assert told["then"]["entries"]["aim"] == {"long": 0, "short": 0}  # its position began before
    assert told["then"]["held"] == [{"filter": "trend", "bars": 2, "entries": 1}]
    # Long at 110, down to 99; short at 99, which does not move.
    assert told["now"]["outcomes"]["returns"][0]["mean_return"] == pytest.approx(-5.0)
    comparison = told["comparison"]
    assert comparison is not None
    # From the open after bar 3 to the one after it the price falls by 10 %, and else it stays.
    assert comparison["curve"]["before"] == pytest.approx([0.0, -1.0, -1.0, -1.0, -1.0])
    assert comparison["curve"]["now"] == pytest.approx([0.0, -1.01, -1.01, -1.03, -1.04])
    assert comparison["mean"] == pytest.approx(-0.04 / 5)


def test_the_bound_is_that_of_the_bars_before_the_version() -> None:
    bars = replace(
        decided([100.0] * 200, [10] * 200, atr=np.where(np.arange(200) < 150, 1.0, 50.0)),
        version=np.where(np.arange(200) < 150, 4, 5),
    )
    told = whole(version_outcome("BTC", Timeframe.M15, 5, bars, Predecessor(4, bars, 10.0), COSTS))
    assert told["comparison"] is not None
    # 95 bars with an ATR of 1 % and the first of the version with 50 %; 8 times their mean, of 10 %.
    assert told["comparison"]["bound"] == pytest.approx(0.1 * 8 * (95 + 50) / 96)


def test_an_entry_right_after_the_warm_up_counts_for_both_versions() -> None:
    """What is recorded as warming up cannot be decided anew, and nothing goes on then."""
    bars = decided([100.0] * 200, [0] * 20 + [10] * 180)
    recorded = replace(bars, version=np.full(200, 5), has_effect=np.arange(200) >= 20)
    anew = replace(recorded, is_decided=np.arange(200) >= 20)
    told = whole(version_outcome("BTC", Timeframe.M15, 5, recorded, Predecessor(4, anew, 10.0), COSTS))
    assert told["then"] is not None
    assert told["then"]["entries"] == told["now"]["entries"]
    assert told["now"]["outcomes"]["entries"] == 1


def test_the_first_version_is_compared_with_nothing() -> None:
    told = whole(version_outcome("BTC", Timeframe.M15, 1, at_random(1, 200), None, COSTS))
    assert (told["before"], told["then"], told["comparison"]) == (None, None, None)
    assert told["now"]["bars"] == told["bars"] > 0


def test_a_version_that_decided_nothing_has_no_outcome() -> None:
    bars = at_random(1, 200)
    told = whole(version_outcome("BTC", Timeframe.M15, 99, bars, Predecessor(98, bars, 30.0), COSTS))
    assert (told["begins"], told["bars"], told["now"]["outcomes"]["entries"]) == (None, 0, 0)
    assert told["comparison"] is not None
    assert told["comparison"]["verdict"] == "not enough to tell"


def test_other_bars_are_refused() -> None:
    bars = at_random(1, 200)
    with pytest.raises(ValueError, match="the bars of both versions differ"):
        whole(version_outcome("BTC", Timeframe.M15, 1, bars, Predecessor(0, bars[1:], 30.0), COSTS))


def test_a_change_of_all_assets_is_compared_with_one_equity() -> None:
    assets = {name: replace(at_random(seed, 300), version=np.ones(300, np.int64)) for seed, name in enumerate("AB")}
    pairs = {
        name: version_pair(1, bars, Predecessor(0, replace(bars, side=-bars.side), 30.0))
        for name, bars in assets.items()
    }
    found = whole(compare(pairs, LENGTH, COSTS))
    alone = [whole(compare({name: pair}, LENGTH, COSTS)).difference[-1] for name, pair in pairs.items()]
    assert found.difference[-1] == pytest.approx(sum(alone))
