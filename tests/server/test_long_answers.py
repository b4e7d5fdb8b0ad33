"""Exports and long bodies: a caller has one export at a time, and may go on reading; who holds most loses first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from vivienne.access.limits import Limits
from vivienne.changes.turns import Turns
from vivienne.errors import RecordUnavailable, TooManyRequests
from vivienne.record.reading.exporting import COLUMNS
from vivienne.server import connections as module
from vivienne.server import exporting
from vivienne.server.connections import Connections
from vivienne.server.exporting import Exports, _Place, _Writing

if TYPE_CHECKING:
    from starlette.responses import StreamingResponse
    from starlette.types import Message

QUERY: Any = type("Query", (), {"limit": None})()


class Empty:
    """A record without a decision."""

    async def rows(self, _query: object, *, whose: str) -> Any:
        return {"rows": [], "next": None, "whose": whose}


async def sent(response: StreamingResponse) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    return messages


async def test_a_caller_has_one_export_at_a_time_and_others_have_theirs() -> None:
    record: Any = Empty()
    exports = Exports(record)
    first = await exports.answer("ndjson", QUERY, "x", whose="ann")
    waiting = [asyncio.create_task(exports.answer("ndjson", QUERY, "x", whose="ann")) for _ in range(12)]
    other = await exports.answer("ndjson", QUERY, "x", whose="bob")
    refused = [each for each in waiting if each.done()]
    assert len(refused) == 4
    for each in refused:
        with pytest.raises(TooManyRequests):
            await each
    for response in (first, other):
        assert (await sent(response))[-1]["more_body"] is False
    for each in waiting:
        if each not in refused:
            await sent(await each)
    assert exports._own == {}
    assert exports._making.are_free


class Piece(Coroutine[Any, Any, Any]):
    """A piece of an export. The test may end before it is awaited."""

    def send(self, _value: Any) -> Any:
        raise StopIteration({"rows": [dict.fromkeys((each.name for each in COLUMNS), "x")], "next": 1})

    def throw(self, *error: Any) -> Any:
        raise error[0]

    def close(self) -> None:
        """Nothing is open."""

    def __await__(self) -> Any:
        yield from ()
        return {"rows": [dict.fromkeys((each.name for each in COLUMNS), "x")], "next": 1}


class Endless:
    """A record whose exports have no end."""

    def rows(self, query: Any, *, whose: str) -> Any:
        del query, whose
        return Piece()


class Reader:
    """A client that reads as many parts as it is told to."""

    def __init__(self) -> None:
        self.parts, self._left = 0, asyncio.Semaphore(0)

    def read(self, parts: int) -> None:
        for _ in range(parts):
            self._left.release()

    async def send(self, message: Message) -> None:
        if message.get("body"):
            await self._left.acquire()
            self.parts += 1

    async def sent(self, response: StreamingResponse) -> None:
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, asyncio.Event().wait, self.send)  # type: ignore[arg-type]  # it does not listen


@dataclass(frozen=True)
class Query:
    """A query without a limit."""

    limit: int | None = None
    begin: int | None = None


async def test_who_reads_slowly_keeps_nobody_from_exports() -> None:
    exports = Exports(cast("Any", Endless()))
    slow = []
    for whose in ("ann", "bob", "cid", "dan"):
        reader = Reader()
        reader.read(1)
        response = await exports.answer("ndjson", cast("Any", Query()), "x", whose=whose)
        slow.append(asyncio.create_task(reader.sent(response)))
    quick = Reader()
    quick.read(50)
    async with asyncio.timeout(60):
        response = await exports.answer("ndjson", cast("Any", Query()), "x", whose="vic")
        reading = asyncio.create_task(quick.sent(response))
        while quick.parts < 50:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
    for task in (*slow, reading):
        task.cancel()
    await asyncio.gather(*slow, reading, return_exceptions=True)
    async with asyncio.timeout(60):
        while not exports._making.are_free:  # noqa: ASYNC110  # the threads end at their next part
            await asyncio.sleep(0.01)
    assert exports._open.are_free
    assert exports._own == {}


async def test_when_too_many_are_read_and_another_one_waits_the_slowest_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exporting, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(exporting, "_SAFE_SECONDS", 0.0)
    exports = Exports(cast("Any", Endless()))
    reading = []
    for number in range(exporting._MOST_OPEN):
        reader = Reader()
        reader.read(0 if number == 3 else 1_000)
        response = await exports.answer("csv", cast("Any", Query()), "x", whose=f"viewer {number}")
        reading.append(asyncio.create_task(reader.sent(response)))
        while number != 3 and reader.parts < 10:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
    async with asyncio.timeout(60):
        await exports.answer("csv", cast("Any", Query()), "x", whose="vic")
        await reading[3]
    assert [number for number, each in enumerate(reading) if each.done()] == [3]
    assert "broke off" in caplog.text
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)


async def test_an_export_that_cannot_begin_is_refused_before_anything_is_sent_and_leaves_its_turn() -> None:
    class Gone:
        async def rows(self, _query: object, *, whose: str) -> Any:
            raise RecordUnavailable("gone", whose)

    record: Any = Gone()
    exports = Exports(record)
    with pytest.raises(RecordUnavailable):
        await exports.answer("ndjson", QUERY, "x", whose="ann")
    assert exports._making.are_free


async def test_an_answer_of_unknown_length_has_its_time_again_as_long_as_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Client:
        whose, caller, ended = "ann", "ann", 0

        def give_up(self) -> None:
            self.ended += 1

    connections, client = Connections(Limits(answer_seconds=5.0), lambda _: False), Client()
    reading: Any = client

    def due() -> float:
        return connections._unread[reading].timer.when()

    monkeypatch.setattr(module, "LONGEST_ANSWER_SECONDS", 0.05)
    connections.unread(reading, 1_000)
    begin = due()
    connections.read_on(reading)
    assert due() == begin  # too little was read
    connections.unread(reading, 100_000)
    connections.read_on(reading)
    assert due() < begin  # it has a whole time too
    async with asyncio.timeout(60):
        while not client.ended:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
    connections.read(reading)

    monkeypatch.undo()
    connections.unread(reading, 100_000)
    begin = due()
    await asyncio.sleep(0)
    connections.read_on(reading)
    assert due() > begin
    connections.read(reading)


@pytest.mark.parametrize("proxy", [None, "10.0.0.1"])
async def test_many_small_unfinished_bodies_of_one_address_end_no_large_one_of_another(proxy: str | None) -> None:
    """Behind a proxy, the address that it forwards counts."""

    class Client:
        def __init__(self, whose: str) -> None:
            self.whose = self.address = self.caller = proxy or whose
            self.is_ended = False

        def give_up(self) -> None:
            self.is_ended = True

        hurry = give_up

    connections = Connections(Limits(half_open=1_000), lambda _: True)
    large: Any = Client("192.0.2.1")
    small: list[Any] = [Client("192.0.2.2") for _ in range(500)]
    for each in (large, *small):
        connections._by_address.setdefault(each.whose, {})[each] = None
        connections.waits(each)
    connections.holds(large, 118_000)
    connections.speaks_for(large, "192.0.2.1")
    for each in small:
        connections.holds(each, 400)
        connections.speaks_for(each, "192.0.2.2")
        connections.holds(each, 8_400)
    assert not large.is_ended
    assert sum(each.is_ended for each in small) == -(-(118_000 + 500 * 8_400 - 4 * 1024 * 1024) // 8_400)
    for each in (large, *small):
        connections.lost(each)
    assert not connections._held._by_caller
    assert not connections._silent_by_address


def test_a_program_that_ends_ends_exports_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that writes one finds the event loop closed."""
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    async def begun() -> _Writing:
        piece: Any = {"rows": [], "next": None}
        return _Writing(cast("Any", None), QUERY, piece, "ann", _Place(Turns(), "ann"))

    writing = asyncio.run(begun())
    writing.begin("csv")
    for thread in (each for each in threading.enumerate() if each.name == "export"):
        thread.join(30)
    assert told == []
