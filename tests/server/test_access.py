"""Where tokens are needed: who gets in, what each role may do, and what becomes of it when a token is revoked."""

from __future__ import annotations

import json
import re
import select
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from measured import Measured
from raw_http import UPGRADE, answer, connected, request, rest
from raw_http import ask as raw_ask
from running import COMPREHENSIVE, Client, RunningServer, run_program
from tokens import ENDPOINTS, NAMED, bearer, make_token, refusal
from vivienne.server.policy import NEEDED, WEBSOCKET, is_change, only_reads
from vivienne.wire.token_entry import INCLUDED, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vivienne.wire.token_entry import Role

CHANGE = {"asset_symbol": "BTC", "bang_threshold": 85}
CLOSED = [endpoint for endpoint in ENDPOINTS if NEEDED[endpoint] is not None]
OPEN = [endpoint for endpoint in ENDPOINTS if NEEDED[endpoint] is None]
SECONDS = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def tokens(folder: Path) -> dict[str, str]:
    return {role: make_token(folder / "v.db", f"{role}-1", role) for role in ROLES}


@pytest.fixture(scope="module")
def running(folder: Path, tokens: dict[str, str]) -> Iterator[RunningServer]:
    assert tokens
    with RunningServer("--require-token", "--log-level", "debug", db=folder / "v.db") as server:
        yield server


@pytest.mark.parametrize("name", ["x-1", "state", "ticket", "validate", "candles", "alerts", "preview"])
@pytest.mark.parametrize("root", ["", "/vivienne"])
def test_what_changes_something_is_known_by_its_whole_address_whatever_the_names_in_it(root: str, name: str) -> None:
    for (method, path), role in NEEDED.items():
        if method == WEBSOCKET or (name == "preview" and path == "/phoenix/alerts/{alert_id}"):  # it has that address
            continue
        scope = {"method": method, "path": root + re.sub(r"{\w+}", name, path)}
        assert is_change(scope) == (method in ("POST", "DELETE") and role in ("tuner", "admin")), scope
        assert only_reads(scope) == (method in ("GET", "HEAD") or (method == "POST" and role == "viewer")), scope


def test_the_reference_opens_without_a_token_so_that_one_can_be_typed_there(running: RunningServer) -> None:
    assert ask(running, "GET", "/docs").status_code == 200
    document = ask(running, "GET", "/openapi.json")
    assert document.status_code == 200
    assert "BTC" not in re.sub(r'"asset(_symbol)?":"BTC"|"assets":\["BTC","ETH"\]|as in BTC', "", document.text)


