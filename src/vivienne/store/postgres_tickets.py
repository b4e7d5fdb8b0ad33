"""Tickets in a PostgreSQL database, where every process finds them, and only one of them takes each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from sqlalchemy import extract, func, select, text

from vivienne.store.tables import tickets

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection

    from vivienne.store.base import TicketLimit

NOW = extract("epoch", func.now())
"""The clock of the database, because those of processes may differ by more than a ticket lives."""
# A ticket that a crash takes back costs its page a second attempt; nobody has to wait for a disk.
_WITHOUT_SYNC = text("SET LOCAL synchronous_commit = off")


class PostgresTickets(ABC):
    """The part of a store that keeps tickets. See `TicketStore` for the methods."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Connection]:
        """A transaction, committed at the end; errors of the engine leave it as `StoreUnavailable`."""

    def add_ticket(
        self, digest: str, token_digest: str, seconds: float, most: dict[TicketLimit, int]
    ) -> TicketLimit | None:
        """See `TicketStore`."""
        is_of_token = tickets.c.token_digest == token_digest
        with self._transaction() as connection:
            connection.execute(_WITHOUT_SYNC)
            connection.execute(tickets.delete().where(tickets.c.expires_at <= NOW))
            counts = select(func.count().filter(is_of_token), func.count()).select_from(tickets)
            of_token, of_all = connection.execute(counts).one()
            if of_token >= most["token"]:
                return "token"
            if of_all >= most["all"]:
                return "all"
            row = {"digest": digest, "token_digest": token_digest, "expires_at": NOW + seconds}
            connection.execute(tickets.insert().values(row))
        return None

    def take_ticket(self, digest: str) -> str | None:
        """See `TicketStore`."""
        with self._transaction() as connection:
            connection.execute(_WITHOUT_SYNC)
            taken = tickets.delete().where(tickets.c.digest == digest, tickets.c.expires_at > NOW)
            return connection.execute(taken.returning(tickets.c.token_digest)).scalar_one_or_none()
