"""Tickets: valid once, and not for long."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from vivienne.access import tickets
from vivienne.access.secrets import digest
from vivienne.access.tickets import TICKET_SECONDS, Tickets
from vivienne.errors import TooManyRequests
from vivienne.store.address import PostgresUrl
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

ANN, BOB = digest("ann"), digest("bob")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_ticket_is_valid_once() -> None:
    out = Tickets(Clock())
    first, second = await out.issue(ANN), await out.issue(BOB)

    assert first != second
    assert [True, False] == [await out.redeem(second, BOB), await out.redeem(second, BOB)]
    assert await out.redeem(first, ANN)


async def test_a_ticket_is_too_old_after_half_a_minute() -> None:
    clock = Clock()
    out = Tickets(clock)
    first, second = await out.issue(ANN), await out.issue(ANN)

    clock.now = TICKET_SECONDS - 0.1
    assert await out.redeem(first, ANN)
    clock.now = TICKET_SECONDS
    assert not await out.redeem(second, ANN)


async def test_what_is_no_ticket_stands_for_nobody() -> None:
    assert not await Tickets(Clock()).redeem("", ANN)


async def test_a_ticket_stands_for_its_own_token_only() -> None:
    out = Tickets(Clock())

    assert not await out.redeem(await out.issue(ANN), BOB)


async def test_no_more_tickets_are_out_than_may_be_and_old_ones_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MOST_TICKETS", 2)
    clock = Clock()
    out = Tickets(clock)
    await out.issue(ANN)
    await out.issue(ANN)

    with pytest.raises(TooManyRequests):
        await out.issue(ANN)
    clock.now = TICKET_SECONDS
    assert await out.redeem(await out.issue(ANN), ANN)


async def nobody_takes_all(out: Tickets) -> None:
    used = await out.issue(ANN)
    await out.issue(ANN)

    with pytest.raises(TooManyRequests, match="of one token"):
        await out.issue(ANN)
    assert await out.redeem(await out.issue(BOB), BOB)
    await out.redeem(used, ANN)
    assert await out.redeem(await out.issue(ANN), ANN)


async def test_nobody_takes_all_tickets_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MOST_OF_ONE", 2)
    await nobody_takes_all(Tickets(Clock()))


# Of a database, for which others wait too


class SlowTickets:
    """A store of tickets in which none is found, and which answers only when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()

    def add_ticket(self, *_: object) -> None:
        self.asked += 1
        self.may_answer.wait(10.0)

    def take_ticket(self, _digest: str) -> None:
        self.asked += 1
        self.may_answer.wait(10.0)


async def test_tickets_that_the_bearer_of_a_token_forges_are_not_looked_up_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tickets, "MOST_UNKNOWN", 3)
    store, clock = SlowTickets(), Clock()
    store.may_answer.set()
    out, elsewhere = Tickets(clock, store, StoreThread(10.0)), Tickets(clock)
    forged = [await elsewhere.issue(ANN) for _ in range(20)]
    for ticket in forged[:3]:
        assert not await out.redeem(ticket, ANN)

    for ticket in forged[3:]:
        with pytest.raises(TooManyRequests, match="3 unknown or expired tickets of one token"):
            await out.redeem(ticket, ANN)
    assert store.asked == 3
    assert not await out.redeem(await elsewhere.issue(BOB), BOB)


@pytest.mark.parametrize(("limit", "whose"), [("MOST_CALLS_OF_ONE", [ANN, ANN, ANN]), ("MOST_CALLS", [ANN, BOB, ANN])])
async def test_no_more_calls_for_tickets_wait_for_the_database_than_may(
    monkeypatch: pytest.MonkeyPatch, limit: str, whose: list[str]
) -> None:
    monkeypatch.setattr(tickets, limit, 2)
    store = SlowTickets()
    out, elsewhere = Tickets(Clock(), store, StoreThread(10.0)), Tickets(Clock())
    waiting = [asyncio.create_task(out.issue(each)) for each in whose[:2]]
    await asyncio.sleep(0)

    with pytest.raises(TooManyRequests, match="limit of 2 requests for tickets"):
        await out.issue(whose[2])
    with pytest.raises(TooManyRequests, match="limit of 2 requests for tickets"):
        await out.redeem(await elsewhere.issue(whose[2]), whose[2])
    store.may_answer.set()
    await asyncio.gather(*waiting)
    assert await out.issue(whose[2])


# Of several processes


@pytest.fixture
def processes(database: str) -> Iterator[tuple[Tickets, Tickets]]:
    url = PostgresUrl.read(database)
    assert url is not None
    stores = [PostgresRevisionStore(url) for _ in range(2)]
    one, other = (Tickets(Clock(), store, StoreThread(10.0)) for store in stores)
    yield one, other
    for store in stores:
        store.close()


async def test_a_ticket_of_one_process_is_valid_at_another_and_then_at_none(processes: tuple[Tickets, Tickets]) -> None:
    one, other = processes
    ticket, second = await one.issue(ANN), await one.issue(BOB)

    assert [True, False, False] == [await each.redeem(ticket, ANN) for each in (other, one, other)]
    assert await one.redeem(second, BOB)


async def test_a_ticket_of_another_process_is_too_old_in_time(
    processes: tuple[Tickets, Tickets], postgres: PostgresServer, database: str
) -> None:
    one, other = processes
    ticket, _ = await one.issue(ANN), await one.issue(BOB)
    postgres.execute("UPDATE tickets SET expires_at = expires_at - 30", url=database)

    assert not await other.redeem(ticket, ANN)
    await one.issue(ANN)
    assert [(1,)] == postgres.execute("SELECT count(*) FROM tickets", url=database)


async def test_nobody_takes_all_tickets_of_several_processes(
    processes: tuple[Tickets, Tickets], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tickets, "MOST_OF_ONE", 2)
    await nobody_takes_all(processes[0])


async def test_a_stolen_database_opens_no_socket(
    processes: tuple[Tickets, Tickets], postgres: PostgresServer, database: str
) -> None:
    ticket = await processes[0].issue(ANN)

    assert ticket not in str(postgres.execute("SELECT * FROM tickets", url=database))


async def test_while_the_database_does_not_answer_a_ticket_is_valid_where_it_was_issued(
    processes: tuple[Tickets, Tickets], postgres: PostgresServer
) -> None:
    one, other = processes
    postgres.stop()

    ticket = await one.issue(ANN)
    assert [False, True, False] == [await each.redeem(ticket, ANN) for each in (other, one, one)]
