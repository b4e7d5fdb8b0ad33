"""From a change by REST, the durable write included, until the last of many clients has it, while prices move."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack, closing
from itertools import chain
from typing import TYPE_CHECKING

from fanout.candidates import REFERENCE
from fanout.rows import Row
from measuring import percentile
from turns import in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanout.candidates import Running
    from fanout.crowd import Crowd
    from fanout.scene import Scene

_ASSETS = ("BTC", "ETH", "SOL")
_PATH = "/phoenix/config/vivienne/comprehensive/partial-update"
_SETTLE_SECONDS, _BETWEEN_SECONDS = 0.3, 0.01
"""Until prices move at full speed, and between two changes, so that each meets another moment of a round."""
_WARM_UP = 5
_MOST = {True: (12.0, 30.0), False: (4.0, 8.0)}
"""p50 and p99 in ms that are wanted, to many clients and to one."""


def measure_many(scene: Scene) -> Iterator[Row]:
    """To the last of all clients."""
    yield from _measured(scene, scene.sizes.clients)


def measure_single(scene: Scene) -> Iterator[Row]:
    """To the only client."""
    yield from _measured(scene, 1)


def _measured(scene: Scene, clients: int) -> Iterator[Row]:
    times: dict[str, list[list[float]]] = {each.name: [] for each in scene.candidates}
    with ExitStack() as opened:
        changing = dict[str, _Changing]()
        for each in scene.candidates:
            server = opened.enter_context(each.moving(_ASSETS))
            crowd = opened.enter_context(scene.crowd(each, server, clients))
            changing[each.name] = _Changing(server, crowd, is_reference=each.name == REFERENCE)
            changing[each.name].times(_WARM_UP)
            opened.callback(server.go_on)  # a process that is halted does not end
            changing[each.name].halt()
        for name in in_turns(list(changing), scene.sizes.rounds):
            changing[name].go_on()
            times[name].append(changing[name].times(scene.sizes.changes))
            changing[name].halt()
    to = f"the last of {clients:,} clients" if clients > 1 else "one client"
    for percent, most in zip((50, 99), _MOST[clients > 1], strict=True):
        each_round = {name: [percentile(found, percent) for found in rounds] for name, rounds in times.items()}
        whole = {name: percentile([*chain.from_iterable(rounds)], percent) for name, rounds in times.items()}
        yield Row(f"change to {to}, p{percent}", "ms", each_round, digits=2, most=most, whole=whole)


class _Changing:
    """Makes changes at a server, each with the next version; at the reference each is a round of its payload."""

    def __init__(self, server: Running, crowd: Crowd, *, is_reference: bool) -> None:
        self._server = server
        self._crowd = crowd
        self._is_reference = is_reference
        self._version = 0

    def times(self, count: int) -> list[float]:
        """Make changes, one after the other; gives the milliseconds of each."""
        times = []
        with closing(socket.create_connection(("127.0.0.1", self._server.port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(count):
                self._version += 1
                self._crowd.watch('"asset_data"' if self._is_reference else f'"config_version":{self._version}')
                begin = time.perf_counter()
                connection.sendall(_request(self._version))
                times.append((self._crowd.seen() - begin) * 1000)
                _read_answer(connection)
                time.sleep(_BETWEEN_SECONDS)
        return times

    def halt(self) -> None:
        """Leave the processor to others."""
        self._server.halt()
        self._crowd.halt()

    def go_on(self) -> None:
        """Go on after `halt`, and catch up."""
        self._crowd.go_on()
        self._server.go_on()
        time.sleep(_SETTLE_SECONDS)


def _request(version: int) -> bytes:
    body = json.dumps({"asset_symbol": "BTC", "bang_threshold": 75 + version % 20 / 10}).encode()
    head = f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _read_answer(connection: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65_536)
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(answer.decode())
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    left = int(length.split(b":")[1]) - len(body)
    while left > 0:
        left -= len(connection.recv(65_536))
