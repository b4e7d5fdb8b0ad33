"""A WebSocket of states without tasks and without the application: written to in its turn, heard when it speaks.

The application accepts it, and hands it over. What `conversing.py` does with two tasks and the layers of the framework
for each client is done here by the protocol, the mailbox and this: with the same messages, limits and turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol

from vivienne.server.conversing import AROUND_SECONDS, GOING, SENDING_SECONDS, STOPPING
from vivienne.server.http import caller_of
from vivienne.server.staying import STAYS
from vivienne.stream.waking import ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.websockets import WebSocket

    from vivienne.access.caller import Caller
    from vivienne.server.conversing import Hearing, Times
    from vivienne.stream.mailbox import Mailbox

LINE = "vivienne.line"
"""Key, in the scope of a WebSocket, of the line that it may be handed over to."""
_POLICY_VIOLATION = 1008


class Line(Protocol):
    """The protocol of a WebSocket.

    Attributes:
        tasks: those that a stop waits for.
    """

    tasks: set[asyncio.Task[None]]

    @property
    def inflates(self) -> bool:
        """True if compression was agreed on."""

    @property
    def is_writable(self) -> bool:
        """False while something is unsent, and from the close on."""

    def hand_over(self, direct: Direct) -> None:
        """Give everything that arrives to this, from now on."""

    def write(self, data: bytes) -> None:
        """Write to the connection; what cannot be sent at once is kept."""

    def done(self, message: dict[str, Any]) -> None:
        """Note that a message is answered."""

    def drop_messages(self) -> None:
        """Keep none of the messages that nobody will answer."""

    def close(self, code: int, reason: str) -> None:
        """Close the WebSocket."""


class Direct:
    """One client. An `Outlet` of its mailbox; and takes what the protocol would give to the application.

    Args:
        line: the protocol.
        times: when something is done.
        hearing: takes what the client says.
        mailbox: has what the client gets; what is in it now is charged.
        caller: the client.
        leave: called when it has gone.

    Attributes:
        is_free: see `vivienne.stream.mailbox.Outlet`.
        inflates: see there.
        write: see there; that of the line as soon as nothing else is to be done for it.
    """

    __slots__ = (
        "_at_end", "_caller", "_context", "_first", "_hearing", "_is_open", "_is_stopping", "_leave", "_line",
        "_mailbox", "_pauses", "_said", "_task", "_times", "_waits_for_time", "inflates", "is_free", "write",
    )  # fmt: skip

    def __init__(
        self,
        line: Line,
        times: Times,
        hearing: Hearing,
        mailbox: Mailbox,
        caller: Caller,
        leave: Callable[[], None],
    ) -> None:
        self._line = line
        self._times = times
        self._hearing = hearing
        self._mailbox = mailbox
        self._caller = caller
        self._leave = leave
        self._context = copy_context()
        self._first = mailbox.unsent()
        self._pauses: set[asyncio.Task[None]] | None = None
        """Answer the pauses that the client asks for; None while there are none."""
        self._said: deque[dict[str, Any]] | None = None
        """What the client has said besides; None while it is silent."""
        self._task: asyncio.Task[None] | None = None
        """Answers that."""
        self._at_end: list[Callable[[], object]] | None = []
        """What is called at the end; None after it."""
        self._is_open, self._is_stopping, self._waits_for_time = True, False, False
        self.is_free, self.inflates = line.is_writable, line.inflates
        self.write: Callable[[bytes], None] = self._write_first if self._first else line.write
        mailbox.goes_to(self)
        line.hand_over(self)

    # What it gets

    def _write_first(self, data: bytes) -> None:
        """Write what is there at first. It is charged: a client may come again and again for it."""
        self._line.write(data)
        key = self._caller.key
        self._times.requests.charge(key, SENDING_SECONDS * min(ROW, self._first))
        self._first -= ROW
        if self._first > 0:
            self.is_free, self._waits_for_time = False, True
            self._times.requests.when_due(key, self._has_time, opens=True)
        else:
            self.write = self._line.write

    def _write_last(self, data: bytes) -> None:
        """Write what there is still when the server stops."""
        self._line.write(data)
        self._close_once_done()

    def _has_time(self) -> None:
        self._waits_for_time = False
        self.go_on()

    def halt(self) -> None:
        """Write nothing until it goes on."""
        self.is_free = False

    def go_on(self) -> None:
        """Write again."""
        if self._is_open and not self._waits_for_time and self._line.is_writable:
            self.is_free = True
            self._mailbox.go_on()
            if self._is_stopping:
                self._close_once_done()

    # What it says

    def put_nowait(self, event: dict[str, Any]) -> None:
        """Take an event of the protocol, as the queue of the application would."""
        if event["type"] == "websocket.receive":
            self._hear_later(event)
        elif STOPPING in event:
            self._is_stopping, self.write = True, self._write_last
            self._close_once_done()
        else:
            self._lose()

    @property
    def _is_silent(self) -> bool:
        return self._task is None and self._pauses is None

    def _hear_later(self, event: dict[str, Any]) -> None:
        """Answer a message after those before it. A pause waits for nothing, and what comes after it for the pause."""
        if self._hearing.is_urgent(event, self._caller):
            if self._pauses is None:
                self._pauses = set()
            self._pauses.add(self._begin(self._answer(event), self._paused))
            return
        if self._said is None:
            self._said = deque()
        self._said.append(event)
        if self._task is None:
            self._task = self._begin(self._hear(), self._heard)

    def _begin(self, work: Coroutine[Any, Any, None], then: Callable[[asyncio.Task[None]], None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        self._line.tasks.add(task)
        task.add_done_callback(then)
        return task

    def _paused(self, task: asyncio.Task[None]) -> None:
        self._line.tasks.discard(task)
        if self._pauses is not None:
            self._pauses.discard(task)
            self._pauses = self._pauses or None
        self._fall_silent()
        _tell(task)

    async def _hear(self) -> None:
        try:
            while self._said:
                event = self._said.popleft()
                if self._pauses is not None:
                    await asyncio.wait(self._pauses)
                # No more than the caller has time for: others have their turn between two of them.
                await self._times.messages.due(self._caller.key)
                await self._answer(event)
        finally:
            self._task = self._said = None  # here, because more may come before anybody knows that this has ended
            self._fall_silent()

    async def _answer(self, event: dict[str, Any]) -> None:
        self._times.messages.charge(self._caller.key, AROUND_SECONDS)
        await self._hearing.hear(event, self._caller)
        self._line.done(event)

    def _heard(self, task: asyncio.Task[None]) -> None:
        self._line.tasks.discard(task)
        if self._task is task:  # it was cancelled before it began
            self._task = self._said = None
            self._fall_silent()
        _tell(task)

    def _fall_silent(self) -> None:
        if self._is_stopping:
            self._close_once_done()
        if not self._is_open and self._is_silent:
            self._end()

    # Its end

    def at_end(self, then: Callable[[], object]) -> None:
        """See `vivienne.server.staying.Staying`."""
        if self._at_end is None:
            then()
        else:
            self._at_end.append(then)

    def refuse(self, reason: str) -> None:
        """See `vivienne.server.staying.Staying`."""
        if self._is_open:
            self._line.close(_POLICY_VIOLATION, reason)
        for task in (*(self._pauses or ()), self._task):
            if task is not None:
                task.cancel()
        self._lose()

    def _close_once_done(self) -> None:
        if self._is_open and self._is_silent and self._line.is_writable and not self._mailbox.unsent():
            self._line.close(GOING, "")
            self._lose()

    def _lose(self) -> None:
        """Send nothing more. What the client has said is answered still, to nobody."""
        self.is_free = self._is_open = False
        self._leave()
        if self._is_silent:
            self._end()

    def _end(self) -> None:
        self._line.drop_messages()
        then, self._at_end = self._at_end or [], None
        for each in then:
            each()


def _tell(ended: asyncio.Task[None]) -> None:
    if not ended.cancelled() and (failure := ended.exception()) is not None:
        raise failure  # the event loop reports it


def hand_over(
    websocket: WebSocket, times: Times, hearing: Hearing, mailbox: Mailbox, leave: Callable[[], None]
) -> bool:
    """Let an accepted WebSocket stay open without the application; tell whether its server can do that.

    Args:
        websocket: is accepted; the application must return.
        times: when something is done.
        hearing: takes what the client says.
        mailbox: has what the client gets.
        leave: called when the client has gone.
    """
    line: Line | None = websocket.scope.pop(LINE, None)
    if line is None:
        return False
    websocket.scope[STAYS] = Direct(line, times, hearing, mailbox, caller_of(websocket), leave)
    return True
