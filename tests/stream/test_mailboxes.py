from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

from vivienne.stream.frame import Frame
from vivienne.stream.hub import Hub
from vivienne.stream.mailbox import MOST_REPLIES, MOST_REPLY_BYTES, Mailbox
from vivienne.stream.state import StateBoard
from vivienne.stream.waking import WOKEN_AT_ONCE

if TYPE_CHECKING:
    from vivienne.wire.messages import AssetData
    from vivienne.wire.state import AssetState

SECONDS = 5.0
NOTHING = cast("AssetState", {"bar": None})
"""Content does not matter to whoever passes it on."""


def frame(asset: str, seq: int) -> Frame:
    return Frame(cast("AssetData", {"asset": asset, "seq": seq}))


async def taken(mailbox: Mailbox) -> Any:
    return json.loads(await asyncio.wait_for(mailbox.take(), SECONDS))


async def is_empty(mailbox: Mailbox) -> bool:
    waiting = asyncio.create_task(mailbox.take())
    for _ in range(5):
        await asyncio.sleep(0)
    empty = not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return empty


async def test_a_newer_frame_replaces_the_one_not_yet_sent() -> None:
    mailbox = Mailbox()
    for seq in range(1, 101):
        mailbox.offer("BTC", frame("BTC", seq))

    assert await taken(mailbox) == {"asset": "BTC", "seq": 100}
    assert await is_empty(mailbox)


async def test_each_asset_keeps_its_own_newest_frame() -> None:
    mailbox = Mailbox()
    for seq in (1, 2):
        mailbox.offer("BTC", frame("BTC", seq))
        mailbox.offer("ETH", frame("ETH", seq))

    found = [await taken(mailbox), await taken(mailbox)]

    assert sorted(found, key=lambda item: item["asset"]) == [{"asset": "BTC", "seq": 2}, {"asset": "ETH", "seq": 2}]


async def test_no_asset_waits_for_ever_behind_a_busier_one() -> None:
    mailbox = Mailbox()
    mailbox.offer("ETH", frame("ETH", 1))
    seen = []

    for seq in range(1, 4):
        mailbox.offer("BTC", frame("BTC", seq))
        seen.append((await taken(mailbox))["asset"])

    assert "ETH" in seen


async def test_replies_go_first_and_in_order() -> None:
    mailbox = Mailbox()
    mailbox.offer("BTC", frame("BTC", 1))
    await mailbox.reply({"reply": 1})
    await mailbox.reply({"reply": 2})

    assert [await taken(mailbox) for _ in range(3)] == [{"reply": 1}, {"reply": 2}, {"asset": "BTC", "seq": 1}]


