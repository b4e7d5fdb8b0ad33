"""A server in the place of Redis that sends more than it may takes neither memory nor time, and is told of."""

from __future__ import annotations

import asyncio
import random
import socketserver
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import hiredis
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import InvalidResponse, RedisError, ResponseError

from redis_running import client_of, eventually, redis_state
from running import RunningServer
from vivienne.redis import answers as module
from vivienne.redis.answers import LONGEST_ERROR, MOST_BYTES, MOST_BYTES_TOGETHER, AnswerTooLarge, Bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30.0
MEMORY = 64 * 1024 * 1024
PIECE = b"x" * 262_144

MESSAGE = b"*3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n"
ENDLESS = {
    "a text": (b"$2000000000\r\n", PIECE),
    "numbers": (b"*100000000\r\n", b":1\r\n" * 60_000),
    "a list": (b"*500000000\r\n", b""),
    "a longer list": (b"*2000000000\r\n", b""),
    "lists of lists": (b"*50000\r\n" + b"*2\r\n:1\r\n:1\r\n" * 20_000, b"*50000\r\n"),
    "texts of a list": (b"*9\r\n", b"$8000000\r\n" + b"x" * 8_000_000 + b"\r\n"),
    "a status": (b"+", PIECE),
    "an error": (b"-ERR ", b"A" * 262_144),
    "a number": (b":", b"1" * 262_144),
    "a nest": (b"", b"*1\r\n" * 60_000),
}
TOLD = {
    "a text": "Redis sent an answer or a message longer than 32 MB",
    "numbers": "Redis sent an answer or a message with more than 100,000 parts",
    "a list": "Redis sent an answer or a message with more than 100,000 parts",
    "a longer list": "Redis sent an answer or a message with more than 100,000 parts",
    "lists of lists": "Redis sent an answer or a message with more than 100,000 parts",
    "texts of a list": "Redis sent an answer or a message longer than 32 MB",
    "a status": "Redis sent a line longer than 16 kB",
    "an error": "Redis sent a line longer than 16 kB",
    "a number": "Redis sent a line longer than 16 kB",
    "a nest": "Redis sent an answer or a message nested deeper than 16 levels",
}


