"""When tokens expire, the secret that a rotation replaced, and an index that finds answers that are still kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"

_ANSWERED = sa.text("answer IS NOT NULL")


def upgrade() -> None:
    """Make it."""
    op.add_column("tokens", sa.Column("expires_at", sa.String(32)))
    op.add_column("tokens", sa.Column("earlier_digest", sa.String(64)))
    op.add_column("tokens", sa.Column("earlier_until", sa.String(32)))
    op.create_index(
        "revisions_with_answer", "revisions", ["version"], sqlite_where=_ANSWERED, postgresql_where=_ANSWERED
    )
    _bring_up_the_first_files()


def _bring_up_the_first_files() -> None:
    """Give the very first files, which had no migrations, the indexes that all others have had since then."""
    present = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("revisions")}
    if "revisions_by_request" in present:
        return
    targeted, requested = sa.text("target IS NOT NULL"), sa.text("request_id IS NOT NULL")
    op.drop_index("revisions_by_target", "revisions")
    op.create_index("revisions_by_target", "revisions", ["target", "action"], sqlite_where=targeted)
    op.create_index("revisions_by_request", "revisions", ["request_id"], unique=True, sqlite_where=requested)
