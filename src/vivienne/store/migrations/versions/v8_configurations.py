"""Indexes that find configurations among pauses, resumptions and deletions, of which there may be any number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """Make them."""
    configured = sa.text("action NOT IN ('delete', 'pause', 'resume')")
    for name, columns in (
        ("revisions_by_configuration", ["version"]),
        ("revisions_by_layer_and_configuration", ["layer", "version"]),
    ):
        op.create_index(name, "revisions", columns, sqlite_where=configured, postgresql_where=configured)
