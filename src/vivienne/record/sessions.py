"""Which course of market time is recorded, by which process, and which processes ended without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import or_, select, update

from vivienne.record.seals import row_seal, seal
from vivienne.record.tables import gaps, runs, sessions

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from vivienne.record.database import RecordDatabase

ALIVE_SECONDS = 10.0
"""Time after which a process writes that it is alive, if it has nothing else to write."""
_DEAD_MS = 60_000
"""Time after which a process counts as ended that wrote nothing into a record of several."""


class RunKey(NamedTuple):
    """A course of market time.

    Attributes:
        key: the same for all processes that record it.
        feed: name of the feed.
        exchange: name of the exchange; None without one.
        is_real: whether the market is a real one, so that its time never repeats.
    """

    key: str
    feed: str
    exchange: str | None
    is_real: bool


class Process(NamedTuple):
    """A process that records.

    Attributes:
        name: of the machine and the process.
        program_version: version of Vivienne.
        require_full_history: whether it decides only with full history.
        started_at: ms since the epoch, by the clock of the machine.
    """

    name: str
    program_version: str
    require_full_history: bool
    started_at: int


class Session(NamedTuple):
    """Ids of a session and its run in a record."""

    run_id: int
    id: int


def begin(connection: Connection, database: RecordDatabase, run: RunKey, process: Process, now: int) -> Session:
    """Begin a session, or go on with it after the record was out of reach.

    Args:
        connection: in a transaction.
        database: the record.
        run: what is recorded.
        process: which records it.
        now: the clock of the machine, ms since the epoch.
    """
    row: dict[str, Any] = {**run._asdict(), "begun_at": now}
    added = connection.execute(database.insert(runs).values(**row).on_conflict_do_nothing().returning(runs.c.id))
    run_id = added.scalar_one_or_none()
    if run_id is None:
        run_id = connection.execute(select(runs.c.id).where(runs.c.key == run.key)).scalar_one()
    else:
        seal(connection, runs, run_id, row)
    again = select(sessions.c.id).where(
        sessions.c.run_id == run_id,
        sessions.c.process == process.name,
        sessions.c.started_at == process.started_at,
    )
    found = connection.execute(again).scalar_one_or_none()
    if found is None:
        _, version, full, started_at = process
        row = {"run_id": run_id, "process": process.name, "program_version": version, "require_full_history": full}
        row |= {"started_at": started_at, "alive_at": now}
        found = connection.execute(sessions.insert().returning(sessions.c.id), row).scalar_one()
        seal(connection, sessions, found, row)
    session = Session(run_id, found)
    say_alive(connection, database, session, now)
    return session


def _note_killed(connection: Connection, database: RecordDatabase, own: Session, now: int) -> None:
    """Note a gap for every process that ended without writing so; in a file, that is every other one."""
    dead = [sessions.c.ended_at.is_(None), sessions.c.id != own.id]
    if database.is_shared:
        # One that is ahead has another clock, or this one went back.
        dead.append(or_(sessions.c.alive_at < now - _DEAD_MS, sessions.c.alive_at > now + _DEAD_MS))
    for row in connection.execute(select(sessions).where(*dead)).all():
        ended = update(sessions).where(sessions.c.id == row.id, sessions.c.ended_at.is_(None))
        if connection.execute(ended.values(ended_at=row.alive_at, ended_cleanly=False)).rowcount == 0:
            continue  # another process was first
        gap = {"run_id": row.run_id, "reason": "killed", "from_time": row.alive_at, "to_time": max(now, row.alive_at)}
        connection.execute(gaps.insert(), gap | {"seal": row_seal(gaps, gap)})


def say_alive(
    connection: Connection, database: RecordDatabase, session: Session, now: int, until: int | None = None
) -> None:
    """Write that a process is alive, and which others are not any more.

    Args:
        connection: in a transaction.
        database: the record.
        session: of the process.
        now: the clock of the machine, ms since the epoch.
        until: up to when everything that was decided is written; now if it is left out.
    """
    alive = now if until is None else until
    if database.is_shared:
        alive = max(alive, now - _DEAD_MS // 2)  # who writes slowly is not dead
    values = {"alive_at": alive, "ended_at": None, "ended_cleanly": None}
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
    _note_killed(connection, database, session, now)


def end(connection: Connection, session: Session, now: int) -> None:
    """Write that a process has written all it had, and ends."""
    values = {"alive_at": now, "ended_at": now, "ended_cleanly": True}
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
