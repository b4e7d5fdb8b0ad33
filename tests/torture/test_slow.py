"""Dead and slow clients beside healthy ones. The long form is `make torture ARGS=slow`."""

from __future__ import annotations

from torture import slow
from torture.short import missed


def test_healthy_clients_stay_connected_beside_dead_and_slow_ones() -> None:
    assert [] == missed(slow.measure(healthy=10, slow=3, dead=3, minutes=0.03, rounds=1))
