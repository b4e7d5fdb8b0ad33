"""Judgements go out as JSON, with nothing in them that JSON does not have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
from pydantic import TypeAdapter

from judged import LENGTH, at_random
from vivienne.market.timeframe import Timeframe
from vivienne.record.judging.account import account
from vivienne.record.judging.account_entry import account_entry
from vivienne.record.judging.costs import Costs
from vivienne.record.judging.heat import heat_map
from vivienne.record.judging.outcomes import outcomes
from vivienne.record.judging.setups import setups
from vivienne.record.judging.summary import outcome_entry
from vivienne.record.judging.version_outcome import Predecessor, version_outcome
from vivienne.slices import whole
from vivienne.wire.outcome import DecisionOutcome
from vivienne.wire.paper import PaperAccount
from vivienne.wire.setups import HeatMap, Setups
from vivienne.wire.version_outcome import VersionOutcome

COSTS = Costs(fee=8, slippage=2)


def test_every_entry_is_what_its_type_says() -> None:
    bars = replace(at_random(1, 400, holes=1), version=np.ones(400, np.int64))
    before = Predecessor(0, at_random(1, 400, holes=1), 30.0)
    for kind, entry in (
        (DecisionOutcome, outcome_entry(whole(outcomes(bars, LENGTH)), 399)),
        (PaperAccount, account_entry(whole(account({"BTC": bars}, LENGTH, COSTS)), ["BTC"], COSTS)),
        (Setups, whole(setups({"BTC": bars, "ETH": at_random(2, 300)}, LENGTH))),
        (HeatMap, whole(heat_map([bars], "hour"))),
        (VersionOutcome, whole(version_outcome("BTC", Timeframe.M15, 1, bars, before, COSTS))),
    ):
        written = orjson.dumps(entry)  # it refuses numbers of NumPy
        assert b"NaN" not in written
        assert TypeAdapter(kind).validate_json(written, strict=True) == entry
