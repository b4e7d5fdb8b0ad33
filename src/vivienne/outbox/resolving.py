"""Resolving names of hosts without keeping anybody waiting: one that is not answered holds a thread of its own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING

from vivienne.outbox.addresses import NotReachable, resolved

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_AT_ONCE = 64
"""Names that are looked up at the same time, and as many again that were found before."""
_MOST_FOUND = 10_000


class Resolver:
    """Looks names up, each once at a time. The threads of the event loop are left to others.

    Args:
        look_up: blocks; gives the addresses of a host.
    """

    def __init__(self, look_up: Callable[[str, int], list[str]] = resolved) -> None:
        self._look_up = look_up
        self._asked: dict[str, asyncio.Future[list[str]]] = {}
        self._found: OrderedDict[str, None] = OrderedDict()
        """Names that were found: others that nobody answers for do not take their places."""

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host.

        Raises:
            NotReachable: the name is unknown, or too many others are not answered.
        """
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        asked = self._asked.get(host) or self._ask(host, port)
        found = await asyncio.shield(asked)
        self._found[host] = None
        self._found.move_to_end(host)
        if len(self._found) > _MOST_FOUND:
            self._found.popitem(last=False)
        return found

    def _ask(self, host: str, port: int) -> asyncio.Future[list[str]]:
        if len(self._asked) >= MOST_AT_ONCE * (2 if host in self._found else 1):
            raise NotReachable(
                f"The names of {MOST_AT_ONCE} other hosts are still being looked up; DNS does not answer"
            )
        loop = asyncio.get_running_loop()
        asked: asyncio.Future[list[str]] = loop.create_future()
        self._asked[host] = asked
        asked.add_done_callback(lambda done: (self._asked.pop(host, None), done.cancelled() or done.exception()))

        def work() -> None:
            found: list[str] | BaseException
            try:
                found = self._look_up(host, port)
            except BaseException as error:  # noqa: BLE001  # who asked gets it
                found = error
            with suppress(RuntimeError):  # the event loop has ended
                loop.call_soon_threadsafe(_settle, asked, found)

        # Not one that the end of the program waits for.
        Thread(target=work, name="resolve", daemon=True).start()
        return asked


def _settle(asked: asyncio.Future[list[str]], found: list[str] | BaseException) -> None:
    if asked.done():
        return
    if isinstance(found, BaseException):
        asked.set_exception(found)
    else:
        asked.set_result(found)
