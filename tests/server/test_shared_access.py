"""Two servers on one PostgreSQL database: a token made, used or revoked at one is so at the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from redis_running import eventually
from running import COMPREHENSIVE, Client, RunningServer
from tokens import bearer, make_token, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

ACTIVE = f"{COMPREHENSIVE}/active"


@pytest.fixture(scope="module")
def pair(postgres_process: PostgresServer) -> Iterator[tuple[RunningServer, RunningServer, str]]:
    """And the token of an admin."""
    postgres_process.start()
    database = postgres_process.database()
    admin = make_token(database, "root", "admin")
    first, second = (RunningServer("--assets", "BTC", "--require-token", db=database) for _ in range(2))
    with ThreadPoolExecutor(2) as both:
        started = [both.submit(server.start) for server in (first, second)]
    try:
        for start in started:
            start.result()
        yield first, second, admin
    finally:
        for server in (first, second):
            server.__exit__(None, None, None)


def test_a_token_that_one_made_and_revoked_gets_in_and_out_at_the_other(
    pair: tuple[RunningServer, RunningServer, str],
) -> None:
    first, second, admin = pair
    tokens = f"{first.url}/auth/tokens"
    made = first.http.post(tokens, json={"name": "ann", "role": "viewer"}, headers=bearer(admin))
    secret = made.json()["token"]
    address = f"ws://127.0.0.1:{second.port}/ws/state"
    with (
        Client(address, additional_headers=bearer(secret)) as there,
        Client(address, additional_headers=bearer(admin)) as other,
    ):
        assert there.state("BTC")
        assert 200 == first.http.delete(f"{tokens}/ann", headers=bearer(admin)).status_code

        assert (1008, "The token ann was revoked") == there.closing()
        assert other.ask({"type": "subscribe", "assets": ["BTC"]})
    answer = second.http.get(second.url + ACTIVE, headers=bearer(secret))
    assert (401, "unauthorized") == refusal(answer)


def test_a_token_that_one_revoked_changes_nothing_at_the_other_from_then_on(
    pair: tuple[RunningServer, RunningServer, str],
) -> None:
    """Also before the other one has noticed."""
    first, second, admin = pair
    tokens = f"{first.url}/auth/tokens"
    secrets = [
        first.http.post(tokens, json={"name": name, "role": "admin"}, headers=bearer(admin)).json()["token"]
        for name in ("eve", "ivy")
    ]
    asked: list[tuple[str, dict[str, object]]] = [
        (f"{COMPREHENSIVE}/resume", {}),
        (f"{COMPREHENSIVE}/partial-update", {"bang_threshold": 85}),
        (f"{COMPREHENSIVE}/pause", {}),
        ("/auth/tokens", {"name": "mallory", "role": "admin"}),
    ]
    eventually(lambda: all(second.http.get(second.url + ACTIVE, headers=bearer(each)).is_success for each in secrets))
    assert 200 == first.http.delete(f"{tokens}/eve", headers=bearer(admin)).status_code
    refused = [
        second.http.post(second.url + path, json=body, headers=bearer(secrets[0])).status_code for path, body in asked
    ]
    assert 200 == first.http.delete(f"{tokens}/ivy", headers=bearer(admin)).status_code
    refused.append(second.http.delete(f"{second.url}/auth/tokens/root", headers=bearer(secrets[1])).status_code)

    assert set(refused) <= {401, 403}
    names = [each["name"] for each in first.http.get(tokens, headers=bearer(admin)).json()["tokens"]]
    assert "mallory" not in names
    history = first.http.get(f"{first.url}{COMPREHENSIVE}/history", headers=bearer(admin)).json()["history"]
    assert not {"eve", "ivy"} & {each["author"] for each in history}


def test_a_change_at_one_names_its_caller_at_the_other(pair: tuple[RunningServer, RunningServer, str]) -> None:
    first, second, admin = pair
    body = {"asset_symbol": "BTC", "bang_threshold": 86, "author": "zoe"}
    assert (
        200
        == first.http.post(f"{first.url}{COMPREHENSIVE}/partial-update", json=body, headers=bearer(admin)).status_code
    )
    (entry,) = second.http.get(
        f"{second.url}{COMPREHENSIVE}/history", params={"limit": 1}, headers=bearer(admin)
    ).json()["history"]

    assert ("root", "zoe", "rest", "127.0.0.1") == tuple(
        entry[name] for name in ("author", "claimed_author", "channel", "address")
    )


def test_a_ticket_of_one_opens_a_socket_at_the_other_once(pair: tuple[RunningServer, RunningServer, str]) -> None:
    first, second, admin = pair
    given = first.http.post(f"{first.url}/auth/ticket", headers=bearer(admin)).json()["ticket"]
    offered = [Subprotocol("vivienne"), Subprotocol(f"vivienne.ticket.{given}")]

    with Client(f"ws://127.0.0.1:{second.port}/ws/state", subprotocols=offered) as client:
        assert client.state("BTC")
    for server in (first, second):
        with pytest.raises(InvalidStatus) as refused:
            Client(f"ws://127.0.0.1:{server.port}/ws/state", subprotocols=offered)
        assert 401 == refused.value.response.status_code
