"""Alerts of a market: decided on closed bars, once each, whatever happens to the process and to the store."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from compared import Compared
from making import MIDNIGHT, minutes
from vivienne import slices
from vivienne.alerts.event import Origin
from vivienne.alerts.names import Names
from vivienne.alerts.rulebook import Rulebook
from vivienne.changes.alerts.requests import AlertRequest, DeleteRule, SetRule
from vivienne.changes.requests import ChangeRequest, SwitchRequest, Update
from vivienne.changes.service import ConfigService
from vivienne.errors import StoreUnavailable
from vivienne.live.market import Market
from vivienne.market.feeds.base import History, MinuteClosed
from vivienne.market.timeframe import Timeframe
from vivienne.market.types import MINUTE_MS, Bars
from vivienne.outbox import engine
from vivienne.outbox.delivering import Deliveries
from vivienne.outbox.engine import MOST_TOGETHER, AlertEngine
from vivienne.outbox.keeping import Keeping
from vivienne.outbox.sending import Attempt
from vivienne.slices import SharedSlices
from vivienne.store.backup import back_up, restore
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.stream.hub import Hub
from vivienne.stream.state import StateBoard
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from vivienne.changes.alerts.in_force import RuleInForce
    from vivienne.market.feeds.base import FeedEvent
    from vivienne.market.types import Candle
    from vivienne.outbox.backlog import FiredAlert
    from vivienne.outbox.sending import AnyChannel, Message
    from vivienne.store.alert import StoredEvent
    from vivienne.wire.alert import AlertEvent

PAST, MORE = 300, 60
SERIES: dict[str, list[Candle]] = {
    asset: minutes(PAST + MORE, seed=seed) for seed, asset in enumerate(("BTC", "ETH"), 3)
}
LEVELS = ["idle", "loaded", "aim", "bang"]
RULE: dict[str, Any] = {
    "name": "any level",
    "assets": ["*"],
    "event": "level",
    "levels": LEVELS,
    "channels": [{"type": "browser"}],
}
SECONDS = 20.0


class ScriptedFeed:
    """A feed whose minutes close when a test says so."""

    name = "simulated"
    longest_silence = 3600.0
    pace: float | None = None
    catches_up = True
    follows_again = False
    assets = tuple(SERIES)

    def __init__(self, known: int) -> None:
        self.known = known
        self._next: dict[str, asyncio.Queue[FeedEvent]] = {asset: asyncio.Queue() for asset in SERIES}

    def listing(self, asset: str) -> None:
        del asset

    def contact(self, asset: str) -> None:
        del asset

    async def run(self) -> None:
        pass

    def history(self, asset: str, *, least: int, most: int) -> History:
        del least, most
        return History(Bars.from_candles(SERIES[asset][: self.known]), is_whole=True)

    async def follow(self, asset: str) -> AsyncIterator[FeedEvent]:
        while True:
            yield await self._next[asset].get()

    def close(self, *numbers: int) -> None:
        for number in numbers:
            for asset in SERIES:
                self._next[asset].put_nowait(MinuteClosed(SERIES[asset][number]))


class Collecting:
    """Takes every message."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, message: Message) -> Attempt:
        event = message.event
        self.sent += [each["id"] for each in event["events"]] if event["type"] == "several" else [event["id"]]
        return Attempt("delivered")

    def destination(self, channel: AnyChannel) -> str:
        return channel.id


