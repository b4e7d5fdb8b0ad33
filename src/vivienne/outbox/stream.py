"""Alerts for browsers, as they fire. Who was not connected finds them in the list of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivienne.alerts.channels import Browser
from vivienne.metrics.registry import Traffic
from vivienne.outbox.sending import Attempt
from vivienne.stream.unread import Shared, Unread
from vivienne.stream.waking import Waking
from vivienne.times import now, written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vivienne.outbox.sending import AnyChannel, Message
    from vivienne.wire.alert import AlertPushed


class AlertStream:
    """Passes alerts on to clients that are connected."""

    def __init__(self) -> None:
        self._readers: set[Unread] = set()
        self._waking = Waking()

    def show(self, alert: AlertPushed) -> None:
        """Pass an alert on. Called within the event loop."""
        shared = Shared(alert)
        self._waking.wake([reader for reader in self._readers if reader.put(shared)])

    def join(self, traffic: Traffic | None = None, whose: str = "") -> Unread:
        """Add a new client of a caller, counted by `traffic`; return what it has not been sent."""
        reader = Unread(traffic or Traffic(), self._waking, whose)
        reader.traffic.clients += 1
        self._readers.add(reader)
        return reader

    def leave(self, reader: Unread) -> None:
        """Remove a client that has disconnected."""
        if reader in self._readers:
            self._readers.remove(reader)
            self._waking.forget(reader)
            reader.traffic.clients -= 1


class BrowserSender:
    """Sends alerts to browsers.

    Args:
        show: passes an alert on to clients of this process.
        publish: passes it on to processes that have other clients; tells why it could not, or nothing.
    """

    def __init__(
        self,
        show: Callable[[AlertPushed], None] | None = None,
        publish: Callable[[AlertPushed], Awaitable[str]] | None = None,
    ) -> None:
        self._show = show
        self._publish = publish

    async def send(self, message: Message) -> Attempt:
        """See `vivienne.outbox.sending.Sender`."""
        sound = message.channel.sound if isinstance(message.channel, Browser) else False
        alert: AlertPushed = {"type": "alert", "timestamp": written(now()), "event": message.event, "sound": sound}
        if self._show is not None:
            self._show(alert)
        if self._publish is not None and (trouble := await self._publish(alert)):
            return Attempt("failed", trouble)
        return Attempt("delivered")

    def destination(self, _channel: AnyChannel) -> str:
        """See `vivienne.outbox.sending.Sender`."""
        return "browser"
