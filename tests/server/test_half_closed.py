"""A client that asks for a change and ends its side of the connection, as `nc -N` and some proxies do, is answered."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from raw_http import answer, connected, request, rest
from vivienne.server.policy import PAUSE

if TYPE_CHECKING:
    from running import RunningServer

BODY = json.dumps({"reason": "enough"}).encode()
HEADERS = (("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", str(len(BODY))))


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "body later"])
def test_a_pause_of_a_client_that_sends_no_more_is_made_and_answered(server: RunningServer, *, apart: bool) -> None:
    method, path = PAUSE
    for count in range(1, 4):
        with connected(server.port) as connection:
            head = request(method, path, *HEADERS)
            for part in [head, BODY] if apart else [head + BODY]:
                connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            told = answer(connection)
            assert (told.status, json.loads(told.body)["status"]) == (200, "success"), count
            assert rest(connection) == b"", "the connection is closed after the answer"
