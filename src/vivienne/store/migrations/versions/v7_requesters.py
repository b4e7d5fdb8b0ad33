"""Whose a request_id is, so that nobody uses one of somebody else.

Requests that were stored before belong to nobody in particular: whoever repeats one is answered as the first time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"

_REQUESTED = sa.text("request_id IS NOT NULL")


def upgrade() -> None:
    """Make it."""
    op.add_column("revisions", sa.Column("requester", sa.String(100), server_default=""))
    op.drop_index("revisions_by_request", "revisions")
    op.create_index(
        "revisions_by_request",
        "revisions",
        ["request_id", "requester"],
        unique=True,
        sqlite_where=_REQUESTED,
        postgresql_where=_REQUESTED,
    )