def ask(running: RunningServer, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
    """A request, or the beginning of a WebSocket, with a token or without one; gives what was answered."""
    headers = {} if token is None else bearer(token)
    path = path.format_map(NAMED)
    if method == WEBSOCKET:
        try:
            with connect(
                f"ws://127.0.0.1:{running.port}{path}",
                additional_headers=headers,
                open_timeout=SECONDS,
                close_timeout=0.2,
            ):
                return httpx.Response(101)
        except InvalidStatus as refused:
            found = refused.response
            return httpx.Response(
                found.status_code, headers=dict(found.headers.raw_items()), content=bytes(found.body or b"")
            )
    return running.http.request(method, running.url + path, headers=headers, **more)


def open_socket(running: RunningServer, *offered: str) -> Client:
    return Client(f"ws://127.0.0.1:{running.port}/ws/state", subprotocols=[Subprotocol(name) for name in offered])


def test_every_endpoint_says_who_may_use_it() -> None:
    assert sorted(NEEDED) == sorted(ENDPOINTS)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_without_a_token_or_with_a_wrong_one_nobody_gets_in(running: RunningServer, method: str, path: str) -> None:
    for token in (None, "viv_" + "x" * 43, "none"):
        answer = ask(running, method, path, token)
        assert (401, "unauthorized") == refusal(answer)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_what_has_no_data_is_open_to_all(running: RunningServer, method: str, path: str) -> None:
    for token in (None, "none"):
        assert ask(running, method, path, token).status_code in {200, 426, 503}


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_is_its_own_and_nothing_more(
    running: RunningServer, tokens: dict[str, str], method: str, path: str, role: Role
) -> None:
    needed = NEEDED[method, path]
    assert needed is not None

    answer = ask(running, method, path, tokens[role])
    if needed not in INCLUDED[role]:
        assert (403, "forbidden") == refusal(answer)
        assert needed in answer.json()["detail"]
    else:
        assert answer.status_code not in {401, 403}


def test_whether_it_is_ready_is_open_and_what_is_wrong_is_not(running: RunningServer, tokens: dict[str, str]) -> None:
    assert {"status"} == running.get("/ready").json().keys()
    whole = running.http.get(f"{running.url}/ready", headers=bearer(tokens["viewer"])).json()
    assert {"status", "store", "feeds", "record", "paused"} == whole.keys()


def test_a_viewer_looks_and_tries_out_over_the_socket_and_changes_nothing(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    with open_socket(running, "vivienne", f"vivienne.token.{tokens['viewer']}") as client:
        assert client.state("BTC")
        tried = client.ask({"type": "config_update", "asset": "BTC", "config": CHANGE_INNER, "validate_only": True})
        assert "valid" == tried["status"]
        for message in (
            {"type": "config_update", "asset": "BTC", "config": CHANGE_INNER},
            {"type": "control", "strategy": "general_parameters", "asset": "BTC", "params": CHANGE_INNER},
        ):
            answer = client.ask(message)
            assert ("error", "forbidden") == (answer["type"], answer["code"])
        assert "success" == client.ask({"type": "subscribe", "assets": ["BTC"]})["status"]


CHANGE_INNER = {"bang_threshold": 86}


def test_the_history_names_the_token_and_beside_it_what_its_bearer_said(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    changed = running.post("partial-update", CHANGE | {"author": "zoe"}, headers=bearer(tokens["tuner"]))
    assert 200 == changed.status_code
    newest = running.http.get(
        f"{running.url}{COMPREHENSIVE}/history", headers=bearer(tokens["viewer"]), params={"limit": 1}
    )
    (entry,) = newest.json()["history"]
    assert ("tuner-1", "zoe", "rest", "127.0.0.1") == (
        entry["author"], entry["claimed_author"], entry["channel"], entry["address"],
    )  # fmt: skip

    with open_socket(running, "vivienne", f"vivienne.token.{tokens['tuner']}") as client:
        assert "success" == client.ask({"type": "config_update", "asset": "BTC", "config": CHANGE_INNER})["status"]
    newest = running.http.get(
        f"{running.url}{COMPREHENSIVE}/history", headers=bearer(tokens["viewer"]), params={"limit": 1}
    )
    (entry,) = newest.json()["history"]
    assert ("tuner-1", "websocket") == (entry["author"], entry["channel"])
    assert "claimed_author" not in entry


def test_a_socket_opened_with_a_ticket_of_an_earlier_secret_ends_with_the_secret(
    running: RunningServer, folder: Path
) -> None:
    database = str(folder / "v.db")
    secret = make_token(folder / "v.db", "rotated", "viewer")
    assert 0 == run_program("token", "rotate", "rotated", "--grace", "1h", "--db", database).returncode
    ticket = running.http.post(f"{running.url}/auth/ticket", headers=bearer(secret)).json()["ticket"]
    with open_socket(running, "vivienne", f"vivienne.ticket.{ticket}") as client:
        assert client.state("BTC")
        assert 0 == run_program("token", "rotate", "rotated", "--grace", "0m", "--db", database).returncode
        running.process.send_signal(signal.SIGHUP)  # it reads the tokens again

        assert 1008 == client.closing()[0]


def test_a_socket_opens_with_a_ticket_once(running: RunningServer, tokens: dict[str, str]) -> None:
    given = running.http.post(f"{running.url}/auth/ticket", headers=bearer(tokens["tuner"])).json()
    assert 30 == given["expires_in"]
    offered = ("vivienne", f"vivienne.ticket.{given['ticket']}")
    with open_socket(running, *offered) as client:
        assert client.state("BTC")
        assert "success" == client.ask({"type": "config_update", "asset": "BTC", "config": CHANGE_INNER})["status"]
    with pytest.raises(InvalidStatus) as refused:
        open_socket(running, *offered)
    assert 401 == refused.value.response.status_code
    assert "used or expired" in json.loads(refused.value.response.body or b"")["detail"]


def test_of_what_is_offered_the_plain_protocol_is_chosen_and_nothing_secret_comes_back(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    offered = [Subprotocol("vivienne"), Subprotocol(f"vivienne.token.{tokens['viewer']}")]
    url = f"ws://127.0.0.1:{running.port}/ws/logs"
    # Nobody reads the records, so nobody would read that it is closed.
    with connect(url, subprotocols=offered, open_timeout=SECONDS, close_timeout=0.2) as client:
        assert "vivienne" == client.subprotocol
        assert client.response is not None
        assert tokens["viewer"] not in str(client.response.headers)


def test_a_token_in_an_address_is_refused_even_if_it_is_good(running: RunningServer, tokens: dict[str, str]) -> None:
    for path in (f"{COMPREHENSIVE}/active", "/ready"):
        answer = running.get(path, token=tokens["admin"])
        assert (400, "token_in_address") == refusal(answer)
        assert tokens["admin"] not in answer.text
    assert 400 == ask(running, WEBSOCKET, f"/ws/state?token={tokens['admin']}").status_code


def test_a_token_that_is_new_gets_in_at_once_beside_the_running_server(running: RunningServer, folder: Path) -> None:
    secret = make_token(folder / "v.db", "new-1", "viewer")
    time.sleep(1.1)  # so often is looked for tokens nobody knows

    assert 200 == ask(running, "GET", f"{COMPREHENSIVE}/active", secret).status_code


@pytest.mark.parametrize("how", ["command", "rest"])
def test_the_sockets_of_a_revoked_token_are_closed_and_others_stay(
    running: RunningServer, tokens: dict[str, str], folder: Path, how: str
) -> None:
    secret = make_token(folder / "v.db", f"leaving-{how}", "tuner")
    time.sleep(1.1)
    protocols = ("vivienne", f"vivienne.token.{secret}")
    with (
        open_socket(running, *protocols) as leaving,
        open_socket(running, "vivienne", f"vivienne.token.{tokens['viewer']}") as staying,
    ):
        assert leaving.state("BTC")
        if how == "command":
            gone = run_program("token", "revoke", f"leaving-{how}", "--db", str(folder / "v.db"))
            assert 0 == gone.returncode, gone.stderr
        else:
            path = f"{running.url}/auth/tokens/leaving-{how}"
            assert 200 == running.http.delete(path, headers=bearer(tokens["admin"])).status_code

        assert (1008, f"The token leaving-{how} was revoked") == closing(leaving, 30)
        assert staying.ask({"type": "subscribe", "assets": ["BTC"]})
    assert (401, "unauthorized") == refusal(ask(running, "GET", f"{COMPREHENSIVE}/active", secret))


def closing(client: Client, seconds: float) -> tuple[int, str]:
    until = time.monotonic() + seconds
    while True:
        try:
            return client.closing()
        except AssertionError:
            if time.monotonic() > until:
                raise


def test_an_admin_makes_lists_and_revokes_tokens(running: RunningServer, tokens: dict[str, str]) -> None:
    url, headers = f"{running.url}/auth/tokens", bearer(tokens["admin"])
    body = {"name": "made", "role": "viewer", "expires_at": "2999-01-31T08:00:00+01:00"}
    made = running.http.post(url, headers=headers, json=body)
    assert "2999-01-31T07:00:00.000Z" == made.json()["expires_at"]
    assert 201 == made.status_code
    assert 200 == ask(running, "GET", f"{COMPREHENSIVE}/active", made.json()["token"]).status_code
    assert (409, "name_taken") == refusal(
        running.http.post(url, headers=headers, json={"name": "made", "role": "admin"})
    )

    listed = {each["name"]: each for each in running.http.get(url, headers=headers).json()["tokens"]}
    assert {"name", "role", "created_at", "revoked_at", "expires_at"} == listed["made"].keys()
    assert {"tuner-1", "made"} < listed.keys()

    assert running.http.delete(f"{url}/made", headers=headers).json()["revoked_at"] is not None
    assert (404, "unknown_token") == refusal(running.http.delete(f"{url}/made", headers=headers))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "a b", "role": "viewer"}, "name"),
        ({"name": "a", "role": "king"}, "role"),
        ({}, "name"),
        ({"name": "a", "role": "viewer", "expires_at": "2000-01-01T00:00Z"}, "expires_at"),
    ],
)
def test_a_wrong_token_is_refused_by_what_is_wrong_with_it(
    running: RunningServer, tokens: dict[str, str], body: dict[str, Any], where: str
) -> None:
    answer = running.http.post(f"{running.url}/auth/tokens", headers=bearer(tokens["admin"]), json=body)
    assert (422, "invalid_configuration") == refusal(answer)
    assert [where] == [each["path"] for each in answer.json()["errors"]]


