"""Half-open connections and a flood of changes are limited. The long form is `make torture ARGS=flood`."""

from __future__ import annotations

from torture import flood
from torture.short import missed


def test_half_open_connections_and_a_flood_are_limited_and_others_are_served() -> None:
    assert [] == missed(flood.measure(half_open=40, seconds=1.0, per_minute=10, patience=3))
