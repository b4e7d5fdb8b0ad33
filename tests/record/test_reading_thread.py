"""The record is read beside the event loop, one call at a time, and nobody waits for it for ever."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING

import pytest

from recording import RUN, Recording
from vivienne.errors import RecordUnavailable
from vivienne.record.reading import judged
from vivienne.record.reading.judging_query import JudgingQuery
from vivienne.record.reading.query import DecisionQuery
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vivienne.record.reader import RecordReader

SECONDS = 30.0


@pytest.fixture
def thread(tmp_path: Path) -> ReadingThread:
    Recording(tmp_path / "record.db").close()
    return ReadingThread(tmp_path / "record.db")


async def test_the_event_loop_goes_on_meanwhile_and_calls_follow_each_other(thread: ReadingThread) -> None:
    is_read, order = Event(), list[str]()

    def slow(reader: RecordReader) -> int:
        assert is_read.wait(SECONDS)
        order.append("slow")
        return len(reader.runs())

    first = asyncio.create_task(thread.read(slow, "ann"))
    second = asyncio.create_task(thread.read(lambda _: order.append("quick"), "bob"))
    await asyncio.sleep(0)  # the loop is free
    is_read.set()
    assert await first == 1
    await second
    assert order == ["slow", "quick"]


async def test_a_caller_who_leaves_ends_no_call_of_others_and_begins_none_too_early(thread: ReadingThread) -> None:
    began, is_read, running = Event(), Event(), list[str]()

    def slow(_: RecordReader) -> None:
        running.append("slow")
        began.set()
        assert is_read.wait(SECONDS)
        running.remove("slow")

    first = asyncio.create_task(thread.read(slow, "ann"))
    assert await asyncio.to_thread(began.wait, SECONDS)
    second = asyncio.create_task(thread.read(lambda _: [*running], "bob"))
    first.cancel()
    await asyncio.sleep(0)
    is_read.set()
    assert await second == []
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_record_that_does_not_answer_is_given_up_and_opened_again(
    thread: ReadingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = Event()
    monkeypatch.setattr("vivienne.record.reading.thread.ANSWER_SECONDS", 0.05)
    with pytest.raises(RecordUnavailable, match=r"did not answer within 0\.05 s"):
        await thread.read(lambda _: is_over.wait(SECONDS))
    monkeypatch.setattr("vivienne.record.reading.thread.ANSWER_SECONDS", SECONDS)
    assert len(await thread.read(lambda reader: reader.runs())) == 1
    is_over.set()


async def test_nobody_waits_for_judging_with_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Recording(tmp_path / "record.db").close()
    record = LocalRecord(ReadingThread(tmp_path / "record.db"), Scope(RUN, "15m"))
    is_judged = Event()
    monkeypatch.setattr(judged, "judged", lambda _reader, **_: is_judged.wait(SECONDS))
    judging = asyncio.create_task(record.judged(JudgingQuery(about="account", assets=("BTC",)), whose="vic"))
    await asyncio.sleep(0)
    page = await record.signals(DecisionQuery(assets=("BTC",)), whose="ann")
    assert page["decisions"] == []
    assert not judging.done()
    is_judged.set()
    await judging


async def test_judging_that_nobody_waits_for_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that goes on would compute beside the next one, and the one after it."""
    Recording(tmp_path / "record.db").close()
    record = LocalRecord(ReadingThread(tmp_path / "record.db"), Scope(RUN, "15m"))

    def endless(*_: object) -> Iterator[None]:
        while True:
            yield

    monkeypatch.setattr(judged, "setups", endless)
    monkeypatch.setattr(judged, "ANSWER_SECONDS", 0.01)
    with pytest.raises(RecordUnavailable, match="did not answer"):
        await record.judged(JudgingQuery(about="setups", assets=("BTC",)))
    assert record._judging is not None
    assert not record._judging._left


async def test_a_disk_that_hangs_takes_a_few_threads(thread: ReadingThread, monkeypatch: pytest.MonkeyPatch) -> None:
    is_over, begun = Event(), list[int]()

    def hang(_: RecordReader) -> None:
        begun.append(1)
        is_over.wait(SECONDS)

    monkeypatch.setattr("vivienne.record.reading.thread.ANSWER_SECONDS", 0.01)
    for _ in range(6):
        with pytest.raises(RecordUnavailable):
            await thread.read(hang)
    assert len(begun) == 3
    is_over.set()
    await asyncio.wait({*thread._left}, timeout=SECONDS)
    monkeypatch.setattr("vivienne.record.reading.thread.ANSWER_SECONDS", SECONDS)
    assert len(await thread.read(lambda reader: reader.runs())) == 1


async def test_what_cannot_be_read_is_said_and_does_not_fill_the_log(
    thread: ReadingThread, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may write in the database can write what no column has."""
    for _ in range(50):
        with pytest.raises(RecordUnavailable, match=r"has what cannot be read \(KeyError: 99\)"):
            await thread.read(lambda _: dict[int, int]()[99])
    assert 1 <= len(caplog.records) <= 6
    assert len(await thread.read(lambda reader: reader.runs())) == 1
