"""Everything that goes over Redis, put together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vivienne.config.channels.redis import ControlChannel, ControlMessages, ControlStream
from vivienne.redis_link import RedisLink
from vivienne.stream.redis import ChangePublisher, StatePublisher

if TYPE_CHECKING:
    from vivienne.config.revision import Revision
    from vivienne.config.service import ConfigService
    from vivienne.stream.hub import Hub
    from vivienne.stream.messages import Message
    from vivienne.stream.state import StateBoard

_log = logging.getLogger(__name__)


class RedisParts:
    """Control messages in, states and changes out.

    Raises:
        SettingsError: the address is none.
    """

    def __init__(self, url: str, service: ConfigService, hub: Hub, board: StateBoard) -> None:
        messages = ControlMessages(service)
        self._control = ControlChannel(messages)
        self._changes = ChangePublisher()
        self._link = RedisLink(url, [self._control, ControlStream(messages), StatePublisher(hub, board), self._changes])
        service.listen(self._changed)

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        try:
            await self._link.run()
        except Exception:  # noqa: BLE001  # the one who notices when it dies
            _log.exception("What goes over Redis failed; everything else goes on")
            self._link.trouble = "failed; the log says more"
        finally:
            await self._link.close()

    async def ask(self, message: Message) -> Message | None:
        """See `ControlChannel.ask`."""
        return await self._control.ask(message)

    def state(self) -> dict[str, str]:
        """For `/ready`."""
        return {"redis": self._link.trouble or "ok"}

    def _changed(self, revision: Revision, assets: list[str]) -> None:
        self._changes.take({"type": "config_changed", "assets": assets, **revision.as_document(is_active=True)})
