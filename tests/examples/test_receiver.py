"""examples/receiver.py: what it takes, what it refuses and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from receiver import Received, Rejected, key_of, line_of, serve, verify
from signed_alerts import FLAT, LONG, NOW, RULES, SECRET, event_of, later, named, signed_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b'{"type": "test", "text": "\\u00e4"}'


def received(taken: list[Any], seconds: float = 0) -> Received:
    return Received(key_of(SECRET), taken.append, lambda: later(seconds).timestamp())


def test_what_vivienne_signs_is_verified_over_several_signatures() -> None:
    headers = signed_headers("evt_1", BODY)
    other = signed_headers("evt_1", BODY, secret="whsec_" + "REVG" * 8)["webhook-signature"]
    assert verify(key_of(SECRET), headers, BODY, NOW.timestamp()) == "evt_1"
    both = {**headers, "webhook-signature": f"{other} v2,x {headers['webhook-signature']}"}
    assert verify(key_of(SECRET), both, BODY, NOW.timestamp()) == "evt_1"


@pytest.mark.parametrize(
    ("headers", "body", "seconds", "said"),
    [
        ({"webhook-signature": ""}, BODY, 0, "The header webhook-signature is missing"),
        ({"webhook-timestamp": "soon"}, BODY, 0, "not a number of seconds"),
        ({}, BODY, 301, "301 s old; at most 300 s are accepted. Check the clocks"),
        ({}, BODY, -301, "301 s ahead"),
        ({}, BODY + b" ", 0, "the secret is another one, or the body was changed on its way"),
        ({"webhook-id": "evt_2"}, BODY, 0, "The signature does not fit"),
        ({"webhook-signature": "v1,\u00e4"}, BODY, 0, "The signature does not fit"),
    ],
)
def test_a_message_that_is_not_accepted_is_told_why(
    headers: dict[str, str], body: bytes, seconds: float, said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        verify(key_of(SECRET), signed_headers("evt_1", BODY) | headers, body, later(seconds).timestamp())


@pytest.mark.parametrize(("secret", "said"), [("hunter2", "begins with"), ("whsec_?", "Base64"), ("whsec_", "nothing")])
def test_a_secret_that_is_none_is_told_why(secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        key_of(secret)


def test_several_alerts_of_a_message_are_taken_once_however_often_it_comes() -> None:
    taken: list[Any] = []
    body = json.dumps({"type": "several", "events": [{"id": "evt_1"}, {"id": "evt_2"}]}).encode()
    receiver = received(taken)
    answers = [receiver.message(signed_headers("evt_s", body), body) for _ in range(2)]
    assert answers == [(HTTPStatus.OK, "received"), (HTTPStatus.OK, "received before")]
    assert [each["id"] for each in taken] == ["evt_1", "evt_2"]


def test_what_could_not_be_taken_is_taken_when_it_comes_again() -> None:
    taken: list[Any] = []

    def fail_once(event: dict[str, Any]) -> None:
        taken.append(event)
        if len(taken) == 1:
            raise OSError("disk full")

    receiver = Received(key_of(SECRET), fail_once, NOW.timestamp)
    with pytest.raises(OSError, match="disk full"):
        receiver.message(signed_headers("evt_1", BODY), BODY)
    assert receiver.message(signed_headers("evt_1", BODY), BODY) == (HTTPStatus.OK, "received")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'"text"', b'{"type": "several", "events": 1}'])
def test_a_signed_body_that_is_no_alert_is_refused(body: bytes) -> None:
    taken: list[Any] = []
    status, _ = received(taken).message(signed_headers("evt_1", body), body)
    assert status == HTTPStatus.BAD_REQUEST
    assert taken == []


@pytest.fixture
def address() -> Iterator[tuple[str, list[Any], list[str]]]:
    taken: list[Any] = []
    told: list[str] = []
    with serve(0, received(taken), told.append) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", taken, told
        server.shutdown()
        thread.join()


def test_it_answers_over_http(address: tuple[str, list[Any], list[str]]) -> None:
    url, taken, told = address
    event = event_of(named("executor"), FLAT, LONG)
    body = json.dumps(event).encode()
    headers = signed_headers(event["id"], body)
    with httpx.Client(trust_env=False) as client:
        assert client.post(url, content=body, headers=headers).status_code == HTTPStatus.OK
        assert client.post(url, content=b"{}", headers=headers).status_code == HTTPStatus.UNAUTHORIZED
        assert client.post(url, content=b"x" * (1024 * 1024 + 1)).status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert taken == [event]
    assert [line.split()[0] for line in told] == ["401", "413"]


def test_an_alert_is_a_line_that_no_terminal_obeys() -> None:
    event: Any = {**event_of(named("executor"), FLAT, LONG), "text": "\x1b[2Jred\nline"}
    assert line_of(event) == "2026-01-01T12:00:00.000Z entry BTC:  [2Jred line"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["receiver.py", "--secret", "hunter2"], "--secret: a secret begins with whsec_"),
        (["executor.py", "--account", "receiver.py"], "--account receiver.py: "),
    ],
)
def test_what_is_wrong_at_the_start_is_said(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=RULES.parent, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(said)
