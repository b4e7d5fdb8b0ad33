"""Exchanges followed while things go wrong. The long form is `make torture ARGS=exchanges`."""

from __future__ import annotations

from torture import exchanges
from torture.short import missed


def test_faults_of_exchanges_change_no_bar_and_no_decision() -> None:
    assert [] == missed(exchanges.measure(minutes=0.03, warm_up=0.0, pace=240, names="binance,kraken"))
