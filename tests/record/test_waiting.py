"""Decisions that wait to be recorded take so much memory, and those of one asset leave room for others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from making import minute
from vivienne.market.window import BarWindow
from vivienne.record import waiting as module
from vivienne.record.waiting import Entry, Waiting

if TYPE_CHECKING:
    import pytest


def entry(asset: str, window: BarWindow, number: int) -> Entry:
    """A decision on the newest bar of a window."""
    decision: Any = SimpleNamespace(open_time=number)
    basis: Any = SimpleNamespace(held=window.held())
    return Entry(asset, decision, 1, {}, is_paused=False, status="live", basis=cast("Any", basis))


def test_the_bars_that_decisions_keep_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    waiting, window = Waiting(), BarWindow(2_500)
    for number in range(200):  # decisions that follow each other share their bars
        window.append(minute(number))
        waiting.put(entry("BTC", window, number))
    assert (len(waiting), waiting.lost) == (200, 0)
    for number in range(200, 400):  # each of a history of its own
        window.clear()
        window.append(minute(number))
        waiting.put(entry("BTC", window, number))
    kept = len(waiting)
    assert 200 < kept < 250
    [lost] = waiting.take_lost()
    assert (lost.decisions, lost.last) == (400 - kept, 399)

    taken = waiting.take(kept)
    waiting.put_back(taken)
    assert waiting.take(kept) == taken
    waiting.put(entry("BTC", window, 400))
    assert len(waiting) == 1


def test_decisions_of_one_asset_leave_room_for_those_of_others() -> None:
    waiting, window = Waiting(most=100), BarWindow(2_500)
    window.append(minute(0))
    for number in range(200):
        waiting.put(entry("BTC", window, number))
    for number in range(5):
        waiting.put(entry("ETH", window, number))
    assert {each.asset for each in waiting.take_lost()} == {"BTC"}
    assert [each.asset for each in waiting.take(100)][-5:] == ["ETH"] * 5
