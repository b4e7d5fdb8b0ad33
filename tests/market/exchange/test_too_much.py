"""An exchange that sends without end, or far too much at once, keeps nobody waiting."""

from __future__ import annotations

import asyncio
import gzip
import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import httpx2
import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from fake_exchange import BEGIN
from vivienne import slices
from vivienne.market.feeds.exchange import reading as exchange_reading
from vivienne.market.feeds.exchange import rest as exchange_rest
from vivienne.market.feeds.exchange.adapter import Instrument, Request, UnknownMessage
from vivienne.market.feeds.exchange.asking import candles_between, trades_since
from vivienne.market.feeds.exchange.connection import Connect
from vivienne.market.feeds.exchange.fields import check_size
from vivienne.market.feeds.exchange.known import EXCHANGES
from vivienne.market.feeds.exchange.line import Broken, Line
from vivienne.market.feeds.exchange.listener import Counts
from vivienne.market.feeds.exchange.patience import Patience
from vivienne.market.feeds.exchange.rest import Refused, Rest
from vivienne.market.feeds.exchange.turns import Turns
from vivienne.market.types import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vivienne.market.feeds.exchange.connection import ExchangeConnection

_A = Instrument("A", "A", "A", "USDT", 0.1)
_BYBIT = EXCHANGES["bybit"]
_PATH = Request("/v5/market/kline", {})
SECONDS = 60.0


@asynccontextmanager
async def sending(what: bytes) -> AsyncIterator[str]:
    """The address of an exchange that sends these bytes, and then nothing."""

    async def handle(connection: ServerConnection) -> None:
        connection.transport.write(what)
        await connection.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("frame", [b"\x89\x00", b"\x8a\x00", b"\x81\x00"], ids=["pings", "pongs", "empty"])
async def test_frames_without_end_that_are_no_message_end_the_connection(frame: bytes) -> None:
    async with asyncio.timeout(SECONDS), sending(frame * 100_000) as url:
        line = Line(_BYBIT, url, [_A], cast("Any", None), counts := Counts(), Patience())
        with pytest.raises(Broken, match="too many frames that are no messages"):
            await line.run()
    assert counts.messages <= 100


async def test_a_server_may_not_send_what_is_unpacked_to_a_thousand_times_as_much() -> None:
    offered: list[str | None] = []

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        offered.append(connection.request.headers.get("Sec-WebSocket-Extensions"))
        await connection.wait_closed()

    async with asyncio.timeout(SECONDS), serve(handle, "127.0.0.1", 0, compression="deflate") as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Connect(f"ws://127.0.0.1:{port}", Turns()) as opened:
            assert opened.protocol.extensions == []
    assert offered == [None]


async def test_what_arrives_at_once_is_read_in_pieces_and_whole() -> None:
    texts = [f"message {number}" for number in range(5_000)]
    frames = b"".join(b"\x81" + bytes([len(text)]) + text.encode() for text in texts)
    async with asyncio.timeout(SECONDS), sending(frames + b"\x88\x02\x03\xe8") as url, Connect(url, Turns()) as opened:
        connection = cast("ExchangeConnection", opened)
        assert [text async for text in connection] == texts
        assert connection.close_code == 1000


async def test_what_is_sent_faster_than_it_is_read_waits_at_the_exchange() -> None:
    frames = b"\x81\x011" * 300_000
    async with asyncio.timeout(SECONDS), sending(frames + b"\x88\x02\x03\xe8") as url, Connect(url, Turns()) as opened:
        connection = cast("ExchangeConnection", opened)
        while not connection.recv_messages.paused:  # noqa: ASYNC110  # it says so to nobody else
            await asyncio.sleep(0)
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert len(connection.recv_messages.frames) < 1_024
        assert len(connection._arrived) < 1024 * 1024
        assert sum([1 async for _ in connection]) == 300_000


async def test_what_was_not_read_when_a_connection_is_lost_is_let_go() -> None:
    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    turns = Turns()

    def take_a_whole_turn() -> bool:
        time.sleep(0.003)  # others have to wait for the next one
        return False

    async with asyncio.timeout(SECONDS), sending(b"") as url, Connect(url, turns) as opened:
        connection = cast("ExchangeConnection", opened)
        turns.add(take_a_whole_turn)
        connection.data_received(b"\x81\x011")
        connection.transport.abort()
        await connection.wait_closed()
        while turns._works:  # noqa: ASYNC110  # it says so to nobody
            await asyncio.sleep(0)
    assert failed == []


class Answering:
    """A REST side that gives one answer to everything."""

    def __init__(self, content: bytes, **headers: str) -> None:
        def answer(_: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(content))

        self.rest = Rest(_BYBIT, "http://exchange.test")
        self.rest._client = httpx2.AsyncClient(
            base_url="http://exchange.test", transport=httpx2.MockTransport(answer), headers=exchange_rest._HEADERS
        )

    async def get(self) -> Any:
        return await self.rest.get(_PATH, tries=1)


