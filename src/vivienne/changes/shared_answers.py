"""Answers that take long: one is made at a time, and once for all who wait for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable
    from contextlib import AbstractAsyncContextManager
    from typing import Any


class _Made(NamedTuple):
    """An answer.

    Attributes:
        number: how many were made up to this one.
        kind: what was asked for.
        answer: to that.
    """

    number: int
    kind: Hashable
    answer: bytes


_Kind = TypeVar("_Kind", bound="Hashable")


class SharedAnswers(Generic[_Kind]):
    """Answers, in turn. Every caller gets one that was begun after the call, and many calls cost as much as two.

    Args:
        turn: waits for the turn of a caller, and holds it.
    """

    def __init__(self, turn: Callable[[str], AbstractAsyncContextManager[None]]) -> None:
        self._turn = turn
        self._begun = 0
        self._asking = 0
        self._last: _Made | None = None

    async def one(self, kind: _Kind, whose: str, make: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """An answer.

        Args:
            kind: what is asked for. Answers of one kind are equal.
            whose: key of the caller; the callers take turns.
            make: makes an answer of this kind. It is cancelled if its caller leaves, and the next one makes its own.

        Raises:
            TooManyRequests: the caller waits for too many already.
        """
        before = self._begun
        self._asking += 1
        try:
            async with self._turn(whose):
                last = self._last
                if last is None or last.number <= before or last.kind != kind:
                    self._begun += 1
                    number = self._begun
                    last = self._last = _Made(number, kind, await make())
                return last.answer
        finally:
            self._asking -= 1
            if not self._asking:
                self._last = None  # it has megabytes, and nobody may get it any more
