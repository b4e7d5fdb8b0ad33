"""Tells whether anybody else uses a PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from vivienne.errors import StoreUnusable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# Background processes of the server have no user. Users without further rights see these columns too.
_OTHERS = text("""
    SELECT pid, usename, application_name FROM pg_stat_activity
    WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY pid
""")
_LOOKS = 20
_NEXT_LOOK = text("SELECT pg_stat_clear_snapshot(), pg_sleep(0.1)")
"""The server needs a moment to end the session of a process that has just been stopped."""
_MOST_NAMED = 5


def refuse_others(connection: Connection, name: str) -> None:
    """Refuse a database in which others have sessions.

    Raises:
        StoreUnusable: they have, and are named.
    """
    for _ in range(_LOOKS):
        others = connection.execute(_OTHERS).all()
        if not others:
            return
        connection.execute(_NEXT_LOOK)
    who = [f"session {pid} of {user}{f' ({program})' if program else ''}" for pid, user, program in others]
    more = f" and {len(who) - _MOST_NAMED} more" if len(who) > _MOST_NAMED else ""
    raise StoreUnusable(
        f"The database {name} is in use by {', '.join(who[:_MOST_NAMED])}{more}; stop what uses it, or name another "
        "database with --db",
        is_temporary=True,
    )
