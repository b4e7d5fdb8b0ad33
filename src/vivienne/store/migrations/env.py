"""Run by Alembic for every migration, on the connection and in the transaction of the one who asked for it."""

from __future__ import annotations

from alembic import context

from vivienne.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