def test_no_secret_is_in_a_log_an_error_or_a_state(running: RunningServer, tokens: dict[str, str]) -> None:
    """Sent wherever a careless client might put it."""
    secret, admin = tokens["admin"], bearer(tokens["admin"])
    with open_socket(running, "vivienne", f"vivienne.token.{secret}") as client:
        client.ask({"type": secret})
        client.ask({"type": "config_update", "config": {secret: 1}})
        client.ask("{" + secret)
        states = [client.state(asset) for asset in ("BTC", "ETH", "SOL")]
    running.http.get(f"{running.url}/{secret}", headers=admin)
    running.http.get(f"{running.url}{COMPREHENSIVE}/active", params={"asset_symbol": secret}, headers=admin)
    running.post("partial-update", {"asset_symbol": "BTC", "bang_threshold": 87, "request_id": secret}, headers=admin)
    running.http.post(f"{running.url}/auth/tokens", json={"name": secret, "role": "viewer"}, headers=admin)
    stranger = running.http.get(f"{running.url}{COMPREHENSIVE}/active", headers={"Authorization": f"Bearer {secret}x"})

    assert secret not in stranger.text
    assert secret not in json.dumps(states)
    assert "Traceback" not in running.log
    for each in (*tokens.values(), *(hidden(token) for token in tokens.values())):
        assert each not in running.log
    address = f"ws://127.0.0.1:{running.port}/ws/logs"
    with Client(address, additional_headers=admin) as logs:
        kept = [logs.receive()["message"] for _ in range(3)]
    assert not [line for line in kept if secret in line]


