"""Pauses get through floods of HTTP. The long form is `make torture ARGS=floods`."""

from __future__ import annotations

from torture import floods
from torture.short import missed


def test_pauses_get_through_requests_without_end() -> None:
    assert [] == missed(floods.measure(connections=100, seconds=1.0, kinds="pipelined requests"))
