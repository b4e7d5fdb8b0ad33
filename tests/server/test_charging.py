"""The share of a caller: of the time of the event loop, of WebSockets, and of what they leave unread."""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI

from vivienne.access.access import Access
from vivienne.access.budget import TimeBudgets
from vivienne.access.caller import Caller
from vivienne.access.limits import Limits
from vivienne.changes.service import ConfigService
from vivienne.channels.envelope import LONGEST_TEXT
from vivienne.outbox.stream import AlertStream
from vivienne.server import connections
from vivienne.server.charging import WAITING, Charging
from vivienne.server.connections import Connections
from vivienne.server.conversing import Times
from vivienne.server.gate import Gate
from vivienne.server.http import CALLER
from vivienne.server.policy import PAUSE
from vivienne.server.websockets import _Conversation, state_endpoint, websocket_routes
from vivienne.slices import URGENCY
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SECONDS = 10.0


async def _nothing(*_: Any) -> Any:
    await asyncio.Event().wait()


async def test_who_used_up_its_time_waits_with_requests_and_not_with_a_pause() -> None:
    begun: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        begun.append(scope["path"])

    def asked(method: str, path: str, address: str) -> dict[str, Any]:
        return {"type": "http", "method": method, "path": path, CALLER: Caller(address)}

    budgets = TimeBudgets(lambda: 0.0)  # a clock that stands still
    charging = Charging(app, budgets)
    budgets.charge("address 192.0.2.1", 3_600.0)
    late = asked("GET", "/late", "192.0.2.1")
    waiting = asyncio.create_task(charging(late, _nothing, _nothing))
    async with asyncio.timeout(SECONDS):
        await charging(asked("GET", "/other", "192.0.2.2"), _nothing, _nothing)
        await charging(asked(*PAUSE, "192.0.2.1"), _nothing, _nothing)
        late[WAITING]()  # its client leaves
        await waiting
    assert begun == ["/other", PAUSE[1]]


async def test_a_pause_is_urgent_once_all_of_it_is_there() -> None:
    """Else one whose body does not come would slow everything down."""
    seen: list[bool] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        for _ in range(3):
            seen.append(URGENCY.is_under_way)
            await receive()
        seen.append(URGENCY.is_under_way)

    parts = iter((True, False, False))

    async def receive() -> dict[str, Any]:
        return (
            {"type": "http.request", "body": b"", "more_body": next(parts)}
            if len(seen) < 3
            else {"type": "http.disconnect"}
        )

    scope = {"type": "http", "method": PAUSE[0], "path": PAUSE[1], CALLER: Caller("192.0.2.1")}
    await Charging(app, TimeBudgets(monotonic))(scope, receive, _nothing)
    assert [*seen, URGENCY.is_under_way] == [False, False, True, True, False]


async def test_what_only_reads_ends_when_its_client_leaves_and_a_change_goes_on() -> None:
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()
    ended: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        begun.release()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            ended.append(scope["method"])
            raise

    charging, who = Charging(app, TimeBudgets(asyncio.get_running_loop().time)), Caller("192.0.2.1")
    asked: list[dict[str, Any]] = [
        {"type": "http", "method": method, "path": "/x", CALLER: who} for method in ("GET", "POST")
    ]
    tasks = [asyncio.create_task(charging(each, _nothing, _nothing)) for each in asked]
    async with asyncio.timeout(SECONDS):
        for _ in tasks:
            await begun.acquire()
        for each in asked:
            each.get(WAITING, lambda: None)()
        await tasks[0]
        assert (ended, tasks[1].done()) == (["GET"], False)
        go_on.set()
        await tasks[1]
    assert not any(WAITING in each for each in asked)


