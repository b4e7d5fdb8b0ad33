"""The table of revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make it. SQLite files older than migrations have it already."""
    targeted, requested = sa.text("target IS NOT NULL"), sa.text("request_id IS NOT NULL")
    op.create_table(
        "revisions",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("config_id", sa.String(64), nullable=False, unique=True),
        sa.Column("layer", sa.String(32), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("changed", sa.LargeBinary, nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("target", sa.String(64)),
        sa.Column("address", sa.String(64)),
        sa.Column("reason", sa.String(1000)),
        sa.Column("request_id", sa.String(128)),
        sa.Column("request_digest", sa.String(64)),
        sa.Column("answer", sa.LargeBinary),
    )
    op.create_index("revisions_by_layer", "revisions", ["layer", "version"])
    op.create_index(
        "revisions_by_target", "revisions", ["target", "action"], sqlite_where=targeted, postgresql_where=targeted
    )
    op.create_index(
        "revisions_by_request",
        "revisions",
        ["request_id"],
        unique=True,
        sqlite_where=requested,
        postgresql_where=requested,
    )
