"""Dead and slow clients beside healthy ones. The long form is `make torture ARGS=slow`."""

from __future__ import annotations

from torture import slow
from torture.short import missed


def test_healthy_clients_stay_connected_beside_dead_and_slow_ones() -> None:
    assert [] == missed(slow.measure(healthy=4, slow=2, dead=2, minutes=0.02, rounds=1))
