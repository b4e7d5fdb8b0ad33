"""The use every process makes of Redis: control messages in, changes out, and hints of changes of other processes."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from typing import TYPE_CHECKING

from vivienne.channels.json import USUAL
from vivienne.metrics.registry import Sample
from vivienne.redis.again import Again
from vivienne.redis.control.channel import ControlChannel
from vivienne.redis.control.hints import ChangeHints
from vivienne.redis.control.messages import ControlMessages
from vivienne.redis.control.names import ControlNames
from vivienne.redis.control.results import Results
from vivienne.redis.control.stream import ControlStream
from vivienne.redis.lease import Holder, Lease
from vivienne.redis.link import RedisLink
from vivienne.redis.pauses import PauseAnnouncer, PauseListener, nobody
from vivienne.redis.publishing import CONFIG, ChangePublisher

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from vivienne.access.limits import MessageLimits
    from vivienne.changes.service import ConfigService
    from vivienne.redis.link import Part
    from vivienne.slices import Pieces
    from vivienne.store.revision import AppliedRevision


def process_name() -> str:
    """A name for this process, as a holder of leases and a reader of streams."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


class RedisParts:
    """The link to Redis with its parts.

    Args:
        url: of the Redis.
        control: name of the control channel.
        service: takes changes.
        more: parts of the role of the process.
        limits: of control messages.
        unconfirmed: finds paused assets whose agent has not stopped yet, as far as is known here.

    Raises:
        SettingsError: the address is not valid.
    """

    def __init__(
        self,
        url: str,
        control: str,
        service: ConfigService,
        more: Iterable[Part],
        limits: MessageLimits = USUAL,
        unconfirmed: Callable[[], Pieces[Collection[str]]] = nobody,
    ) -> None:
        names = ControlNames(control)
        messages = ControlMessages(service, limits)
        process = process_name()
        lease = Lease(names.lease, process)
        stream = ControlStream(messages, names, process, lease.held)
        self._results = Results(names.results)
        self._channel = ControlChannel(messages, names, lease, self._results)
        listening: list[Part] = [Again(self._channel, "hears control messages"), stream]
        self._changes = ChangePublisher()
        holder = Holder(lease, listening, watch=stream.watch)
        parts: list[Part] = [*more, self._changes, self._results, holder]
        self._watches = [each.watch for each in parts if isinstance(each, Holder) and each.watch is not None]
        if service.is_shared:
            announcer = PauseAnnouncer(service, process, unconfirmed)
            hints, pauses = ChangeHints(service, CONFIG), PauseListener(service, process, announcer)
            parts += [Again(hints, "hears of changes"), announcer, Again(pauses, "hears of pauses")]
        self._link = RedisLink(url, parts)
        service.metrics.gauge("vivienne_redis_up", lambda: float(self._link.trouble is None))
        service.metrics.source(self._counts)
        service.listen(self._changed)

    async def run(self) -> None:
        """Keep the connection, and apply control messages, until cancelled; those that were heard first."""
        parts = (("control messages", self._channel.apply()), ("redis link", self._link.run()))
        tasks = [asyncio.create_task(part, name=name) for name, part in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._channel.finish()
            raise
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self._link.close()
        errors = [each for each in ended if isinstance(each, Exception)]
        raise ExceptionGroup("the link to Redis failed", errors or [RuntimeError("it ended")])

    @property
    def hears(self) -> bool:
        """Whether messages of others come."""
        return self._link.trouble is None

    @property
    def trouble(self) -> str | None:
        """The reason why the link does not work, or what others did to Redis; None while all is well."""
        others = (each.trouble for each in self._watches if each.trouble is not None)
        return self._link.full or self._link.trouble or next(others, None)

    def _counts(self) -> Iterator[Sample]:
        for each in self._watches:
            yield Sample("vivienne_redis_entries_lost_total", (each.stream,), each.lost)
        yield Sample("vivienne_control_dropped_total", ("message",), self._channel.waiting.dropped)
        yield Sample("vivienne_control_dropped_total", ("result",), self._results.dropped)

    def _changed(self, change: AppliedRevision) -> None:
        if change.made_here:
            entry = change.revision.as_document(is_active=change.revision.puts_in_force)
            self._changes.take({**entry, "type": "config_changed", "assets": change.assets})
