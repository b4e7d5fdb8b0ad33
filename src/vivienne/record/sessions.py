"""Which course of market time is recorded, by which process, and which processes ended without a word."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from vivienne.record.seals import row_seal, seal
from vivienne.record.tables import gaps, runs, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from vivienne.record.database import RecordDatabase

ALIVE_SECONDS = 10.0
"""Time after which a process writes that it is alive, if it has nothing else to write."""
_DEAD_SECONDS, _UNWATCHED_SECONDS = 60.0, 20.0
"""Time after which a process counts as ended that wrote nothing into a record of several; and time without a look at
the record after which this is counted anew, because the others may have been without it too."""


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


class Watch:
    """For how long the other sessions of a record have written nothing, by the clock of this process.

    Times that other machines write are never compared with those of this one: their clocks may differ. A session is
    alive as long as the time that it writes changes.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, float]] = {}
        self._looked = monotonic()

    def silent(self, alive: Mapping[int, int]) -> dict[int, float]:
        """Look at all sessions that go on.

        Args:
            alive: by id, what each has written as its last sign of life.

        Returns:
            By id, the seconds for which this has been seen unchanged.
        """
        time, known = monotonic(), self._seen
        if time - self._looked > _UNWATCHED_SECONDS:
            known = {}
        self._looked = time
        self._seen = {
            each: known[each] if each in known and known[each][0] == at else (at, time) for each, at in alive.items()
        }
        return {each: time - since for each, (_, since) in self._seen.items()}


def begin(
    connection: Connection, database: RecordDatabase, run: RunKey, process: Process, now: int, watch: Watch
) -> Session:
    """Begin a session, or go on with it after the record was out of reach.

    Args:
        connection: in a transaction.
        database: the record.
        run: what is recorded.
        process: which records it.
        now: the clock of the machine, ms since the epoch.
        watch: of this process.
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
    say_alive(connection, database, session, now, watch)
    return session


def _note_killed(connection: Connection, database: RecordDatabase, own: Session, now: int, watch: Watch) -> None:
    """Note a gap for every process that ended without writing so; in a file, that is every other one."""
    others = select(sessions).where(sessions.c.ended_at.is_(None), sessions.c.id != own.id)
    going_on = connection.execute(others).all()
    silent = watch.silent({row.id: row.alive_at for row in going_on})
    for row in going_on:
        if database.is_shared and silent[row.id] < _DEAD_SECONDS:
            continue
        is_as_seen = sessions.c.id == row.id, sessions.c.ended_at.is_(None), sessions.c.alive_at == row.alive_at
        ended = update(sessions).where(*is_as_seen).values(ended_at=row.alive_at, ended_cleanly=False)
        if connection.execute(ended).rowcount == 0:
            continue  # another process was first, or it is alive
        to_time = max(now, row.alive_at + round(1_000 * silent[row.id]))
        gap = {"run_id": row.run_id, "reason": "killed", "from_time": row.alive_at, "to_time": to_time}
        connection.execute(gaps.insert(), gap | {"seal": row_seal(gaps, gap)})


def say_alive(
    connection: Connection,
    database: RecordDatabase,
    session: Session,
    now: int,
    watch: Watch,
    until: int | None = None,
) -> None:
    """Write that a process is alive, and which others are not any more.

    Args:
        connection: in a transaction.
        database: the record.
        session: of the process.
        now: the clock of the machine, ms since the epoch.
        watch: of this process.
        until: up to when everything that was decided is written; now if it is left out.
    """
    alive = now if until is None else until
    if database.is_shared:
        alive = max(alive, now - round(500 * _DEAD_SECONDS))  # it changes, as who writes slowly is not dead
    values = {"alive_at": alive, "ended_at": None, "ended_cleanly": None}
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
    _note_killed(connection, database, session, now, watch)


def end(connection: Connection, session: Session, now: int) -> None:
    """Write that a process has written all it had, and ends."""
    values = {"alive_at": now, "ended_at": now, "ended_cleanly": True}
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(**values))
