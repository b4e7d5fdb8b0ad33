"""Alerts in Redis: for programs in a channel and a stream, for browsers of gateways in a channel of their own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from alerting import event, rule
from vivienne.outbox.sending import Message
from vivienne.outbox.stream import AlertStream, BrowserSender
from vivienne.redis.alerts import ALERTS, SHOWN, AlertPublisher, AlertReceiver
from vivienne.redis.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis_running import RunningRedis
    from vivienne.redis.link import Part

SECONDS = 10.0


@asynccontextmanager
async def connected(redis: RunningRedis, part: Part) -> AsyncIterator[Client]:
    client, ready = Client(redis.url), asyncio.Event()
    running = asyncio.create_task(part.run(client, ready.set))
    try:
        async with asyncio.timeout(SECONDS):
            await ready.wait()
            yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.disconnect()


def message() -> Message:
    return Message("evt_1", event(), rule({"type": "redis"}).channels[0])


async def test_an_alert_goes_to_the_channel_and_into_the_stream(redis: RunningRedis) -> None:
    publisher = AlertPublisher()
    assert (await publisher.send(message())).answer == "Redis is not connected"
    async with connected(redis, publisher) as client, client.pubsub() as listening:
        await listening.subscribe(ALERTS)
        await listening.get_message(timeout=SECONDS)
        assert (await publisher.send(message())).answer == ""
        heard: Any = await listening.get_message(timeout=SECONDS)
        assert orjson.loads(heard["data"]) == event()
        entries: Any = await client.xrange(ALERTS)
        [(_, fields)] = entries
        assert orjson.loads(fields[b"alert"]) == event()
        await client.delete(ALERTS)
        await client.set(ALERTS, "in the way")
        assert (await publisher.send(message())).answer.startswith("Redis did not take it: ")
        await client.delete(ALERTS)
    assert (await publisher.send(message())).outcome == "failed"


async def test_a_full_redis_passes_each_alert_on_once_and_keeps_it_when_there_is_room(redis: RunningRedis) -> None:
    """An alert that counts as failed would keep those after it waiting, and a pause may be among them."""
    publisher = AlertPublisher()
    async with connected(redis, publisher) as client, client.pubsub() as listening:
        redis.client.config_set("maxmemory", "1")
        try:
            unheard = await publisher.send(message())
            assert unheard.outcome == "failed"
            assert unheard.answer.startswith("Redis did not take it: ")
            await listening.subscribe(ALERTS)
            await listening.get_message(timeout=SECONDS)
            for _ in range(2):
                attempt = await publisher.send(message())
                assert attempt.outcome == "delivered"
                assert attempt.answer.startswith("Passed on; to be kept once there is room: ")
                heard: Any = await listening.get_message(timeout=SECONDS)
                assert orjson.loads(heard["data"]) == event()
        finally:
            redis.client.config_set("maxmemory", "0")
        # What comes when there is room again stands behind them.
        last = replace(message(), event={**event(), "text": "the last"})
        assert (await publisher.send(last)).answer == ""
        entries: Any = await client.xrange(ALERTS)
        texts = [orjson.loads(fields[b"alert"])["text"] for _, fields in entries]
        assert texts == [event()["text"], event()["text"], "the last"]


async def test_an_alert_for_browsers_reaches_those_of_a_gateway_and_nonsense_does_not(redis: RunningRedis) -> None:
    publisher, stream = AlertPublisher(), AlertStream()
    reader = stream.join()
    async with connected(redis, publisher) as client, connected(redis, AlertReceiver(stream)):
        for nonsense in (b"", b"{}", b"\xff", b'{"type":"alert"}', orjson.dumps(["x" * 600_000])):
            await client.publish(SHOWN, nonsense)
        channel = rule({"type": "browser"}).channels[0]
        await BrowserSender(publish=publisher.show).send(Message("evt_1", event(), channel))
        found = orjson.loads(await reader.take())
    assert found["event"] == event()
    assert reader.unsent() == 0
