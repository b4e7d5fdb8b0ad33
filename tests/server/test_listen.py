"""Addresses that the server listens on, and how they are written."""

from __future__ import annotations

import socket

import pytest

from vivienne.addresses import url_host
from vivienne.server.listen import bind, is_local


@pytest.mark.parametrize("host", ["::", "localhost"])
def test_one_host_is_reached_over_ipv4_and_ipv6(host: str) -> None:
    listening = bind(host, 0)
    try:
        port = listening[0].getsockname()[1]
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), 10).close()
        assert is_local(listening) == (host == "localhost")
    finally:
        for each in listening:
            each.close()


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert [url_host(host) for host in ("::1", "127.0.0.1", "localhost")] == ["[::1]", "127.0.0.1", "localhost"]
