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
    from collections.abc import Callable

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


class _Lane:
    """Messages that are answered one after the other.

    Attributes:
        said: those that wait.
        task: answers them.
    """

    __slots__ = ("said", "task")

    def __init__(self) -> None:
        self.said: deque[dict[str, Any]] = deque()
        self.task: asyncio.Task[None] | None = None


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
        "_mailbox", "_pauses", "_rest", "_times", "_waits_for_time", "inflates", "is_free", "write",
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
        self._pauses: _Lane | None = None
        self._rest: _Lane | None = None
        """What the client has said, pauses and everything else; None while it is silent."""
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
        return self._pauses is None and self._rest is None

    def _hear_later(self, event: dict[str, Any]) -> None:
        """Answer a message after those before it. A pause waits for pauses only, and what comes later for the pause."""
        if self._hearing.is_urgent(event, self._caller):
            lane = self._pauses = self._pauses or _Lane()
        else:
            lane = self._rest = self._rest or _Lane()
        lane.said.append(event)
        if lane.task is None:
            loop = asyncio.get_running_loop()
            lane.task = loop.create_task(self._hear(lane), context=self._context.copy())
            self._line.tasks.add(lane.task)
            lane.task.add_done_callback(self._heard)

    async def _hear(self, lane: _Lane) -> None:
        try:
            while lane.said:
                event = lane.said.popleft()
                await self._answer(event, is_pause=lane is self._pauses)
                self._line.done(event)
        finally:
            self._fall_silent(lane)  # here, because more may come before anybody knows that this has ended

    def _fall_silent(self, lane: _Lane) -> None:
        if lane is self._pauses:
            self._pauses = None
        else:
            self._rest = None
        if self._is_stopping:
            self._close_once_done()
        if not self._is_open and self._is_silent:
            self._end()

    async def _answer(self, event: dict[str, Any], *, is_pause: bool) -> None:
        # One at a time, and no more than the caller has time for: others have their turn between two of them.
        if not is_pause:
            if self._pauses is not None and self._pauses.task is not None:
                await asyncio.wait({self._pauses.task})
            await self._times.messages.due(self._caller.key)
        self._times.messages.charge(self._caller.key, AROUND_SECONDS)
        await self._hearing.hear(event, self._caller)

    def _heard(self, task: asyncio.Task[None]) -> None:
        self._line.tasks.discard(task)
        for lane in (self._pauses, self._rest):
            if lane is not None and lane.task is task:  # it was cancelled before it began
                self._fall_silent(lane)
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure  # the event loop reports it

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
        for lane in (self._pauses, self._rest):
            if lane is not None and lane.task is not None:
                lane.task.cancel()
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
