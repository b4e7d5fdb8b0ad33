"""Clients that come and go see what is right. The long form is `make torture ARGS=resumes`."""

from __future__ import annotations

from torture import resumes
from torture.short import missed


def test_clients_that_come_and_go_see_every_state_right_and_every_gap() -> None:
    assert [] == missed(resumes.measure(disconnects=60))
