"""What a token still may once it is revoked: nothing, neither on a socket that is open nor by what was asked before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable  # a list of them is made
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from fastapi import Depends, FastAPI

from vivienne.access.access import Access
from vivienne.access.book import TokenBook
from vivienne.access.budget import TimeBudgets
from vivienne.access.limits import Limits
from vivienne.changes.requests import ChangeRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.errors import Forbidden, NotKnown, TooManyRequests
from vivienne.server import problems
from vivienne.server.charging import Charging
from vivienne.server.gate import Gate
from vivienne.server.policy import admission
from vivienne.server.pushing import LocalPushes
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECONDS = 10.0


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ConfigService]:
    running = ConfigService(SqliteRevisionStore(tmp_path / "v.db"), ["BTC"])
    yield running
    await running.close()


@pytest.fixture
async def book(service: ConfigService) -> TokenBook:
    return TokenBook(service._store, service._thread)  # as at the start of the program


def scope(secret: str) -> dict[str, Any]:
    """A handshake with a token."""
    headers = [(b"authorization", f"Bearer {secret}".encode())]
    return {"type": "websocket", "headers": headers, "client": ("127.0.0.1", 1), "query_string": b"", "raw_path": b"/"}


@pytest.mark.parametrize("waits", ["for the client", "for itself"])
async def test_a_socket_that_does_not_read_gets_the_close_and_no_state_before_it(book: TokenBook, waits: str) -> None:
    sent: list[str] = []
    writing, readable = asyncio.Event(), asyncio.Event()

    async def states(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        writing.set()
        if waits == "for itself":
            await asyncio.Event().wait()
        while True:
            await send({"type": "websocket.send", "text": "a state"})

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            await readable.wait()
            await asyncio.sleep(0)
        sent.append(message["type"])

    async def receive() -> Any:
        await asyncio.Event().wait()

    _, secret = await book.create("ann", "viewer")
    gate = Gate(states, Access(book, Limits(), demanded=True))
    async with asyncio.timeout(SECONDS):
        running = asyncio.create_task(gate(scope(secret), receive, send))
        await writing.wait()
        await book.revoke("ann")
        for _ in range(10):  # it reads again a little later
            await asyncio.sleep(0)
        readable.set()
        await running
    assert sent == ["websocket.accept", "websocket.close"]


async def test_a_handshake_beyond_the_limit_of_tickets_is_refused_with_the_reason(book: TokenBook) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def nothing(*_: Any) -> Any:
        raise AssertionError("It must not be asked")

    async def beyond(*_: Any) -> bool:
        raise TooManyRequests("The limit of 2 is reached", retry_after=7.0)

    token, _ = await book.create("ann", "viewer")
    ticket = await book.tickets.issue(token.digest)
    book.tickets.redeem = beyond  # type: ignore[method-assign, assignment]
    asked = {**scope(""), "headers": [], "subprotocols": ["vivienne", f"vivienne.ticket.{ticket}"]}
    asked["extensions"] = {"websocket.http.response": {}}
    await Gate(nothing, Access(book, Limits(), demanded=True))(asked, nothing, send)

    assert sent[0]["status"] == 429
    assert (b"retry-after", b"7") in sent[0]["headers"]
    assert b"The limit of 2 is reached" in sent[1]["body"]


async def test_a_long_answer_breaks_off_once_the_token_is_revoked(book: TokenBook) -> None:
    _, secret = await book.create("eye", "viewer")
    parts: list[bytes] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(4):
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            if number == 1:
                await book.revoke("eye")

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))

    asked = {**scope(secret), "type": "http", "method": "GET", "path": "/"}
    with pytest.raises(NotKnown):
        await Gate(app, Access(book, Limits(), demanded=True))(asked, cast("Any", send), send)
    assert parts == [b"", b"part", b"part"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/decisions", 401), ("POST", "/phoenix/assets/BTC/preview", 401), ("POST", "/decisions", 200)],
)
async def test_what_only_reads_is_not_answered_once_the_token_is_revoked(
    book: TokenBook, method: str, path: str, status: int
) -> None:
    """However long it waited. What a change did before is answered as it is."""
    begun, may_end = asyncio.Event(), asyncio.Event()
    app = FastAPI()
    problems.install(app)

    @app.api_route("/decisions", methods=["GET", "POST"])
    @app.post("/phoenix/assets/BTC/preview")
    async def decisions() -> str:
        begun.set()
        await may_end.wait()
        return "everything"

    _, secret = await book.create("ann", "tuner")
    transport = httpx.ASGITransport(Gate(app, Access(book, Limits(), demanded=True)))
    async with asyncio.timeout(SECONDS), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        asked = asyncio.create_task(client.request(method, path, headers={"Authorization": f"Bearer {secret}"}))
        await begun.wait()
        await book.revoke("ann")
        may_end.set()
        answer = await asked
    assert (status, status == 200) == (answer.status_code, "everything" in answer.text)


async def test_who_waited_for_its_share_of_time_is_refused_once_its_token_is_revoked(book: TokenBook) -> None:
    """Whatever was asked for, as to send a message of an alert again."""
    begun: list[str] = []
    waits, due = asyncio.Event(), list[Callable[[], None]]()

    class Budgets(TimeBudgets):
        def when_due(self, _key: str, then: Callable[[], None], *, opens: bool = False) -> int:
            due.append(then)
            waits.set()
            return int(opens)

    access = Access(book, Limits(), demanded=True)
    app = FastAPI(dependencies=[Depends(admission(access))])
    problems.install(app)

    @app.post("/phoenix/alerts/deliveries/{delivery_id}/resend")
    async def resend(delivery_id: str) -> None:
        begun.append(delivery_id)

    _, secret = await book.create("ann", "tuner")
    gate = Gate(Charging(app, Budgets(monotonic)), access)
    async with (
        asyncio.timeout(SECONDS),
        httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://localhost") as client,
    ):
        asked = asyncio.create_task(
            client.post("/phoenix/alerts/deliveries/d-1/resend", headers={"Authorization": f"Bearer {secret}"})
        )
        await waits.wait()
        await book.revoke("ann")
        due[0]()
        answer = await asked
    assert (401, []) == (answer.status_code, begun)


async def test_what_a_feeder_pushed_is_not_taken_after_the_revocation_of_its_token(book: TokenBook) -> None:
    """However long it waited for its turn."""
    taken: list[object] = []

    class Feed:
        async def push(self, _kind: str, body: object, **_: object) -> None:
            taken.append(body)
            await asyncio.Event().wait()

    _, secret = await book.create("feed", "feeder")
    feeder, _ = await Access(book, Limits(), demanded=True).caller("127.0.0.1", secret)
    pushes = LocalPushes(cast("Any", Feed()))
    first = asyncio.create_task(pushes.push("candles", {}, feeder))
    await asyncio.sleep(0)
    second = asyncio.create_task(pushes.push("candles", {}, feeder))
    await asyncio.sleep(0)
    await book.revoke("feed")
    first.cancel()
    async with asyncio.timeout(SECONDS):
        with pytest.raises(Forbidden):
            await second
    assert [{}] == taken


async def test_no_change_of_a_token_comes_into_force_after_its_revocation_was_answered(
    service: ConfigService, book: TokenBook
) -> None:
    _, secret = await book.create("ann", "tuner")
    ann, _ = await Access(book, Limits(), demanded=True).caller("127.0.0.1", secret)
    updates = (Update({"bang_threshold": 70 + number / 10}, partial=True) for number in range(200))
    asked = [asyncio.ensure_future(service.change(ChangeRequest(each, channel="test", caller=ann))) for each in updates]
    await asked[0]

    await book.revoke("ann")

    version = service.active().version
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert version == service.active().version
    assert len(asked) == version + sum(isinstance(outcome, Forbidden) for outcome in outcomes)
    assert version < len(asked)
