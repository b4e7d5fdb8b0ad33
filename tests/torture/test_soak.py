"""Clients and changes for a while. The long form is `make torture ARGS=soak`."""

from __future__ import annotations

from torture import soak
from torture.short import missed


def test_clients_stay_and_files_are_closed_while_the_configuration_changes() -> None:
    assert [] == missed(soak.measure(minutes=0.04, warm_up=0.01, clients=4, changes=10))
