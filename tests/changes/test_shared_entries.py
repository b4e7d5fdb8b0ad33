"""Which of very many pauses are read again at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vivienne.changes.pause.shared_entries import next_ones

LAYERS = st.sets(st.text("ABC", min_size=1, max_size=3), max_size=20)


@given(LAYERS, st.integers(1, 8))
def test_all_of_them_have_their_turn_again_and_again(layers: set[str], most: int) -> None:
    last, turns = "", 2 * (len(layers) // most + 1)
    looked_at: list[str] = []
    for _ in range(turns):
        found = next_ones(layers, last, most)
        assert len(found) == len(set(found)) == min(most, len(layers))
        looked_at += found
        last = found[-1] if found else last
    assert set(looked_at) == layers
    times = [looked_at.count(each) for each in layers]
    assert not times or max(times) - min(times) <= 1, "none has two turns before another one has had its own"


@given(LAYERS, LAYERS, st.integers(1, 8))
def test_those_that_come_and_go_between_keep_nobody_out(before: set[str], after: set[str], most: int) -> None:
    found = next_ones(before, "", most)
    last, looked_at = (found[-1] if found else ""), set(found)
    for _ in range(len(after) // most + 1):
        found = next_ones(after, last, most)
        looked_at |= set(found)
        last = found[-1] if found else last
    assert after <= looked_at
