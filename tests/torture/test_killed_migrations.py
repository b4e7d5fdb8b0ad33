"""A migration that is killed. The long form is `make torture ARGS=migrations`."""

from __future__ import annotations

from torture import migrations
from torture.short import missed


def test_a_migration_that_is_killed_leaves_the_old_tables_or_the_new_ones() -> None:
    assert [] == missed(migrations.measure(kills=1, revisions=500, starts=1, postgres=False))
