from __future__ import annotations

import asyncio
import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from vivienne.stream.logs import KEPT, LogReader, LogStream
from vivienne.stream.unread import MOST_UNREAD
from vivienne.stream.waking import WOKEN_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5.0


@pytest.fixture
def stream() -> LogStream:
    return LogStream()


@pytest.fixture
def log(stream: LogStream) -> Iterator[logging.Logger]:
    """A logger that writes to the stream and nowhere else."""
    logger = logging.getLogger("vivienne.tests.stream")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(stream)
    yield logger
    logger.removeHandler(stream)


async def taken(reader: LogReader) -> Any:
    return json.loads(await asyncio.wait_for(reader.take(), SECONDS))


async def all_there(reader: LogReader) -> list[Any]:
    """What is in the reader, without waiting for more."""
    found: list[Any] = []
    for _ in range(MOST_UNREAD + KEPT + 1):
        waiting = asyncio.create_task(reader.take())
        for _ in range(3):
            await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return found
        found.append(json.loads(waiting.result()))
    raise AssertionError("the reader has no end")


async def test_a_newcomer_gets_the_last_records_first_and_at_most_so_many(
    stream: LogStream, log: logging.Logger
) -> None:
    for number in range(KEPT + 50):
        log.info("record %d", number)

    found = await all_there(stream.join(logging.DEBUG))

    assert [record["message"] for record in found] == [f"record {number}" for number in range(50, KEPT + 50)]


async def test_live_records_come_after_the_kept_ones(stream: LogStream, log: logging.Logger) -> None:
    log.info("before")
    reader = stream.join(logging.DEBUG)

    log.warning("after")

    assert [(await taken(reader))["message"] for _ in range(2)] == ["before", "after"]


async def test_a_record_says_when_where_and_how_bad(stream: LogStream, log: logging.Logger) -> None:
    reader = stream.join(logging.DEBUG)

    log.error("the %s is full", "disk")

    record = await taken(reader)
    assert record["timestamp"].endswith("Z")
    assert {name: record[name] for name in ("type", "level", "logger", "message")} == {
        "type": "log",
        "level": "ERROR",
        "logger": "vivienne.tests.stream",
        "message": "the disk is full",
    }


async def test_an_exception_comes_with_its_traceback(stream: LogStream, log: logging.Logger) -> None:
    reader = stream.join(logging.DEBUG)
    try:
        int("a bad tick")
    except ValueError:
        log.exception("it failed")

    assert "ValueError: invalid literal for int() with base 10: 'a bad tick'" in (await taken(reader))["exception"]


async def test_a_level_narrows_kept_and_live_records(stream: LogStream, log: logging.Logger) -> None:
    log.info("kept info")
    log.error("kept error")
    reader = stream.join(logging.WARNING)

    log.info("live info")
    log.warning("live warning")

    assert [record["message"] for record in await all_there(reader)] == ["kept error", "live warning"]


async def test_a_reader_that_does_not_read_loses_the_oldest_and_is_told_how_many(
    stream: LogStream, log: logging.Logger
) -> None:
    reader = stream.join(logging.DEBUG)
    for number in range(MOST_UNREAD + 30):
        log.info("record %d", number)

    found = await all_there(reader)

    assert len(found) == MOST_UNREAD
    assert (found[0]["message"], found[0]["dropped"]) == ("record 30", 30)
    assert not any("dropped" in record for record in found[1:])
    assert found[-1]["message"] == f"record {MOST_UNREAD + 29}"


async def test_a_record_wakes_a_few_readers_at_a_time(stream: LogStream, log: logging.Logger) -> None:
    async def take(reader: LogReader) -> None:
        await reader.take()
        taken_by.append(reader)

    taken_by: list[LogReader] = []
    readers = [stream.join(logging.DEBUG) for _ in range(10 * WOKEN_AT_ONCE)]
    waiting = [asyncio.create_task(take(reader)) for reader in readers]
    await asyncio.sleep(0)
    log.info("everybody gets this")
    most, before = 0, 0
    async with asyncio.timeout(SECONDS):
        while len(taken_by) < len(readers):
            await asyncio.sleep(0)  # a pass, in which others have their turn
            most, before = max(most, len(taken_by) - before), len(taken_by)
    await asyncio.gather(*waiting)
    assert most <= 2 * WOKEN_AT_ONCE


async def test_a_reader_that_left_gets_nothing_more(stream: LogStream, log: logging.Logger) -> None:
    reader = stream.join(logging.DEBUG)
    stream.leave(reader)

    log.info("too late")

    assert await all_there(reader) == []


async def test_records_of_other_threads_arrive(stream: LogStream, log: logging.Logger) -> None:
    reader = stream.join(logging.DEBUG)

    def speak() -> None:
        for number in range(50):
            log.info("from afar %d", number)

    thread = threading.Thread(target=speak)
    thread.start()

    messages = [(await taken(reader))["message"] for _ in range(50)]

    thread.join(SECONDS)
    assert messages == [f"from afar {number}" for number in range(50)]


async def test_a_record_reaches_a_newcomer_once(stream: LogStream, log: logging.Logger) -> None:
    earlier = stream.join(logging.DEBUG)
    log.info("once")
    newcomer = stream.join(logging.DEBUG)

    for reader in (earlier, newcomer):
        assert [record["message"] for record in await all_there(reader)] == ["once"]


async def test_a_level_without_a_name_costs_nobody_the_log(stream: LogStream, log: logging.Logger) -> None:
    log.log(logging.INFO + 5, "between info and warning")
    log.info("plain")

    found = await all_there(stream.join(logging.INFO))

    assert [record["message"] for record in found] == ["between info and warning", "plain"]


async def test_a_record_that_cannot_be_written_does_not_hurt_who_logs_it(
    stream: LogStream, log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)

    log.info("%d", "no number")
    log.info("and on")

    found = await all_there(stream.join(logging.DEBUG))
    assert found[-1]["message"] == "and on"


async def test_a_token_in_a_traceback_is_hidden(stream: LogStream, log: logging.Logger) -> None:
    token = "viv_" + "x" * 43
    reader = stream.join(logging.DEBUG)
    try:
        int(token)
    except ValueError:
        log.exception("it failed")

    exception = (await taken(reader))["exception"]
    assert token not in exception
    assert "viv_***" in exception