async def test_a_pause_of_somebody_who_may_not_pause_waits_as_any_request() -> None:
    begun: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        begun.append(scope[CALLER].token or "nobody")

    budgets = TimeBudgets(lambda: 0.0)  # a clock that stands still
    charging = Charging(app, budgets, "/root")
    callers = [Caller("192.0.2.1", role=None), Caller(None, "eye", "viewer"), Caller(None, "ann", "tuner")]
    asked = [(each, PAUSE[1]) for each in callers] + [(callers[2], "/root" + PAUSE[1]), (callers[2], "/x" + PAUSE[1])]
    for each in callers:
        budgets.charge(each.key, 3_600.0)
    tasks = [
        asyncio.create_task(
            charging({"type": "http", "method": PAUSE[0], "path": path, CALLER: each}, _nothing, _nothing)
        )
        for each, path in asked
    ]
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(tasks[2], tasks[3])
    assert begun == ["ann", "ann"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_the_longest_pause_is_urgent_in_any_alphabet() -> None:
    """Programs write a character as an escape of six characters, or of twelve."""
    budgets, nothing = TimeBudgets(lambda: 0.0), cast("Any", None)
    conversation = _Conversation(nothing, nothing, nothing, nothing, Times(budgets, budgets))
    for letter in ("x", "\u044f", "\U0001f600"):
        longest = {name: letter * most for name, most in LONGEST_TEXT.items()}
        pause = json.dumps({"type": "pause", **longest}, indent=4)
        assert conversation.is_urgent({"text": pause}, Caller())
        assert conversation.is_urgent({"text": pause.replace('"pause"', '"pa\\u0075se"')}, Caller())
        assert not conversation.is_urgent({"text": json.dumps({"type": "resume", **longest})}, Caller())


async def test_a_caller_may_have_so_many_websockets_and_others_as_before() -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await receive()

    async def opened(address: str) -> int:
        """The status that a handshake is answered with; the WebSocket stays open."""
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            if not answered.done():
                answered.set_result(message.get("status", 101))

        scope: dict[str, Any] = {"type": "websocket", "headers": [], "client": (address, 1), "query_string": b""}
        scope["extensions"] = {"websocket.http.response": {}}
        open_.append(asyncio.create_task(gate(scope, _nothing, send)))
        return await answered

    open_: list[asyncio.Task[None]] = []
    gate = Gate(app, Access(cast("Any", None), Limits(websockets_per_caller=2), demanded=False))
    async with asyncio.timeout(SECONDS):
        assert [101, 101, 429] == [await opened("192.0.2.1") for _ in range(3)]
        assert await opened("192.0.2.2") == 101
        open_[0].cancel()
        await asyncio.gather(open_[0], return_exceptions=True)
        assert await opened("192.0.2.1") == 101
    for each in open_:
        each.cancel()


def test_so_many_bytes_may_be_unread_on_all_websockets_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unread:
        """A connection of a WebSocket that does not read."""

        def __init__(self, name: str) -> None:
            self.name = name

        def give_up(self) -> None:
            given_up.append(self.name)

    given_up: list[str] = []
    monkeypatch.setattr(connections, "_MOST_UNREAD_BY_SOCKETS", 100)
    everything = Connections(Limits(), lambda _: False)
    sockets: dict[str, Any] = {name: Unread(name) for name in "abcde"}
    for name, size in (("a", 40), ("b", 50), ("a", 20), ("c", 30), ("b", 0), ("d", 45), ("e", 10)):
        everything.socket_unread(sockets[name], size)
    assert given_up == ["d"]


async def test_a_pause_over_a_websocket_overtakes_what_its_caller_sent_besides(tmp_path: Path) -> None:
    service = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    budgets, hub = TimeBudgets(monotonic), Hub()
    app = FastAPI()
    times = Times(budgets, budgets)
    state = state_endpoint(service, hub, StateBoard(hub), times)
    websocket_routes(state, times, LogStream(), AlertStream(), service.metrics).add_to(app)
    budgets.charge("address 192.0.2.1", 3_600.0)

    async def say(message: dict[str, Any]) -> str:
        """The first answer to a message."""
        events = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": json.dumps(message)}]
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def receive() -> Any:
            return events.pop(0) if events else await _nothing()

        async def send(sent: Any) -> None:
            if sent["type"] == "websocket.send" and not answered.done():
                answered.set_result(sent["text"])

        scope = {"type": "websocket", "path": "/ws/state", "headers": [], "client": ("192.0.2.1", 1),
                 "query_string": b"", "subprotocols": []}  # fmt: skip
        serving = asyncio.create_task(app.router(scope, receive, send))
        try:
            return await answered
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    try:
        trying = asyncio.create_task(say({"type": "config_update", "bang_threshold": 86, "validate_only": True}))
        await asyncio.sleep(0)
        async with asyncio.timeout(SECONDS):
            assert '"success"' in await say({"type": "pause", "asset": "BTC"})
        assert not trying.done()
        trying.cancel()
        assert ["BTC"] == [*service.paused()]
    finally:
        await service.close()
