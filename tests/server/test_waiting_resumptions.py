"""A resumption that waits for the time of its caller, who used it up, ends no pause that came meanwhile."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from raw_http import request
from vivienne.access.budget import TimeBudgets
from vivienne.access.caller import Caller
from vivienne.access.limits import Limits
from vivienne.changes.service import ConfigService
from vivienne.outbox.stream import AlertStream
from vivienne.server import listen, problems
from vivienne.server.charging import Charging
from vivienne.server.configuration import configuration_routes
from vivienne.server.conversing import Times
from vivienne.server.http import CALLER
from vivienne.server.incoming import Incoming
from vivienne.server.websockets import state_endpoint, websocket_routes
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.logs import LogStream
from vivienne.stream.state import StateBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vivienne.wire.answers import Switched

SECONDS = 20.0
COMPREHENSIVE = "/phoenix/config/vivienne/comprehensive"
BUSY, OTHER = "127.0.0.2", "127.0.0.3"
BUSY_KEY = Caller(BUSY).key


class Budgets(TimeBudgets):
    """They tell when somebody waits."""

    def __init__(self) -> None:
        super().__init__(monotonic)
        self.waits = asyncio.Event()

    def when_due(self, key: str, then: Any, *, opens: bool = False) -> int:
        """See `TimeBudgets`."""
        if key == BUSY_KEY:
            self.waits.set()
        return super().when_due(key, then, opens=opens)

    def use_up(self, seconds: float) -> None:
        """The busy one waits for so long, or a little longer."""
        self.charge(BUSY_KEY, seconds)


@asynccontextmanager
async def served(service: ConfigService, budgets: Budgets, reading: TimeBudgets | None = None) -> AsyncIterator[str]:
    """The address of a server; what arrives is read in time of its own, if there are two budgets."""
    app, hub = FastAPI(), Hub()
    configuration_routes(service, budgets).add_to(app)
    state = state_endpoint(service, hub, StateBoard(hub), Times(budgets, budgets))
    websocket_routes(state, Times(budgets, budgets), LogStream(), AlertStream(), service.metrics).add_to(app)
    problems.install(app)
    charging = Charging(app, budgets)

    async def known(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            scope[CALLER] = Caller(scope["client"][0])
        await charging(scope, receive, send)

    sockets = listen.bind("127.0.0.1", 0)
    web = listen.server(known, Limits(), Incoming(reading or budgets, service.metrics))
    serving = asyncio.create_task(web.serve(sockets))
    try:
        async with asyncio.timeout(SECONDS):
            yield f"127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        web.should_exit = True
        await serving


def client(address: str, whose: str) -> httpx.AsyncClient:
    """A client with an address of its own."""
    return httpx.AsyncClient(
        base_url=f"http://{address}{COMPREHENSIVE}",
        transport=httpx.AsyncHTTPTransport(local_address=whose),
        timeout=SECONDS,
    )


async def test_over_http(tmp_path: Path) -> None:
    service, budgets = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"]), Budgets()
    async with served(service, budgets) as address, client(address, BUSY) as busy, client(address, OTHER) as other:
        assert (await other.post("/pause", json={"reason": "before"})).status_code == 200
        budgets.use_up(0.3)
        resuming = asyncio.create_task(busy.post("/resume", json={}))
        await budgets.waits.wait()
        await asyncio.sleep(0.01)  # times have milliseconds
        assert (await other.post("/pause", json={"reason": "meanwhile"})).status_code == 200
        refused = await resuming

        assert (refused.status_code, refused.json()["code"]) == (412, "version_conflict")
        assert "Somebody paused after this resumption was asked for" in refused.json()["detail"]
        assert service.paused()["BTC"].reason == "meanwhile"
        assert (await busy.post("/resume", json={})).status_code == 200
    await service.close()


async def test_over_a_websocket(tmp_path: Path) -> None:
    service, budgets = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"]), Budgets()
    async with (
        served(service, budgets) as address,
        client(address, OTHER) as other,
        connect(f"ws://{address}/ws/state", local_addr=(BUSY, 0)) as socket,
    ):
        budgets.use_up(0.3)
        budgets.waits.clear()
        await socket.send(json.dumps({"type": "resume", "asset": "BTC"}))
        await budgets.waits.wait()
        await asyncio.sleep(0.01)
        assert (await other.post("/pause", json={"asset_symbol": "BTC"})).status_code == 200

        assert json.loads(await socket.recv())["code"] == "version_conflict"
        assert [*service.paused()] == ["BTC"]
    await service.close()


async def test_a_pause_waits_for_nothing_that_came_before_it_on_its_websocket(tmp_path: Path) -> None:
    service, budgets = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"]), Budgets()
    before: list[dict[str, Any]] = [
        {"type": "subscribe", "assets": ["BTC"], "updates": "changes"},
        {"type": "ping"},
        {"type": "config_update", "config": {"settings": {"state_threshold_bang": 90}}, "validate_only": True},
        *[{"type": "ping", "request_id": f"p-{number}"} for number in range(10)],
    ]
    async with (
        served(service, budgets, TimeBudgets(monotonic)) as address,
        connect(f"ws://{address}/ws/state", local_addr=(BUSY, 0)) as socket,
    ):
        budgets.use_up(2.0)
        for message in before:
            await socket.send(json.dumps(message))
        await socket.send(json.dumps({"type": "pause", "asset": "BTC"}))
        answer = json.loads(await socket.recv())
    assert (answer["type"], answer["status"]) == ("pause_response", "success")
    assert [*service.paused()] == ["BTC"]
    await service.close()


async def test_pauses_of_one_websocket_wait_for_no_confirmation_of_each_other(tmp_path: Path) -> None:
    """As of an agent that is gone, or a database that hangs: each waits for seconds."""
    assets = ["BTC", "ETH", "SOL"]
    service, budgets = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), assets), Budgets()
    confirmed, all_paused = asyncio.Event(), asyncio.Event()

    async def confirm(answer: Switched) -> Switched:
        if len(service.paused()) == len(assets):
            all_paused.set()
        await confirmed.wait()
        return answer

    service.confirm = confirm
    async with (
        served(service, budgets) as address,
        connect(f"ws://{address}/ws/state", local_addr=(BUSY, 0)) as socket,
    ):
        for asset in assets:
            await socket.send(json.dumps({"type": "pause", "asset": asset}))
        await socket.send(json.dumps({"type": "resume", "asset": "BTC"}))
        await all_paused.wait()
        confirmed.set()
        answers = [json.loads(await socket.recv()) for _ in range(4)]
    assert [each["type"] for each in answers] == ["pause_response"] * 3 + ["resume_response"]
    assert [*service.paused()] == ["ETH", "SOL"]
    await service.close()


async def test_what_comes_after_a_pause_on_its_websocket_waits_for_it_and_a_resumption_before_it_ends_it_not(
    tmp_path: Path,
) -> None:
    service, budgets = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"]), Budgets()
    async with (
        served(service, budgets) as address,
        connect(f"ws://{address}/ws/state", local_addr=(BUSY, 0)) as socket,
    ):
        budgets.use_up(0.3)
        for number, name in enumerate(("resume", "pause", "pause", "resume")):
            await socket.send(json.dumps({"type": name, "asset": "BTC", "request_id": f"n-{number}"}))
        answers = [json.loads(await socket.recv()) for _ in range(4)]
    told = [(each["request_id"], each.get("code", each["status"])) for each in answers]
    assert told == [("n-1", "success"), ("n-2", "success"), ("n-0", "version_conflict"), ("n-3", "success")]
    assert not service.paused()
    await service.close()


@pytest.mark.parametrize("times", range(3))
async def test_a_pause_and_its_resumption_in_one_packet(tmp_path: Path, times: int) -> None:
    """They keep their order, over a WebSocket and as requests of one connection."""
    service, budgets = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"]), Budgets()
    async with served(service, budgets) as address:
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=(BUSY, 0))
        budgets.use_up(0.05 * times)
        asked = (("pause", ("Connection", "keep-alive")), ("resume", ("Connection", "close")))
        writer.write(b"".join(posted(name, header) for name, header in asked))
        answer = await reader.read()
        assert answer.count(b"HTTP/1.1 200") == 2, answer
        writer.close()
        assert not service.paused()

        async with connect(f"ws://{address}/ws/state", local_addr=(BUSY, 0)) as socket:
            budgets.use_up(0.05 * times)
            frames = [
                Frame(Opcode.TEXT, b'{"type": "%s"}' % name).serialize(mask=True) for name in (b"pause", b"resume")
            ]
            socket.transport.write(b"".join(frames))
            answers = [json.loads(await socket.recv()) for _ in frames]
        assert [each["status"] for each in answers] == ["success", "success"]
        assert not service.paused()
    await service.close()


def posted(name: str, header: tuple[str, str]) -> bytes:
    """A request with an empty body."""
    return request("POST", f"{COMPREHENSIVE}/{name}", ("Host", "localhost"), header, ("Content-Length", "0"))
