"""What a change would have done: the same bars, decided twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given

from making import configurations, configured, document_of, random_bars
from sizes import examples
from vivienne.agent.decision import Clarity
from vivienne.agent.evaluate import evaluate
from vivienne.agent.filters import FILTERS
from vivienne.live.deciding import Deciding
from vivienne.live.preview import MOST_DIFFERENT, compare
from vivienne.market.timeframe import Timeframe
from vivienne.market.window import BarWindow
from vivienne.times import iso

if TYPE_CHECKING:
    from vivienne.agent.schema import Configuration
    from vivienne.market.types import Bars
    from vivienne.wire.explanation import Level

MINUTES = 15
WORDS: tuple[Level, ...] = ("idle", "loaded", "aim", "bang")
BARS = random_bars(3, 600)
NO_FILTERS = document_of(dict.fromkeys([barrier.switch for barrier in FILTERS], False))


def deciding(bars: Bars = BARS) -> Deciding:
    """Of a market that began with the first of these bars."""
    window = BarWindow(2_500)
    window.extend(bars, "filled")
    return Deciding(window, Timeframe.M15)


def lowered(level: int) -> dict[str, Any]:
    return document_of({f"settings.state_threshold_{name}": level for name in ("loaded", "aim", "bang")})


@given(configurations())
@examples(125)
def test_a_change_that_changes_nothing_would_have_done_nothing(configuration: Configuration) -> None:
    found = compare(deciding(), configuration, configuration, 500)
    assert (found["different_bars"], found["different"]) == (0, [])
    assert found["now"] == found["then"]


@given(configurations(), configurations())
@examples(125)
def test_levels_sizes_and_entries_are_those_of_the_bars_that_both_decide(
    now: Configuration, then: Configuration
) -> None:
    found = compare(deciding(), now, then, 500)
    one, other = (evaluate(BARS, configuration, MINUTES, 500) for configuration in (now, then))
    both = one.ready & other.ready
    assert found["compared"] == int(np.sum(both))
    for counts, evaluation in ((found["now"], one), (found["then"], other)):
        levels, sizes = evaluation.decided.level[both], evaluation.decided.size[both]
        assert [counts[word] for word in WORDS] == [int(np.sum(levels == level)) for level in Clarity]
        assert counts["undecided"] == int(np.sum(~evaluation.ready))
        assert counts["exposure"] == pytest.approx(float(np.mean(sizes)) if len(sizes) else 0.0)
        positions = np.concatenate(([0.0], np.where(sizes > 0, evaluation.votes.side[both], 0.0)))
        assert counts["entries"] == int(np.sum((positions[1:] != positions[:-1]) & (positions[1:] != 0)))


def test_sizes_are_those_of_the_levels_and_at_most_the_cap() -> None:
    window = BarWindow(2_500)
    window.extend(BARS)
    then = configured(document_of({"settings.position_size_bang": 13}))
    found = compare(Deciding(window, Timeframe.M15, cap=5.0), configured(), then, 500)
    assert found["now"]["sizes"] == {"idle": 0, "loaded": 0.1, "aim": 0.2, "bang": 0.5}
    assert found["then"]["sizes"] == {"idle": 0, "loaded": 0.1, "aim": 0.2, "bang": 5}
    assert found["then"]["entries"] == found["now"]["entries"] > 0
    assert found["then"]["exposure"] > found["now"]["exposure"] > 0


def test_thresholds_at_zero_would_have_made_every_vote_a_bang() -> None:
    found = compare(deciding(), configured(), configured({**NO_FILTERS, **lowered(0)}), 300)
    votes = evaluate(BARS, configured(), MINUTES, 300).votes
    assert int(np.sum(votes.side != 0)) == found["then"]["bang"]
    assert found["then"]["held"] == 0
    assert found["different_bars"] > MOST_DIFFERENT
    assert len(found["different"]) == MOST_DIFFERENT
    assert {bar["source"] for bar in found["different"]} == {"filled"}
    newest = found["different"][-1]
    assert iso(int(BARS.open_time[-1])) == newest["time"]
    assert newest["then"]["clarity_level"] == "bang"
    assert newest["now"] != newest["then"]


def test_a_filter_that_is_switched_off_lets_go_of_what_it_held() -> None:
    found = compare(deciding(), configured(), configured(NO_FILTERS), 500)
    assert found["now"]["held"] > 0
    assert found["then"]["held"] == 0
    assert all(bar["now"]["held"] for bar in found["different"])


def test_the_side_makes_no_difference_while_the_level_is_idle() -> None:
    quiet = lowered(100)
    contrary = {**quiet, "signal_weights": {"ema_cross": 0, "macd": 0, "bb_bounce": 0, "bb_breakout": 0, "rsi": 1}}
    found = compare(deciding(), configured(quiet), configured(contrary), 500)
    sides = [evaluate(BARS, configured(document), MINUTES, 500).votes.side for document in (quiet, contrary)]
    assert np.any(sides[0] != sides[1])
    bars = [bar for bar in found["different"] if bar["now"]["clarity_level"] == bar["then"]["clarity_level"] == "idle"]
    assert bars == []


@pytest.mark.parametrize("rows", [1, 600, 1000])
def test_at_most_as_many_bars_as_there_are(rows: int) -> None:
    assert min(rows, 600) == compare(deciding(), configured(), configured(), rows)["bars"]


def test_without_bars_there_is_nothing_to_compare() -> None:
    found = compare(deciding(BARS[:0]), configured(), configured(NO_FILTERS), 500)
    assert (found["bars"], found["different"]) == (0, [])