class Process:
    """A process with alerts, over a database that others had before."""

    def __init__(self, folder: Path, known: int) -> None:
        folder.mkdir(exist_ok=True)
        self.store = SqliteRevisionStore(folder / "v.db")
        self.service = ConfigService(self.store, tuple(SERIES))
        self.feed = ScriptedFeed(known)
        self.market = Market(
            self.feed, self.service, StateBoard(Hub()), timeframe=Timeframe.M1, window=2500, price_interval=10.0
        )
        self.is_replaced = False
        self.left: dict[str | None, float] = {}
        self.collecting = Collecting()
        reads = self.service.store_reads
        deliveries = Deliveries(
            self.store.alerts,
            reads,
            {"browser": self.collecting},
            rule_of=self._rule,
            switch_off=self._switch_off,
            metrics=self.service.metrics,
        )
        self.keeping = Keeping(
            self.store.alerts, reads, deliveries, run="run", owner="a process", metrics=self.service.metrics
        )
        self.engine = AlertEngine(
            self.market,
            self.service,
            Origin("run", "simulated", "simulated", None, "1m", MINUTE_MS, 60.0),
            self.keeping,
            self.store.alerts,
            reads,
            parts={},
            process="a process",
            is_silent=lambda: self.is_replaced,
            leaves=lambda asset: self.left.get(asset, 0.0),
        )
        self.running = [self.market.run, self.engine.run, self.keeping.run, deliveries.run]

    def _rule(self, alert_id: str) -> RuleInForce | None:
        return self.service.alerts.by_id.get(alert_id)

    async def _switch_off(self, alert_id: str, _channel: AnyChannel, problem: str) -> None:
        raise AssertionError(f"{alert_id}: {problem}")

    async def make(self, author: str = "ana", **changed: Any) -> str:
        request = AlertRequest(SetRule({**RULE, **changed}), None, channel="rest", author=author)
        return (await self.service.change_alert(request))["alert_id"]

    async def closed(self, *numbers: int) -> None:
        """Close minutes, and wait until alerts have looked at them."""
        self.feed.close(*numbers)
        await self.looked_at(numbers[-1])

    async def looked_at(self, number: int) -> None:
        """Wait until alerts have looked at this minute of every asset."""
        newest = MIDNIGHT + number * MINUTE_MS
        await self.until(lambda: all(self._last(asset) >= newest for asset in SERIES))

    def _last(self, asset: str) -> int:
        found = self.engine.standing(asset)
        return 0 if found is None else found.bar_time

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110  # what a test waits for has no event
                await asyncio.sleep(0.001)

    async def events(self) -> list[AlertEvent]:
        """All alerts that are stored, oldest first."""
        await asyncio.sleep(0)
        page = await self.service.store_reads.run(
            self.store.alerts.events_page, channel_type=None, limit=5_000, before=None
        )
        return [each.event for each in reversed(page.events)]


@asynccontextmanager
async def process(folder: Path, known: int = PAST) -> AsyncIterator[Process]:
    made = Process(folder, known)
    tasks = [asyncio.create_task(run()) for run in made.running]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await made.service.close()


def of_levels(events: list[AlertEvent]) -> list[tuple[str, str, str]]:
    return sorted((str(each["bar_time"]), str(each["asset"]), str(each["clarity_level"])) for each in events)


async def unbroken(folder: Path) -> list[AlertEvent]:
    async with process(folder) as one:
        await one.make()
        await one.closed(*range(PAST, PAST + MORE))
        await one.until(lambda: len(one.collecting.sent) > 0)
        await stored(one)
        return await one.events()


def changed(number: int) -> ChangeRequest:
    """A change that differs from the one of the number before."""
    update = Update({"settings": {"state_threshold_bang": 80 + number % 2}}, partial=True)
    return ChangeRequest(update, channel="rest", asset="BTC")


async def stored(one: Process) -> None:
    """Wait until all that was decided is in the store."""
    async with asyncio.timeout(SECONDS):
        while True:
            there = await one.service.store_reads.run(one.store.alerts.standings, "run")
            newest = {asset: one.engine.standing(asset) for asset in SERIES}
            if all(found is not None and there.get(asset) == found.text() for asset, found in newest.items()):
                return


async def test_every_change_of_a_level_is_told_once_and_nothing_else(tmp_path: Path) -> None:
    found = await unbroken(tmp_path / "one")
    assert len(found) > 10
    assert all(each["previous"] and each["previous"]["clarity_level"] != each["clarity_level"] for each in found)
    assert len({each["id"] for each in found}) == len(found)
    assert {each["text"].split()[0] for each in found} == {"[simulated]"}


async def test_a_process_that_is_killed_again_and_again_tells_the_same(tmp_path: Path) -> None:
    """Bars that close while no process is there are looked at by the next one."""
    whole = await unbroken(tmp_path / "one")
    broken = tmp_path / "broken"
    at, sent = PAST, list[str]()
    async with process(broken) as one:
        await one.make()
        await one.closed(at)
        await stored(one)
    while at + 9 <= PAST + MORE:
        async with process(broken, at + 5) as one:
            await one.until(lambda: all(one.engine.standing(asset) is not None for asset in SERIES))
            await one.closed(*range(at + 5, at + 9))
            at += 8
            if at % 3:
                await stored(one)  # otherwise what was decided last is lost with the process
            sent += one.collecting.sent
    async with process(broken, PAST + MORE) as last:
        await last.looked_at(PAST + MORE - 1)
        await stored(last)
        found = await last.events()
    assert of_levels(found) == of_levels(whole)
    assert len({each["id"] for each in found}) == len(found)
    assert set(sent) <= {each["id"] for each in found}