def test_no_secret_is_in_the_database_the_process_list_or_what_is_served(tmp_path: Path) -> None:
    secret = make_token(tmp_path / "v.db", "ann", "admin")
    flags = ("--require-token", "--log-level", "debug")
    # A process by itself: one that is forked has the command line of what it was forked from.
    with RunningServer(*flags, db=tmp_path / "v.db", prefix=("env",)) as server:
        http = server.http
        ticket = http.post(f"{server.url}/auth/ticket", headers=bearer(secret)).json()["ticket"]
        server.post("partial-update", CHANGE, headers=bearer(secret))
        paths = ("/auth/tokens", f"{COMPREHENSIVE}/history", "/metrics", "/openapi.json", "/asyncapi.json", "/ready")
        served = [http.get(server.url + path, headers=bearer(secret)) for path in paths]
        process = psutil.Process(server.process.pid)
        told = f"{''.join(answer.text for answer in served)} {process.cmdline()} {process.environ()} {server.log}"
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("v.db*"))

    assert {200} == {answer.status_code for answer in served}
    assert b"ann" in kept
    for each in (hidden(secret), ticket):
        assert each not in told
        assert each.encode() not in kept


def hidden(token: str) -> str:
    """The part of a token that is random."""
    return token.removeprefix("viv_")


@pytest.mark.parametrize("name", ["resume", "partial-update"])
def test_a_request_that_is_whole_after_its_token_was_revoked_does_nothing(
    running: RunningServer, tokens: dict[str, str], folder: Path, name: str
) -> None:
    secret = make_token(folder / "v.db", f"slow-{name}", "tuner")
    time.sleep(1.1)  # so often is looked for tokens nobody knows
    admin = bearer(tokens["admin"])
    body = json.dumps({} if name == "resume" else CHANGE).encode()
    head = request(
        "POST", f"{COMPREHENSIVE}/{name}", ("Host", "localhost"), ("Authorization", f"Bearer {secret}"),
        ("Content-Type", "application/json"), ("Content-Length", str(len(body))),
    )  # fmt: skip
    with connected(running.port) as slow:
        slow.sendall(head + body[:1])
        time.sleep(0.2)  # until the server has read it: nothing it says shows that
        running.post("pause", {}, headers=admin).raise_for_status()
        running.http.delete(f"{running.url}/auth/tokens/slow-{name}", headers=admin).raise_for_status()
        before = ask(running, "GET", f"{COMPREHENSIVE}/history?limit=1", tokens["admin"]).json()
        slow.sendall(body[1:])
        answered = answer(slow)
    after = ask(running, "GET", f"{COMPREHENSIVE}/history?limit=1", tokens["admin"]).json()
    paused = ask(running, "GET", f"{COMPREHENSIVE}/pause", tokens["admin"]).json()["paused"]
    running.post("resume", {}, headers=admin).raise_for_status()

    assert (401, "unauthorized") == (answered.status, answered.code)
    assert before == after
    assert paused


@pytest.mark.parametrize("encoded", ["%5F", "%255F", "%25255f"])
@pytest.mark.parametrize("way", ["?token={}", "?t={}&limit=1", "/{}"])
def test_a_token_in_an_address_is_found_however_it_is_written(
    running: RunningServer, tokens: dict[str, str], way: str, encoded: str
) -> None:
    written = way.format(tokens["viewer"].replace("_", encoded, 1))

    assert (400, "token_in_address") == refusal(ask(running, "GET", f"{COMPREHENSIVE}/active{written}"))


