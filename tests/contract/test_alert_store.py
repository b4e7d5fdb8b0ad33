"""What every store of alerts does, on each engine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from vivienne.store.address import PostgresUrl
from vivienne.store.alert import NOTHING_SENT, Fired, Lane, StoredDelivery, StoredEvent, Stuck
from vivienne.store.checking import check
from vivienne.store.copying import copy
from vivienne.store.postgres import PostgresRevisionStore
from vivienne.store.sql import SqlRevisionStore
from vivienne.store.sqlite import SqliteRevisionStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vivienne.store.base import RevisionStore

RUN = "replay 2026"
MINUTE = 60_000


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], RevisionStore]:
    """Opens the same database each time."""
    if request.param == "sqlite":
        return lambda: SqliteRevisionStore(tmp_path / "vivienne.db")
    url = PostgresUrl.read(request.getfixturevalue("database"))
    assert url is not None
    return lambda: PostgresRevisionStore(url)


@pytest.fixture
def store(opened: Callable[[], RevisionStore]) -> Iterator[RevisionStore]:
    with closing(opened()) as store:
        yield store


def event(number: int, **more: Any) -> StoredEvent:
    """An alert named after its number."""
    sent: Any = {"id": f"evt_{number}", "text": "n\u00e4chtlich \U0001f680", "price": 0.1, "previous": None}
    when = f"2026-01-02T03:{number:02}:00.000Z"
    return replace(StoredEvent(f"evt_{number}", "al_1", RUN, "BTC", number * MINUTE, when, sent), **more)


def delivery(number: int, channel: str = "c1", **more: Any) -> StoredDelivery:
    """A delivery of the alert of a number."""
    plain = StoredDelivery(
        f"evt_{number}:{channel}",
        f"evt_{number}",
        "al_1",
        "bang",
        channel,
        "webhook",
        "https://bot.example/***",
        "waiting",
        1.5,
        1.25,
    )
    return replace(plain, **more)


def filled(store: RevisionStore, count: int, owner: str = "one") -> RevisionStore:
    """The store, with so many alerts that have a delivery each."""
    numbers = range(1, count + 1)
    store.alerts.add_alerts([event(each) for each in numbers], [delivery(each) for each in numbers], {}, RUN, owner)
    return store


def execute(store: RevisionStore, statement: str) -> None:
    """Change the database beneath the store."""
    assert isinstance(store, SqlRevisionStore)
    with store._transaction() as connection:
        connection.execute(text(statement))


def ids(store: RevisionStore, owner: str = "one") -> list[str]:
    """Alerts whose deliveries a process has to do."""
    return [each.event.event_id for each in store.alerts.waiting(owner, 100)]


def test_alerts_and_deliveries_survive_as_they_were_written(opened: Callable[[], RevisionStore]) -> None:
    bare = event(2, asset=None, bar_time=None)
    done = delivery(2, status="delivered", attempts=3, delivered_at="x", latency_ms=0.1, status_code=204, answer="ok")
    with closing(opened()) as store:
        assert store.alerts.add_alerts([event(1), bare], [delivery(1), done], {"BTC": "{}"}, RUN, "one") == {
            "evt_1",
            "evt_2",
        }

    with closing(opened()) as store:
        newest, oldest = store.alerts.events_page(channel_type=None, limit=10, before=None).events
        assert (replace(newest, number=0), replace(oldest, number=0)) == (bare, event(1))
        found = store.alerts.delivery("evt_2:c1")
        assert found is not None
        assert replace(found.delivery, number=0) == done
        assert found.event == newest
        assert store.alerts.standings(RUN) == {"BTC": "{}"}
        assert store.alerts.delivery("evt_2:\0") is None


def test_an_alert_is_kept_once_with_the_deliveries_it_came_with_first(store: RevisionStore) -> None:
    filled(store, 1)
    again = store.alerts.add_alerts(
        [event(1, alert_id="al_2"), event(2)], [delivery(1, "c2"), delivery(2)], {"BTC": "2"}, RUN, "two"
    )

    assert again == {"evt_2"}
    assert ids(store) == ["evt_1"]
    assert ids(store, "two") == ["evt_2"]
    assert store.alerts.delivery("evt_1:c2") is None


def test_alerts_deliveries_and_standings_are_stored_together_or_not_at_all(store: RevisionStore) -> None:
    store.alerts.add_alerts((), (), {"BTC": "before"}, RUN, "one")

    with pytest.raises(Exception, match="failed"):
        store.alerts.add_alerts([event(1)], [delivery(1), delivery(1)], {"BTC": "after"}, RUN, "one")

    assert store.alerts.events_page(channel_type=None, limit=10, before=None) == ([], None)
    assert store.alerts.standings(RUN) == {"BTC": "before"}


def test_standings_are_of_a_run_and_replaced(store: RevisionStore) -> None:
    store.alerts.add_alerts((), (), {"BTC": "1", "ETH": "1"}, RUN, "one")
    store.alerts.add_alerts((), (), {"BTC": "2"}, RUN, "one")
    store.alerts.add_alerts((), (), {"BTC": "3"}, "another", "one")

    assert store.alerts.standings(RUN) == {"BTC": "2", "ETH": "1"}
    assert sorted(store.alerts.runs()) == ["another", RUN]


def test_what_waits_is_read_in_the_order_of_storing_and_in_parts(store: RevisionStore) -> None:
    filled(store, 5)
    store.alerts.update_deliveries([delivery(2, status="delivered"), delivery(3, status="retrying")])

    first = store.alerts.waiting("one", 2)
    second = store.alerts.waiting("one", 10, after=first[-1].delivery.number)

    assert [each.event.event_id for each in first + second] == ["evt_1", "evt_3", "evt_4", "evt_5"]


def test_deliveries_of_the_dead_are_taken_over_and_those_of_the_living_are_not(store: RevisionStore) -> None:
    filled(store, 1, "dead")
    store.alerts.add_alerts([event(2)], [delivery(2)], {}, RUN, "alive")
    store.alerts.say_alive("dead")
    store.alerts.say_alive("alive")
    execute(store, "UPDATE alert_owners SET alive_at = alive_at - 60 WHERE owner = 'dead'")

    assert store.alerts.adopt("new", 30) == 1
    assert (ids(store, "new"), ids(store, "alive")) == (["evt_1"], ["evt_2"])
    assert store.alerts.adopt("new", None) == 1
    assert ids(store, "new") == ["evt_1", "evt_2"]


def test_deliveries_of_those_that_are_known_to_be_dead_are_taken_over_at_once(store: RevisionStore) -> None:
    filled(store, 1, "dead")
    store.alerts.add_alerts([event(2)], [delivery(2)], {}, RUN, "alive")
    for owner in ("dead", "alive"):
        store.alerts.say_alive(owner)

    assert sorted(store.alerts.owners()) == ["alive", "dead"]
    assert store.alerts.adopt("new", 30, ["dead"]) == 1
    assert (ids(store, "new"), ids(store, "alive")) == (["evt_1"], ["evt_2"])
    assert store.alerts.owners() == ["alive"]
    store.alerts.say_gone("alive")
    assert store.alerts.adopt("new", 30) == 1


def test_what_waits_can_be_dropped_altogether(store: RevisionStore) -> None:
    filled(store, 3)
    store.alerts.update_deliveries([delivery(1, status="delivered"), delivery(2, status="retrying")])

    assert store.alerts.drop_waiting("restored") == 2

    found = [store.alerts.delivery(f"evt_{number}:c1") for number in (1, 2, 3)]
    assert [each.delivery.status for each in found if each is not None] == ["delivered", "dropped", "dropped"]
    assert ids(store, "one") == []


def test_a_delivery_is_sent_again_by_the_process_that_was_asked(store: RevisionStore) -> None:
    filled(store, 1)
    store.alerts.update_deliveries([delivery(1, status="dead", attempts=9, answer="\ud800\0")])
    found = store.alerts.delivery("evt_1:c1")
    assert found is not None
    assert (found.delivery.status, found.delivery.answer) == ("dead", "?\ufffd")
    assert store.alerts.delivery_counts() == {("webhook", "dead"): 1}

    store.alerts.update_deliveries([replace(found.delivery, status="waiting", attempts=0)], owner="two")

    assert (ids(store), ids(store, "two")) == ([], ["evt_1"])


def test_pages_are_of_a_rule_an_asset_a_status_or_a_channel(store: RevisionStore) -> None:
    filled(store, 3)
    other = delivery(4, "c2", alert_id="al_2", channel_type="browser", status="dead")
    store.alerts.add_alerts([event(4, alert_id="al_2", asset="ETH")], [other], {}, RUN, "one")

    def page(before: int | None = None, limit: int = 10, **more: Any) -> list[int]:
        wanted = {"alert_id": None, "statuses": None, "asset": None, **more}
        found, _ = store.alerts.deliveries_page(limit=limit, before=before, **wanted)
        return [each.delivery.number for each in found]

    every = page()
    assert every == sorted(every, reverse=True)
    assert page(limit=2) + page(before=every[1]) == every
    assert page(alert_id="al_2") == page(asset="ETH") == page(statuses=["dead", "quiet"]) == every[:1]
    assert page(alert_id="al_1", asset="ETH") == page(asset="\0") == []
    [browser] = store.alerts.events_page(channel_type="browser", limit=10, before=None).events
    assert browser.event_id == "evt_4"
    assert store.alerts.events_page(channel_type="browser", limit=10, before=browser.number) == ([], None)


def test_the_newest_alert_of_each_rule_and_asset_is_known(store: RevisionStore) -> None:
    filled(store, 2)
    more = [event(3, asset="ETH"), event(4, asset=None, bar_time=None), event(5, run="another")]
    store.alerts.add_alerts(more, (), {}, RUN, "one")

    assert sorted(store.alerts.last_fired(RUN), key=lambda fired: fired.created_at) == [
        Fired("al_1", "BTC", event(2).created_at, 2 * MINUTE),
        Fired("al_1", "ETH", event(3).created_at, 3 * MINUTE),
        Fired("al_1", None, event(4).created_at, None),
    ]


def test_a_rule_tells_when_it_fired_last(store: RevisionStore) -> None:
    filled(store, 2)
    store.alerts.add_alerts([event(3, alert_id="al_2"), event(4, run="another")], (), {}, RUN, "one")

    assert store.alerts.last_fired_at() == {"al_1": event(4).created_at, "al_2": event(3).created_at}


def stuck(store: RevisionStore) -> list[Stuck]:
    """What has not arrived, looked up at once; in parts it is the same."""
    found = store.alerts.stuck(100)
    assert found is not None
    lanes: dict[tuple[str, str], Lane] = {}
    after: int | None = 0
    while after is not None:
        part, after = store.alerts.lanes(after, 2)
        lanes |= {name: lanes.get(name, NOTHING_SENT).followed_by(lane) for name, lane in part.items()}
    numbers = {lane.telling: lane.unsent for lane in lanes.values() if lane.telling is not None}
    assert found == store.alerts.stuck_of(numbers)
    return found


def test_what_has_not_arrived_is_looked_up_at_once_only_if_it_is_little(store: RevisionStore) -> None:
    filled(store, 3)
    assert store.alerts.stuck(2) is None
    assert store.alerts.stuck(3) is not None


def test_a_page_looks_through_so_many_and_tells_where_the_next_one_begins(
    store: RevisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivienne.store.sql_alerts.MOST_EXAMINED", 3)
    filled(store, 7)
    store.alerts.update_deliveries([delivery(1, status="dead")])
    pages: list[list[str]] = []
    before: int | None = None
    while True:
        found, before = store.alerts.deliveries_page(
            alert_id="al_1", statuses=["dead"], asset=None, limit=10, before=before
        )
        pages.append([each.event.event_id for each in found])
        if before is None:
            break
    assert pages == [[], [], ["evt_1"]]

    found, before = store.alerts.deliveries_page(alert_id=None, statuses=None, asset="ETH", limit=10, before=None)
    assert (found, before is None) == ([], False)
    every = store.alerts.deliveries_page(alert_id="al_1", statuses=None, asset=None, limit=10, before=None)
    assert (len(every.deliveries), every.following) == (7, None)  # they are looked up, however many others there are
    events, before = store.alerts.events_page(channel_type="browser", limit=10, before=None)
    assert (events, before is None) == ([], False)
    assert store.alerts.events_page(channel_type="browser", limit=10, before=3) == ([], None)


def test_a_rule_tells_by_channel_what_has_not_arrived(store: RevisionStore) -> None:
    filled(store, 5)
    more = {"alert_id": "al_2"}
    store.alerts.add_alerts(
        [event(each, **more) for each in (6, 7, 8)],
        [
            *(delivery(6, channel, status="dead", answer="no", **more) for channel in ("c1", "c2")),
            delivery(7, "c2", status="delivered", **more),
            *(delivery(8, channel, status="quiet", **more) for channel in ("c1", "c2")),
        ],
        {},
        RUN,
        "one",
    )
    failed: dict[str, Any] = {"status": "retrying", "attempts": 2, "status_code": 500}
    store.alerts.update_deliveries(
        [delivery(1, status="dead"), delivery(2, status="delivered"), delivery(3, **failed), delivery(4, **failed)]
    )

    found = [(each.delivery.delivery_id, each.created_at, each.waiting) for each in stuck(store)]
    assert found == [("evt_3:c1", event(3).created_at, 3), ("evt_6:c1", event(6).created_at, 0)]

    store.alerts.update_deliveries([delivery(each, status="delivered") for each in (3, 4)])
    assert [(each.delivery.event_id, each.waiting) for each in stuck(store)] == [("evt_5", 1), ("evt_6", 0)]
    store.alerts.update_deliveries([delivery(5, status="delivered")])
    assert [each.delivery.event_id for each in stuck(store)] == ["evt_6"]


def test_only_what_is_not_done_is_brought_forward(store: RevisionStore) -> None:
    filled(store, 2)
    store.alerts.update_deliveries([delivery(1, status="delivered"), delivery(2, status="retrying", due_at=900.0)])
    for number in (1, 2):
        store.alerts.bring_forward(f"evt_{number}:c1", 7.5)

    both = [store.alerts.delivery(f"evt_{number}:c1") for number in (1, 2)]
    assert [(each.delivery.status, each.delivery.due_at) for each in both if each is not None] == [
        ("delivered", 1.5),
        ("retrying", 7.5),
    ]


def test_old_alerts_and_those_beyond_the_number_are_removed_once_they_are_done(store: RevisionStore) -> None:
    filled(store, 6)
    store.alerts.add_alerts((), (), {"BTC": "{}", "~revisions": "7"}, RUN, "one")
    store.alerts.update_deliveries([delivery(each, status="delivered") for each in (1, 2, 4, 5, 6)])

    assert store.alerts.prune_alerts(event(2).created_at, 100, 10) == 1
    assert store.alerts.prune_alerts("2020-01-01T00:00:00.000Z", 2, 10) == 2
    assert store.alerts.prune_alerts(event(6).created_at, 100, 10) == 1

    left = [each.event_id for each in store.alerts.events_page(channel_type=None, limit=10, before=None).events]
    assert left == ["evt_6", "evt_3"]
    assert store.alerts.delivery("evt_1:c1") is None
    assert store.alerts.standings(RUN) == {"BTC": "{}", "~revisions": "7"}
    store.alerts.prune_alerts("2999-01-01T00:00:00.000Z", 100, 10)
    assert store.alerts.standings(RUN) == {"~revisions": "7"}, "the last change may be older than a month"


def test_a_copy_has_the_alerts_and_the_process_that_opens_it_delivers_what_waits(
    store: RevisionStore, tmp_path: Path
) -> None:
    filled(store, 3)
    store.alerts.update_deliveries([delivery(2, status="dead", answer="gone")])
    store.alerts.add_alerts((), (), {"BTC": "{}"}, RUN, "one")
    with closing(SqliteRevisionStore(tmp_path / "copy.db")) as target:
        assert copy(store, target).alerts == 3
        assert check(target).alerts == 3
        assert target.alerts.adopt("new", 30) == 2
        assert ids(target, "new") == ["evt_1", "evt_3"]
        assert target.alerts.standings(RUN) == {"BTC": "{}"}
        assert target.alerts.delivery_counts() == {("webhook", "waiting"): 2, ("webhook", "dead"): 1}


def test_a_delivery_without_its_alert_is_found(store: RevisionStore) -> None:
    filled(store, 2)
    execute(store, "DELETE FROM alert_events WHERE event_id = 'evt_1'")

    assert check(store).problems == ["deliveries that belong to no alert: 1"]