async def test_what_happens_to_all_assets_at_once_is_not_lost_however_many_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_WAITING", 1)
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None, assets=["*"])
        await one.closed(PAST)
        assert one.engine._lost == 0


async def test_a_pause_waits_for_no_changes_and_is_not_pushed_out_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many alerts they have, and though none is decided before the pause is there."""
    halting = Halting()
    monkeypatch.setattr(engine, "SharedSlices", lambda: halting)
    monkeypatch.setattr(engine, "MOST_CHANGES_WAITING", 20)
    monkeypatch.setattr(engine, "MOST_TOGETHER", 10)
    async with process(tmp_path) as one:
        await one.until(lambda: halting.is_resting)
        for _ in range(5):
            await one.make(event=["config"], levels=None)
        await one.make(event=["pause"], levels=None)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        for number in range(60):
            await one.service.change(changed(number))
        halting.may_go_on.set()
        await one.until(lambda: len(one.collecting.sent) > 50)
        types = [event["type"] for event in await one.events()]
    assert types.index("pause") <= 10
    assert types.count("pause") == 1
    assert types.count("config") <= 5 * 20


async def test_a_pause_comes_before_the_rest_of_the_alerts_of_one_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_TOGETHER", 1)
    async with process(tmp_path) as one:
        for _ in range(20):
            await one.make(event=["config"], levels=None)
        await one.make(event=["pause"], levels=None)
        put, is_begun, goes_on = one.keeping.put, asyncio.Event(), asyncio.Event()

        async def held(fired: list[FiredAlert], standings: Mapping[str, str]) -> None:
            if fired:
                is_begun.set()
                await goes_on.wait()
            await put(fired, standings)

        monkeypatch.setattr(one.keeping, "put", held)
        await one.service.change(changed(1))
        await is_begun.wait()
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        goes_on.set()
        await one.until(lambda: len(one.collecting.sent) == 21)
        types = [event["type"] for event in await one.events()]
    assert types.index("pause") <= 2


async def test_rules_of_somebody_else_keep_nobody_waiting_however_many_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at a pause, nor at a bar, nor at a change."""
    monkeypatch.setattr(engine, "MOST_TOGETHER", 5)
    async with process(tmp_path) as one:
        for _ in range(50):
            await one.make(author="bob", event=["pause", "config", "entry", "level"], levels=LEVELS)
        own = await one.make(author="ana", event=["pause", "config", "level"], levels=LEVELS)
        await one.closed(*range(PAST, PAST + 20))
        for number in range(5):
            await one.service.change(changed(number))
            await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: sum(each.startswith("evt") for each in one.collecting.sent) >= 10 * 51)
        await stored(one)
        events = await one.events()
    assert sum(event["alert"]["id"] == own for event in events) >= 10
    seen, waited = Counter[tuple[Any, ...]](), 0
    for event in events:
        name = (event["type"], event["asset"], event["config_version"], event["bar_time"])
        if event["alert"]["id"] == own:
            waited = max(waited, seen[name])
        seen[name] += 1
    assert waited <= 2 * 5


async def test_a_rule_that_somebody_else_changes_keeps_what_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_TOGETHER", 1)
    async with process(tmp_path) as one:
        for _ in range(5):
            await one.make(event=["config"], levels=None)
        own = await one.make(event=["config"], levels=None)
        put, holds, handed = one.keeping.put, {1: asyncio.Event(), 3: asyncio.Event()}, 0

        async def held(fired: list[FiredAlert], standings: Mapping[str, str]) -> None:
            nonlocal handed
            handed += bool(fired)
            if handed in holds:
                await holds[handed].wait()
            await put(fired, standings)

        monkeypatch.setattr(one.keeping, "put", held)
        for number in range(1, 6):
            await one.service.change(changed(number))
        holds[1].set()
        await one.until(lambda: handed == 3)  # all of them wait for the rules as they are
        edited = AlertRequest(
            SetRule({**RULE, "event": ["config"], "levels": None}), own, channel="rest", author="cleo"
        )
        await one.service.change_alert(edited)
        await one.service.change(changed(6))
        holds[3].set()
        await one.until(lambda: len(one.collecting.sent) == 6 * 6)
        found = [event for event in await one.events() if event["alert"]["id"] == own]
    assert len(found) == 6
    assert [event["config_version"] for event in found] == sorted(event["config_version"] for event in found)


