"""Changes through every channel: how long each takes to be answered, and how many a second go through.

One after the other for the times; eight senders at once for the rate. Every change is on disk before it is answered.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from websockets.asyncio.client import connect

from measuring import Figure, percentile, serving, spread
from redis_running import RunningRedis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Send = Callable[[float], Awaitable[None]]

_CHANGES = 400
_WARM_UP = 20
_SENDERS = 8
_RESTARTS = 5
_SHORT_SECONDS, _LONG_SECONDS = 1.0, 20.0
_WAIT_SECONDS = 60.0
_REST = "/phoenix/config/vivienne/comprehensive/partial-update"
_CONTROL, _RESULTS, _STREAM, _STATE = (
    "vivienne:control", "vivienne:control:results", "vivienne:control:stream", "vivienne:state:BTC",
)  # fmt: skip


def measure() -> list[Figure]:
    """Measure the channels, and how soon the state is in Redis again after an outage."""
    with RunningRedis() as redis, serving("--assets", "BTC,ETH,SOL", "--redis", redis.url) as running:
        _wait_for(redis, _STATE)
        figures = asyncio.run(_all_channels(running.port, f"redis://127.0.0.1:{redis.port}"))
        short = [_outage(redis, _SHORT_SECONDS) for _ in range(_RESTARTS)]
        long = [_outage(redis, _LONG_SECONDS) for _ in range(_RESTARTS)]
    return [
        *figures,
        Figure(f"Redis back after {_SHORT_SECONDS:g} s to the state in it", spread(short, "s")),
        Figure(f"Redis back after {_LONG_SECONDS:g} s to the state in it", spread(long, "s")),
    ]


async def _all_channels(port: int, url: str) -> list[Figure]:
    figures = []
    ways: dict[str, Callable[[int, str], AsyncIterator[Send]]] = {
        "REST": _rest,
        "WebSocket config_update": _config_update,
        "WebSocket control, over Redis": _control,
        "Redis pub/sub": _channel,
        "Redis stream": _stream,
    }
    for name, way in ways.items():
        senders = [(way_open := way(port, url), await anext(way_open)) for _ in range(_SENDERS)]
        send = senders[0][1]
        for number in range(_WARM_UP):
            await send(_value(number))
        times = []
        for number in range(_CHANGES):
            begin = time.perf_counter()
            await send(_value(number))
            times.append((time.perf_counter() - begin) * 1000)
        begin = time.perf_counter()
        await asyncio.gather(*(_many(sender, _CHANGES // _SENDERS) for _, sender in senders))
        rate = _CHANGES / (time.perf_counter() - begin)
        for opened, _ in senders:
            await anext(opened, None)
        value = f"p50 {statistics.median(times):.1f} ms, p99 {percentile(times, 99):.1f} ms, {rate:.0f} a second"
        figures.append(Figure(f"change by {name}", value))
    return figures


async def _many(send: Send, count: int) -> None:
    for number in range(count):
        await send(_value(number))


def _value(number: int) -> float:
    return 75 + number % 20 / 10


def _message(value: float, kind: str = "control", **more: Any) -> str:
    if kind == "control":
        content: dict[str, Any] = {"strategy": "general_parameters", "params": {"bang_threshold": value}}
    else:
        content = {"config": {"bang_threshold": value}}
    return json.dumps({"type": kind, "asset": "BTC", **content, **more})


async def _rest(port: int, _url: str) -> AsyncIterator[Send]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send(value: float) -> None:
        body = json.dumps({"asset_symbol": "BTC", "bang_threshold": value}).encode()
        head = f"POST {_REST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(answer.decode())
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))

    yield send
    writer.close()
    await writer.wait_closed()


async def _config_update(port: int, url: str) -> AsyncIterator[Send]:
    async for send in _websocket(port, url, "config_update"):
        yield send


async def _control(port: int, url: str) -> AsyncIterator[Send]:
    async for send in _websocket(port, url, "control"):
        yield send


async def _websocket(port: int, _url: str, kind: str) -> AsyncIterator[Send]:
    async with connect(f"ws://127.0.0.1:{port}/ws/state", max_size=None) as client:

        async def send(value: float) -> None:
            await client.send(_message(value, kind))
            while (answer := json.loads(await client.recv()))["type"] == "asset_data":
                pass
            _check(answer)

        yield send


async def _channel(_port: int, url: str) -> AsyncIterator[Send]:
    async for send in _over_redis(url, lambda redis, text: redis.publish(_CONTROL, text)):
        yield send


async def _stream(_port: int, url: str) -> AsyncIterator[Send]:
    async for send in _over_redis(url, lambda redis, text: redis.xadd(_STREAM, {"message": text})):
        yield send


async def _over_redis(url: str, give: Callable[[Any, str], Awaitable[Any]]) -> AsyncIterator[Send]:
    async with Redis.from_url(url) as redis, redis.pubsub() as results:
        await results.subscribe(_RESULTS)
        await results.get_message(timeout=_WAIT_SECONDS)
        names = (f"{id(results)}-{number}" for number in range(1_000_000))

        async def send(value: float) -> None:
            name = next(names)
            await give(redis, _message(value, request_id=name))
            while True:
                heard = await results.get_message(timeout=_WAIT_SECONDS)
                if name.encode() in heard["data"]:
                    return _check(json.loads(heard["data"]))

        yield send


def _check(answer: dict[str, Any]) -> None:
    if answer.get("status") != "success":
        raise RuntimeError(answer)


def _outage(redis: RunningRedis, seconds: float) -> float:
    """Kill Redis, start it again after so long, and give how long the state then takes to be there."""
    redis.kill()
    time.sleep(seconds)
    redis.start()
    begin = time.monotonic()
    _wait_for(redis, _STATE)
    return time.monotonic() - begin


def _wait_for(redis: RunningRedis, key: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not redis.client.exists(key):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{key} does not come")
        time.sleep(0.001)
