"""The trace ids of the requests that made revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Make it."""
    op.add_column("revisions", sa.Column("trace_id", sa.String(64)))
