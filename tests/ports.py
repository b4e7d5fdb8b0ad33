"""Ports for servers that have to be told one."""

from __future__ import annotations

import socket
from random import SystemRandom

# Below those that systems give to connections: another test's connection cannot take the port before its server does,
# or while it is restarted.
_FIRST, _LAST = 10_000, 29_999
_TRIES = 100


def free_port() -> int:
    """A port nobody listens on, and that no connection gets."""
    for _ in range(_TRIES):
        port = SystemRandom().randint(_FIRST, _LAST)
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError(f"none of {_TRIES} ports is free")
