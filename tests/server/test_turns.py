"""What one client sends does not hold up the event loop, and addresses take turns."""

from __future__ import annotations

import asyncio
from functools import partial

from vivienne.server.http_receiving import forwarded_for
from vivienne.server.turns import Turns


async def _passes(number: int) -> None:
    """Let the event loop go on."""
    for _ in range(number):
        await asyncio.sleep(0)


def _fail() -> None:
    raise ValueError("bad")


def test_clients_behind_a_proxy_have_turns_of_their_own() -> None:
    def whose(*values: bytes) -> str | None:
        return forwarded_for([(b"host", b"x"), *((b"x-forwarded-for", value) for value in values)])

    assert whose() is None
    assert whose(b"192.0.2.7") == "192.0.2.7"
    assert whose(b"192.0.2.7, 198.51.100.1") == "198.51.100.1"  # the one that the proxy has seen
    assert whose(b"2001:db8::1") == whose(b"2001:db8::2")
    assert whose(b"x" * 10_000) == whose(b"\xff") == "unknown"


def test_work_that_fails_stops_no_other() -> None:
    async def both() -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: done.append(str(context["exception"])))
        turns = Turns(per_pass=10)
        turns.take("bad", _fail)
        turns.take("good", partial(done.append, "good"))
        await _passes(3)
        turns.take("good", partial(done.append, "later"))
        await _passes(3)
        return done

    done: list[str] = []
    assert ["good", "later"] == asyncio.run(both())[1:]


def test_a_client_who_sends_without_end_holds_nobody_up() -> None:
    async def others_before_the_end() -> tuple[int, list[str]]:
        done: list[str] = []
        turns = Turns(per_pass=10)
        for number in range(1_000):
            turns.take("endless", partial(done.append, f"endless {number}"))
        turns.take("other", partial(done.append, "other"))
        await asyncio.sleep(0)
        first = len(done)
        while len(done) < 1_001:  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)
        return first, done

    first, done = asyncio.run(others_before_the_end())
    assert first == 10
    assert done.index("other") == 1
    assert [each for each in done if each != "other"] == [f"endless {number}" for number in range(1_000)]


def test_of_an_address_the_connection_with_the_fewest_turns_goes_first() -> None:
    async def order() -> list[str]:
        done: list[str] = []
        turns = Turns(per_pass=1)
        for had, name in ((3, "third"), (0, "first"), (3, "fourth"), (1, "second")):
            turns.take("same", partial(done.append, name), had=had)
        while len(done) < 4:  # noqa: ASYNC110  # each is a pass
            await asyncio.sleep(0)
        return done

    assert asyncio.run(order()) == ["first", "second", "third", "fourth"]


def test_what_is_dropped_takes_neither_turns_nor_memory() -> None:
    async def left() -> tuple[int, list[str]]:
        done: list[str] = []
        turns = Turns(per_pass=2)
        for name in ("first", "second"):
            gone = [turns.take("same", partial(done.append, "gone")) for _ in range(1_000)]
            turns.take("same", partial(done.append, name))
            for turn in gone:
                turns.drop(turn)
        waiting = len(turns)
        await _passes(3)
        return waiting, done

    waiting, done = asyncio.run(left())
    assert waiting < 10
    assert done == ["first", "second"]


def test_while_nobody_waits_a_few_pieces_of_a_pass_are_done_at_once() -> None:
    """Otherwise a pause would wait for a pass at each step, and a pass is as long as others make it."""

    async def order() -> tuple[list[str], list[str]]:
        done: list[str] = []
        turns = Turns(per_pass=3)
        for number in range(5):
            turns.take_now("many", partial(done.append, f"many {number}"))
        turns.take_now("other", partial(done.append, "other"))
        at_once = list(done)
        await _passes(1)
        assert len(done) == 6
        turns.take_now("other", partial(done.append, "too many in this pass"))
        assert len(done) == 6
        await _passes(2)
        turns.take_now("other", partial(done.append, "in a later pass"))
        return at_once, done

    at_once, done = asyncio.run(order())
    assert at_once == ["many 0", "many 1", "many 2"]
    assert done[3:] == ["many 3", "other", "many 4", "too many in this pass", "in a later pass"]
