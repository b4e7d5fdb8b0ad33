"""What PostgreSQL and its driver say, for a person: how a sentence goes on that begins with "the database ..."."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

_NOT_ALLOWED = "42501"
_AT_START = {
    # There is no error code before one is let in: the server's words have to do.
    "password authentication failed": "does not take this password; correct it in --db, PGPASSWORD or ~/.pgpass",
    "no password supplied": "wants a password; give it in --db, PGPASSWORD or ~/.pgpass",
    "no pg_hba.conf entry": "does not let this user in from this machine; its pg_hba.conf says who may",
    "Peer authentication failed": "lets only the system user of that name in; name another user or a host in --db",
    "Ident authentication failed": "does not know this system user; its pg_hba.conf says who may",
    "role": "knows no such user; correct --db, or make it: createuser NAME",
    "database": "does not exist; correct --db, or make it: createdb NAME",
    "resolve host": "cannot be reached: there is no host of that name; correct it in --db",
    "Connection refused": "cannot be reached: nothing listens there; start it, or correct host and port in --db",
    "No such file or directory": "cannot be reached: no server runs on this machine; start it, or name a host in --db",
    "timeout expired": "cannot be reached: nobody answers there; correct host and port in --db, or open the way",
    "does not support SSL": "does not speak TLS; correct sslmode in --db",
    "certificate verify failed": "shows a certificate that is not trusted; correct sslmode or sslrootcert in --db",
}
_LATER = {
    "25006": "is read-only; make it the primary, or start Vivienne with one that is",
    _NOT_ALLOWED: "does not let this user; GRANT SELECT, INSERT ON revisions",
    "42P01": "has lost its tables; restore a copy of it and start Vivienne again",
    "53100": "cannot grow: the disk of the server is full",
    "53300": "has no connection left for us; raise max_connections, or close others",
    "57014": "did not answer in time",
    "57P01": "was shut down by its administrator",
    "57P02": "crashed",
    "57P03": "is starting up or shutting down",
}
_LOST = "does not answer: the connection to the server is lost"


def reason_at_start(error: DBAPIError) -> str:
    """Why it cannot be opened, and what to do about it."""
    said = str(error.orig)
    if _code(error) == _NOT_ALLOWED:
        return (
            f"cannot be used: {_first_line(said)}; let its owner GRANT CREATE ON SCHEMA public, or once the tables are "
            "made SELECT, INSERT ON revisions"
        )
    known = _LATER.get(_code(error))
    if known is not None:
        return f"cannot be used: it {known}"
    fatal = said.partition("FATAL:")[2] or said
    missing = "does not exist" in fatal
    for key, reason in _AT_START.items():
        if key in fatal and (missing or key not in ("role", "database")):
            return reason
    return f"cannot be used: {_first_line(fatal)}"


def reason_later(error: DBAPIError) -> str:
    """Why it does not answer any more."""
    known = _LATER.get(_code(error))
    if known is not None:
        return known
    said = str(error.orig)
    if is_lost(error):
        return f"{_LOST} ({_first_line(said)})"
    return f"failed: {_first_line(said)}"


def is_lost(error: DBAPIError) -> bool:
    """Whether there is no connection any more, or none could be made."""
    return error.connection_invalidated or (isinstance(error, OperationalError) and not _code(error))


def _code(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _first_line(said: str) -> str:
    return said.strip().partition("\n")[0].strip().rstrip(".")
