"""A disk that is full or broken. The long form is `make torture ARGS=disk`."""

from __future__ import annotations

from torture import disk
from torture.short import missed


def test_nothing_is_acknowledged_that_the_disk_did_not_take_and_it_goes_on_once_the_disk_does() -> None:
    figures = disk.measure(calls=1, rounds=1)

    assert [] == missed(figures)
    assert any(figure.met for figure in figures), figures