def test_an_address_that_is_too_long_for_a_file_is_not_there_and_writes_nothing_into_the_log(
    running: RunningServer,
) -> None:
    before = len(running.log)

    assert (404, "not_found") == refusal(ask(running, "GET", "/" + "a" * 300 + "%0AINJECTED"))

    assert "INJECTED" not in running.log[before:]
    assert "Traceback" not in running.log[before:]


def test_what_is_no_request_writes_nothing_into_the_log(running: RunningServer) -> None:
    before = len(running.log)
    for _ in range(20):
        with connected(running.port) as stranger:
            stranger.sendall(b"FOO / HTTP/1.1\r\n\r\n")
            assert rest(stranger).startswith(b"HTTP/1.1 400 ")

    assert "Invalid HTTP request" not in running.log[before:]


def test_refused_handshakes_are_counted_and_written_down_once_in_a_while(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    refused = request("GET", "/ws/state", ("Host", "localhost"), *UPGRADE)
    for _ in range(30):
        assert 401 == raw_ask(running.port, refused).status

    metrics = running.http.get(f"{running.url}/metrics", headers=bearer(tokens["viewer"])).text
    assert Measured(metrics).count("vivienne_handshakes_refused_total", status="401") >= 30
    lines = [line for line in running.log.splitlines() if "Refused a WebSocket handshake of 127.0.0.1: 401" in line]
    assert 1 <= len(lines) < 30
    assert all("WARNING" in line for line in lines)
    assert "ERROR" not in running.log


@pytest.mark.parametrize("shown", [{}, bearer("viv_" + "x" * 43), bearer("none")])
def test_what_comes_after_a_handshake_without_a_token_is_never_read(
    running: RunningServer, shown: dict[str, str]
) -> None:
    refused = request("GET", "/ws/state", ("Host", "localhost"), *UPGRADE, *shown.items())
    with connected(running.port) as opening:
        opening.sendall(refused + request("GET", "/health", ("Host", "localhost")))
        found = rest(opening)
    assert found.startswith(b"HTTP/1.1 401 ")
    assert found.count(b"HTTP/1.1 ") == 1


def test_whoever_opens_too_many_websockets_does_not_keep_others_from_it(tmp_path: Path) -> None:
    secret = make_token(tmp_path / "v.db", "ann", "viewer")
    flags = ("--proxies", "127.0.0.1", "--max-handshakes-per-second", "5")
    with RunningServer(*flags, db=tmp_path / "v.db") as server:

        def opened(address: str, token: str | None) -> int:
            shown = {} if token is None else bearer(token)
            headers = [("Host", "localhost"), ("X-Forwarded-For", address), *UPGRADE, *shown.items()]
            with connected(server.port) as client:
                client.sendall(request("GET", "/ws/state", *headers))
                return answer(client, has_body=False).status

        assert {401, 429} == {opened("203.0.113.9", None) for _ in range(20)}
        assert 101 == opened("198.51.100.1", secret)


def test_what_a_proxy_says_is_an_address_or_nothing(tmp_path: Path) -> None:
    admin = make_token(tmp_path / "v.db", "ann", "admin")
    with RunningServer("--proxies", "127.0.0.1", db=tmp_path / "v.db") as server:
        for said in ("<b>hi", "x" * 3000, "6.6.6.6:80:80"):
            headers = bearer(admin) | {"X-Forwarded-For": said}
            server.post("partial-update", CHANGE, headers=headers).raise_for_status()
        zone = bearer(admin) | {"X-Forwarded-For": "fe80::1%" + "x" * 300}
        server.post("pause", {}, headers=zone).raise_for_status()
        found = server.http.get(f"{server.url}{COMPREHENSIVE}/history", headers=bearer(admin)).json()["history"]

    assert ["fe80::1", None, None, None] == [entry["address"] for entry in found]


def test_whoever_asks_for_many_charts_does_not_keep_a_pause_waiting(
    running: RunningServer, tokens: dict[str, str]
) -> None:
    bars = request(
        "GET", "/phoenix/assets/BTC/bars?limit=1000", ("Host", "localhost"),
        ("Authorization", f"Bearer {tokens['viewer']}"),
    )  # fmt: skip
    with ExitStack() as open_ones:
        asking = [open_ones.enter_context(connected(running.port)) for _ in range(30)]
        for each in asking:
            each.sendall(bars)
        running.post("pause", {}, headers=bearer(tokens["admin"])).raise_for_status()
        waiting = len(asking) - len(select.select(asking, [], [], 0)[0])
        served = {answer(each).status for each in asking}
    running.post("resume", {}, headers=bearer(tokens["admin"])).raise_for_status()

    assert {200} == served
    assert waiting > 0
