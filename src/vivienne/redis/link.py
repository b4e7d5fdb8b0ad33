"""The connection to Redis: one task keeps it up, and its users live no longer than the connection.

Redis is optional: while it is absent, killed, paused or slow, everything that does not need it works. While connected,
the *parts* - publishers, listeners - run in tasks of their own. When one of them fails, or a ping is not answered in
time, all of them end, the link is down, and it reconnects after a growing, random delay. Each connection restarts the
parts, so they make up for what was missed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import AuthenticationError, InvalidResponse, RedisError, ResponseError

from vivienne.addresses import shown_address
from vivienne.errors import SettingsError
from vivienne.logs.records import one_line, short
from vivienne.redis.answers import LONGEST_ERROR
from vivienne.redis.client import PING_SECONDS, Client, is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio import Redis

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0
"""Longest time until a ping is answered."""
SHORTEST_DELAY, FIRST_DELAY, LONGEST_DELAY = 0.05, 0.1, 2.0
"""Bounds of the delays before it reconnects, in seconds."""
END_SECONDS = 2.0
"""Longest time for the users of a connection to end."""
AGAIN_SECONDS = 0.2
"""Time after which those that have not ended are cancelled again."""
STEADY_SECONDS = 10.0
"""Age of a connection after which its loss starts with short delays again."""

LOST = (RedisError, OSError, TimeoutError)
"""Errors of a broken connection; any other error is a defect."""


class Part(Protocol):
    """A user of the connection, which runs while it is up."""

    async def run(self, redis: Redis, ready: Callable[[], None]) -> None:
        """Use the connection until it breaks; an error of Redis or of the network ends it for all.

        Args:
            redis: the connection.
            ready: to be called when the part does its work, once or more.
        """


def start(
    parts: Sequence[Part], redis: Redis, ready: Callable[[], None], group: asyncio.TaskGroup | None = None
) -> list[asyncio.Task[None]]:
    """Start parts, in a group if one is given; call `ready` when every one of them is ready."""
    begin = asyncio.create_task if group is None else group.create_task
    missing = set(range(len(parts)))

    def one_ready(number: int) -> None:
        if number in missing:
            missing.discard(number)
            if not missing:
                ready()

    return [
        begin(part.run(redis, partial(one_ready, number)), name=f"redis {type(part).__name__}")
        for number, part in enumerate(parts)
    ]


class RedisLink:
    """Keeps the connection and runs the parts.

    Args:
        url: as in ``redis://localhost:6379/0``.
        parts: to run.

    Raises:
        SettingsError: the address is not valid.
    """

    def __init__(self, url: str, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._shown = shown_address(url)
        self.trouble: str | None = "not connected yet"
        """The reason why it does not work; None while it works."""
        self._told = False
        self._was_there = False
        try:
            self._redis = Client(url)
        except ValueError:
            # The text of the error could contain a part of the password.
            raise SettingsError(
                "--redis is not a valid Redis address; give one such as redis://localhost:6379/0"
            ) from None

    @property
    def full(self) -> str | None:
        """Says that Redis is full; None while it is not."""
        return self._redis.full

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        clock = asyncio.get_running_loop().time
        bound = FIRST_DELAY
        while True:
            begin = clock()
            # In a task of its own: when a part fails while it is cancelled, the cancellation is lost inside.
            session = asyncio.create_task(self._session(), name="redis session")
            try:
                await asyncio.wait([session])
            finally:
                session.cancel()
                await asyncio.wait([session], timeout=END_SECONDS)
                error = session.exception() if session.done() and not session.cancelled() else None
                with suppress(*LOST):
                    await self._redis.disconnect()
            if error is not None:
                self._down(error)
            bound = FIRST_DELAY if clock() - begin > STEADY_SECONDS else min(2 * bound, LONGEST_DELAY)
            await asyncio.sleep(random.uniform(SHORTEST_DELAY, bound))  # noqa: S311  # no secret

    async def close(self) -> None:
        """Close the connection."""
        with suppress(*LOST):
            await self._redis.aclose(close_connection_pool=True)

    async def _session(self) -> None:
        """Connect, and run the parts until one of them fails."""
        await self._answers()
        # No task group: it waits without end for a part that does not heed its cancellation.
        tasks = [asyncio.create_task(self._ping(), name="redis ping")]
        tasks += start(self._parts, self._redis, self._up)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await _end(tasks)
        raise BaseExceptionGroup("the connection ended", _errors(tasks))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            await self._answers()

    async def _answers(self) -> None:
        """Wait for an answer; to a ping Redis also answers that its disk is full."""
        self._redis.silence.asked()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._redis.ping()
        except ResponseError as refused:
            if not is_full(refused):
                raise
        self._redis.silence.answered()

    def _up(self) -> None:
        _log.info("Connected to Redis")
        self.trouble, self._told, self._was_there = None, False, True

    def _down(self, error: BaseException) -> None:
        """Log it once; the first reason counts, later ones are those of failed attempts to reconnect."""
        self.trouble = reason(error)
        if self._told:
            return
        self._told = True
        if is_lost(error):
            what = "Lost the connection to" if self._was_there else "Cannot connect to"
            _log.warning("%s Redis at %s: %s; retrying, everything else continues", what, self._shown, self.trouble)
        else:
            _log.error(
                "A task that uses Redis failed; restarting all of them, everything else continues", exc_info=error
            )


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks again and again: a library may lose a cancellation. What does not end within a time is left."""
    clock = asyncio.get_running_loop().time
    late = clock() + END_SECONDS
    pending = {task for task in tasks if not task.done()}
    while pending and clock() < late:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    for task in pending:
        _log.error("The task %s did not end with its connection to Redis; it is left behind", task.get_name())


def _errors(tasks: Sequence[asyncio.Task[None]]) -> list[BaseException]:
    """Of tasks that failed, or that there is none."""
    found = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    return [error for error in found if error is not None] or [ConnectionError("every part has ended")]


def reason(error: BaseException) -> str:
    """What broke the connection, in words. A server may have written some of them, so they are cut."""
    return one_line(short(_reason(error), LONGEST_ERROR))


def _reason(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        # A defect is worth more than the connections it took down with it.
        return _reason(next((inner for inner in error.exceptions if not is_lost(inner)), error.exceptions[0]))
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    if not isinstance(error, LOST):
        return f"a part of Vivienne failed: {error!r}"
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens at its address; start Redis, or correct --redis"
    if isinstance(cause, socket.gaierror):
        return "its host is unknown; correct --redis"
    return str(error).rstrip(".") or "it does not answer"


_WORDS: dict[type[Exception], str] = {
    AuthenticationError: "it rejects the user name or the password",
    InvalidResponse: "the server at the address is not Redis",
}


def is_lost(error: BaseException) -> bool:
    """Whether an error is that of a broken connection, and no defect."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_lost(inner) for inner in error.exceptions)
    return isinstance(error, LOST)
