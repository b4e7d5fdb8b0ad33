"""Messages that a process left behind, in a real store."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from alerting import event, rule, webhook
from receivers import Receiver, answer, hang, receiving
from vivienne.errors import StoreUnavailable
from vivienne.metrics.registry import Metrics
from vivienne.outbox.addresses import AllowedHosts
from vivienne.outbox.delivering import Deliveries
from vivienne.outbox.inheriting import DEAD_SECONDS, Inheriting
from vivienne.outbox.on_demand import OnDemand
from vivienne.outbox.secrets import Vault
from vivienne.outbox.webhook import WebhookSender
from vivienne.store.alert import StoredDelivery, StoredEvent
from vivienne.store.sqlite import SqliteRevisionStore
from vivienne.store.thread import StoreThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from vivienne.alerts.rule import Rule
    from vivienne.outbox.sending import AnyChannel
    from vivienne.store.alert import AlertStore
    from vivienne.store.thread import StoreCalls


@dataclass
class InForce:
    rule: Rule
    made_by: str = "ana"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AlertStore]:
    with closing(SqliteRevisionStore(tmp_path / "v.db")) as opened:
        yield opened.alerts


def stored(store: AlertStore, owner: str, *numbers: int) -> None:
    """Alerts that a process has decided and not delivered."""
    events, deliveries = [], []
    for number in numbers:
        alert = event(number)
        events.append(StoredEvent(alert["id"], "al_1", "run", "BTC", number, alert["time"], alert))
        deliveries.append(
            StoredDelivery(
                f"{alert['id']}.c1", alert["id"], "al_1", "bangs", "c1", "webhook", "***", "waiting", 0.0, 2e9
            )
        )
    store.add_alerts(events, deliveries, {}, "run", owner)


@dataclass
class Process:
    deliveries: Deliveries
    inheriting: Inheriting
    calls: StoreCalls


@asynccontextmanager
async def process(store: AlertStore, url: str, owner: str = "this", **more: Any) -> AsyncIterator[Process]:
    """A process that sends, until it is killed at the end of the block."""
    calls = StoreThread(5.0).reads
    in_force = InForce(rule(webhook(url)))
    senders: Any = {"webhook": WebhookSender(Vault(None), AllowedHosts.read("127.0.0.1"))}

    async def switch_off(_alert_id: str, _channel: AnyChannel, _problem: str) -> None:
        pass

    deliveries = Deliveries(
        store, calls, senders, rule_of=lambda _id: in_force, switch_off=switch_off, metrics=Metrics()
    )
    running = asyncio.create_task(deliveries.run())
    try:
        yield Process(
            deliveries,
            Inheriting(store, calls, deliveries, owner=owner, **{"is_shared": False, **more}),
            calls,
        )
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def ids(receiver: Receiver) -> list[int]:
    return [int(request.headers["webhook-id"].removeprefix("evt_")) for request in receiver.requests]


async def all_delivered(store: AlertStore, found: Process) -> None:
    async with asyncio.timeout(30):
        while sum(found.deliveries.waiting().values()):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.01)
    await found.deliveries.results.flush()
    assert await found.calls.run(store.delivery_counts) == {}


async def test_what_was_not_delivered_is_delivered_after_a_restart_in_order_with_the_same_ids(
    store: AlertStore,
) -> None:
    stored(store, "killed", *range(1, 21))
    async with receiving(hang) as receiver:
        async with process(store, receiver.url(), "first") as first:
            await first.inheriting.look()
            await receiver.got(1)
        receiver.behaviours[:] = Receiver().behaviours
        async with process(store, receiver.url(), "second") as second:
            await second.inheriting.look()
            await second.calls.run(stored, store, "second", 21)
            await second.inheriting.look()
            await all_delivered(store, second)
    assert ids(receiver) == [1, *range(1, 22)]


async def test_a_message_that_is_sent_again_over_another_process_is_sent_here(store: AlertStore) -> None:
    stored(store, "this", 1)
    async with receiving() as receiver, process(store, receiver.url()) as found:
        await found.inheriting.look()
        await all_delivered(store, found)
        gateway = OnDemand({}, store, found.calls)
        assert await gateway.resend(event(1)["id"] + ".c1")
        assert not await gateway.resend("evt_none.c1")
        await found.inheriting.look()
        await all_delivered(store, found)
    assert ids(receiver) == [1, 1]


async def test_a_message_that_is_retried_is_attempted_at_once_when_another_process_is_asked(store: AlertStore) -> None:
    stored(store, "this", 1)
    receiver_is_busy = answer(503, b"", retry_after="3000")
    async with receiving(receiver_is_busy, answer()) as receiver, process(store, receiver.url()) as found:
        await found.inheriting.look()
        await receiver.got(1)
        async with asyncio.timeout(30):
            while (await found.calls.run(store.stuck_of, {1: 1}))[0].delivery.attempts == 0:  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.01)
        await found.inheriting.look()
        assert len(receiver.requests) == 1
        gateway = OnDemand({}, store, found.calls)
        assert await gateway.resend(event(1)["id"] + ".c1")
        await found.inheriting.look()
        await all_delivered(store, found)
    assert ids(receiver) == [1, 1]


async def test_messages_of_a_process_are_taken_over_once_it_is_gone_and_not_after_an_outage(
    store: AlertStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage of the store nobody could say that it is alive; the others get as long as always to do so."""
    now = 0.0
    adopted: list[float] = []

    def adopt(_owner: str, _dead_after: float | None, _dead: list[str]) -> int:
        adopted.append(now)
        return 0

    monkeypatch.setattr(store, "adopt", adopt)
    async with process(store, "http://127.0.0.1:1", is_shared=True, clock=lambda: now) as found:
        await found.inheriting.look()
        assert adopted == [0.0]  # at the start
        now = DEAD_SECONDS - 1
        await found.inheriting.look()
        assert adopted == [0.0]
        now = DEAD_SECONDS
        await found.inheriting.look()
        assert adopted == [0.0, DEAD_SECONDS]
        with monkeypatch.context() as out:
            out.setattr(store, "say_alive", _out)
            await found.inheriting.look_again()
        now = 2 * DEAD_SECONDS
        await found.inheriting.look_again()
        assert len(adopted) == 2
        now = 3 * DEAD_SECONDS
        await found.inheriting.look_again()
        assert len(adopted) == 3


