"""An index that finds pauses among all other revisions.

It is a schema of its own, so that a Vivienne that knows no pauses refuses the database instead of trading on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Make it."""
    switches = sa.text("action IN ('pause', 'resume')")
    op.create_index(
        "revisions_by_switch", "revisions", ["layer", "version"], sqlite_where=switches, postgresql_where=switches
    )
