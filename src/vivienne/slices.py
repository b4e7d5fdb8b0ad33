"""Slices of work: what takes long is done a little at a time, and others have the event loop between."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import TypeVar

_T = TypeVar("_T")

Pieces = Generator[None, None, _T]
"""Work that yields after each piece of it. Its result is what it returns."""

SLICE_SECONDS = 0.002
"""Longest time until others have a turn, beside that of the piece that is under way."""


async def in_slices(work: Pieces[_T]) -> _T:
    """Do work and give its result; others have a turn after each slice.

    Work that is cancelled is done to its end, all at once, so that nothing is left half done.
    """
    try:
        return await SharedSlices().done(work)
    except asyncio.CancelledError:
        whole(work)
        raise


def whole(work: Pieces[_T]) -> _T:
    """Do work all at once and give its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: _T = done.value
            return result


class SharedSlices:
    """Slices of work that several tasks do together: however many they are, a pass of the event loop has one slice."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._end = perf_counter() + SLICE_SECONDS

    async def rest(self) -> None:
        """Wait before a piece of work until others have had their turn, if the slice is over."""
        if perf_counter() < self._end:
            return
        async with self._turn:
            if perf_counter() >= self._end:
                await asyncio.sleep(0)
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
