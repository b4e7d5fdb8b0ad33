"""The record is read beside the event loop, one call at a time, and nobody waits for it for ever."""

from __future__ import annotations

import asyncio
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from recording import RUN, Recording
from vivienne.errors import RecordUnavailable
from vivienne.record.reading import judged, pace
from vivienne.record.reading import thread as thread_module
from vivienne.record.reading.judging_query import JudgingQuery
from vivienne.record.reading.query import DecisionQuery
from vivienne.record.reading.scope import Scope
from vivienne.record.reading.thread import ReadingThread
from vivienne.record.reading.view import LocalRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vivienne.record.reader import RecordReader
    from vivienne.record.reading.pace import Pace
    from vivienne.slices import Pieces

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
    monkeypatch.setattr(judged, "judged", lambda _reader, _pace, **_: is_judged.wait(SECONDS))
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
    monkeypatch.setattr(thread_module, "ANSWER_SECONDS", 0.01)
    with pytest.raises(RecordUnavailable, match="did not answer"):
        await record.judged(JudgingQuery(about="setups", assets=("BTC",)))
    assert record._judging is not None
    assert not record._judging._left


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.001)


class Long:
    """Computations without end, or until it is told; one at a time goes on."""

    def __init__(self) -> None:
        self.pieces: dict[str, int] = {}
        self.is_over = False
        self._running = 0

    def compute(self, whose: str) -> Callable[[RecordReader, Pace], str]:
        self.pieces[whose] = 0

        def work() -> Pieces[str]:
            while not self.is_over:
                self._running += 1
                assert self._running == 1
                self.pieces[whose] += 1
                self._running -= 1
                yield
            return whose

        return lambda _, pace: pace.whole(work())


async def test_what_takes_long_lets_every_other_caller_have_a_turn(
    thread: ReadingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "SLICE_SECONDS", 0.0)
    long = Long()
    others = [asyncio.create_task(thread.compute(long.compute(whose), whose)) for whose in ("ann", "bob", "cid")]
    await until(lambda: all(long.pieces.values()))
    async with asyncio.timeout(SECONDS):
        assert len(await thread.read(lambda reader: reader.runs(), "vic")) == 1
    before = dict(long.pieces)
    await until(lambda: all(count > before[whose] for whose, count in long.pieces.items()))
    long.is_over = True
    assert await asyncio.gather(*others) == ["ann", "bob", "cid"]


async def test_the_rest_after_a_call_is_for_its_caller_alone(thread: ReadingThread) -> None:
    await thread.read(lambda _: None, "ann")
    thread._callers.setdefault("ann", thread_module._Caller()).rested = monotonic() + 1_000
    resting = asyncio.create_task(thread.read(lambda _: None, "ann"))
    async with asyncio.timeout(SECONDS):
        assert len(await thread.read(lambda reader: reader.runs(), "vic")) == 1
    assert not resting.done()
    resting.cancel()
    await asyncio.gather(resting, return_exceptions=True)


@pytest.mark.parametrize("others", [0, 3])
async def test_a_computation_that_nobody_waits_for_ends_at_its_next_slice(
    thread: ReadingThread, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Also while others have their turn."""
    monkeypatch.setattr(pace, "SLICE_SECONDS", 0.0)
    long = Long()
    left = asyncio.create_task(thread.compute(long.compute("ann"), "ann"))
    going_on = [asyncio.create_task(thread.compute(long.compute(f"{n}"), f"{n}")) for n in range(others)]
    waiting = asyncio.create_task(thread.read(lambda _: None, "ann"))
    await until(lambda: all(long.pieces.values()))
    for task in (left, waiting):
        task.cancel()
    async with asyncio.timeout(SECONDS):
        ended = await asyncio.gather(left, waiting, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError] * 2
    assert not thread._left
    long.is_over = True
    await asyncio.gather(*going_on)
    assert len(await thread.read(lambda reader: reader.runs())) == 1
    assert thread._turns.are_free
    assert thread._begun.are_free


async def test_those_that_go_on_beside_a_call_that_hangs_end_and_the_record_is_opened_again(
    thread: ReadingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "SLICE_SECONDS", 0.0)
    is_over, long = Event(), Long()
    going_on = asyncio.create_task(thread.compute(long.compute("ann"), "ann"))
    await until(lambda: long.pieces["ann"] > 0)
    monkeypatch.setattr(thread_module, "ANSWER_SECONDS", 0.05)
    with pytest.raises(RecordUnavailable, match=r"did not answer within 0\.05 s"):
        await thread.read(lambda _: is_over.wait(SECONDS), "bob")
    monkeypatch.undo()
    with pytest.raises(RecordUnavailable, match="does not answer"):
        await going_on
    assert len(await thread.read(lambda reader: reader.runs())) == 1
    is_over.set()
    await until(lambda: not thread._left)


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
