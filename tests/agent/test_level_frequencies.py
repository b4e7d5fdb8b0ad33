"""With the default thresholds the words keep their promise: often loaded, seldom aim, hardly ever bang."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from making import candles_in, configured, resampled
from vivienne.agent.evaluate import evaluate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("file", ["BTCUSDT-1m-2025-10-06_2025-11-02.csv.gz", "BTCUSDT-1m-2025-02.csv.gz"])
def test_each_level_is_as_rare_as_its_name_says(marketdata: Path, file: str) -> None:
    bars = resampled(candles_in(marketdata / "klines" / file))
    evaluation = evaluate(bars, configured(), 15, len(bars))
    ready = evaluation.decided.raw_level[evaluation.ready]
    assert len(ready) > 2_500
    _idle, loaded, aim, bang = np.bincount(ready, minlength=4) / len(ready)
    assert 0.10 <= loaded <= 0.25
    assert 0.003 <= aim <= 0.015
    assert 0.0005 <= bang <= 0.006
