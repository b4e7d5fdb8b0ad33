"""A connection to PostgreSQL on which nothing waits without end, and on which a commit is on disk when it returns."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine

from vivienne.errors import StoreUnusable

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as error:
    raise StoreUnusable(
        f"A PostgreSQL database needs the driver psycopg, which cannot be loaded ({error}); "
        "install it with Vivienne: pip install 'vivienne[postgres]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy.engine import Engine

    from vivienne.store.address import PostgresUrl

_T = TypeVar("_T")

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 4
PATIENCE_SECONDS = 6.0
"""Seconds after which a server that does not answer is given up. It is longer than the server's own limit for a
statement; together with the seconds to reconnect it is shorter than a caller waits."""

DriverError = psycopg.Error

_SESSION = f"""
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
SET statement_timeout = '{STATEMENT_SECONDS}s';
SET idle_in_transaction_session_timeout = '{2 * STATEMENT_SECONDS}s';
SET default_transaction_isolation = 'read committed';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3;
"""
_DEFAULTS = {
    "application_name": "vivienne",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 1000 * int(PATIENCE_SECONDS),  # milliseconds
}
_TO_WRITE = {"target_session_attrs": "read-write"}
"""Of several hosts, the one that is the primary."""


def parameters(url: PostgresUrl, *, writes: bool) -> dict[str, Any]:
    """Connection parameters: those of the address, and defaults for the rest.

    Args:
        url: the address.
        writes: whether a server that is read-only will not do.

    Raises:
        StoreUnusable: PostgreSQL does not understand the address.
    """
    try:
        return {**_DEFAULTS, **(_TO_WRITE if writes else {}), **conninfo_to_dict(url.uri)}
    except psycopg.ProgrammingError:
        # What it says may quote the password.
        raise StoreUnusable(
            f"{url} is not a valid PostgreSQL address, e.g. postgresql://user@host:5432/name?sslmode=require"
        ) from None


def one_connection(how: dict[str, Any]) -> Engine:
    """An engine with one connection, used from one thread at a time. When it is lost, the next call reconnects."""
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(how),
        pool_size=1,
        max_overflow=0,
        pool_timeout=PATIENCE_SECONDS,
        use_native_hstore=False,
    )


def connect(how: dict[str, Any]) -> psycopg.Connection[Any]:
    """Connect, and set what the session needs."""
    connection = BoundedConnection.connect(**how)
    try:
        connection.execute(_SESSION)
        connection.commit()
    except psycopg.Error:
        connection.close()
        raise
    return connection


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that gives up on a server that neither answers nor closes the connection.

    Attributes:
        patience: seconds until it gives up.
    """

    patience = PATIENCE_SECONDS

    def wait(self, gen: Generator[Any, Any, _T], *args: Any, **kwargs: Any) -> _T:
        """Psycopg waits in here for everything but connecting."""
        return super().wait(self._bounded(gen), *args, **kwargs)

    def _bounded(self, waiting: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
        until = monotonic() + self.patience
        try:
            wanted = next(waiting)
            while True:
                ready = yield wanted
                if monotonic() > until:
                    self.pgconn.finish()  # so that it counts as lost
                    raise psycopg.OperationalError(f"no answer within {self.patience:g} s")
                wanted = waiting.send(ready)
        except StopIteration as done:
            found: _T = done.value
            return found
