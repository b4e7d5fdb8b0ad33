"""Pauses get through floods of HTTP. The long form is `make torture ARGS=floods`."""

from __future__ import annotations

from torture import floods
from torture.short import missed


def test_pauses_get_through_requests_without_end() -> None:
    kinds = "pipelined requests,pauses of another caller,requests that are reset"
    assert [] == missed(floods.measure(connections=100, seconds=0.5, kinds=kinds))