async def test_an_answer_is_unpacked_once_and_only_as_it_was_asked_for() -> None:
    body = orjson.dumps({"result": {"list": ["1"] * 10_000}})
    assert await Answering(body).get() == orjson.loads(body)
    assert await Answering(gzip.compress(body), **{"Content-Encoding": "gzip"}).get() == orjson.loads(body)
    for encoding in ("gzip, gzip", "deflate", "br", "gzip, identity"):
        with pytest.raises(Refused, match="which was not asked for"):
            await Answering(gzip.compress(gzip.compress(body)), **{"Content-Encoding": encoding}).get()
    with pytest.raises(Refused, match="is not gzip, as it says"):
        await Answering(body, **{"Content-Encoding": "gzip"}).get()


async def test_an_answer_that_unpacks_to_more_than_is_read_is_refused_and_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    asking = asyncio.create_task(Answering(gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"}).get())
    turns = 0
    while not asking.done():
        await asyncio.sleep(0)
        turns += 1
    with pytest.raises(Refused, match="more than 2,097,152 bytes"):
        await asking
    assert turns >= 32  # pieces of 64 kB


@pytest.mark.parametrize("flood", [b"1\r\n \r\n", b"HTTP/1.1 103 Early\r\n\r\n"], ids=["chunks", "early"])
async def test_what_is_around_an_answer_is_read_in_pieces(flood: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(exchange_reading, "_MOST_BYTES", 200_000)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write((b"" if b"103" in flood else head) + flood * (400_000 // len(flood)))
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        rest = Rest(_BYBIT, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        asking, turns = asyncio.create_task(rest.get(_PATH, tries=1)), 0
        while not asking.done():
            await asyncio.sleep(0)
            turns += 1
        with pytest.raises(Refused, match="more than 200,000 bytes"):
            await asking
        await rest._client.aclose()
    assert turns > 190  # pieces of 1 kB


async def test_an_answer_of_more_rows_than_were_asked_for_is_refused_before_they_are_read() -> None:
    class Long:
        async def get(self, request: Request) -> Any:
            del request
            return {"result": {"list": [{}] * 5_000}}

    rest: Any = Long()
    with pytest.raises(Refused, match="a list of 5,000; at most"):
        await candles_between(rest, _BYBIT, _A, 1, BEGIN, BEGIN + MINUTE_MS)
    with pytest.raises(Refused, match="a list of 5,000; at most"):
        await trades_since(rest, _BYBIT, _A, None, BEGIN)


async def test_of_each_answer_only_the_candles_are_taken_that_it_was_asked_for() -> None:
    class Beyond:
        """Each answer goes on after what it was asked for."""

        turns = Turns()

        async def get(self, request: Request) -> Any:
            begin = int(request.query["start"])
            return {"result": {"list": [[begin + place * MINUTE_MS, *["5"] * 6] for place in reversed(range(1_090))]}}

    rest: Any = Beyond()
    found = await candles_between(rest, _BYBIT, _A, 1, BEGIN, BEGIN + 1_500 * MINUTE_MS)
    assert [row.candle.open_time for row in found] == [BEGIN + place * MINUTE_MS for place in range(1_500)]
    found = await candles_between(rest, _BYBIT, _A, 1, BEGIN, BEGIN + 2 * MINUTE_MS)
    assert len(found) == 2


async def test_rows_of_an_answer_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)

    class Page:
        turns = Turns()

        async def get(self, request: Request) -> Any:
            del request
            return {"result": {"list": [[BEGIN + place * MINUTE_MS, *["5"] * 6] for place in reversed(range(1_000))]}}

    rest: Any = Page()
    asking = asyncio.create_task(candles_between(rest, _BYBIT, _A, 1, BEGIN, BEGIN + 1_000 * MINUTE_MS))
    turns = 0
    while not asking.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(await asking) == 1_000
    assert turns >= 10


@pytest.mark.parametrize("content", [[[]] * 50, [[[[]] * 4] * 4] * 4, {"a": [1] * 50}, {str(n): 1 for n in range(50)}])
def test_the_parts_of_a_message_are_counted(content: Any) -> None:
    check_size(content, 100)
    with pytest.raises(UnknownMessage):
        check_size(content, 40)


async def test_many_connections_of_an_exchange_have_one_turn_together() -> None:
    """Each turn is over after a piece of work that takes long; then others have theirs."""
    turns, passes, done = Turns(), 0, list[int]()

    def work(number: int) -> bool:
        end = perf_counter() + 0.003
        while perf_counter() < end:
            pass
        done.append(number)
        return done.count(number) < 4

    for number in range(10):
        turns.add(partial(work, number))

    async def answer(number: int) -> None:
        for _ in range(4):
            work(number)
            work(number)
            await turns.rest()

    answers = [asyncio.create_task(answer(10 + number)) for number in range(10)]
    while len(done) < 120:
        before = len(done)
        await asyncio.sleep(0)
        passes += 1
        assert passes == 1 or len(done) - before <= 1 + 2 * 2
    await asyncio.gather(*answers)


async def test_a_defect_in_a_turn_takes_no_turn_of_others() -> None:
    turns, there = Turns(), asyncio.Event()

    def fail() -> bool:
        raise RuntimeError("defect")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    turns.add(fail)

    def work() -> bool:
        there.set()
        return False

    turns.add(work)
    async with asyncio.timeout(SECONDS):
        await there.wait()
