"""Alerts for browsers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from alerting import event, rule
from vivienne.metrics.registry import Traffic
from vivienne.outbox.sending import Message
from vivienne.outbox.stream import AlertStream, BrowserSender
from vivienne.stream.unread import MOST_UNREAD, MOST_UNREAD_CHARACTERS

if TYPE_CHECKING:
    from vivienne.stream.unread import Unread


def message(number: int) -> Message:
    return Message(f"evt_{number}", event(number), rule({"type": "browser", "sound": False}).channels[0])


async def taken(reader: Unread) -> Any:
    async with asyncio.timeout(10):
        return orjson.loads(await reader.take())


async def test_everybody_who_is_connected_gets_an_alert_and_who_comes_later_does_not() -> None:
    stream = AlertStream()
    sender = BrowserSender(stream.show)
    readers = [stream.join(), stream.join()]
    assert (await sender.send(message(1))).outcome == "delivered"
    for reader in readers:
        found = await taken(reader)
        assert (found["type"], found["event"], found["sound"]) == ("alert", event(1), False)
    later = stream.join()
    stream.leave(readers[0])
    await sender.send(message(2))
    assert (await taken(later))["event"] == event(2)
    assert readers[0].unsent() == 0


async def test_a_slow_client_loses_the_oldest_and_is_told_how_many() -> None:
    stream, traffic = AlertStream(), Traffic()
    reader = stream.join(traffic)
    for number in range(MOST_UNREAD + 3):
        await BrowserSender(stream.show).send(message(number))
    first = await taken(reader)
    assert (first["dropped"], first["event"]["id"]) == (3, event(3)["id"])
    assert "dropped" not in await taken(reader)
    assert traffic.dropped == 3
    stream.leave(reader)
    assert traffic.clients == 0


async def test_a_slow_client_keeps_few_of_many_long_alerts_and_one_that_is_longer_by_itself() -> None:
    stream = AlertStream()
    reader = stream.join()
    long = event(1) | {"text": "x" * (MOST_UNREAD_CHARACTERS // 3)}
    for _ in range(5):
        stream.show({"type": "alert", "timestamp": event(1)["time"], "event": long, "sound": False})
    assert reader.unsent() == 2
    assert (await taken(reader))["dropped"] == 3
    longest = event(2) | {"text": "x" * (MOST_UNREAD_CHARACTERS + 1)}
    stream.show({"type": "alert", "timestamp": event(1)["time"], "event": longest, "sound": False})
    assert (reader.unsent(), (await taken(reader))["event"]["id"]) == (1, longest["id"])


async def test_what_other_processes_were_not_told_is_tried_again() -> None:
    async def publish(_alert: object) -> str:
        return "Redis is not connected"

    attempt = await BrowserSender(publish=publish).send(message(1))
    assert (attempt.outcome, attempt.answer) == ("failed", "Redis is not connected")