class FakeRedis(socketserver.ThreadingTCPServer):
    """Answers as a Redis does in which there is nothing, but for what a test wants it to send.

    Attributes:
        answer: instead of an answer to anything but a ping; first this, and then the second again and again.
        message: the same, as the text of a message.
        connections: that were opened.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.answer: tuple[bytes, bytes] | None = None
        self.message: tuple[bytes, bytes] | None = None
        self.connections = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: FakeRedis

    def handle(self) -> None:
        self.server.connections += 1
        with suppress(OSError):
            while words := self._command():
                self._answer(words)

    def _command(self) -> list[bytes]:
        count = int(self.rfile.readline()[1:] or 0)
        return [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(count)]

    def _answer(self, words: list[bytes]) -> None:
        name = words[0].upper()
        if name == b"SUBSCRIBE":
            for number, channel in enumerate(words[1:]):
                self._send(b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:%d\r\n" % (len(channel), channel, number + 1))
            if self.server.message is not None:
                self._send(MESSAGE % (len(words[1]), words[1]))
                self._flood(*self.server.message)
        elif name == b"PING":
            self._send(b"+PONG\r\n")
        elif self.server.answer is not None:
            self._flood(*self.server.answer)
        elif name == b"XREADGROUP":
            time.sleep(0.3)  # as a real one blocks; otherwise the client would ask without end
            self._send(b"*-1\r\n")
        else:
            empty = {b"EVAL": b":2\r\n", b"PUBLISH": b":1\r\n", b"GET": b"$-1\r\n", b"SET": b"+OK\r\n"}
            empty |= {b"CLIENT": b"+OK\r\n", b"XGROUP": b"+OK\r\n", b"DEL": b":1\r\n", b"PEXPIRE": b":1\r\n"}
            self._send(b"*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n" if name == b"XAUTOCLAIM" else empty.get(name, b"*0\r\n"))

    def _flood(self, head: bytes, body: bytes) -> None:
        self._send(head)
        while body:
            self._send(body)

    def _send(self, data: bytes) -> None:
        self.request.sendall(data)


@pytest.fixture
def fake() -> Iterator[FakeRedis]:
    with FakeRedis() as running:
        yield running


@pytest.fixture(scope="module")
def used() -> Iterator[FakeRedis]:
    with FakeRedis() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, used: FakeRedis) -> Iterator[RunningServer]:
    flags = ("--assets", "BTC", "--timeframe", "1m", "--window", "1500", "--redis", used.url)
    with RunningServer(*flags, db=tmp_path_factory.mktemp("answers") / "v.db") as running:
        yield running


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_endless_answer_is_told_and_takes_no_memory(server: RunningServer, used: FakeRedis, kind: str) -> None:
    used.answer = None
    eventually(lambda: redis_state(server) == "ok", SECONDS)
    before = psutil.Process(server.process.pid).memory_info().rss
    used.answer = ENDLESS[kind]
    eventually(lambda: redis_state(server) == TOLD[kind], SECONDS)
    most, end = 0, time.monotonic() + 1.0
    while time.monotonic() < end:
        most = max(most, psutil.Process(server.process.pid).memory_info().rss)
        time.sleep(0.05)  # asking takes a processor from the server that is looked at
    assert server.post("pause", {}).status_code == 200
    # Answers that could be real ones may wait for their end, up to a bound.
    assert most - before < (MEMORY if kind != "texts of a list" else 2 * MOST_BYTES_TOGETHER)


def test_an_endless_message_breaks_off_the_connection_that_hears_it(server: RunningServer, used: FakeRedis) -> None:
    used.answer = None
    eventually(lambda: redis_state(server) == "ok", SECONDS)
    before, opened = psutil.Process(server.process.pid).memory_info().rss, used.connections
    used.message = ENDLESS["a text"]
    server.stop()
    server.start()
    eventually(lambda: used.connections > opened + 10, SECONDS)
    assert psutil.Process(server.process.pid).memory_info().rss - before < MEMORY
    assert server.post("pause", {}).status_code == 200
    assert f"hears control messages broke off: {TOLD['a text']}; opening it again" in server.log
    used.message = None
    eventually(lambda: redis_state(server) == "ok", SECONDS)


async def test_the_text_of_an_error_is_cut_and_cannot_steer_a_terminal(fake: FakeRedis) -> None:
    fake.answer = (b"-ERR \x1b[31m" + b"A" * 10_000 + b"\r\n", b"")
    async with client_of(fake.url) as client:
        with pytest.raises(ResponseError) as refused:
            await client.get("key")
    assert str(refused.value).startswith("\\x1b[31mAAA")
    assert len(str(refused.value)) < LONGEST_ERROR + 50


async def test_after_too_much_the_next_call_has_a_new_connection(fake: FakeRedis) -> None:
    async with client_of(fake.url) as client:
        for attempt in range(3):
            fake.answer = ENDLESS["a list"]
            with pytest.raises(AnswerTooLarge, match="more than 100,000 parts"):
                await client.get("key")
            fake.answer = None
            assert await client.get("key") is None
            assert fake.connections == attempt + 2


async def test_an_answer_as_long_as_it_may_be_is_read_and_looks_like_nothing_else(fake: FakeRedis) -> None:
    length = MOST_BYTES - len(b"$33554432\r\n\r\n")
    text = (b"\r\n*2000000000\r\n$2000000000\r\n-ERR\r\n" * (length // 34 + 1))[:length]
    fake.answer = (b"$%d\r\n%s\r\n" % (length, text), b"")
    async with client_of(fake.url) as client:
        assert await client.get("key") == text
        fake.answer = (b"$%d\r\n%s\r\n" % (length + 1, text + b"x"), b"")
        with pytest.raises(AnswerTooLarge, match="longer than 32 MB"):
            await client.get("key")


async def test_answers_of_all_connections_together_have_a_bound(fake: FakeRedis) -> None:
    # Each of them waits for the rest of its answer.
    fake.answer = (b"$30000000\r\nxxx", b"")
    async with client_of(fake.url) as client:
        calls = [asyncio.ensure_future(client.get("key")) for _ in range(8)]
        waiting = set(calls)
        while len(waiting) > 2:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert not (await asyncio.wait(waiting, timeout=0.5))[0]
        for call in {*calls} - waiting:
            assert "answers and messages of more than 64 MB at once" in str(call.exception())
        for call in waiting:
            call.cancel()
        await asyncio.wait(waiting)
        # Those that are closed count no more.
        again = [asyncio.ensure_future(client.get("key")) for _ in range(2)]
        assert not (await asyncio.wait(again, timeout=0.5))[0]
        for call in again:
            call.cancel()
        await asyncio.wait(again)


async def test_others_have_their_turn_while_all_connections_receive_much(fake: FakeRedis) -> None:
    fake.answer = (b"*99999\r\n" + b":1\r\n" * 99_999, b"")
    turns, calls_of_all = 0, 6
    async with client_of(fake.url) as client:
        calls: list[Any] = [asyncio.ensure_future(client.get("key")) for _ in range(calls_of_all)]
        while not all(call.done() for call in calls):
            await asyncio.sleep(0)
            turns += 1
        assert [call.result() for call in calls] == [[1] * 99_999] * calls_of_all
    # One of them takes a tenth of a second in all, and they are read piece by piece.
    assert turns > 4 * calls_of_all


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad\r\n", b"$-2\r\n", b"*1000000000000000000000\r\n", b"%1\r\n:1\r\n"]
)
async def test_what_is_not_its_protocol_is_not_redis(fake: FakeRedis, garbage: bytes) -> None:
    fake.answer = (garbage, b"")
    async with client_of(fake.url) as client:
        with pytest.raises(InvalidResponse):
            await client.get("key")


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.integers(-(2**40), 2**40),
        st.binary(max_size=30),
        st.sampled_from([b"*9999999\r\n", b"\r\n", b"$5\r\n", b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\n"]),
    ),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


def encoded(value: Any) -> bytes:
    match value:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % value
        case bytes():
            return b"$%d\r\n%s\r\n" % (len(value), value)
    return b"*%d\r\n" % len(value) + b"".join(map(encoded, value))


def pieces(data: bytes, chance: random.Random) -> Iterator[bytes]:
    begin = 0
    # The rest is not cut off: it may have megabytes, which would be copied for every piece.
    while begin < len(data):
        end = begin + chance.choice((1, 2, 7, 60, 1_000))
        yield data[begin:end]
        begin = end


@given(values=st.lists(VALUES, max_size=6), chance=st.randoms(use_true_random=False))
def test_whatever_answers_contain_and_however_they_are_cut_nothing_of_them_is_refused(
    values: list[Any], chance: random.Random
) -> None:
    bounds, reader = Bounds(WeakSet()), hiredis.Reader(notEnoughData=...)
    read = []
    for piece in pieces(b"".join(map(encoded, values)), chance):
        bounds.check(piece)
        reader.feed(piece)
        while (answer := reader.gets()) is not ...:
            read.append(answer)
    assert read == values
    assert bounds.awaited == 0


TOKENS = [
    *(b"*1\r\n", b"*2\r\n", b"*3\r\n", b"*7\r\n", b"*12\r\n", b"*0\r\n", b"*-1\r\n", b"$-1\r\n", b"$0\r\n\r\n"),
    *(b"$5\r\n", b"$07\r\n", b"$3\r\nabc\r\n", b"$7\r\nmessage\r\n", b":1\r\n", b"+OK\r\n", b"-ERR no\r\n"),
    *(b"\r\n", b"\r", b"\n", b"*", b"$", b"+", b"1", b"abc", b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n"),
]


@given(tokens=st.lists(st.sampled_from(TOKENS), max_size=60), chance=st.randoms(use_true_random=False))
def test_the_library_gets_no_answer_with_too_many_parts_whatever_is_sent(
    tokens: list[bytes], chance: random.Random
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_PARTS", 6)
        patch.setattr(module, "_MOST_NESTING", 3)
        bounds, reader = Bounds(WeakSet()), hiredis.Reader(notEnoughData=...)
        for piece in pieces(b"".join(tokens), chance):
            try:
                bounds.check(piece)
                reader.feed(piece)
                while (answer := reader.gets()) is not ...:
                    assert parts(answer) <= 6
                    assert depth(answer) <= 3
            except (RedisError, hiredis.ProtocolError):
                return


def parts(answer: Any) -> int:
    return sum(1 + parts(each) for each in answer) if isinstance(answer, list) else 0


def depth(answer: Any) -> int:
    return 1 + max(map(depth, answer), default=0) if isinstance(answer, list) else 0


def test_messages_that_begin_as_the_last_one_did_are_followed_too() -> None:
    chance = random.Random(1)  # noqa: S311  # no secret
    channels = [b"a", b"vivienne:states_changed", b"*3\r\n"]
    bounds, awaited = Bounds(WeakSet()), set()
    texts = [chance.choice((b"", b"x", b"$9\r\n", b"y" * 500, b"z" * 70_000)) for _ in range(400)]
    stream = b"".join(
        MESSAGE % (len(channel), channel) + encoded(text)
        for channel, text in ((channels[number // 50 % 3], text) for number, text in enumerate(texts))
    )
    for piece in pieces(stream * 2, chance):
        bounds.check(piece)
        awaited.add(bounds.awaited)
    assert bounds.awaited == 0
    assert max(awaited) > 70_000
    # They are counted as others are.
    with pytest.raises(AnswerTooLarge, match="longer than 32 MB"):
        bounds.check(MESSAGE % (4, b"*3\r\n") + b"$33554432\r\n")
