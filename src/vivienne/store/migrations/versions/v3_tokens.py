"""The table of tokens, and what callers said of themselves who had one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vivienne.store.migrations.versions import v2_pauses

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make it.

    For some hours there was a schema 2 that had these and not the index of `v2_pauses`.
    """
    if sa.inspect(op.get_bind()).has_table("tokens"):
        v2_pauses.upgrade()
        return
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
    )
    op.add_column("revisions", sa.Column("claimed_author", sa.String(100)))
