"""Caps on position sizes: set at the start, and no tunable goes beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from running import RunningServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whatever votes is a bang that no filter holds back, and asks for all there is.
GREEDY = {
    **{f"{level}_threshold": 1 for level in ("loaded", "aim", "bang")},
    **{f"position_size_{level}": 100 for level in ("loaded", "aim", "bang")},
    **{f"enable_{name}_filter_for_entry": False for name in ("bollinger", "trend", "levels")},
    **{f"{name}_enabled": False for name in ("underused_alpha", "combined_vwap")},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC,ETH", "--timeframe", "1m", "--speed", "600", "--max-position-size", "25,BTC=10")
    with RunningServer(*flags, db=tmp_path_factory.mktemp("caps") / "v.db") as running:
        yield running


@pytest.mark.parametrize(("asset", "cap"), [("BTC", 10), ("ETH", 25)])
def test_whatever_a_configuration_asks_for_no_decision_is_larger_than_the_cap(
    running: RunningServer, asset: str, cap: float
) -> None:
    answer = running.post("partial-update", {"asset_symbol": asset, **GREEDY})
    assert 200 == answer.status_code, answer.text
    bars = running.get(f"/phoenix/assets/{asset}/bars?limit=1000").json()["bars"]

    assert {0, cap} == {bar["position_size"] for bar in bars}
    # It is kept as it was asked for.
    assert 100 == running.active(asset)["config"]["settings"]["position_size_bang"]


@pytest.mark.parametrize(("asset", "cap"), [("BTC", 10), ("ETH", 25)])
def test_neither_does_a_preview(running: RunningServer, asset: str, cap: float) -> None:
    running.post("reset", {"asset_symbol": asset, "all": True})
    answer = running.http.post(f"{running.url}/phoenix/assets/{asset}/preview", json=GREEDY)
    assert 200 == answer.status_code, answer.text

    assert cap == max(bar["then"]["position_size"] for bar in answer.json()["different"])
