"""Tickets: good once, and not for long."""

from __future__ import annotations

import pytest

from vivienne.access import tickets
from vivienne.access.tickets import TICKET_SECONDS, Tickets
from vivienne.errors import TooManyRequests


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_ticket_is_good_once() -> None:
    out = Tickets(Clock())
    first, second = out.issue("ann"), out.issue("bob")

    assert first != second
    assert ["bob", None] == [out.redeem(second), out.redeem(second)]
    assert "ann" == out.redeem(first)


def test_a_ticket_is_too_old_after_half_a_minute() -> None:
    clock = Clock()
    out = Tickets(clock)
    first, second = out.issue("ann"), out.issue("ann")

    clock.now = TICKET_SECONDS - 0.1
    assert "ann" == out.redeem(first)
    clock.now = TICKET_SECONDS
    assert out.redeem(second) is None


def test_what_is_no_ticket_stands_for_nobody() -> None:
    assert Tickets(Clock()).redeem("") is None


def test_no_more_tickets_are_out_than_may_be_and_old_ones_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MOST_TICKETS", 2)
    clock = Clock()
    out = Tickets(clock)
    out.issue("ann")
    out.issue("ann")

    with pytest.raises(TooManyRequests):
        out.issue("ann")
    clock.now = TICKET_SECONDS
    assert "ann" == out.redeem(out.issue("ann"))


def test_nobody_takes_all_tickets_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MOST_OF_ONE", 2)
    out = Tickets(Clock())
    used = out.issue("ann")
    out.issue("ann")

    with pytest.raises(TooManyRequests):
        out.issue("ann")
    assert "bob" == out.redeem(out.issue("bob"))
    out.redeem(used)
    assert "ann" == out.redeem(out.issue("ann"))
