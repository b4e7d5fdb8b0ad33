"""The number of rotations of each token. One that has an earlier secret was rotated at least once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "10"
down_revision = "9"


def upgrade() -> None:
    """Make it."""
    # The default is for processes of the version before, which still run and create tokens.
    op.add_column("tokens", sa.Column("rotations", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE tokens SET rotations = 1 WHERE earlier_digest IS NOT NULL")
