"""When something was asked for, and after what: a resumption ends no pause that came after it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Self

from vivienne.times import of_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator


class Way:
    """What keeps the order of everything that comes through it: a connection, or a channel or a stream of Redis."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> Place:
        """The place of what comes now."""
        self._count += 1
        return Place(self, self._count)


class Place(NamedTuple):
    """The place of a request among those that came the same way."""

    way: Way
    number: int

    def is_after(self, other: Place | None) -> bool:
        """Tell whether it came after another one, the same way. Without one, or of two ways, it is not known."""
        return other is not None and other.way is self.way and other.number < self.number


class Asked(NamedTuple):
    """When something was asked for, which may have waited since.

    Attributes:
        pause: the time if it is a pause, ISO 8601 UTC, by the clock of this process: the latest that is possible.
        resumption: the time if it is a resumption: the earliest that is possible.
        place: among those that came the same way; None if nothing is known of that.
        sent_as: name that a proxy gave to this request alone, wherever it sends it; it is the trace id, too.
    """

    pause: str
    resumption: str
    place: Place | None = None
    sent_as: str | None = None

    @classmethod
    def at(cls, pause: float, resumption: float, place: Place | None = None) -> Self:
        """The same of times in seconds since 1970."""
        return cls(of_epoch(pause), of_epoch(resumption), place)


_ASKED: ContextVar[Asked | None] = ContextVar("asked", default=None)


def asked_now() -> Asked | None:
    """When requests that are made in this context were asked for."""
    return _ASKED.get()


@contextmanager
def asked_at(asked: Asked | None) -> Iterator[None]:
    """Requests that are made in this context were asked for then; with None, when they are made."""
    token = _ASKED.set(asked)
    try:
        yield
    finally:
        _ASKED.reset(token)
