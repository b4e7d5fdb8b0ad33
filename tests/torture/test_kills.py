"""kill -9 at any moment: what was acknowledged is there afterwards. The long form is `make torture ARGS=kills`."""

from __future__ import annotations

from torture import kills
from torture.short import missed


def test_no_acknowledged_change_is_lost_over_kills() -> None:
    assert [] == missed(kills.measure(kills=2, changes=30))


def test_no_acknowledged_change_is_lost_over_kills_of_a_process_on_postgres(database: str) -> None:
    assert [] == missed(kills.measure(kills=1, changes=20, db=database))