async def test_a_process_that_is_killed_amid_the_alerts_of_a_pause_tells_the_rest_after_its_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_TOGETHER", 1)
    async with process(tmp_path) as one:
        for author in ("ana", "bob"):
            for _ in range(3):
                await one.make(author=author, event=["pause"], levels=None)
        await stored(one)
        put, told, is_killed = one.keeping.put, 0, False

        async def killed_after_two(fired: list[FiredAlert], standings: Mapping[str, str]) -> None:
            nonlocal told, is_killed
            is_killed = is_killed or told + len(fired) > 2
            if not is_killed:
                told += len(fired)
                await put(fired, standings)

        monkeypatch.setattr(one.keeping, "put", killed_after_two)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: is_killed)
        before = await one.events()
    monkeypatch.undo()
    async with process(tmp_path) as two:
        await two.until(lambda: len(two.collecting.sent) >= 6 - len(before))
        found = await two.events()
    assert len(before) < 6
    assert len({event["alert"]["id"] for event in found}) == len(found) == 6


async def test_changes_that_others_have_pushed_past_are_looked_at_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause that is alerted of first does not pass for all that came before it."""
    monkeypatch.setattr(engine, "MOST_TOGETHER", 1)
    async with process(tmp_path) as one:
        await one.make(event=["config"], levels=None)
        await one.make(event=["pause"], levels=None)
        await stored(one)
        halting = one.engine._slices = Halting()
        add_alerts = one.store.alerts.add_alerts

        def only_pauses(events: Sequence[StoredEvent], *more: Any) -> Any:
            if any(each.event["type"] == "config" for each in events):
                raise StoreUnavailable("killed")
            return add_alerts(events, *more)

        monkeypatch.setattr(one.store.alerts, "add_alerts", only_pauses)
        await one.service.change(changed(1))
        await one.until(lambda: halting.is_resting)
        await one.service.change(changed(2))
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        halting.may_go_on.set()
        await one.until(lambda: len(one.collecting.sent) == 3)
        assert [event["type"] for event in await one.events()] == ["pause"]
    async with process(tmp_path) as two:
        await two.until(lambda: len(two.collecting.sent) == 2)
        found = await two.events()
    assert sorted(event["type"] for event in found) == ["config", "config", "pause"]


async def test_what_happens_during_a_start_is_told_after_what_happened_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: len(one.collecting.sent) == 1)
        await stored(one)
    other = Process(tmp_path, PAST)  # it decides no alerts
    for number in range(5):
        await other.service.change(changed(number))
    await other.service.switch(SwitchRequest("resume", channel="rest", author="bob"))
    await other.service.close()
    halting = Halting()
    monkeypatch.setattr(engine, "SharedSlices", lambda: halting)
    async with process(tmp_path) as two:
        await two.until(lambda: halting.is_resting)
        await two.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        halting.may_go_on.set()
        await two.until(lambda: len(two.collecting.sent) == 2)
        found = await two.events()
    assert [event["details"]["action"] for event in found] == ["paused", "resumed", "paused"]


async def test_nothing_of_a_bar_is_told_after_a_pause_that_came_after_it(tmp_path: Path) -> None:
    """A bot would open a position, and hold it while everything is paused."""
    async with process(tmp_path) as one:
        for _ in range(20):
            await one.make(author="bob", levels=LEVELS)
        own = await one.make(event=["pause", "level", "confidence"], above=0.0001, levels=LEVELS)
        halting = one.engine._slices = Halting()
        one.feed.close(*range(PAST, PAST + 20))
        await one.until(lambda: len(one.engine._backlog) >= 30)  # those before are begun, and not decided
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        halting.may_go_on.set()
        await one.looked_at(PAST + 19)
        await stored(one)
        found = [event for event in await one.events() if event["alert"]["id"] == own]
    since = [event["type"] for event in found].index("pause")
    assert since
    assert {event["position_size"] for event in found[since + 1 :]} <= {0.0}  # of bars that closed paused
    assert [event["time"] for event in found] == sorted(event["time"] for event in found)


async def test_what_happened_while_another_process_decided_alerts_and_went_is_told(tmp_path: Path) -> None:
    """It was killed before it told of it, and this one has confirmed the pause."""
    async with process(tmp_path) as one:
        await one.make(event=["pause", "config"], levels=None)
        await one.closed(PAST)
        await stored(one)
        one.is_replaced = True
        await one.service.change(changed(1))
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        one.feed.close(PAST + 1)
        await one.until(lambda: one.engine._was_silent)
        one.is_replaced = False
        await one.until(lambda: len(one.collecting.sent) == 2)
        await one.looked_at(PAST + 1)
        found = await one.events()
    assert [event["type"] for event in found] == ["config", "pause"]


async def test_a_pause_that_a_backup_brings_back_is_told(tmp_path: Path) -> None:
    """The last that its receivers heard is that it ended."""
    folder, backup = tmp_path / "one", tmp_path / "backup.db"
    async with process(folder) as one:
        await one.make(event=["pause"], levels=None)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: has_sent(one, 1))
        await stored(one)
        back_up(one.store, backup)
        await one.service.switch(SwitchRequest("resume", channel="rest", author="bob"))
        await one.until(lambda: has_sent(one, 2))
    restore(backup, folder / "v.db", replaces=True)
    async with process(folder) as one:
        await one.until(lambda: has_sent(one, 1))
        found = await one.events()
    assert [event["text"] for event in found] == ["[simulated] All assets paused by bob"] * 2
    assert found[0]["config_version"] < found[1]["config_version"]


async def test_each_pause_and_resumption_is_an_alert_however_soon_they_follow(tmp_path: Path) -> None:
    """Also in the same millisecond, and where the rule has a cooldown: who heard of a resumption last would go on.

    The first one is not sent any more where the other two wait behind it.
    """
    moment = now()
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None, cooldown=3600)
        one.service._clock = lambda: moment
        for action in ("pause", "resume", "pause"):
            await one.service.switch(SwitchRequest(action, channel="rest", author="bob"))
        async with asyncio.timeout(SECONDS):
            while len(found := await one.events()) < 3:
                pass
        ids = [event["id"] for event in found]
        await one.until(lambda: ids[-1] in one.collecting.sent)
    assert [event["details"]["action"] for event in found] == ["paused", "resumed", "paused"]
    assert one.collecting.sent in (ids, ids[1:])


def has_sent(one: Process, count: int) -> bool:
    return len(one.collecting.sent) == count


async def test_a_pause_is_left_to_the_process_that_tells_of_it_for_a_while_and_nothing_else_is(tmp_path: Path) -> None:
    """If two processes told, the last that a receiver hears might not be what is so."""
    async with process(tmp_path) as one:
        one.left = {"BTC": 0.3}
        await one.make(event=["pause"], levels=None)
        for asset in ("ETH", "BTC"):
            begin = now()
            await one.service.switch(SwitchRequest("pause", channel="rest", asset=asset))
            await one.until(partial(has_sent, one, 1 if asset == "ETH" else 2))
            assert (now() - begin >= timedelta(seconds=0.25)) or asset == "ETH"
        found = await one.events()
    assert [event["asset"] for event in found] == ["ETH", "BTC"]


async def test_the_time_of_a_pause_is_by_the_clock_that_bars_have(tmp_path: Path) -> None:
    """A bot passes over what is older than what it acted on, and the process that took the pause may be behind."""
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None)
        begin = now()
        one.service._clock = lambda: begin - timedelta(seconds=20)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: len(one.collecting.sent) == 1)
        [event] = await one.events()
    assert event["time"] >= written(begin)


async def test_a_rule_is_for_what_happens_after_it_was_made(tmp_path: Path) -> None:
    async with process(tmp_path) as one:
        await one.closed(*range(PAST, PAST + 20))
        alert_id = await one.make(assets=["BTC"])
        await one.closed(*range(PAST + 20, PAST + 50))
        await one.service.change_alert(AlertRequest(DeleteRule(), alert_id, channel="rest"))
        await one.closed(*range(PAST + 50, PAST + MORE))
        found = await one.events()
    times = {MIDNIGHT + number * MINUTE_MS for number in range(PAST + 20, PAST + 50)}
    assert found
    assert {each["asset"] for each in found} == {"BTC"}
    assert {round(_seconds(each["bar_time"]) * 1_000) for each in found} <= times


async def test_a_cooldown_is_time_of_the_market_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with process(tmp_path) as one:
        await one.make(assets=["BTC"], cooldown=900)
        await one.closed(*range(PAST, PAST + 30))
        await stored(one)
    async with process(tmp_path, PAST + 30) as one:
        await one.closed(*range(PAST + 30, PAST + MORE))
        await stored(one)
        times = [_seconds(each["bar_time"]) for each in await one.events()]
    assert len(times) > 1
    assert all(later - earlier >= 900 for earlier, later in pairwise(times))


async def test_alerts_of_quiet_hours_are_kept_and_not_sent(tmp_path: Path) -> None:
    async with process(tmp_path) as one:
        await one.make(quiet=[{"from": "00:00", "to": "00:00"}])
        await one.closed(*range(PAST, PAST + MORE))
        await stored(one)
        page = await one.service.store_reads.run(
            one.store.alerts.deliveries_page, alert_id=None, statuses=None, asset=None, limit=5_000, before=None
        )
    assert page.deliveries
    assert {each.delivery.status for each in page.deliveries} == {"quiet"}
    assert one.collecting.sent == []


async def test_alerts_are_sent_though_the_store_fails_and_are_stored_once_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(tmp_path) as one:
        await one.make()
        add = one.store.alerts.add_alerts

        def fails(*_: Any) -> Any:
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr(one.store.alerts, "add_alerts", fails)
        await one.closed(*range(PAST, PAST + MORE))
        await one.until(lambda: len(one.collecting.sent) > 10)
        assert await one.events() == []
        monkeypatch.setattr(one.store.alerts, "add_alerts", add)
        await stored(one)
        found = await one.events()
        assert {each["id"] for each in found} == set(one.collecting.sent)


async def test_changes_and_pauses_are_told_with_their_authors(tmp_path: Path) -> None:
    async with process(tmp_path) as one:
        await one.make(event=["config", "pause"], levels=None)
        update = Update({"settings": {"state_threshold_bang": 90}}, partial=True)
        await one.service.change(ChangeRequest(update, channel="rest", asset="BTC", author="ana", reason="calmer"))
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: len(one.collecting.sent) == 2)
        config, pause = sorted(await one.events(), key=lambda each: each["type"])
    assert config["text"] == (
        "[simulated] The configuration of BTC was changed by ana (version 2): settings.state_threshold_bang"
    )
    assert pause["text"] == "[simulated] All assets paused by bob"


async def test_a_resumption_of_yesterday_that_no_process_saw_is_told_by_the_next_one(tmp_path: Path) -> None:
    """Bots have heard of the pause, and would wait for its end for ever. Those that are not the last ones are not."""
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: has_sent(one, 1))
        await one.closed(PAST)
        await stored(one)
    other = Process(tmp_path, PAST + 1)  # it decides no alerts
    other.service._clock = lambda: now() - timedelta(hours=30)
    for action in ("resume", "pause", "resume"):
        await other.service.switch(SwitchRequest(action, channel="rest", author="eve"))
        await asyncio.sleep(0.002)  # times have milliseconds
    await other.service.close()
    async with process(tmp_path, PAST + 1) as next_one:
        await next_one.until(lambda: has_sent(next_one, 1))
        await next_one.closed(PAST + 1)
        texts = [each["text"] for each in await next_one.events()]
    assert texts == ["[simulated] All assets paused by bob", "[simulated] All assets resumed by eve"]


@pytest.mark.parametrize("hours", [0, 30])
async def test_a_pause_after_many_changes_that_no_process_saw_is_told_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """An import of hundreds of assets, and a pause, while the only agent is restarted, or was away for a day."""
    monkeypatch.setattr(engine, "_MOST_REVISIONS", 10)
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None, assets=["*"])
        await one.closed(PAST)
        await stored(one)
    other = Process(tmp_path, PAST + 1)  # it decides no alerts
    other.service._clock = lambda: now() - timedelta(hours=hours)
    for number in range(25):
        await other.service.change(changed(number))
    await other.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
    await other.service.close()
    async with process(tmp_path, PAST + 1) as next_one:
        await next_one.until(lambda: len(next_one.collecting.sent) == 1)
        [event] = await next_one.events()
    assert event["text"] == "[simulated] All assets paused by bob"


@pytest.mark.parametrize("asset", ["BTC", None])
async def test_a_pause_is_told_while_the_store_does_not_take_it_and_once_only(
    tmp_path: Path, asset: str | None
) -> None:
    """It is in force, and programs that act on alerts have to know."""
    async with process(tmp_path) as one:
        await one.make(event=["pause"], levels=None, assets=["*"])
        await one.closed(PAST)  # it knows what earlier processes did
        with closing(sqlite3.connect(one.store.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer = await one.service.switch(SwitchRequest("pause", channel="rest", author="bob", asset=asset))
            assert answer["status"] == "not_stored_yet"
            await one.until(lambda: len(one.collecting.sent) == 1)
            other.execute("ROLLBACK")
        await one.until(lambda: not one.service.pauses().held)
        await one.service.switch(SwitchRequest("resume", channel="rest", author="ann", asset=asset))
        await one.until(lambda: len(one.collecting.sent) == 2)
        await one.until(lambda: not one.keeping.waiting)
        found = await one.events()
    assert [each["id"] for each in found] == one.collecting.sent
    whom = asset or "All assets"
    assert [each["text"] for each in found] == [
        f"[simulated] {whom} paused by bob", f"[simulated] {whom} resumed by ann",
    ]  # fmt: skip


async def test_alerts_of_very_many_rules_are_kept_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = [{"type": "browser", "id": f"b{number}"} for number in range(8)]
    sizes: list[int] = []
    async with process(tmp_path) as one:
        for _ in range(40):
            await one.make(event="pause", levels=None, channels=channels)
        add_alerts = one.store.alerts.add_alerts

        def counted(events: Any, deliveries: Any, *more: Any) -> Any:
            sizes.append(len(deliveries))
            return add_alerts(events, deliveries, *more)

        monkeypatch.setattr(one.store.alerts, "add_alerts", counted)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: len(one.collecting.sent) == 320)
        assert len(await one.events()) == 40
    assert sum(sizes) == 320
    assert max(sizes) < MOST_TOGETHER + 8


async def test_rules_of_very_many_patterns_are_compared_a_pattern_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a pause of all assets, as at the bars and the data of each."""
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0.0)
    compared = Compared(monkeypatch)
    patterns = [f"*{number:03}?X*" for number in range(100)]
    async with compared.passes(), process(tmp_path) as one:
        for _ in range(3):
            await one.make(event=["pause", "config", "data", "level"], levels=None, assets=patterns)
        await one.make(event="pause", levels=None)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        await one.until(lambda: len(one.collecting.sent) == 1)
        await one.closed(PAST)
    assert compared.count == 300  # each once, however many assets there are
    assert compared.most_at_once() == 1


