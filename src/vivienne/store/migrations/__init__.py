"""Every change of the tables, in order; Alembic runs them. See `vivienne.store.migrate`."""
