"""Everything that goes over Redis, put together."""

from __future__ import annotations

import os
import socket
import uuid
from typing import TYPE_CHECKING

from vivienne.config.channels.redis.channel import ControlChannel
from vivienne.config.channels.redis.messages import ControlMessages
from vivienne.config.channels.redis.names import ControlNames
from vivienne.config.channels.redis.relay import ControlRelay
from vivienne.config.channels.redis.stream import ControlStream
from vivienne.redis.lease import Holder, Lease
from vivienne.redis.link import RedisLink
from vivienne.stream.redis import ChangePublisher, StatePublisher

if TYPE_CHECKING:
    from vivienne.config.revision import Revision
    from vivienne.config.service import ConfigService
    from vivienne.redis.link import Part
    from vivienne.stream.hub import Hub
    from vivienne.stream.messages import Message
    from vivienne.stream.state import StateBoard


class RedisParts:
    """Control messages in, states and changes out.

    Args:
        url: of the Redis.
        control: name of the control channel.
        service: the door for changes.
        hub: fans states out.
        board: has the latest states.

    Raises:
        SettingsError: the address is none.
    """

    def __init__(self, url: str, control: str, service: ConfigService, hub: Hub, board: StateBoard) -> None:
        names = ControlNames(control)
        messages = ControlMessages(service)
        process = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        lease = Lease(names.lease, process)
        listening: list[Part] = [
            ControlChannel(messages, names, lease.held),
            ControlStream(messages, names, process, lease.held),
        ]
        self._relay = ControlRelay(names)
        self._changes = ChangePublisher()
        self._link = RedisLink(url, [StatePublisher(hub, board), self._changes, self._relay, Holder(lease, listening)])
        service.listen(self._changed)

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        try:
            await self._link.run()
        finally:
            await self._link.close()

    async def ask(self, message: Message, address: str | None) -> Message | None:
        """See `ControlRelay.ask`."""
        return await self._relay.ask(message, address)

    def state(self) -> dict[str, str]:
        """For `/ready`."""
        return {"redis": self._link.trouble or "ok"}

    def _changed(self, revision: Revision, assets: list[str]) -> None:
        entry = revision.as_document(is_active=revision.action != "delete")
        self._changes.take({**entry, "type": "config_changed", "assets": assets})