async def test_so_many_bytes_of_replies_wait_and_the_next_message_is_read_after_them() -> None:
    kept: list[int] = []
    mailbox = Mailbox(keeps=kept.append)
    long = {"reply": "x" * (MOST_REPLY_BYTES // 2)}
    for _ in range(2):
        await mailbox.reply(long)
    assert kept[-1] > MOST_REPLY_BYTES
    more = asyncio.create_task(mailbox.reply({"reply": 3}))
    assert await taken(mailbox) == long
    assert not more.done()
    assert kept[-1] > MOST_REPLY_BYTES  # what was taken may not be sent yet
    assert await taken(mailbox) == long
    await asyncio.wait_for(more, SECONDS)
    assert await taken(mailbox) == {"reply": 3}
    assert await is_empty(mailbox)
    assert kept[-1] == 0


async def test_a_waiting_writer_gets_what_comes() -> None:
    mailbox = Mailbox()
    writer = asyncio.create_task(taken(mailbox))
    await asyncio.sleep(0)

    mailbox.offer("BTC", frame("BTC", 7))

    assert await writer == {"asset": "BTC", "seq": 7}


async def test_unread_replies_are_bounded_and_none_is_lost() -> None:
    mailbox = Mailbox()
    total = 2 * MOST_REPLIES
    stored = 0

    async def send_all() -> None:
        nonlocal stored
        for number in range(total):
            await mailbox.reply({"reply": number})
            stored += 1

    sender = asyncio.create_task(send_all())
    for _ in range(total):
        await asyncio.sleep(0)

    assert stored == MOST_REPLIES
    assert [(await taken(mailbox))["reply"] for _ in range(total)] == list(range(total))
    await asyncio.wait_for(sender, SECONDS)


async def test_a_client_with_too_many_unread_replies_still_gets_frames_offered() -> None:
    mailbox = Mailbox()
    for number in range(MOST_REPLIES):
        await mailbox.reply({"reply": number})

    mailbox.offer("BTC", frame("BTC", 1))

    found = [await taken(mailbox) for _ in range(MOST_REPLIES + 1)]
    assert found[-1] == {"asset": "BTC", "seq": 1}


async def test_watching_fewer_assets_drops_frames_of_the_others() -> None:
    mailbox = Mailbox()
    mailbox.offer("BTC", frame("BTC", 1))
    mailbox.offer("ETH", frame("ETH", 1))

    mailbox.watch(["ETH"])
    mailbox.offer("BTC", frame("BTC", 2))

    assert await taken(mailbox) == {"asset": "ETH", "seq": 1}
    assert await is_empty(mailbox)


async def test_watching_all_again_lets_every_asset_through() -> None:
    mailbox = Mailbox()
    mailbox.watch(["ETH"])
    mailbox.watch(None)

    mailbox.offer("BTC", frame("BTC", 1))

    assert await taken(mailbox) == {"asset": "BTC", "seq": 1}


async def test_everyone_gets_a_broadcast_and_nobody_after_leaving() -> None:
    hub = Hub()
    stays, leaves = hub.join(), hub.join()
    hub.leave(leaves)
    hub.leave(leaves)

    hub.broadcast("BTC", frame("BTC", 1))

    assert len(hub) == 1
    assert await taken(stays) == {"asset": "BTC", "seq": 1}
    assert await is_empty(leaves)


async def test_one_reader_taking_nothing_changes_nothing_for_another() -> None:
    hub = Hub()
    _idle, reads = hub.join(), hub.join()
    seen = []

    for seq in range(1, 51):
        hub.broadcast("BTC", frame("BTC", seq))
        seen.append((await taken(reads))["seq"])

    assert seen == list(range(1, 51))


async def test_states_of_an_asset_are_numbered_without_gaps() -> None:
    hub = Hub()
    mailbox, board = hub.join(), StateBoard(hub)
    seen = []

    for asset in ("BTC", "ETH", "BTC", "BTC", "ETH"):
        board.publish(asset, data=NOTHING, config={}, config_version=3)
        state = await taken(mailbox)
        seen.append((state["asset"], state["seq"], state["config_version"]))

    assert seen == [("BTC", 1, 3), ("ETH", 1, 3), ("BTC", 2, 3), ("BTC", 3, 3), ("ETH", 2, 3)]


async def test_two_states_in_one_breath_leave_no_gap_for_a_client_that_keeps_up() -> None:
    """A bar closes in the very moment in which a change or a price is published."""
    hub = Hub()
    mailbox, board = hub.join(), StateBoard(hub)
    seen: list[int] = []

    async def keep_up() -> None:
        while True:
            seen.append(json.loads(await mailbox.take())["seq"])

    client = asyncio.create_task(keep_up())
    for _ in range(10):
        for _ in range(2):
            board.publish("BTC", data=NOTHING, config={}, config_version=0)
        for _ in range(10):
            await asyncio.sleep(0)
    client.cancel()
    await asyncio.gather(client, return_exceptions=True)

    assert len(seen) >= 10
    assert seen == list(range(1, len(seen) + 1))


async def test_a_newcomer_is_shown_the_latest_state_of_each_asset() -> None:
    hub = Hub()
    board = StateBoard(hub)
    for asset in ("BTC", "BTC", "ETH"):
        board.publish(asset, data=NOTHING, config={}, config_version=0)
        for _ in range(3):
            await asyncio.sleep(0)
    newcomer = hub.join()

    board.show(newcomer)

    assert {(state["asset"], state["seq"]) for state in [await taken(newcomer), await taken(newcomer)]} == {
        ("BTC", 2),
        ("ETH", 1),
    }
    assert await is_empty(newcomer)


async def test_a_newcomer_sees_what_was_published_in_the_same_breath() -> None:
    hub = Hub()
    board = StateBoard(hub)
    board.publish("BTC", data=NOTHING, config={}, config_version=7)
    newcomer = hub.join()
    board.show(newcomer)
    assert (await taken(newcomer))["config_version"] == 7
    assert await is_empty(newcomer)


async def test_however_many_watch_what_else_there_is_to_do_gets_its_turn() -> None:
    """A request that takes some turns of the loop is not kept waiting by a broadcast to thousands."""
    hub = Hub()
    mailboxes = [hub.join() for _ in range(20 * WOKEN_AT_ONCE)]
    taken_so_far = 0

    async def watch(mailbox: Mailbox) -> None:
        nonlocal taken_so_far
        await mailbox.take()
        taken_so_far += 1

    watchers = [asyncio.create_task(watch(mailbox)) for mailbox in mailboxes]
    await asyncio.sleep(0)
    hub.broadcast("BTC", frame("BTC", 1))

    turns = []
    while taken_so_far < len(mailboxes):
        before = taken_so_far
        await asyncio.sleep(0)
        turns.append(taken_so_far - before)
    await asyncio.gather(*watchers)

    assert max(turns) <= WOKEN_AT_ONCE


async def test_whoever_watches_among_thousands_and_keeps_up_misses_no_state() -> None:
    hub = Hub()
    board, mailboxes = StateBoard(hub), [hub.join() for _ in range(3 * WOKEN_AT_ONCE)]
    seen: list[list[int]] = [[] for _ in mailboxes]

    async def keep_up(number: int) -> None:
        while True:
            seen[number].append(json.loads(await mailboxes[number].take())["seq"])

    watchers = [asyncio.create_task(keep_up(number)) for number in range(len(mailboxes))]
    async with asyncio.timeout(SECONDS):
        while len(seen[0]) <= 10:  # a busy machine hands on fewer of them
            board.publish("BTC", data=NOTHING, config={}, config_version=0)
            await asyncio.sleep(0)
        await board.handed_over("BTC")
        newest = cast("AssetData", board.latest("BTC"))["seq"]
        while any(not numbers or numbers[-1] != newest for numbers in seen):  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)

    assert all(numbers == list(range(1, len(seen[0]) + 1)) for numbers in seen)


async def test_who_leaves_before_it_is_its_turn_is_not_waited_for() -> None:
    hub = Hub()
    board, mailboxes = StateBoard(hub), [hub.join() for _ in range(3 * WOKEN_AT_ONCE)]
    board.publish("BTC", data=NOTHING, config={}, config_version=0)
    await asyncio.sleep(0)
    for mailbox in mailboxes:
        hub.leave(mailbox)
    newcomer = hub.join()

    board.publish("BTC", data=NOTHING, config={}, config_version=0)

    assert (await taken(newcomer))["seq"] == 2
