"""A feed with faults leads to no made-up decision. The long form is `make torture ARGS=feed`."""

from __future__ import annotations

from torture import feed
from torture.short import missed


def test_no_fault_of_a_feed_leads_to_a_decision_on_what_never_came() -> None:
    assert [] == missed(feed.measure(faults=8))
