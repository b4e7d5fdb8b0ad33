"""kill -9 while decisions are recorded. The long form is `make torture ARGS=record`."""

from __future__ import annotations

from torture import record
from torture.short import missed


def test_what_a_kill_takes_from_the_record_is_marked() -> None:
    assert [] == missed(record.measure(kills=2, latest_kill=0.5))
