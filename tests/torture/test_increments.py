"""Conditional increments by many writers of one process; `tests/server/test_shared_database.py` has those of several.

The long form is `make torture ARGS=increments`.
"""

from __future__ import annotations

from torture import increments
from torture.short import missed


def test_no_increment_of_sixteen_writers_is_lost_or_made_twice() -> None:
    assert [] == missed(increments.measure(increments=16, several=False))