class Halting(SharedSlices):
    """Slices that rest until they may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on, self.is_resting = asyncio.Event(), False

    async def rest(self) -> None:
        self.is_resting = True
        await self.may_go_on.wait()


async def test_a_rule_that_is_made_while_others_are_looked_at_has_what_happens_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halting = Halting()
    monkeypatch.setattr(engine, "SharedSlices", lambda: halting)
    async with process(tmp_path) as one:
        await one.until(lambda: halting.is_resting)
        await one.make(event="pause", levels=None)
        await one.service.switch(SwitchRequest("pause", channel="rest", author="bob"))
        halting.may_go_on.set()
        await one.until(lambda: len(one.collecting.sent) == 1)


async def test_a_paused_asset_counts_as_idle(tmp_path: Path) -> None:
    async with process(tmp_path) as one:
        await one.make(event="exit", levels=None, assets=["BTC"])
        number = PAST
        while (one.engine.standing("BTC") or _IDLE).target == 0:
            await one.closed(number)
            number += 1
        await one.service.switch(SwitchRequest("pause", channel="rest", asset="BTC"))
        await one.closed(number)
        await one.until(lambda: len(one.collecting.sent) == 1)
        [event] = (await one.events())[-1:]
    assert (event["type"], event["position_size"], event["clarity_level"]) == ("exit", 0.0, "idle")


class _Idle:
    target = 0.0


_IDLE = _Idle()


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text or "").timestamp()


def test_a_rulebook_without_rules_is_none() -> None:
    assert not Rulebook((), "simulated", Names(()))