async def test_a_process_that_is_stopped_leaves_its_messages_to_others_at_once(store: AlertStore) -> None:
    """Also on another machine, where nobody can see that it is gone."""
    stored(store, "leaving", 1)
    async with process(store, "http://127.0.0.1:1", "leaving", is_shared=True) as leaving:
        looking = asyncio.create_task(leaving.inheriting.run())
        async with asyncio.timeout(30):
            while "leaving" not in await leaving.calls.run(store.owners):  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.01)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    async with receiving() as receiver, process(store, receiver.url(), "next", is_shared=True) as found:
        await found.inheriting.look()
        await all_delivered(store, found)
    assert ids(receiver) == [1]


async def test_processes_that_share_a_store_are_in_one_order(store: AlertStore) -> None:
    """So that one of them tells of a pause, and the others only if it has gone."""
    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(process(store, "http://127.0.0.1:1", name, is_shared=True))
            for name in ("b", "c", "a")
        ]
        for _ in range(2):
            for each in found:
                await each.inheriting.look()
        assert [each.inheriting.before for each in found] == [1, 2, 0]
        await found[2].calls.run(store.say_gone, "a")
        for each in found[:2]:
            await each.inheriting.look()
        assert [each.inheriting.before for each in found[:2]] == [0, 1]


def _out(_owner: str) -> None:
    raise StoreUnavailable("no answer")
