"""Sentences of alerts."""

from __future__ import annotations

from alerting import event
from vivienne.alerts.template import LONGEST_TEXT
from vivienne.alerts.texts import text_of_several


def test_the_text_of_several_is_no_longer_than_that_of_one_and_has_the_last_pauses() -> None:
    """A longer one is refused by Discord, and what comes after it would wait."""
    pauses = [event(number, type="pause", text=f"A{number} paused by ana: {'why ' * 250}") for number in range(30)]
    others = [event(30 + number, asset="X" * 40 + str(number), type="data") for number in range(70)]
    text = text_of_several([*pauses, *others])
    assert len(text) <= LONGEST_TEXT
    assert [f"A{number} paused by ana: why" in text for number in range(30)] == [False] * 20 + [True] * 10
    assert text_of_several(pauses[:1]).startswith(pauses[0]["text"]), "nothing is cut that has room"
