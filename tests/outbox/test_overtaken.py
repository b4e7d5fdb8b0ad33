"""What waits while a pause or a resumption comes: whether it is sent afterwards."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from alerting import event, rule, webhook
from vivienne.changes.pause.state import PauseInForce, Pauses, PausesInForce
from vivienne.config.layers import GLOBAL
from vivienne.outbox.lanes import Item, Lane, LaneKey
from vivienne.outbox.overtaken import EXPIRED, NEWER, PAUSED, PAUSED_AGAIN, RESUMED, InForce, NewestBars, why_not
from vivienne.store.alert import StoredDelivery, StoredEvent, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivienne.outbox.sending import AnyChannel
    from vivienne.wire.alert import AlertEvent

NOW = 1_767_226_500.0
BOT = webhook("https://bot.example/hook", body={"action": "buy"})
PROGRAM = webhook("https://program.example/hook")


def channel(made: dict[str, Any] = BOT) -> AnyChannel:
    return rule(made).channels[0]


def item(made: Any, *, attempts: int = 0, is_former: bool = False) -> Item:
    stored = StoredEvent(made["id"], "al_1", "run", made["asset"], 0, made["time"], made)
    delivery = StoredDelivery(
        f"{made['id']}:c1", made["id"], "al_1", "bangs", "c1", "webhook", "https://bot.example/***",
        status="retrying" if attempts else "waiting", due_at=0.0, first_at=NOW, attempts=attempts,
    )  # fmt: skip
    return Item(Waiting(delivery, stored), 0.0, is_former=is_former)


def switch(action: str, version: int, asset: str | None = "BTC", **more: Any) -> Item:
    made = event(version, type="pause", asset=asset, config_version=version, details={"action": action})
    return item(made, **more)


def bar(version: int = 3, **changed: Any) -> Item:
    return item(event(version, **{"type": "entry", "config_version": version, **changed}))


def pause(layer: str, version: int | None) -> PauseInForce:
    return PauseInForce("id", layer, version, "2026-01-01T00:00:00.000Z", "ana", None, "rest", None)


def at(version: int, *stored: PauseInForce) -> InForce:
    return InForce(version, PausesInForce({each.layer: each for each in stored}))


def reason(*queue: Item, in_force: InForce, to: dict[str, Any] = BOT, told: Sequence[AlertEvent] = ()) -> str | None:
    lane, newest = Lane(LaneKey("al_1", "c1"), deque(queue)), NewestBars()
    for each in told:
        newest.note(lane.key, each)
    return why_not(0, lane, channel(to), NOW, in_force, newest)


@pytest.mark.parametrize("layer", ["BTC", GLOBAL])
def test_a_bot_is_told_to_open_nothing_that_was_decided_before_a_pause(layer: str) -> None:
    paused = at(4, pause(layer, 4))
    assert reason(bar(), in_force=paused) == PAUSED
    assert reason(bar(), in_force=at(3)) is None
    assert reason(bar(), in_force=at(4, pause("ETH", 4))) is None
    assert reason(bar(position_size=0.0, type="exit"), in_force=paused) is None, "to close it is right in a pause too"
    assert reason(item(event(1, type="data", config_version=3)), in_force=paused) is None


def test_a_pause_that_is_not_stored_keeps_back_what_a_bot_would_open() -> None:
    held = InForce(3, PausesInForce(held=Pauses([pause(GLOBAL, None)])))
    assert reason(bar(), in_force=held) == PAUSED


def test_what_was_decided_after_the_end_of_a_pause_is_sent_by_a_process_that_has_not_heard_of_its_end() -> None:
    assert reason(bar(version=6), in_force=at(4, pause("BTC", 4))) is None


def test_a_program_that_can_compare_versions_gets_everything() -> None:
    paused = at(4, pause("BTC", 4))
    assert reason(bar(), in_force=paused, to=PROGRAM) is None
    assert reason(bar(), in_force=paused, to={**PROGRAM, "drop_expired": True}) == PAUSED
    late = bar(expires_at="2026-01-01T00:14:59.000Z")
    assert reason(late, in_force=at(3), to={**PROGRAM, "drop_expired": True}) == EXPIRED


@pytest.mark.parametrize(("asset", "layer"), [("BTC", "BTC"), (None, GLOBAL)])
def test_a_resumption_is_not_told_while_a_later_pause_is_in_force(asset: str | None, layer: str) -> None:
    other = pause("ETH" if asset is None else GLOBAL, 4)
    assert reason(switch("resumed", 3, asset), in_force=at(4, pause(layer, 4))) == PAUSED_AGAIN
    assert reason(switch("resumed", 3, asset), in_force=at(3, pause(layer, 2))) is None
    assert reason(switch("resumed", 3, asset), in_force=at(4, other)) is None, "they are apart"
    assert reason(switch("paused", 3, asset, is_former=True), in_force=at(5, other)) == RESUMED, "likewise"


def test_a_pause_that_another_process_left_is_not_told_once_it_is_over() -> None:
    """A bot that hears of it last would stand still for ever."""
    left = switch("paused", 3, is_former=True)
    assert reason(left, in_force=at(4)) == RESUMED
    assert reason(left, in_force=at(3, pause("BTC", 3))) is None
    assert reason(left, in_force=at(5, pause("BTC", 5))) is None
    assert reason(left, in_force=at(2)) is None, "this process has not heard of it yet"
    assert reason(left, switch("resumed", 4), in_force=at(4)) is None, "both are told, in their order"


def test_a_pause_is_told_though_it_ends_at_once_and_not_when_it_is_over_while_its_receiver_refused_it() -> None:
    assert reason(switch("paused", 3), in_force=at(4)) is None
    assert reason(switch("paused", 3, attempts=1), in_force=at(4)) == RESUMED
    assert reason(switch("paused", 3, attempts=1), switch("resumed", 4), in_force=at(4)) is None


@pytest.mark.parametrize(("before", "after", "is_sent"), [(10.0, 0.0, False), (0.0, 10.0, False), (0.0, 0.0, True)])
def test_what_another_process_left_of_a_bar_moves_no_position_after_a_later_bar(
    before: float, after: float, *, is_sent: bool
) -> None:
    left = event(1, type="size", bar_time="2026-01-01T00:00:00.000Z", position_size=before)
    later = event(2, type="size", bar_time="2026-01-01T00:15:00.000Z", position_size=after)
    for to, is_former, found in (
        (BOT, True, None if is_sent else NEWER),
        (BOT, False, None),
        (PROGRAM, True, None),
    ):
        assert reason(item(left, is_former=is_former), in_force=at(1), to=to, told=[later, left]) == found
    assert reason(item(later, is_former=True), in_force=at(1), told=[left]) is None
