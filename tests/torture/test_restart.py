"""A server that dies under its clients. The long form is `make torture ARGS=restart`."""

from __future__ import annotations

from torture import restart
from torture.short import missed


def test_clients_of_a_server_that_was_killed_are_served_again() -> None:
    assert [] == missed(restart.measure(clients=10, rounds=1))
