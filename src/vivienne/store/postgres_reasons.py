"""Errors of PostgreSQL and its driver in words: the rest of a sentence that begins with "the database ..."."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, OperationalError

from vivienne.store.migrate import VERSION_TABLE
from vivienne.store.tables import alerts

_NOT_ALLOWED = "42501"
_READ_ONLY_CODE = "25006"
_MADE_ALREADY = ("23505", "42P07", "42701", "42710")
_IN_THE_FUTURE = "22023"
READ_ONLY = "is read-only; make it the primary, or start Vivienne with the primary"
READ_ONLY_AT_START = "is read-only; name one that can be written, not a standby"
_IS_READ_ONLY = "session is read-only"
_RIGHTS = {
    "revisions": "SELECT, INSERT, UPDATE (answer, created_at)",
    "tokens": "SELECT, INSERT, UPDATE",
    "tickets": "SELECT, INSERT, DELETE",
    **dict.fromkeys((table.name for table in alerts), "SELECT, INSERT, UPDATE, DELETE"),
    VERSION_TABLE: "SELECT",
}
"""What Vivienne does with its tables, as in docs/store.md."""
_AT_START = {
    # Before the login there is no error code, so the text of the server or of its library is matched.
    _IS_READ_ONLY: READ_ONLY_AT_START,
    "password authentication failed": "rejects this password; correct it in --db, PGPASSWORD or ~/.pgpass",
    "no password supplied": "requires a password; give it in --db, PGPASSWORD or ~/.pgpass",
    "no pg_hba.conf entry": "rejects this user from this machine; add a line for it to pg_hba.conf",
    "Peer authentication failed": "admits only the system user of that name; name another user or a host in --db",
    "Ident authentication failed": "rejects this system user; add a line for it to pg_hba.conf",
    "role": "has no such user; correct --db, or create it: createuser NAME",
    "database": "does not exist; correct --db, or create it: createdb NAME",
    "resolve host": "cannot be reached: its host is unknown; correct it in --db",
    "Connection refused": "cannot be reached: nothing listens there; start it, or correct host and port in --db",
    "No such file or directory": "cannot be reached: no server runs on this machine; start it, or name a host in --db",
    "timeout expired": "cannot be reached: nothing answers there; correct host and port in --db, or check the firewall",
    "does not support SSL": "does not speak TLS; correct sslmode in --db",
    "certificate verify failed": "shows a certificate that is not trusted; correct sslmode or sslrootcert in --db",
}
_LATER = {
    _READ_ONLY_CODE: READ_ONLY,
    "42P01": "has lost its tables; restore a copy of it and restart Vivienne",
    "53100": "cannot grow: the disk of the server is full",
    "53300": "has no free connection; raise max_connections, or close others",
    "57014": "did not answer in time",
    "57P01": "was shut down by its administrator",
    "57P02": "crashed",
    "57P03": "is starting up or shutting down",
}
_PASSING_CLASSES = ("08", "40", "53", "55", "57")
"""Classes of error codes: of the connection, of others in the way, of resources, and of the operator."""
_PASSING = (None, _IS_READ_ONLY, "resolve host", "Connection refused", "No such file or directory", "timeout expired")
_LOST = "does not answer: the connection to the server is lost"


def reason_at_start(error: DBAPIError) -> str:
    """The reason it cannot be opened, and the remedy."""
    if _code(error) == _NOT_ALLOWED:
        said = _first_line(str(error.orig))
        needed = _missing_right(error) or (
            "let its owner GRANT CREATE ON SCHEMA public, or once the tables are made SELECT, INSERT ON revisions"
        )
        return f"cannot be used: {said}; {needed}"
    known = _LATER.get(_code(error))
    if known is not None:
        return f"cannot be used: it {known}"
    key = _key_at_start(error)
    return f"cannot be used: {_first_line(_fatal(error))}" if key is None else _AT_START[key]


def passes(error: DBAPIError) -> bool:
    """Tell whether an error may end without anybody changing a setting or the database."""
    if _code(error):
        return _code(error)[:2] in _PASSING_CLASSES or _code(error) == _READ_ONLY_CODE
    return _key_at_start(error) in _PASSING


def _key_at_start(error: DBAPIError) -> str | None:
    fatal = _fatal(error)
    missing = "does not exist" in fatal
    return next((key for key in _AT_START if key in fatal and (missing or key not in ("role", "database"))), None)


def _fatal(error: DBAPIError) -> str:
    said = str(error.orig)
    return said.partition("FATAL:")[2] or said


def reason_later(error: DBAPIError) -> str:
    """The reason it does not answer any more."""
    if _code(error) == _NOT_ALLOWED:
        return f"denies this user access; {_missing_right(error) or _first_line(str(error.orig))}"
    known = _LATER.get(_code(error))
    if known is not None:
        return known
    said = str(error.orig)
    if _IS_READ_ONLY in said:
        return READ_ONLY
    if is_lost(error):
        return f"{_LOST} ({_first_line(said)})"
    return f"failed: {_first_line(said)}"


def _missing_right(error: DBAPIError) -> str | None:
    """What to grant; None where it is not for one of our tables."""
    said = _first_line(str(error.orig))
    return next((f"GRANT {rights} ON {table} to it" for table, rights in _RIGHTS.items() if table in said), None)


def is_first_elsewhere(error: DBAPIError) -> bool:
    """Tell whether another process made the same table or column at the same time, and was first."""
    return _code(error) in _MADE_ALREADY


def is_of_another_server(error: BaseException | None) -> bool:
    """Tell whether a transaction that was asked for is one that this server has never had."""
    return isinstance(error, DBAPIError) and _code(error) == _IN_THE_FUTURE


def is_lost(error: DBAPIError) -> bool:
    """Tell whether the connection is lost, or could not be made."""
    return error.connection_invalidated or (isinstance(error, OperationalError) and not _code(error))


def _code(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _first_line(said: str) -> str:
    return said.strip().partition("\n")[0].strip().rstrip(".")
