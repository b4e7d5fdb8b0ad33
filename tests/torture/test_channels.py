"""A flood on a channel of Redis. The long form is `make torture ARGS=channels`."""

from __future__ import annotations

from torture import channels
from torture.short import missed


def test_pauses_go_through_beside_a_flood_of_heartbeats() -> None:
    assert [] == missed(channels.measure(seconds=0.5, kinds="heartbeats"))
