"""Deliveries: order, retries, what many at once become, and rules that change meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from alerting import event, rule, webhook
from vivienne import open_files
from vivienne.changes.pause.state import PauseInForce, PausesInForce
from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Metrics
from vivienne.outbox import lanes as lanes_module
from vivienne.outbox.delivering import FIRST_DELAY, GIVEN_UP_SECONDS, LONGEST_DELAY, Deliveries
from vivienne.outbox.overtaken import InForce
from vivienne.outbox.sending import Attempt, Message
from vivienne.outbox.slots import AT_ONCE
from vivienne.store.alert import StoredDelivery, StoredEvent, Waiting
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from vivienne.alerts.rule import Rule
    from vivienne.outbox.sending import AnyChannel

OK = Attempt("delivered", "ok", 200)
FAILED = Attempt("failed", "no", 500)
BOT = webhook("https://bot.example/hook")


def waiting(count: int, alert_id: str = "al_1", channel: str = "c1", kind: Any = "webhook", **more: Any) -> Waiting:
    alert = event(count, asset=f"A{count}")
    stored = StoredEvent(alert["id"], alert_id, "run", alert["asset"], 0, alert["time"], alert)
    values = {"status": "waiting", "due_at": 0.0, "first_at": 1_000_000.0, **more}
    delivery = StoredDelivery(
        f"{alert['id']}:{channel}", alert["id"], alert_id, "bangs", channel, kind, "https://bot.example/***", **values
    )
    return Waiting(delivery, stored)


@dataclass
class KnownRule:
    rule: Rule
    made_by: str = "ana"


@dataclass
class Scripted:
    """Sends as it is told: by receiver, what comes of each attempt; then it goes well."""

    script: dict[str, list[Attempt | BaseException]] = field(default_factory=dict)
    sent: list[Message] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    under_way: int = 0
    most_under_way: int = 0

    def destination(self, channel: Any) -> str:
        return str(channel.url.plain) if hasattr(channel, "url") else channel.type

    async def send(self, message: Message) -> Attempt:
        receiver = self.destination(message.channel)
        self.sent.append(message)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if receiver in self.held:
                await self.held[receiver].wait()
            await asyncio.sleep(0)
        finally:
            self.under_way -= 1
        script = self.script.get(receiver, [])
        found = script.pop(0) if script else OK
        if isinstance(found, BaseException):
            raise found
        return found


@dataclass
class Store:
    """Takes results, or does not."""

    kept: dict[str, StoredDelivery] = field(default_factory=dict)
    is_out: bool = False
    batches: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def update_deliveries(self, deliveries: Sequence[StoredDelivery]) -> None:
        if self.is_out:
            raise StoreUnavailable("the disk is full")
        self.batches += 1
        self.kept |= {each.delivery_id: each for each in deliveries}


@dataclass
class Bench:
    """Deliveries with a clock that is as quick as they like."""

    sender: Scripted = field(default_factory=Scripted)
    store: Store = field(default_factory=Store)
    rules: dict[str, KnownRule] = field(default_factory=lambda: {"al_1": KnownRule(rule(BOT))})
    now: float = 0.0
    jump: float = 0.0
    delays: list[float] = field(default_factory=list)
    switched_off: list[tuple[str, str]] = field(default_factory=list)
    on_pause: Callable[[], None] = lambda: None
    metrics: Metrics = field(default_factory=Metrics)
    in_force: InForce = field(default_factory=InForce)
    on_read: Callable[[], None] = lambda: None
    are_known: bool = True

    def __post_init__(self) -> None:
        thread = StoreThread(5.0)
        self.deliveries = Deliveries(
            self.store,  # type: ignore[arg-type]  # as much of it as is needed
            thread.reads,
            dict.fromkeys(("webhook", "apprise", "browser", "redis"), self.sender),
            rule_of=self.rules.get,
            switch_off=self._switch_off,
            in_force=lambda: self.in_force,
            read_pauses=self._read_pauses,
            metrics=self.metrics,
            clock=lambda: self.now,
            wall=lambda: 1_000_000.0 + self.now + self.jump,
            pause=self._pause,
        )

    async def _switch_off(self, alert_id: str, _channel: AnyChannel, problem: str) -> None:
        self.switched_off.append((alert_id, problem))
        self.rules[alert_id] = KnownRule(self.rules[alert_id].rule.switched_off(problem))

    async def _read_pauses(self) -> bool:
        await asyncio.sleep(0)
        self.on_read()
        return self.are_known

    async def _pause(self, _changed: asyncio.Event, seconds: float) -> None:
        self.delays.append(seconds)
        self.now += seconds
        self.on_pause()
        await asyncio.sleep(0)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110  # a pass of the event loop each
                await asyncio.sleep(0)

    async def all_done(self) -> dict[str, StoredDelivery]:
        await self.until(lambda: not sum(self.deliveries.waiting().values()))
        await self.deliveries.results.flush()
        return self.store.kept

    @property
    def ids(self) -> list[str]:
        return [message.id.removeprefix("evt_").lstrip("0") for message in self.sender.sent]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    found = Bench()
    running = asyncio.create_task(found.deliveries.run())
    await asyncio.sleep(0)
    yield found
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_messages_of_a_rule_arrive_in_order_though_attempts_fail(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [OK, FAILED, FAILED, OK]
    bench.deliveries.take([waiting(number) for number in (1, 2, 3)])
    kept = await bench.all_done()
    assert bench.ids == ["1", "2", "2", "2", "3"]
    assert [each.status for each in kept.values()] == ["delivered"] * 3
    assert [each.attempts for each in kept.values()] == [1, 3, 1]


async def test_delays_grow_up_to_a_bound_and_after_a_day_a_message_is_dead(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [FAILED] * 10_000
    bench.deliveries.take([waiting(1), waiting(2)])
    kept = await bench.all_done()
    assert {each.status for each in kept.values()} == {"dead"}
    assert kept["evt_" + "1".zfill(26) + ":c1"].attempts > 50
    bounds = [min(LONGEST_DELAY, FIRST_DELAY * 2**place) for place in range(len(bench.delays))]
    assert all(delay <= bound for delay, bound in zip(bench.delays, bounds, strict=True))
    assert GIVEN_UP_SECONDS <= bench.now <= GIVEN_UP_SECONDS + LONGEST_DELAY
    assert max(bench.delays) > LONGEST_DELAY / 2


async def test_a_channel_may_want_no_alert_that_expired(bench: Bench) -> None:
    bench.rules["al_1"] = KnownRule(rule({**BOT, "drop_expired": True}))
    bench.sender.script["https://bot.example/hook"] = [FAILED, OK]
    late, still_good = waiting(1), waiting(2)
    late.event.event["expires_at"] = datetime.fromtimestamp(1_000_000.0, UTC).isoformat()
    bench.deliveries.take([late, still_good])
    kept = await bench.all_done()
    assert [each.status for each in kept.values()] == ["dropped", "delivered"]
    assert bench.ids == ["1", "2"]


async def test_retry_after_is_obeyed(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [Attempt("failed", "", 429, retry_after=77.0)]
    bench.deliveries.take([waiting(1)])
    await bench.all_done()
    assert 77 <= bench.delays[0] <= 78


async def test_what_is_retried_is_attempted_at_once_when_it_is_asked_for(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [Attempt("failed", "", 429, retry_after=3_000.0)]

    def ask() -> None:
        assert bench.deliveries.attempt_now(waiting(2).delivery.delivery_id)
        bench.now -= bench.delays[-1]  # the pause ended early

    bench.on_pause = ask
    bench.deliveries.take([waiting(1), waiting(2)])
    await bench.all_done()
    assert bench.ids == ["1", "1", "2"]
    assert bench.now == 0.0
    assert not bench.deliveries.attempt_now(waiting(2).delivery.delivery_id)


async def test_a_receiver_that_is_gone_switches_its_rule_off(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [Attempt("gone", "", 410)]
    bench.deliveries.take([waiting(1), waiting(2)])
    kept = await bench.all_done()
    assert bench.switched_off == [("al_1", "switched off: the receiver of c1 answered 410 Gone")]
    assert [(each.status, each.answer) for each in kept.values()] == [
        ("dead", ""),
        ("dropped", "The rule was switched off"),
    ]


async def test_an_address_that_was_corrected_meanwhile_switches_no_rule_off(bench: Bench) -> None:
    bench.sender.held["https://bot.example/hook"] = held = asyncio.Event()
    bench.sender.script["https://bot.example/hook"] = [Attempt("gone", "gone", 410)]
    bench.deliveries.take([waiting(1)])
    await bench.until(lambda: bench.sender.under_way == 1)
    bench.rules["al_1"] = KnownRule(rule(webhook("https://bot.example/new")))
    bench.deliveries.rule_changed("al_1")
    held.set()
    kept = await bench.all_done()
    assert [each.status for each in kept.values()] == ["delivered"]
    assert bench.switched_off == []


async def test_many_at_once_arrive_as_one_message(bench: Bench) -> None:
    bench.rules["al_1"] = KnownRule(rule({"type": "apprise", "url": "tgram://token/1", "coalesce_above": 3}))
    bench.deliveries.take([waiting(number, kind="apprise") for number in range(1, 38)])
    kept = await bench.all_done()
    [message] = bench.sender.sent
    assert message.event["type"] == "several"
    assert message.event["text"].startswith("[simulated] 37 assets at bang: A1, A2")
    assert {(each.status, each.together) for each in kept.values()} == {("delivered", 37)}


async def test_every_attempt_of_many_at_once_has_the_same_id(bench: Bench) -> None:
    bench.rules["al_1"] = KnownRule(rule({**BOT, "coalesce_above": 3}))
    bench.sender.script["https://bot.example/hook"] = [FAILED, OK]
    bench.on_pause = lambda: bench.deliveries.take([waiting(9)])
    bench.deliveries.take([waiting(number) for number in range(1, 6)])
    await bench.all_done()
    first, again, last = bench.sender.sent
    assert first.id == again.id
    assert len(again.event["events"]) == 5  # type: ignore[typeddict-item]  # of several
    assert last.event["id"] == waiting(9).event.event_id


async def test_a_body_that_is_added_while_a_message_of_several_fails_gets_each_alert(bench: Bench) -> None:
    bench.rules["al_1"] = KnownRule(rule({**BOT, "coalesce_above": 3}))
    bench.sender.script["https://bot.example/hook"] = [FAILED]
    bodied = KnownRule(rule({**BOT, "coalesce_above": 3, "body": {"a": "{{asset}}"}}))
    bench.on_pause = lambda: bench.rules.update(al_1=bodied)
    bench.deliveries.take([waiting(number) for number in range(1, 6)])
    await bench.all_done()
    assert [message.event["type"] for message in bench.sender.sent] == ["several", *["level"] * 5]


async def test_a_bot_with_a_body_of_its_own_gets_each_alert(bench: Bench) -> None:
    bench.rules["al_1"] = KnownRule(rule({**BOT, "coalesce_above": 1, "body": {"a": "{{asset}}"}}))
    bench.deliveries.take([waiting(number) for number in range(1, 6)])
    await bench.all_done()
    assert bench.ids == ["1", "2", "3", "4", "5"]


async def test_a_dead_receiver_and_a_slow_one_delay_no_other(bench: Bench) -> None:
    urls = [f"https://receiver{number}.example/" for number in range(60)]
    for number, url in enumerate(urls):
        bench.rules[f"al_{number}"] = KnownRule(rule(webhook(url)))
    bench.sender.held[urls[0]] = asyncio.Event()
    bench.sender.script[urls[1]] = [FAILED] * 100_000
    for turn in range(1, 6):
        bench.deliveries.take([waiting(100 * number + turn, f"al_{number}") for number in range(60)])
    await bench.until(lambda: len({message.id for message in bench.sender.sent}) >= 58 * 5 + 2)
    del bench.sender.script[urls[1]]
    bench.sender.held[urls[0]].set()
    kept = await bench.all_done()
    assert len(kept) == 300
    assert bench.sender.most_under_way <= sum(AT_ONCE["webhook"].values())


async def test_one_receiver_of_many_rules_gets_few_at_a_time(bench: Bench) -> None:
    for number in range(50):
        bench.rules[f"al_{number}"] = KnownRule(rule(BOT))
    bench.deliveries.take([waiting(number, f"al_{number}") for number in range(50)])
    await bench.all_done()
    assert bench.sender.most_under_way == 4


async def test_a_rule_that_is_edited_is_delivered_with_its_newest_channel_at_once(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [FAILED]

    def edit() -> None:
        bench.rules["al_1"] = KnownRule(rule(webhook("https://new.example/hook")))
        bench.now -= bench.delays[-1]  # the pause ended early

    bench.on_pause = edit
    bench.deliveries.take([waiting(1)])
    await bench.all_done()
    assert [bench.sender.destination(each.channel) for each in bench.sender.sent] == [
        "https://bot.example/hook",
        "https://new.example/hook",
    ]
    assert len(bench.delays) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rules: rules.clear(), "The rule was deleted"),
        (lambda rules: rules.update(al_1=KnownRule(rule(BOT, enabled=False))), "The rule was switched off"),
        (
            lambda rules: rules.update(al_1=KnownRule(rule({**BOT, "id": "c2"}))),
            "The channel was removed from the rule",
        ),
    ],
)
async def test_what_waits_for_a_rule_that_is_off_is_not_sent(bench: Bench, change: Any, reason: str) -> None:
    bench.sender.script["https://bot.example/hook"] = [FAILED] * 100
    bench.on_pause = lambda: change(bench.rules)
    bench.deliveries.take([waiting(1), waiting(2)])
    kept = await bench.all_done()
    assert len(bench.sender.sent) == 1
    assert [(each.status, each.answer) for each in kept.values()] == [("dropped", reason)] * 2


async def test_beyond_the_limits_the_oldest_are_dropped_and_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "MOST_IN_LANE", 5)
    monkeypatch.setattr(lanes_module, "MOST_IN_ALL", 7)
    bench.rules["al_2"] = KnownRule(rule(BOT))
    bench.sender.held["https://bot.example/hook"] = asyncio.Event()
    bench.deliveries.take([waiting(number) for number in range(1, 8)])
    bench.deliveries.take([waiting(10 + number, "al_2") for number in range(1, 4)])
    assert sum(bench.deliveries.waiting().values()) == 7
    bench.sender.held["https://bot.example/hook"].set()
    kept = await bench.all_done()
    dropped = sorted(int(each.event_id[4:]) for each in kept.values() if each.status == "dropped")
    assert dropped == [1, 2, 3]
    counted = bench.metrics.registry.get_sample_value(
        "vivienne_alert_deliveries_total", {"channel_type": "webhook", "status": "dropped"}
    )
    assert counted == 3


def switch(count: int, action: str, version: int) -> Waiting:
    found = waiting(count)
    more = {"type": "pause", "asset": "BTC", "config_version": version, "details": {"action": action}}
    event: Any = {**found.event.event, **more}
    return found._replace(event=replace(found.event, event=event))


def of_bar(count: int, kind: str, position_size: float) -> Waiting:
    found = switch(count, "", 3)
    event: Any = {**found.event.event, "type": kind, "position_size": position_size, "details": {}}
    return found._replace(event=replace(found.event, event=event))


def paused_at(version: int) -> InForce:
    pause = PauseInForce("id", "BTC", version, "2026-01-01T00:00:00.000Z", "ana", None, "rest", None)
    return InForce(version, PausesInForce({"BTC": pause}))


async def test_a_resumption_that_another_process_left_is_not_told_after_a_later_pause(bench: Bench) -> None:
    """Who hears of a resumption last would go on."""
    bench.in_force = paused_at(4)
    bench.deliveries.take([switch(1, "paused", 4)])
    await bench.all_done()
    bench.deliveries.take([switch(2, "resumed", 3), switch(3, "resumed", 5)], are_former=True)
    kept = await bench.all_done()
    assert bench.ids == ["1", "3"]
    statuses = {each.event_id.removeprefix("evt_").lstrip("0"): each.status for each in kept.values()}
    assert statuses == {"1": "delivered", "2": "dropped", "3": "delivered"}


def tried(message: Waiting) -> Waiting:
    return message._replace(delivery=replace(message.delivery, status="retrying", attempts=1))


def expired(message: Waiting) -> Waiting:
    event: Any = {**message.event.event, "expires_at": "1970-01-01T00:00:00.000Z"}
    return message._replace(event=replace(message.event, event=event))


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([switch(1, "resumed", 3)], []),
        ([switch(1, "paused", 3)], ["1"]),
        ([tried(switch(1, "paused", 3))], []),
        ([of_bar(1, "entry", 0.5)], []),
        ([of_bar(1, "exit", 0.0)], ["1"]),
        ([expired(of_bar(1, "exit", 0.0)), of_bar(2, "entry", 0.5)], []),
    ],
)
async def test_a_process_that_stood_still_reads_the_pauses_before_it_sends_what_they_keep_back(
    bench: Bench, messages: list[Waiting], told: list[str]
) -> None:
    """Another one has told of the pause, and this one knows what was so before it stood still."""
    bench.rules["al_1"] = KnownRule(rule({**BOT, "body": {"text": "x"}, "drop_expired": True}))
    is_over = messages[0].delivery.attempts
    bench.on_read = lambda: setattr(bench, "in_force", InForce(4) if is_over else paused_at(4))
    bench.deliveries.take(messages)
    await bench.all_done()
    assert bench.ids == told


async def test_a_process_that_nothing_reaches_holds_back_what_a_pause_might_keep_back(bench: Bench) -> None:
    """Neither the database nor Redis: somebody may have paused, and others have told of it."""
    bench.rules["al_1"] = KnownRule(rule({**BOT, "body": {"text": "x"}}))
    bench.are_known = False
    bench.deliveries.take([of_bar(1, "exit", 0.0), of_bar(2, "entry", 0.5), of_bar(3, "exit", 0.0)])
    await bench.until(lambda: len(bench.delays) >= 5)
    assert bench.ids == ["1"]
    assert set(bench.delays) == {1.0}
    bench.are_known = True
    await bench.all_done()
    assert bench.ids == ["1", "2", "3"]


async def test_a_pause_waits_for_no_delay_of_what_failed_before_it(bench: Bench) -> None:
    """After an outage of some minutes that would be as long as the outage was."""
    bench.sender.script["https://bot.example/hook"] = [FAILED]
    waits = asyncio.Event()

    async def until_changed(changed: asyncio.Event, _seconds: float) -> None:
        waits.set()
        await changed.wait()

    bench.deliveries._pause = until_changed
    bench.deliveries.take([waiting(1)])
    await bench.until(waits.is_set)
    bench.deliveries.take([switch(2, "paused", 3)])
    await bench.all_done()
    assert bench.ids == ["1", "1", "2"]


async def test_changes_of_values_neither_push_a_pause_out_nor_keep_it_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "MOST_IN_LANE", 20)
    bench.sender.held["https://bot.example/hook"] = asyncio.Event()

    def change(number: int) -> Waiting:
        found = waiting(number)
        return found._replace(event=replace(found.event, event={**found.event.event, "type": "config"}))

    bench.deliveries.take([change(number) for number in range(1, 11)])
    await bench.until(lambda: bench.sender.under_way == 1)
    bench.deliveries.take([switch(100, "paused", 3)])
    bench.deliveries.take([change(number) for number in range(11, 60)])
    bench.sender.held["https://bot.example/hook"].set()
    await bench.all_done()
    assert bench.ids[:3] == ["1", "100", "41"], "it comes next, whatever was left out"


async def test_messages_of_the_same_author_push_a_pause_out_last(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "MOST_IN_ALL", 5)
    bench.rules["al_2"] = KnownRule(rule(BOT))
    bench.sender.held["https://bot.example/hook"] = asyncio.Event()
    bench.deliveries.take([waiting(1), switch(2, "paused", 3)])
    bench.deliveries.take([waiting(10 + number, "al_2") for number in range(30)])
    bench.sender.held["https://bot.example/hook"].set()
    await bench.all_done()
    assert "2" in bench.ids


async def test_of_pauses_of_one_asset_the_last_ones_wait_and_keep_none_of_another_waiting(bench: Bench) -> None:
    """Somebody who pauses and resumes as fast as the receiver takes it would keep it behind what is so."""
    bench.sender.held["https://bot.example/hook"] = asyncio.Event()
    bench.deliveries.take([switch(1, "paused", 1)])
    await bench.until(lambda: bench.sender.under_way == 1)
    for number in range(2, 100):
        bench.deliveries.take([switch(number, "paused" if number % 2 else "resumed", number)])
    other = switch(100, "paused", 100)
    event: Any = {**other.event.event, "asset": "ETH"}
    bench.deliveries.take([other._replace(event=replace(other.event, event=event))])
    bench.in_force = paused_at(99)
    bench.sender.held["https://bot.example/hook"].set()
    kept = await bench.all_done()
    assert bench.ids == ["1", "99", "100"], "the end of a pause that is in force again is not told either"
    assert {each.status for each in kept.values()} == {"delivered", "dropped"}


async def test_a_pause_that_waits_is_attempted_often(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [FAILED] * 60
    bench.deliveries.take([switch(1, "paused", 3)])
    await bench.all_done()
    assert LONGEST_DELAY / 30 > max(bench.delays) > 1.0


async def test_none_of_many_is_left_out_of_what_is_sent_together(bench: Bench) -> None:
    """A pause that is counted only would be told to nobody."""
    bench.rules["al_1"] = KnownRule(rule({**BOT, "coalesce_above": 10}))
    numbers = [*range(1, 60), *range(61, 250)]
    bench.deliveries.take([*(waiting(number) for number in numbers[:59]), switch(60, "paused", 3)])
    bench.deliveries.take([waiting(number) for number in numbers[59:]])
    await bench.all_done()
    told = [each["id"] for message in bench.sender.sent for each in events_of(message)]
    assert sorted(told) == [event(number)["id"] for number in range(1, 250)]
    assert max(len(events_of(message)) for message in bench.sender.sent) == 100
    first: Any = bench.sender.sent[0].event
    assert first["text"].startswith("BTC is at bang; "), "pauses come first"


def events_of(message: Message) -> list[Any]:
    found: Any = message.event
    return found["events"] if found["type"] == "several" else [found]


async def test_what_is_over_is_not_among_many_that_are_sent_together(bench: Bench) -> None:
    bench.sender.script["https://bot.example/hook"] = [FAILED]
    bench.rules["al_1"] = KnownRule(rule({**BOT, "coalesce_above": 3}))
    bench.deliveries.take([waiting(1), switch(2, "resumed", 3), *(waiting(number) for number in range(3, 8))])
    bench.on_pause = lambda: setattr(bench, "in_force", paused_at(4))
    kept = await bench.all_done()
    assert [each.event_id[-1] for each in kept.values() if each.status == "dropped"] == ["2"]
    assert len(bench.sender.sent) == 2


async def test_with_few_open_files_few_webhooks_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "allowed", lambda: 320)
    bench = Bench()
    running = asyncio.create_task(bench.deliveries.run())
    for number in range(100):
        url = f"https://bot{number}.example/hook"
        bench.rules[f"al_{number}"] = KnownRule(rule(webhook(url)))
        bench.sender.held[url] = asyncio.Event()
        bench.deliveries.take([waiting(number + 1, f"al_{number}")])
    await bench.until(lambda: bench.sender.under_way > 0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert bench.sender.under_way < 10
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_messages_of_somebody_else_push_none_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "MOST_IN_ALL", 7)
    bench.rules["al_2"] = KnownRule(rule(BOT), made_by="bob")
    bench.sender.held["https://bot.example/hook"] = asyncio.Event()
    bench.deliveries.take([waiting(number) for number in range(1, 4)])
    bench.deliveries.take([waiting(10 + number, "al_2") for number in range(1, 20)])
    assert sum(bench.deliveries.waiting().values()) == 7
    bench.sender.held["https://bot.example/hook"].set()
    kept = await bench.all_done()
    assert {each.alert_id for each in kept.values() if each.status == "dropped"} == {"al_2"}


async def test_a_store_that_is_out_stops_no_delivery_and_gets_all_results_afterwards(bench: Bench) -> None:
    bench.store.is_out = True
    bench.deliveries.take([waiting(number) for number in range(1, 50)])
    await bench.until(lambda: len(bench.sender.sent) == 49)
    assert await bench.deliveries.results.flush() is False
    bench.deliveries.take([waiting(1)])  # the store still says that it waits
    bench.store.is_out = False
    kept = await bench.all_done()
    assert [each.status for each in kept.values()] == ["delivered"] * 49
    assert len(bench.sender.sent) == 49
    assert bench.store.batches < 5


async def test_a_defect_of_a_sender_is_logged_and_the_message_is_sent_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.sender.script["https://bot.example/hook"] = [RuntimeError("a defect")]
    bench.deliveries.take([waiting(1)])
    kept = await bench.all_done()
    assert [each.status for each in kept.values()] == ["delivered"]
    assert "failed by a defect" in caplog.text


@pytest.mark.parametrize("jump", [-86_400.0 * 30, 86_400.0 * 30])
async def test_a_clock_that_is_set_neither_gives_up_a_message_nor_delays_it(bench: Bench, jump: float) -> None:
    bench.sender.script["https://bot.example/hook"] = [FAILED, FAILED, OK]
    bench.on_pause = lambda: setattr(bench, "jump", jump)
    bench.deliveries.take([waiting(1)])
    kept = await bench.all_done()
    assert [(each.status, each.attempts) for each in kept.values()] == [("delivered", 3)]
    assert sum(bench.delays) <= 1.0 + 2.0


async def test_a_message_of_a_former_run_waits_for_its_time_whatever_the_clock_says_now(bench: Bench) -> None:
    later = waiting(1, status="retrying", attempts=3, due_at=1_000_000.0 + 500, first_at=1_000_000.0 - 100)
    bench.deliveries.take([later], are_former=True)
    await bench.all_done()
    assert bench.delays[0] == pytest.approx(500)
    far = waiting(2, status="retrying", attempts=3, due_at=2e12, first_at=2e12)
    bench.deliveries.take([far], are_former=True)
    await bench.all_done()
    assert bench.delays[1] <= 3_600


async def test_former_messages_go_before_those_that_were_decided_here(bench: Bench) -> None:
    bench.sender.held["https://bot.example/hook"] = asyncio.Event()
    bench.deliveries.take([waiting(8), waiting(9)])
    await bench.until(lambda: len(bench.sender.sent) == 1)
    bench.deliveries.take([waiting(1, number=1), waiting(2, number=2)], are_former=True)
    bench.deliveries.take([waiting(3, number=3)], are_former=True)
    bench.sender.held["https://bot.example/hook"].set()
    await bench.all_done()
    assert bench.ids == ["8", "1", "2", "3", "9"]
