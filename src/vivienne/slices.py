"""Slices of work: what takes long is done a little at a time, and others have the event loop between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar
from weakref import WeakKeyDictionary

_T = TypeVar("_T")

Pieces = Generator[None, None, _T]
"""Work that yields after each piece of it. Its result is what it returns."""

SLICE_SECONDS = 0.002
"""Longest time until others have a turn, beside that of the piece that is under way."""


async def in_slices(work: Pieces[_T], *, is_awaited: bool = False) -> _T:
    """Do work and give its result; others have a turn after each slice, which all such work under way shares.

    Work that is cancelled is done to its end, all at once, so that nothing is left half done.

    Args:
        work: to do.
        is_awaited: what is urgent may wait for it, so it does not give way to that.
    """
    try:
        return await slices_of_loop(gives_way=not is_awaited).done(work)
    except asyncio.CancelledError:
        whole(work)
        raise


def whole(work: Pieces[_T], go_on: Callable[[], None] | None = None) -> _T:
    """Do work in one go and give its result.

    Args:
        work: to do.
        go_on: called after each piece of it.
    """
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: _T = done.value
            return result
        if go_on is not None:
            go_on()


def one_piece(work: Callable[[], _T]) -> Pieces[_T]:
    """Work that is done at once, for those who do it in pieces."""
    yield
    return work()


class Urgency:
    """What is urgent and under way, such as a pause. It needs dozens of passes of the event loop.

    During that, changes and large answers rest between two slices as long as a slice may take, so that passes are
    short.
    """

    def __init__(self) -> None:
        self._under_way = 0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Be urgent for the duration of the context."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    @property
    def is_under_way(self) -> bool:
        """True while something is urgent."""
        return self._under_way > 0

    async def rest(self) -> None:
        """Let others have their turn: a pass of the event loop, or more while something is urgent."""
        await asyncio.sleep(SLICE_SECONDS if self.is_under_way else 0)


URGENCY = Urgency()
"""That of this process."""


_SLICES_TO_SPARE, _SPARING_SECONDS = 8, 0.2
"""Number of slices after which the objects that they made are spared, some ten thousand, and the longest time that they
may take. In a longer time other work makes objects too, and those may be garbage."""


def no_sparing() -> None:
    """Leave garbage to Python."""


class Sparing:
    """Keeps what slices make from being looked at for garbage all at once.

    Python looks at its newest objects when so many more were made than freed. Work that replaces them one for one, as a
    change for thousands of assets does, leaves it hundreds of thousands before it looks, which then takes 0.4 s.

    Attributes:
        spare: takes what was made out of what is looked at; does nothing unless somebody looks at all of it later.
    """

    def __init__(self) -> None:
        self.spare: Callable[[], None] = no_sparing
        self._slices, self._since = 0, 0.0

    def slice_over(self) -> None:
        """Note that a slice is over."""
        self._slices += 1
        if self._slices < _SLICES_TO_SPARE:
            return
        now = perf_counter()
        if now - self._since <= _SPARING_SECONDS:
            self.spare()
        self._slices, self._since = 0, now


SPARING = Sparing()
"""That of this process."""


class SharedSlices:
    """Slices of work that several tasks do together: however many they are, a pass of the event loop has one slice.

    Args:
        gives_way: it rests longer while something is urgent. Market data and decisions do not.
        replaces: what it makes takes the place of as much, so Python would look at all of it at once; see `Sparing`.
    """

    def __init__(self, *, gives_way: bool = False, replaces: bool = True) -> None:
        self._gives_way = gives_way
        self._replaces = replaces
        self._turn = asyncio.Lock()
        self._end = perf_counter() + SLICE_SECONDS

    async def rest(self) -> None:
        """Wait before a piece of work until others have had their turn, if the slice is over."""
        if perf_counter() < self._end:
            return
        async with self._turn:
            if perf_counter() >= self._end:
                if self._replaces:
                    SPARING.slice_over()
                await (URGENCY.rest() if self._gives_way else asyncio.sleep(0))
                self._end = perf_counter() + SLICE_SECONDS

    async def done(self, work: Pieces[_T]) -> _T:
        """Do work and give its result, with a rest after each piece of it. Work that is cancelled is left as it is."""
        while True:
            try:
                next(work)
            except StopIteration as done:
                result: _T = done.value
                return result
            await self.rest()


_OF_LOOPS = WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, SharedSlices]]()


def slices_of_loop(*, gives_way: bool) -> SharedSlices:
    """Those of the running event loop, for work that belongs to no part of the program.

    Ten changes of hundreds of assets each make a pass as long as one of them does.
    """
    known = _OF_LOOPS.setdefault(asyncio.get_running_loop(), {})
    if gives_way not in known:
        known[gives_way] = SharedSlices(gives_way=gives_way)
    return known[gives_way]
