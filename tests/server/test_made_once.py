"""Documents that are made in a thread: once for all who ask, and while others have the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from vivienne.server.made_once import MadeOnce

HERE = threading.get_ident()


class Making:
    """Makes a document as soon as the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.threads: set[int] = set()
        self.go_on = threading.Event()
        self.fails = False

    def __call__(self, root: str) -> bytes:
        self.begun.append(root)
        self.threads.add(threading.get_ident())
        assert self.go_on.wait(20)
        if self.fails:
            raise RuntimeError("a defect")
        return root.encode()


async def test_it_is_made_once_for_all_and_others_have_the_event_loop_meanwhile() -> None:
    making = Making()
    documents = MadeOnce(making)
    asking = [asyncio.create_task(documents.under("/v")) for _ in range(20)]
    while not making.begun:  # noqa: ASYNC110  # it begins in a thread
        await asyncio.sleep(0)
    making.go_on.set()
    assert {b"/v"} == {*await asyncio.gather(*asking)}
    assert await documents.under("/v") == b"/v"
    assert await documents.under("") == b""
    assert making.begun == ["/v", ""]
    assert HERE not in making.threads


async def test_those_who_leave_do_not_have_it_made_again() -> None:
    making = Making()
    documents = MadeOnce(making)
    for _ in range(5):
        left = asyncio.create_task(documents.under("/v"))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
    making.go_on.set()
    assert await documents.under("/v") == b"/v"
    assert making.begun == ["/v"]


async def test_one_that_failed_is_tried_again() -> None:
    making = Making()
    making.fails = True
    making.go_on.set()
    documents = MadeOnce(making)
    with pytest.raises(RuntimeError):
        await documents.under("/v")
    making.fails = False
    assert await documents.under("/v") == b"/v"


async def test_two_documents_are_made_one_after_the_other() -> None:
    first, second = Making(), Making()
    asking = [asyncio.create_task(MadeOnce(making).under("/v")) for making in (first, second)]
    while not first.begun + second.begun:  # noqa: ASYNC110  # they begin in threads
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert len(first.begun + second.begun) == 1
    first.go_on.set()
    second.go_on.set()
    await asyncio.gather(*asking)
    assert len(first.begun + second.begun) == 2
